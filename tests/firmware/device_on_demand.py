"""Requests whose code is brought for them: each finds who carries it out (MicroPython)."""

import asyncio
import sys

from firmware import dispatch
from firmware.handlers import orders, seldom
from firmware.handlers.on_demand import on_demand
from protocol import cbor, messages, roles
from protocol.codes import ERR_ROLE
from protocol.names import ROLE_NAMES

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


class Answering(Desk):
    """As much of a controller as a refusal takes; what is carried out wants more."""

    supply = None
    fault = ""

    def __init__(self) -> None:
        super().__init__()
        self.reply = memoryview(bytearray(64))

    def note(self, _event: int) -> None:
        return None


def test_nobody_is_served_what_their_role_may_not() -> None:
    """Wherever the code for it lies."""
    c: Any = Answering()
    refused = 0
    for role in list(ROLE_NAMES) + [0, 99]:  # noqa: RUF005  MicroPython has no such display
        for operation in messages.OPS:
            if roles.may(role, operation):
                continue
            least = [
                low if kind == messages.UINT else bytes(low)
                for kind, low, _ in messages.arguments_of(operation)
            ]
            request = messages.request(7, operation, *least)[2:]
            reply = asyncio.run(dispatch.answer(c, role, request))
            assert cbor.decode(reply[2:]) == [7, ERR_ROLE, None], (role, operation)
            refused += 1
    assert refused > 40, "asked for nothing"
