"""Who is let in when, for how long, and what a fault of ours costs a guest (MicroPython)."""

import asyncio
import time

from firmware import dispatch, network_port, session
from firmware.admission import Admission
from firmware.controller import Controller
from firmware.network_port import NetworkPort
from firmware.session import Sessions
from protocol import cbor, messages, preface
from protocol.codes import (
    ERR_REFUSED,
    OP_PING,
    ROLE_AUDITOR,
    ROLE_DESK,
    ROLE_INSTALLER,
    ROLE_TECHNICIAN,
)
from protocol.constants import NONCE_LIFE_MS, PREFACE_GREETING_BYTES

PEERS = 8
NEVER_MS = 60000


class Clock:
    """Uptime as a test sets it."""

    def __init__(self) -> None:
        self.uptime_s = 1000

    def tick(self) -> None:
        return None


def peer(number: int) -> bytes:
    return bytes((number,)) * 8


def rejected(admission: Admission, role: int, number: int, stays_s: int = 0) -> None:
    """A whole visit that ends within the handshake."""
    assert admission.ask(role, peer(number), False) == 0
    admission._clock.uptime_s += stays_s
    admission.leave()


def test_a_pause_begins_when_the_handshake_has_failed() -> None:
    admission = Admission(Clock())
    for failures in range(1, 4):
        rejected(admission, ROLE_DESK, 1, stays_s=10)
        assert admission.ask(ROLE_DESK, peer(1), False) == 1 << failures
        admission._clock.uptime_s += 1 << failures


def test_a_desk_goes_before_everybody_who_is_in_the_handshake() -> None:
    for role in (ROLE_AUDITOR, ROLE_TECHNICIAN, ROLE_INSTALLER):
        admission = Admission(Clock())
        assert admission.ask(role, peer(1), False) == 0
        assert admission.ask(ROLE_DESK, peer(2), False) == 1
        assert admission.guest.displaced


def test_a_desk_goes_before_another_in_the_handshake_that_has_failed_before() -> None:
    admission = Admission(Clock())
    assert admission.ask(ROLE_DESK, peer(1), False) == 0
    assert admission.ask(ROLE_DESK, peer(2), False) > 1
    assert not admission.guest.displaced
    admission.leave()
    admission._clock.uptime_s += 2
    assert admission.ask(ROLE_DESK, peer(1), False) == 0
    assert admission.ask(ROLE_DESK, peer(2), False) == 1
    assert admission.guest.displaced


def test_who_is_in_and_who_holds_the_cable_stays() -> None:
    admission = Admission(Clock())
    assert admission.ask(ROLE_TECHNICIAN, peer(1), False) == 0
    admission.guest.is_in = True
    assert admission.ask(ROLE_DESK, peer(2), False) > 1
    admission = Admission(Clock())
    assert admission.ask(ROLE_AUDITOR, peer(1), True) == 0
    assert admission.ask(ROLE_DESK, peer(2), False) > 1
    assert not admission.guest.displaced


def test_other_callers_do_not_make_a_failed_one_forgotten() -> None:
    admission = Admission(Clock())
    for _ in range(3):
        rejected(admission, ROLE_DESK, 100)
        admission._clock.uptime_s += 9
    rejected(admission, ROLE_DESK, 100)
    for number in range(2 * PEERS):
        assert admission.ask(ROLE_DESK, peer(number), False) == 0
        admission.guest.is_in = True
        admission.leave()
    assert admission.ask(ROLE_DESK, peer(100), False) > 1


