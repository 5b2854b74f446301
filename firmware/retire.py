"""A controller is retired by ticket: it ends to serve, wipes itself and says so (device).

Loaded for that. From the moment it is marked nothing is served any more, relays are in their fail
state, and only this session goes on, whose answer is the wipe receipt. Its key and what it states
are in RAM by then. The next start goes on with the file system (firmware/wipe.py).
"""

import asyncio

from firmware.loan import forget
from protocol.constants import RING_ALARM
from protocol.wipe_receipt import make

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.controller import Controller


class _Nobody:
    """Stands for the parts of a controller that act or write: whatever it is asked, it does not."""

    line = None

    def __getattr__(self, name: str) -> "Any":
        return self

    def __call__(self, *arguments: object, **more: object) -> None:
        return None


async def retire(c: "Controller", nonce: bytes) -> bytes:
    """The wipe receipt; OSError when the flash refuses before anything has changed."""
    from firmware.wipe import mark, steps

    forget("firmware.wipe")
    config = c.config
    alarm_seq = c.journal.rings[RING_ALARM].seq
    c.intake.pause()
    mark()
    c.board.safe_state()
    nobody: Any = _Nobody()
    c.kind = c.intake = c.access = c.journal = nobody
    c.supply = c.enrolment = None
    c.config_waits = c.heap_is_spent = False
    c.memory_faults = 0
    erased = [0]
    try:
        for _ in steps(erased, (config.link_root, config.card_key, config.receipt_key)):
            await asyncio.sleep_ms(0)
    finally:  # where the flash or the heap refuses half way: nobody is served, and a start goes on
        c.restart_wanted = True
    return make(
        config.receipt_key, config.site, config.device, config.epoch, alarm_seq, erased[0], nonce
    )
