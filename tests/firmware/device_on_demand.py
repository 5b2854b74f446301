"""Requests whose code is brought for them: each finds who carries it out (MicroPython)."""

import asyncio
import sys

from firmware.handlers import orders, seldom
from firmware.handlers.on_demand import on_demand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Desk:
    """A controller, as far as it lets a request be carried out."""

    def __init__(self) -> None:
        self.journal = self

    def admits(self, _event: int) -> bool:
        return True


def test_a_request_is_brought_to_the_room_that_carries_it_out() -> None:
    async def carried_out(_c: "Any", _arguments: "Any") -> bool:
        return True

    for room in (orders, seldom):
        for operation, kept in list(room._HANDLERS.items()):
            # with what it is to find; a request forgets it
            sys.modules[room.__name__] = room
            setattr(sys.modules["firmware.handlers"], room.__name__.split(".")[-1], room)
            room._HANDLERS[operation] = carried_out
            try:
                assert asyncio.run(on_demand(Desk(), operation, [])), operation
            finally:
                room._HANDLERS[operation] = kept
