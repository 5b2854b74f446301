"""What a board must keep, told by its board.toml and its board.py (host).

Each rule yields sentences for whoever makes a board; none is a matter of taste:

- wiring.py: what stands on which pin
- words.py: nothing stands there that these rules do not know
- pins.py: no pin twice, none that the chip needs for itself, no relay where the chip moves at boot
- flash.py: the partition table fits the flash
- charger.py: what a charger has besides, for one that fails has to fail open
- image.py: where MicroPython comes from
- code_pins.py: board.py makes the pins that board.toml tells
- code.py: what the board says that it can do, it has a driver for, and both files say the same
"""

from __future__ import annotations

from typing import Any

from controller_tool.board_rules import charger, flash, image, pins, words
from controller_tool.board_rules.chips import Chip
from controller_tool.board_rules.code import code_problems
from controller_tool.errors import ImageError
from controller_tool.messages import t

__all__ = ["all_problems", "code_problems", "problems"]

_NEEDED = ("kind", "chip", "description", "flash_bytes", "partitions", "capabilities", "wiring")
_KINDS = ("door", "charger")


def problems(description: dict[str, Any]) -> list[str]:
    """What is wrong with a board's description."""
    missing = [name for name in _NEEDED if name not in description]
    if missing:
        return [t("board.toml says nothing of {name}", name=name) for name in missing]
    if description["kind"] not in _KINDS:
        return [
            t("No kind of board is named {kind}: write door or charger", kind=description["kind"])
        ]
    try:
        chip = Chip.of(description["chip"])
    except ImageError as error:
        return [str(error)]
    found = [*_sources(description), *words.problems(description["wiring"], chip)]
    found += [*pins.problems(description, chip), *flash.problems(description)]
    found += image.problems(description)
    return found + (charger.problems(description) if description["kind"] == "charger" else [])


def all_problems(folder: str, description: dict[str, Any]) -> list[str]:
    """Of its description and, when that holds, of its code."""
    return problems(description) or code_problems(folder, description)


def _sources(description: dict[str, Any]) -> list[str]:
    if description.get("virtual") or description.get("source"):
        return []
    return [t("no source is named for its pins: write the document's title and revision")]
