"""The wiring of a board as a drawing, from its board.toml (host).

sheet.py lines, boxes and texts; board.py what every board has on its left: readers, contacts,
sensors; door.py and charger.py the power paths on its right, with what cuts them without the
controller; notes.py what a wireman has to know. Black on white; a dot is where wires are joined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller_tool import resources
from controller_tool.drawing.board import Drawing
from controller_tool.drawing.charger import draw_charger
from controller_tool.drawing.door import draw_door
from controller_tool.drawing.notes import draw_notes
from controller_tool.services.boards import display_name

if TYPE_CHECKING:
    from controller_tool.drawing.sheet import Sheet


def draw(folder: str) -> Sheet:
    """The drawing of a board, in the language in force."""
    description = resources.describe_board(folder)
    drawing = Drawing(display_name(folder), description)
    drawing.left_side()
    (draw_charger if description["kind"] == "charger" else draw_door)(drawing)
    drawing.frame()
    draw_notes(drawing)
    return drawing.sheet
