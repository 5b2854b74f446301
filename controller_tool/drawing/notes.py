"""What stands below a drawing: how to read it, what nobody confirmed, its sources (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller_tool.drawing.board import LEFT, RIGHT_END
from controller_tool.drawing.sheet import folded
from controller_tool.messages import t

if TYPE_CHECKING:
    from controller_tool.drawing.board import Drawing

_LINE = 20


def draw_notes(drawing: Drawing) -> None:
    """One below the other, folded at the sheet's width."""
    sheet, description = drawing.sheet, drawing.description
    y = drawing.left + 34
    groups = [
        (t("How to read it"), _reading(drawing)),
        (t("Not confirmed"), description.get("unconfirmed", [])),
        (t("Sources of the pin map"), description.get("source", [])),
    ]
    if description.get("virtual"):
        groups[1] = (t("Not confirmed"), [t("a virtual board: nobody makes it, this is its model")])
    for title, notes in groups:
        if not notes:
            continue
        sheet.text(LEFT, y, title, bold=True)
        y += _LINE
        for note in notes:
            for index, line in enumerate(folded(note, RIGHT_END - LEFT - 30)):
                sheet.text(LEFT + 10 + (14 if index else 0), y, line if index else f"– {line}")
                y += _LINE
        y += 8


def _reading(drawing: Drawing) -> list[str]:
    wiring = drawing.wiring
    notes = [
        t("A dot joins wires; contacts are drawn at rest: without power, nobody there, no alarm."),
        t("GND at a contact is the board's ground, or the common terminal of its inputs."),
        t("3.3 V at every GPIO: 5 V lines of readers go through a divider or a level shifter."),
        t("Supplies of board, readers and meters are not drawn: their own sheets say which."),
    ]
    if drawing.description["kind"] == "charger":
        notes += [
            t("Mains are for an electrician. Meters lie at mains potential: isolate their lines."),
            t("Smoke, emergency stop, residual current act twice: in the coil and at the board."),
        ]
        if "contactor" not in wiring:
            notes.append(
                t("The board drives no contactor: K1 is closed while its coil has supply.")
            )
        return notes
    notes += [
        t("A fail-safe lock is powered while it is locked: no power, whatever the cause, is open."),
        t(
            "A strike that is locked without power (fail-secure) is not opened by the fire panel:"
            " take it only where people leave by a handle that needs no power."
        ),
    ]
    if "fire" in wiring.get("inputs", {}) or "fire" in wiring.get("lines", {}):
        notes.append(t("The fire panel's 2nd contact tells the controller; the 1st needs nobody."))
    return notes
