"""What only some boards have beside the chip: a clock with a battery, a supply to watch (device).

Loaded once, at a start.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.controller import Controller


def attach(c: "Controller") -> "Any":
    """Watch the supply, where there is something to see; returns the RTC to go by."""
    board = c.board
    if hasattr(board, "supply") or "mains" in board.inputs():
        from firmware.supply import Supply

        c.supply = Supply(c)
    if not hasattr(board, "clock_bus"):
        return board.rtc()
    from firmware.rtc_ds3231 import Ds3231

    return Ds3231(board.clock_bus())
