"""Documents on rosters: their kinds, and the columns that hold their numbers (host).

Most rosters have one column of numbers, and perhaps one that says of what kind they are. Others
have a column for each kind, of which a row fills one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller_tool import id_number, travel_document
from controller_tool.messages import t
from controller_tool.rules import words

if TYPE_CHECKING:
    from datetime import date

# column of numbers: its names; the first is the one that is printed
COLUMNS = {
    "id_number": (
        "身份证号", "身份证号码", "身份证", "证件号", "证件号码", "公民身份号码", "公民身份证号码",
        "id_number", "ID card", "ID no", "document number", "document no",
    ),
    "passport": ("护照号", "护照号码", "护照", "passport", "passport no", "passport number"),
    "permit": (
        "通行证号", "通行证号码", "通行证", "港澳台通行证号", "港澳台通行证号码", "港澳台通行证",
        "港澳通行证号", "港澳通行证", "台胞证号", "台胞证", "travel permit", "permit no",
    ),
}  # fmt: skip
NUMBERS = tuple(COLUMNS)
_NONE = frozenset(
    {"", "无", "没有", "/", "-", "--", "—", "——", "none", "n/a"}
)  # as offices write it
_OF_COLUMN = {"passport": words.PASSPORT, "permit": words.TRAVEL_PERMIT}
_KINDS = {
    words.ID_CARD: ("身份证", "居民身份证", "二代身份证", "居住证", "港澳台居民居住证", "id_card",
                    "ID card", "residence permit"),
    words.PASSPORT: ("护照", "普通护照", "外国护照", "passport"),
    words.TRAVEL_PERMIT: (
        "通行证", "港澳台通行证", "港澳通行证", "港澳居民来往内地通行证", "回乡证", "台胞证",
        "台湾通行证", "台湾居民来往大陆通行证", "travel_permit", "travel permit",
    ),
}  # fmt: skip
_CODES = {name.lower(): code for code, names in _KINDS.items() for name in names}


def filled(text: str) -> bool:
    """Whether a cell of a column of numbers holds one, or at least tries to."""
    return text.lower() not in _NONE


def kind(text: str, column: str) -> tuple[str, str]:
    """(kind, fault) of a number in that column of NUMBERS where ``text`` says of what it is.

    Nobody says: what the column is of. A fault, "" for none, goes with the likeliest kind.
    """
    own = _OF_COLUMN.get(column, words.ID_CARD)
    if not text:
        return own, ""
    code = _CODES.get(text.lower())
    if code is None:
        known = ", ".join(names[0] for names in _KINDS.values())
        return own, t("none of: {names}", names=known)
    if column in _OF_COLUMN and code != own:
        return own, t("the number stands in the column {name}", name=COLUMNS[column][0])
    return code, ""


def number_fault(code: str, number: str, today: date) -> str:
    """What is wrong with a normalised number of a document of that kind, "" for nothing."""
    if code != words.ID_CARD:
        found = travel_document.fault(code, number)
        return t(found) if found else ""
    found = id_number.fault(number, today)
    if found is None:
        return ""
    if any(travel_document.fault(one, number) is None for one in travel_document.KINDS) and (
        number[:1].isalpha()
    ):
        return t("no ID number; if it is a passport's, say so in a column {name}",
                 name="证件类型")  # fmt: skip
    return t(id_number.FAULTS[found])
