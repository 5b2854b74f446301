"""What only a start or a new configuration asks the board for, loaded for that (device).

It is joined into every board.mpy; the tool puts the functions that are asked for once into
wiring.mpy beside it (controller_tool/beside.py). A controller in use holds none of them.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def __getattr__(name: str) -> "Any":
    """A name that board.py does not have: from wiring.mpy, which leaves with its last function."""
    module = __import__("wiring")
    del sys.modules["wiring"]
    return getattr(module, name)
