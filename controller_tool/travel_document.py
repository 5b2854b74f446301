"""Numbers of passports and of permits to travel to the mainland, judged by form alone (host, pure).

Permits (通行证): of residents of Hong Kong and Macao H or M and eight digits, older ones with two
digits of their issue; of residents of Taiwan eight digits, older ones ten and a letter. Forms as
printed on the documents of the National Immigration Administration; no check digit is printed.
What has the shape of an ID number is of neither: one person would have two entries.
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
_ID_SHAPE = re.compile(r"[0-9]{17}[0-9X]|[0-9]{15}")
ID_NUMBER = "this is the number of an ID card: take it as an ID card (id_card)"


def fault(kind: str, number: str) -> str | None:
    """What is wrong with a normalised number: a text of FAULTS, or ID_NUMBER.

    None when it has the form.
    """
    if _ID_SHAPE.fullmatch(number):
        return ID_NUMBER
    return None if _FORMS[kind].fullmatch(number) else FAULTS[kind]
