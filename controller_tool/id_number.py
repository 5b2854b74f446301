"""Chinese ID numbers, GB 11643: 18 characters with an ISO 7064 MOD 11-2 check digit (host).

Residence permits of Hong Kong, Macao and Taiwan (81, 82, 83) have the same form.
"""

import re
import unicodedata
from datetime import date

LENGTH = 18
_SHAPE = re.compile(r"[0-9]{17}[0-9X]")
_WEIGHTS = tuple(pow(2, 17 - place, 11) for place in range(17))
_CHECK = "10X98765432"
# first two digits: provinces by region of the country, then 71 and the three kinds of permit
_PROVINCES = frozenset(
    f"{region}{number}"
    for region, count in (("1", 5), ("2", 3), ("3", 7), ("4", 6), ("5", 4), ("6", 5))
    for number in range(1, count + 1)
) | {"50", "71", "81", "82", "83"}


def normalise(text: str) -> str:
    """Without blanks, in narrow signs, with a capital X."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).upper()


def check_digit(first17: str) -> str:
    """The 18th character of a number."""
    total = sum(int(digit) * weight for digit, weight in zip(first17, _WEIGHTS, strict=True))
    return _CHECK[total % 11]


def fault(number: str, today: date) -> str | None:
    """What is wrong with a normalised number: a key of FAULTS; None when it is a good one."""
    if not _SHAPE.fullmatch(number):
        return "shape"
    if number[:2] not in _PROVINCES:
        return "region"
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return "birth date"
    if not date(1900, 1, 1) <= born <= today:
        return "birth date"
    return None if check_digit(number[:17]) == number[17] else "check digit"


def sex(number: str) -> str:
    """What a good number says: "M" for an odd 17th digit, else "F" (GB 11643)."""
    return "M" if int(number[16]) % 2 else "F"


# given to a person through messages.t
FAULTS = {
    "shape": "not 18 characters: 17 digits, then a digit or X",
    "region": "its first two digits name no region",
    "birth date": "its birth date does not exist",
    "check digit": "its check digit is wrong",
}


def masked(number: str) -> str:
    """First three and last four characters, as forms in China show it."""
    return f"{number[:3]}{'*' * (LENGTH - 7)}{number[-4:]}"
