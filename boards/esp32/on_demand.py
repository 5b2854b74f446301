"""What only a start or a new configuration asks the board for, loaded for that (device).

It is joined into every board.mpy; the tool puts the functions that are asked for once into
wiring.mpy beside it (controller_tool/beside.py). A controller in use holds none of them: whoever
has asked for all that it wants lets the module go (firmware/loan.py). It is not let go with each
answer, for a file of LittleFS takes a tenth of a second to import (facts.md), a pack a hundredth.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def __getattr__(name: str) -> "Any":
    """A name that board.py does not have."""
    return getattr(__import__("wiring"), name)
