"""What becomes of a heap in pieces and of a guest who is stuck (MicroPython)."""

import asyncio
import sys

from firmware import dispatch, reserve
from firmware.admission import STUCK_S, Admission
from firmware.chores import Chores
from firmware.controller import Controller
from firmware.session import Sessions
from protocol import cbor, messages
from protocol.codes import ERR_BUSY, EVENT_FIRMWARE_FAULT, OK, OP_GET_NONCE, ROLE_DESK

PEER = bytes(8)
ENOMEM, EIO = 12, 5


class Part:
    """Every part that chores want, at rest until told otherwise."""

    def __init__(self) -> None:
        self.uptime_s = 1000
        self.resting = self.quiet = True
        self.events = []
        self.noted = []

    def tick(self) -> None:
        return None

    minute = erase_ahead = step = tick

    def tell(self, _: int) -> None:
        return None

    def record(self, event: int, *_, **__) -> None:
        self.events.append(event)

    def note(self, event: int, *_, **__) -> None:
        self.noted.append(event)
        try:
            self.record(event)
        except MemoryError:
            return

    def at_rest(self) -> bool:
        return self.resting

    def quiet_for(self, _: int) -> bool:
        return self.quiet


def controller() -> "tuple[Controller, Part]":
    c = Controller()
    part = Part()
    c.clock = c.journal = c.kind = c.pace = c.access = c.intake = part
    c.admission = Admission(part)
    return c, part


def a_second(c: Controller) -> bool:
    Chores(c).turn(1000)
    return c.restart_wanted


def test_a_heap_that_failed_again_and_again_is_renewed_when_nobody_notices() -> None:
    c, part = controller()
    for error in (MemoryError(), OSError(ENOMEM), OSError(EIO), ValueError()):
        dispatch.fault(c, error)
        assert not a_second(c)
    dispatch.fault(c, MemoryError())
    part.resting = False
    assert not a_second(c)
    part.resting, part.quiet = True, False
    assert not a_second(c)
    part.quiet = True
    assert c.admission.ask(ROLE_DESK, PEER, False) == 0
    assert not a_second(c)
    c.admission.leave()
    told = len(part.events)
    assert a_second(c)
    assert part.events[told:] == [EVENT_FIRMWARE_FAULT]


def test_a_heap_without_room_for_a_record_is_renewed_too() -> None:
    c, part = controller()

    def no_room(*_, **__) -> None:
        raise MemoryError

    part.tell = part.record = no_room
    chores = Chores(c)
    for _ in range(5):
        try:
            chores.turn(1000)
        except MemoryError:  # ends the task, and with it all others
            break
    assert c.restart_wanted


def test_a_guest_s_request_that_found_no_room_is_enough_when_the_guest_has_gone() -> None:
    c, part = controller()
    c.heap_is_spent = True
    assert c.admission.ask(ROLE_DESK, PEER, False) == 0
    assert not a_second(c)
    c.admission.leave()
    part.resting = False
    assert not a_second(c)
    part.resting = True
    assert a_second(c)


def asked(c: Controller, handler) -> int:
    """Status of the reply to a request that this handler carries out."""
    kept = dispatch._HANDLERS[OP_GET_NONCE]
    dispatch._HANDLERS[OP_GET_NONCE] = handler
    try:
        request = messages.request(7, OP_GET_NONCE)[2:]
        reply = asyncio.run(dispatch.answer(c, ROLE_DESK, request))
    finally:
        dispatch._HANDLERS[OP_GET_NONCE] = kept
    return cbor.decode(reply[2:])[1]


def test_a_request_has_the_room_that_is_kept_and_is_told_busy_when_it_is_too_small() -> None:
    c, part = controller()
    reserve.keep()
    rooms = []

    async def looks(_c, _arguments) -> None:
        rooms.append(room_bytes())

    async def wants_more(_c, _arguments) -> None:
        raise MemoryError

    assert asked(c, looks) == OK
    assert (rooms, room_bytes()) == ([0], reserve._ROOM_BYTES)
    assert not c.heap_is_spent
    assert asked(c, wants_more) == ERR_BUSY
    assert c.heap_is_spent, "and a restart mends it"
    assert part.events == part.noted == [EVENT_FIRMWARE_FAULT], "folded: strangers bring it about"
    assert room_bytes() == reserve._ROOM_BYTES


