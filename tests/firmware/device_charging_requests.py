"""What a charger answers and a door does not: its ports and their energy (MicroPython)."""

import asyncio

from firmware import dispatch
from firmware.controller import Controller
from protocol import cbor, energy_slot, framing, messages
from protocol.codes import (
    ERR_ARGUMENT,
    ERR_BOUNDS,
    ERR_FLASH,
    ERR_ROLE,
    ERR_UNKNOWN_OPERATION,
    OK,
    OP_GET_PORTS,
    OP_PING,
    OP_READ_ENERGY,
    ROLE_AUDITOR,
    ROLE_DESK,
    ROLE_HUB,
    ROLE_INSTALLER,
    ROLE_TECHNICIAN,
)
from protocol.constants import ENERGY_PAGE_SLOTS, ENERGY_SLOT_BYTES, MESSAGE_MAX_BYTES
from tests.firmware.energy_rig import FIRST_DAY, PORTS, Board, card

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ROLES = (ROLE_INSTALLER, ROLE_DESK, ROLE_TECHNICIAN, ROLE_AUDITOR, ROLE_HUB)
NO_ROLE = 9
# all fields as large as they get
PORT = [5, b"k" * 8, 22_000, 10_000_000, 36_000, -400, 15, 21]
TOLD = [[8700, 160_000, 31, 2, 1250], [PORT] * PORTS]


class Charger:
    """As much of a service as answers."""

    def __init__(self) -> None:
        self.board = Board()
        self.energy = self.board.start()

    def told(self) -> "Any":
        return TOLD


def controller() -> Controller:
    c = Controller()
    c.kind = c.journal = Charger()
    return c


def asked(c: Controller, role: int, *request: "Any") -> "tuple[int, Any]":
    """Status and value."""
    message = framing.encode([3] + list(request))[2:]  # noqa: RUF005  not in MicroPython
    reply = asyncio.run(dispatch.answer(c, role, message))
    return messages.parse_reply(reply[2:])[1:]


def test_a_door_knows_neither() -> None:
    c = controller()
    c.kind = object()
    for role in ROLES:
        assert asked(c, role, OP_GET_PORTS) == (ERR_UNKNOWN_OPERATION, None)
        assert asked(c, role, OP_READ_ENERGY, 0, 1) == (ERR_UNKNOWN_OPERATION, None)


def test_a_charger_tells_everybody_how_its_ports_are() -> None:
    c = controller()
    for role in ROLES:
        assert asked(c, role, OP_GET_PORTS) == (OK, TOLD)
    assert asked(c, NO_ROLE, OP_GET_PORTS) == (ERR_ROLE, None)
    assert asked(c, ROLE_DESK, OP_GET_PORTS, 1) == (ERR_ARGUMENT, None)
    assert asked(c, ROLE_DESK, OP_PING) == (OK, None)


def test_the_energy_is_read_page_by_page() -> None:
    c = controller()
    ring = c.kind.energy
    assert asked(c, ROLE_HUB, OP_READ_ENERGY, 0, ENERGY_PAGE_SLOTS) == (OK, b"")
    for minute in range(20):
        ring.put(1, card(1), 1000 * minute, 60 * minute, 60, energy_slot.ENERGY_LIVE)
        ring.commit(FIRST_DAY, 60 * minute, 3)
    found: list[int] = []
    while True:
        status, page = asked(
            c, ROLE_AUDITOR, OP_READ_ENERGY, found[-1] + 1 if found else 0, ENERGY_PAGE_SLOTS
        )
        assert status == OK
        if not page:
            break
        for at in range(0, len(page), ENERGY_SLOT_BYTES):
            slot = page[at : at + ENERGY_SLOT_BYTES]
            assert energy_slot.is_whole(slot)
            found.append(int.from_bytes(slot[:4], "big"))
    assert found == list(range(1, ring.seq))


def test_what_is_no_page_is_refused() -> None:
    c = controller()
    for count in (0, ENERGY_PAGE_SLOTS + 1):
        assert asked(c, ROLE_DESK, OP_READ_ENERGY, 1, count) == (ERR_BOUNDS, None)
    for wrong in ([1], [1, 1, 1], [b"1", 1], [1, True], [None, 1]):
        assert asked(c, ROLE_DESK, OP_READ_ENERGY, *wrong)[0] == ERR_ARGUMENT
    assert asked(c, ROLE_DESK, OP_READ_ENERGY, -1, 1) == (ERR_BOUNDS, None)


def test_a_flash_that_cannot_be_read_is_told() -> None:
    def fails(*_: "Any") -> None:
        raise OSError(5)

    c = controller()
    c.kind.board.partition.readblocks = fails
    c.kind.energy.sector = 0
    assert asked(c, ROLE_DESK, OP_READ_ENERGY, 1, 1) == (ERR_FLASH, None)


def test_the_largest_answers_fit_a_message() -> None:
    assert len(framing.encode([0xFFFF, OK, TOLD])) <= MESSAGE_MAX_BYTES
    page = bytes(ENERGY_PAGE_SLOTS * ENERGY_SLOT_BYTES)
    assert len(framing.encode([0xFFFF, OK, page])) <= MESSAGE_MAX_BYTES
    assert cbor.decode(framing.encode([0xFFFF, OK, TOLD])[2:])[2] == TOLD
