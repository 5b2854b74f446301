"""A start that a signed order has opened to service: the prompt, for a while (device).

It lies beside boot.py, which loads it when the chip's RTC memory holds something. The firmware
leaves b"service" and two bytes of minutes there (firmware/handlers/service.py) and resets the chip;
only a start by that reset is opened. Here it becomes b"service" alone, which a soft reset from the
prompt finds again, as mpremote makes one. Power, the reset button and the watchdog end it: then the
next start is a controller's. Whoever has the prompt could set watchdog and mark anew: the time is
kept for those who forget, not against those who were trusted with a prompt.
"""

import board

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

packfs: "Any" = __import__("packfs")  # it lies beside this file

MARK = b"service"
_HARD_RESET = 2
_SOFT_RESET = 5
_MINUTE_MS = 60000


def begin(note: bytes) -> None:
    """Take what lay in the RTC memory, which is empty by now."""
    cause = board.reset_cause()
    minutes = int.from_bytes(note[len(MARK) :], "big")
    if note[: len(MARK)] != MARK or len(note) != len(MARK) + 2 * (cause == _HARD_RESET):
        return
    if cause == _HARD_RESET:
        board.watchdog(minutes * _MINUTE_MS)
    elif cause != _SOFT_RESET:
        return
    board.rtc().memory(MARK)
    packfs.in_service = True
