"""Power paths of chargers: the coil of the contactor, and from the mains to the sockets (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller_tool.drawing.board import BOARD_END, RIGHT, RIGHT_END, TOP
from controller_tool.messages import t

if TYPE_CHECKING:
    from controller_tool.drawing.board import Drawing

_WIRE = RIGHT + 20
_TEXT = _WIRE + 20
_STEP = 40
_PORT = 34
_METER = RIGHT + 50


def draw_charger(drawing: Drawing) -> None:
    """First the coil, then the power."""
    y = _coil(drawing, TOP - 20)
    y = _mains(drawing, y + 30)
    _ports(drawing, y)


def _coil(drawing: Drawing, y: float) -> float:
    """A chain of contacts from the coil's supply through whatever may open it."""
    sheet = drawing.sheet
    sheet.text(RIGHT, y, t("coil of contactor K1"), bold=True)
    sheet.text(RIGHT, y + 18, t("each of these opens all ports by itself"))
    y += 42
    sheet.text(_TEXT, y + 4, t("coil supply +"))
    sheet.line((_WIRE, y), (_WIRE, y + 12))
    y += 12
    for text in (
        t("smoke detector, 1st contact: opens on smoke"),
        t("emergency stop, 1st contact"),
        t("residual-current device: opens when it trips"),
    ):
        sheet.contact(_WIRE, y, closed=True, vertical=True)
        sheet.text(_TEXT, y + 19, text)
        y += _STEP
        sheet.line((_WIRE, y - 10), (_WIRE, y))
    contactor = drawing.wiring.get("contactor")
    if contactor is not None:
        sheet.text(BOARD_END - 14, y + 4, t("contactor · {place}", place=drawing.place(contactor)),
                   anchor="end", bold=True)  # fmt: skip
        sheet.terminal(BOARD_END, y)
        sheet.line((BOARD_END + 4, y), (_WIRE - 12, y), (_WIRE - 12, y + 15), (_WIRE, y + 15),
                   stroke=1)  # fmt: skip
        sheet.contact(_WIRE, y, closed=False, vertical=True)
        sheet.text(_TEXT + 4, y + 19, t("relay driven by the board"))
        y += _STEP
        sheet.line((_WIRE, y - 10), (_WIRE, y))
    sheet.box(_WIRE - 14, y, _WIRE + 14, y + 22)
    sheet.text(_TEXT + 4, y + 16, t("coil of K1, then coil supply –"))
    return y + 22


def _mains(drawing: Drawing, y: float) -> float:
    sheet = drawing.sheet
    sheet.text(_TEXT, y + 4, t("mains L (N goes on to all sockets)"), bold=True)
    sheet.line((_WIRE, y), (_WIRE, y + 12))
    y += 12
    for text, closed in (
        (t("breaker and residual-current device"), True),
        (t("main contacts of K1"), False),
    ):
        sheet.contact(_WIRE, y, closed=closed, vertical=True)
        sheet.text(_TEXT + 4, y + 19, text)
        y += _STEP
        sheet.line((_WIRE, y - 10), (_WIRE, y))
    return y


def _ports(drawing: Drawing, y: float) -> None:
    """Each port: the rail to COM, NO through the meter to the socket."""
    sheet = drawing.sheet
    rail = y
    for number, (name, pin) in enumerate(drawing.wiring["relays"].items(), 1):
        y += 12
        label = f"{name} · {drawing.place(pin)} · "
        sheet.text(BOARD_END - 14, y + 3, f"{label}COM", anchor="end")
        sheet.text(BOARD_END - 14, y + 18, "NO", anchor="end")
        for where in (y, y + 14):
            sheet.terminal(BOARD_END, where)
        sheet.line((BOARD_END + 4, y), (_WIRE, y))
        sheet.dot(_WIRE, y)
        rail = y
        sheet.line((BOARD_END + 4, y + 14), (_METER, y + 14))
        sheet.box(_METER, y + 2, RIGHT_END, y + 26)
        sheet.text(_METER + 10, y + 19, _port(drawing, number), size=12)
        y += _PORT - 12
    top = y - len(drawing.wiring["relays"]) * _PORT
    sheet.line((_WIRE, top), (_WIRE, rail))
    drawing.right = y + 8


def _port(drawing: Drawing, number: int) -> str:
    """Which meter, which socket."""
    at = number - 1
    for row in drawing.wiring.get("meters", []):
        if "lines" in row:
            for line, addresses in enumerate(row["lines"]):
                if at < len(addresses):
                    return t(
                        "{kind}, line {line}, address {address}: socket {number}",
                        kind=row["kind"].upper(), line=line, address=addresses[at], number=number,
                    )  # fmt: skip
                at -= len(addresses)
        else:
            pins: list[Any] = row.get("cf", row.get("pins", []))
            if at < len(pins):
                return t(
                    "{kind} meter {index}: socket {number}",
                    kind=row["kind"].upper(), index=at + 1, number=number,
                )  # fmt: skip
            at -= len(pins)
    return t("socket {number}", number=number)