def test_a_nonce_is_good_once_and_for_its_time() -> None:
    c = Controller()
    c.clock = Clock()
    nonce = c.make_nonce()
    assert c.use_nonce(nonce)
    assert not c.use_nonce(nonce)
    # seven days later the ticks of the one before last are those of a nonce of the future
    for age_s in (NONCE_LIFE_MS // 1000, 7 * 86400):
        nonce = c.make_nonce()
        c.clock.uptime_s += age_s
        assert not c.use_nonce(nonce)


class Journal:
    """Keeps what it is told, or refuses as a broken flash does."""

    def __init__(self) -> None:
        self.events = []
        self.lost = 0
        self.broken = False

    def record(self, event, *_, **__) -> None:
        if self.broken:
            raise OSError(5)
        self.events.append(event)

    def note(self, event, *_, **__) -> None:
        if self.broken:
            self.lost += 1
        else:
            self.events.append(event)

    def admits(self, _: int) -> bool:
        return True


class Parts:
    """What a session wants of a controller; nothing is ever revoked and no list ever comes."""

    revoked_peers = ()

    def pause(self) -> None:
        return None


class Stream:
    """Asks without end, at once or never, and reads no answer."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.answers = 0

    def readinto(self, buf):
        count = min(len(buf), len(self._data))
        buf[:count] = self._data[:count]
        return count or None

    def write(self, data) -> int:
        self.answers += 1
        return len(data)

    def close(self) -> None:
        return None


class Open:
    """TLS that lets everybody in."""

    async def accept(self, stream, *_):
        return stream


def controller() -> Controller:
    c = Controller()
    c.clock = Clock()
    c.journal = Journal()
    c.admission = Admission(c.clock)
    c.keys = c.intake = Parts()
    return c


def test_an_enrolment_ends_with_the_session_that_began_it() -> None:
    longest, session.SESSION_MAX_MS = session.SESSION_MAX_MS, 50
    try:
        c = controller()
        c.enrolment = Parts()
        visited(c, Stream(messages.request(1, OP_PING)))
    finally:
        session.SESSION_MAX_MS = longest
    assert c.enrolment is None


def visited(c: Controller, stream: Stream) -> None:
    assert c.admission.ask(ROLE_DESK, peer(1), False) == 0
    asyncio.run(Sessions(c, Open()).serve(stream, c.admission.guest))
    assert c.admission.guest is None


def test_a_session_ends_in_time_however_much_is_asked() -> None:
    longest, session.SESSION_MAX_MS = session.SESSION_MAX_MS, 50
    try:
        c = controller()
        stream = Stream(messages.request(1, OP_PING))
        visited(c, stream)
    finally:
        session.SESSION_MAX_MS = longest
    assert stream.answers > 1
    assert len(c.journal.events) == 2


def test_bytes_that_make_no_request_do_not_keep_a_session_open() -> None:
    longest, session.SESSION_IDLE_MS = session.SESSION_IDLE_MS, 50
    try:
        stream = Trickle(2000)
        visited(controller(), stream)
    finally:
        session.SESSION_IDLE_MS = longest
    assert stream.answers == 0


class Trickle(Stream):
    """A long message that comes byte by byte, a millisecond each."""

    def __init__(self, length: int) -> None:
        super().__init__(length.to_bytes(2, "big") + bytes(length))

    def readinto(self, buf):
        time.sleep_ms(1)
        buf[:1] = self._data[:1]
        self._data = self._data[1:]
        return 1


class Box:
    """Identity of a controller, as far as the preface asks."""

    link_root, device = b"r" * 32, b"device--"


class Knocker:
    """A desk that answers the greeting with its own key; `heard` is what it is told."""

    def __init__(self, number: int) -> None:
        self.heard = b""
        self._answer = b""
        self._peer = peer(number)

    def write(self, data) -> int:
        self.heard += data
        if not self._answer:
            key = preface.peer_key(Box.link_root, ROLE_DESK, self._peer)
            nonce = preface.read_greeting(self.heard)
            told = ROLE_DESK, self._peer, nonce, bytes(16)
            self._answer = preface.answer(key, Box.device, *told)
        return len(data)

    def readinto(self, buf) -> int:
        buf[:] = self._answer
        return len(buf)

    def close(self) -> None:
        return None


def test_nobody_makes_room_for_who_is_revoked() -> None:
    c = controller()
    c.config = Box()
    c.keys.revoked_peers = peer(1)
    auditor = admitted(c)
    for number, yields in ((1, False), (2, True)):
        knocker = Knocker(number)
        assert asyncio.run(Sessions(c, Open()).knock(knocker, False)) is None
        assert (c.admission.guest is auditor, auditor.displaced) == (True, yields)
        assert (len(knocker.heard) > PREFACE_GREETING_BYTES) == yields, "he is told nothing"
    assert c.admission.total == 1


def admitted(c: Controller):
    """An auditor who is in."""
    assert c.admission.ask(ROLE_AUDITOR, peer(9), False) == 0
    c.admission.guest.is_in = True
    return c.admission.guest


def test_a_flash_that_refuses_ends_no_session() -> None:
    longest, session.SESSION_MAX_MS = session.SESSION_MAX_MS, 20
    c = controller()
    c.journal.broken = True
    stream = Stream(messages.request(1, OP_PING))
    try:
        visited(c, stream)
    finally:
        session.SESSION_MAX_MS = longest
    assert stream.answers > 1
    assert c.journal.lost == 2, "its beginning and its end"


def test_an_answer_that_has_no_form_is_a_fault_and_an_answer() -> None:
    async def tells_too_much(*_):
        return 1 << 40

    c = controller()
    handler = dispatch._HANDLERS[OP_PING]
    dispatch._HANDLERS[OP_PING] = tells_too_much
    try:
        request = messages.request(7, OP_PING)[2:]
        reply = asyncio.run(dispatch.answer(c, ROLE_DESK, request))
    finally:
        dispatch._HANDLERS[OP_PING] = handler
    assert cbor.decode(reply[2:]) == [7, ERR_REFUSED, None]
    assert c.fault == "Malformed"


class Names:
    """What a stock ESP32's `socket` has and the Unix port's has not."""

    IPPROTO_TCP = 6
    TCP_NODELAY = 1


class Station:
    """A Wi-Fi interface that is told when it is up."""

    def __init__(self) -> None:
        self.up = True
        self.joins = 0

    def isconnected(self) -> bool:
        return self.up

    def connect(self, *_) -> None:
        self.joins += 1


class Caller:
    """A connection; one that is `gone` was reset before anybody looked at it."""

    def __init__(self, gone: bool) -> None:
        self._gone = gone
        self.closed = False

    def setblocking(self, _: bool) -> None:
        return None

    def setsockopt(self, *_) -> None:
        if self._gone:
            raise OSError(22)

    def close(self) -> None:
        self.closed = True


class Listener:
    """Gives out its callers."""

    def __init__(self, callers) -> None:
        self._callers = callers
        self.closed = False

    def accept(self):
        if not self._callers:
            raise OSError(11)
        return self._callers.pop(0), None

    def close(self) -> None:
        self.closed = True


class Knocks:
    """Sessions that keep whoever knocks waiting."""

    def __init__(self) -> None:
        self.waiting = []

    async def knock(self, stream, _: bool) -> None:
        self.waiting.append(stream)
        try:
            await asyncio.sleep_ms(NEVER_MS)
        except asyncio.CancelledError:
            self.waiting.remove(stream)


def port() -> NetworkPort:
    c = controller()
    c.station = Station()
    c.config = Parts()
    c.config.wifi = ("house", "password")
    network_port.socket = Names
    return NetworkPort(c, Knocks())


def test_a_network_lost_after_weeks_is_joined_again_at_once() -> None:
    network = port()
    network._listener = Listener([])
    network._asked = time.ticks_add(time.ticks_ms(), NEVER_MS)  # what ticks of last week look like
    network.turn()
    network._station.up = False
    network.turn()
    assert network._station.joins == 1


def test_a_caller_who_is_gone_already_leaves_the_listener_alone() -> None:
    async def turns() -> None:
        network = port()
        gone, other = Caller(True), Caller(False)
        listener = network._listener = Listener([gone, other])
        network.turn()
        await asyncio.sleep_ms(1)
        assert gone.closed
        assert not listener.closed
        assert network._sessions.waiting == [other]

    asyncio.run(turns())


def test_a_newcomer_takes_the_place_of_who_has_waited_longest_one_a_turn() -> None:
    async def turns() -> None:
        network = port()
        callers = [Caller(False) for _ in range(6)]
        network._listener = Listener(list(callers))
        for turn in range(4):
            network.turn()
            await asyncio.sleep_ms(1)
            assert network._sessions.waiting == callers[turn : turn + 3]

    asyncio.run(turns())
