"""The power path of locks: supply, the fire panel's contact, the relay, the lock (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller_tool.drawing.board import BOARD_END, RIGHT, RIGHT_END, ROW, TOP
from controller_tool.messages import t

if TYPE_CHECKING:
    from controller_tool.drawing.board import Drawing

_RAIL = RIGHT + 20  # + behind the fire panel's contact
_BACK = RIGHT_END - 20  # back to the supply
_LOCK, _LOCK_END = RIGHT + 60, RIGHT_END - 60


def draw_door(drawing: Drawing) -> None:
    """A rung for each lock between the two rails."""
    sheet = drawing.sheet
    bottom = _supply(drawing)
    drawing.right = bottom
    last = bottom
    for number, (name, pin) in enumerate(drawing.wiring["relays"].items(), 1):
        last = _rung(drawing, number, name, pin)
    sheet.line((_RAIL, bottom), (_RAIL, last))
    sheet.line((_BACK, TOP + 40), (_BACK, last + 2 * ROW))


def _supply(drawing: Drawing) -> float:
    sheet = drawing.sheet
    sheet.box(RIGHT, TOP - 20, RIGHT_END, TOP + 40)
    sheet.text((RIGHT + RIGHT_END) / 2, TOP, t("lock supply, 12 or 24 V DC"), anchor="middle",
               bold=True)  # fmt: skip
    sheet.text(_RAIL, TOP + 30, "+", anchor="middle", bold=True)
    sheet.text(_BACK, TOP + 30, "–", anchor="middle", bold=True)
    top = TOP + 40
    sheet.line((_RAIL, top), (_RAIL, top + 22))
    sheet.contact(_RAIL, top + 22, closed=True, vertical=True)
    sheet.text(_RAIL + 20, top + 32, t("fire panel, 1st contact: opens on fire"), bold=True)
    sheet.text(_RAIL + 20, top + 50, t("cuts all locks, without the controller"))
    sheet.line((_RAIL, top + 52), (_RAIL, top + 76))
    return float(top + 76)


def _rung(drawing: Drawing, number: int, name: str, pin: int) -> float:
    """A relay's two screws and its lock; returns where the rail is joined."""
    sheet, y = drawing.sheet, drawing.right
    sheet.text(BOARD_END - 14, y, f"{name} · {drawing.place(pin)}", anchor="end", bold=True)
    sheet.text(BOARD_END - 14, y + 18, drawing.relay_terminals(name), anchor="end")
    com, no = y + 18 + ROW, y + 18 + 2 * ROW
    for where, label in ((com, "COM"), (no, "NO")):
        sheet.text(BOARD_END - 14, where + 4, label, anchor="end")
        sheet.terminal(BOARD_END, where)
    sheet.line((BOARD_END + 4, com), (_RAIL, com))
    sheet.dot(_RAIL, com)
    lock = no + ROW
    sheet.line((BOARD_END + 4, no), (BOARD_END + 24, no), (BOARD_END + 24, lock), (_LOCK, lock))
    sheet.box(_LOCK, no + 4, _LOCK_END, lock + 22)
    middle = (_LOCK + _LOCK_END) / 2
    sheet.text(middle, lock - 2, t("lock {number}, fail-safe", number=number), anchor="middle",
               bold=True)  # fmt: skip
    sheet.text(middle, lock + 15, t("free-wheeling diode across it"), anchor="middle")
    sheet.line((_LOCK_END, lock), (_BACK, lock))
    sheet.dot(_BACK, lock)
    drawing.right = lock + 22 + 40
    return com
