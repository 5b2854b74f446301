"""By which phone numbers somebody can be reached (host, pure).

- a mobile of the mainland: 11 digits from 13 to 19; 86 or +86 before it is left out
- a fixed line with its area code: 0571-86911111
- a number of elsewhere: + and 7 to 15 digits (ITU-T E.164)
"""

from __future__ import annotations

import re
import unicodedata

from controller_tool.messages import t
from controller_tool.rules.refusal import Refusal

_MOBILE = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})")
_FIXED = re.compile(r"0(?:10|[2-9][0-9]{1,2})[0-9]{7,8}")
_ELSEWHERE = re.compile(r"\+(?!86)[1-9][0-9]{6,14}")

# given to a person through messages.t, where a cell of a table is wrong
NO_PHONE = "not a phone number: 11 digits of a mobile, 0571-86911111, or +852 and the number"


def phone(text: str) -> str | None:
    """The number as it is kept, without blanks and signs; "" for none, None for what is none."""
    bare = re.sub(r"[\s()-]", "", unicodedata.normalize("NFKC", text))
    mobile = _MOBILE.fullmatch(bare)
    if mobile:
        return mobile[1]
    fits = not bare or _FIXED.fullmatch(bare) or _ELSEWHERE.fullmatch(bare)
    return bare if fits else None


def refuse_phone(text: str) -> Refusal | None:
    """Why this is no phone number, or None; empty is none at all and allowed."""
    if phone(text) is not None:
        return None
    return Refusal(
        "phone", t("This is no phone number"),
        t("11 digits of a mobile, 0571-86911111, or +852 and the number"),
    )  # fmt: skip
