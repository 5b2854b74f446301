"""What lies in what: grids in villages, villages in districts (host, pure)."""

from __future__ import annotations

from controller_tool.messages import name_of, t
from controller_tool.rules import words
from controller_tool.rules.refusal import Refusal

_PARENT = {words.DISTRICT: None, words.VILLAGE: words.DISTRICT, words.GRID: words.VILLAGE}


def place(kind: str, parent_kind: str | None) -> Refusal | None:
    """Why an area of ``kind`` does not lie in one of ``parent_kind`` (None: in none), or None."""
    wanted = _PARENT[kind]
    if wanted == parent_kind:
        return None
    if wanted is None:
        what, way_out = t("A district lies in no other area"), t("Leave --in away")
    else:
        what = t("A {kind} lies in a {parent}", kind=name_of("area", kind),
                 parent=name_of("area", wanted))  # fmt: skip
        way_out = t("Give its code with --in; see them with: area list")
    return Refusal("area", what, way_out)


def counted(*numbers: int | None) -> Refusal | None:
    """Why what was counted cannot be, or None."""
    if all(number is None or number >= 0 for number in numbers):
        return None
    return Refusal("survey", t("Nobody counts fewer than none"), t("Give 0 or more"))