def room_bytes() -> int:
    return sum(map(len, reserve._held))


def test_the_room_of_a_request_is_not_taken_while_it_is_under_way() -> None:
    c, _part = controller()
    reserve.keep()
    rooms = []

    async def goes_on_in_the_next_second(c: Controller, _arguments) -> None:
        a_second(c)
        rooms.append(room_bytes())

    assert c.admission.ask(ROLE_DESK, PEER, False) == 0
    assert asked(c, goes_on_in_the_next_second) == OK
    assert (rooms, room_bytes()) == ([0], reserve._ROOM_BYTES)
    reserve.give()
    c.admission.leave()
    a_second(c)
    assert room_bytes() == reserve._ROOM_BYTES, "and without a guest it is tried every second"


def kept_where_no_hole_is_longer(longest: int) -> "tuple[list[int], int]":
    """What reserve.keep() then holds, and how often it asked for a piece."""
    asked_for = []

    def made(size: int) -> bytearray:
        asked_for.append(size)
        if size > longest:
            raise MemoryError
        return bytearray(size)

    reserve.bytearray = made
    try:
        reserve.keep()
    finally:
        del reserve.bytearray
    return [len(piece) for piece in reserve._held if piece], len(asked_for)


def test_room_that_is_not_to_be_had_in_one_piece_is_kept_in_pieces() -> None:
    for longest, pieces in ((4096, 1), (2048, 2), (1400, 3), (820, 5), (800, 0)):
        reserve.give()
        held, _ = kept_where_no_hole_is_longer(longest)
        assert len(held) == pieces, (longest, held)
        if pieces:
            assert 4064 <= sum(held) <= reserve._ROOM_BYTES, held
            assert kept_where_no_hole_is_longer(longest) == (held, 0), "nothing is missing"
    reserve.give()


def test_what_is_missing_of_the_room_is_added_to_what_is_held() -> None:
    reserve.give()
    first = reserve._held[0] = bytearray(2048)
    assert kept_where_no_hole_is_longer(4096)[0] == [2048, 2048]
    assert reserve._held[0] is first
    reserve.give()


def test_a_guest_who_neither_gets_on_nor_goes_is_stuck() -> None:
    c, clock = controller()
    assert not c.admission.is_stuck
    assert c.admission.ask(ROLE_DESK, PEER, False) == 0
    clock.uptime_s += STUCK_S
    assert not c.admission.is_stuck
    clock.uptime_s += 1
    assert c.admission.is_stuck
    c.admission.guest.moved_s = clock.uptime_s
    assert not c.admission.is_stuck
    clock.uptime_s += STUCK_S + 1
    c.admission.leave()
    assert not c.admission.is_stuck


class Full:
    """A stream for which there is no room."""

    def __init__(self) -> None:
        self.closed = False

    def write(self, _) -> int:
        raise MemoryError

    def close(self) -> None:
        self.closed = True


def test_a_caller_for_whom_there_is_no_room_is_hung_up_on_and_counted() -> None:
    c, _ = controller()
    c.config = None
    stream = Full()
    assert asyncio.run(Sessions(c, None).knock(stream, False)) is None
    assert stream.closed
    assert c.memory_faults == 1
    assert c.admission.guest is None


class Shut:
    """A stream whose caller has gone, and TLS that finds that out."""

    def write(self, _) -> int:
        raise OSError

    async def accept(self, *_) -> None:
        raise OSError

    def close(self) -> None:
        return None


def test_the_preface_is_loaded_once_for_a_flood_and_let_go_when_somebody_is_in() -> None:
    def loaded() -> object:
        return sys.modules.get("firmware.knock")

    c, part = controller()
    part.link_root = part.device = bytes(8)
    c.config = part
    sessions = Sessions(c, Shut())
    found = []
    for _ in range(3):
        assert asyncio.run(sessions.knock(Shut(), False)) is None
        found.append(loaded())
    assert found[0] is not None
    assert found[0] is found[1] is found[2]
    assert c.admission.ask(ROLE_DESK, PEER, False) == 0
    asyncio.run(sessions.serve(Shut(), c.admission.guest))
    assert loaded() is None, "its code would lie beside a guest's requests"
