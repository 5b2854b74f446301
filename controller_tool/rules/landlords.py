"""By which document a landlord is known: a person's, or a company's licence (host, pure)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller_tool import id_number
from controller_tool.messages import t

if TYPE_CHECKING:
    from datetime import date

# passports, permits, and the 18 characters of a unified social credit code (GB 32100)
_FORM = re.compile(r"[0-9A-Z]{5,20}")
_OTHER_REGION = "region"  # of an ID number; a credit code begins with another pair


def document_fault(number: str, today: date) -> str:
    """What is wrong with a normalised number (id_number.normalise), "" for nothing or none."""
    if not number:
        return ""
    if not _FORM.fullmatch(number):
        return t("no number of a document: 5 to 20 letters and digits")
    found = id_number.fault(number, today)
    if found in (None, "shape", _OTHER_REGION):
        return ""
    return t(id_number.FAULTS[found])
