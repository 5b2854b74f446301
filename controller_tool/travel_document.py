"""Numbers of passports and of permits to travel to the mainland, judged by form alone (host, pure).

Permits (通行证): of residents of Hong Kong and Macao H or M and eight digits, older ones with two
digits of their issue; of residents of Taiwan eight digits, older ones ten and a letter. Forms as
printed on the documents of the National Immigration Administration; no check digit is printed.
"""

import re

from controller_tool.rules import words

_FORMS = {
    words.PASSPORT: re.compile(r"[0-9A-Z]{5,20}"),
    words.TRAVEL_PERMIT: re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?|[0-9]{8}|[0-9]{10}[A-Z]?"),
}
# given to a person through messages.t
FAULTS = {
    words.PASSPORT: "no number of a passport: 5 to 20 letters and digits",
    words.TRAVEL_PERMIT: "no number of a travel permit: H or M and 8 digits, or 8 digits alone",
}
KINDS = tuple(FAULTS)


def fault(kind: str, number: str) -> str | None:
    """What is wrong with a normalised number: a text of FAULTS; None when it has the form."""
    return None if _FORMS[kind].fullmatch(number) else FAULTS[kind]
