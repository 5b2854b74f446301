"""Callers who keep a controller busy on purpose: the door goes on, and the desk gets in (host)."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING

import pytest

from controller_tool.channel import preface
from controller_tool.channel.dial import open_session
from controller_tool.channel.secure import SecureStream
from controller_tool.errors import DeviceError, LinkError
from protocol import codes, messages
from tests.e2e.gaps import longest_gap_us
from tests.e2e.test_story import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from controller_tool.channel.dial import Identity
    from controller_tool.services.virtual_house import VirtualHouse
    from controller_tool.sim.service import Board
    from tests.e2e.callers import Callers

DOOR = "door-1"
GAP_MAX_US = 100_000
WARNING = bytes((21, 3, 3, 0, 2, 1, 90))  # a TLS record: alert, warning, user_canceled
FLOOD_RECORDS = 8000
SILENT_CALLERS = 8
DESK_CALLS = 20
PATIENCE_S = 5.0


class Plain:
    """A TCP connection that keeps to nobody's manners, and the stream of the tool beside it."""

    def __init__(self, callers: Callers) -> None:
        place = callers.address(DOOR)
        self.socket = socket.create_connection((place.place, place.port), PATIENCE_S)
        self.sent_bytes = self.received_bytes = 0

    def read(self, timeout_s: float) -> bytes:
        self.socket.settimeout(max(timeout_s, 0.001))
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            return b""
        except OSError as error:
            raise LinkError(str(error), "") from error
        if not data:
            raise LinkError("closed", "")
        return data

    def write(self, data: bytes) -> None:
        self.socket.settimeout(PATIENCE_S)
        self.socket.sendall(data)

    def close(self) -> None:
        self.socket.close()

    def is_hung_up_on(self) -> bool:
        """Waits for that as long as no controller lets anybody wait."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                self.read(end - time.monotonic())
            except LinkError:
                return True
        return False


@contextlib.contextmanager
def meanwhile(*tasks: Callable[[threading.Event], None]) -> Iterator[None]:
    """Each task runs in a thread until the block ends; it is told so by the event."""
    done = threading.Event()
    threads = [threading.Thread(target=task, args=(done,), daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join(PATIENCE_S)


def admitted(callers: Callers, who: Identity) -> tuple[Plain, bytes]:
    """A connection that has passed the preface, and what came behind the verdict."""
    while True:
        stream = Plain(callers)
        knock = preface.knock(stream, who)
        if knock.wait_s is None:
            return stream, knock.early
        stream.close()
        time.sleep(knock.wait_s)


def hello(who: Identity) -> bytes:
    """The first flight of a TLS client."""
    outgoing = ssl.MemoryBIO()
    tls = who.context().wrap_bio(
        ssl.MemoryBIO(), outgoing, server_hostname=f"{who.device_id.hex()}.controller"
    )
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def leave(board: Board) -> None:
    """Somebody presses the button, and the lock lets them out."""
    assert within(lambda: not board.counters()["outputs"]["lock"], PATIENCE_S)
    numbers = [entry["number"] for entry in board.counters()["relay_log"]]
    board.stimulate("press_rex", ms=200)
    assert within(
        lambda: any(
            entry["on"] and entry["number"] not in numbers
            for entry in board.counters()["relay_log"]
        ),
        PATIENCE_S,
    )


def test_a_flood_of_warnings_in_a_handshake_keeps_nobody_in(
    house: VirtualHouse, callers: Callers
) -> None:
    board = house.boards[DOOR]
    who = callers.identity(DOOR, "installer", strange=True)
    stream, _ = admitted(callers, who)
    with contextlib.closing(stream):
        stream.write(hello(who))
        assert stream.read(PATIENCE_S)

        def flood(done: threading.Event) -> None:
            with contextlib.suppress(OSError):
                while not done.is_set():
                    stream.write(WARNING * FLOOD_RECORDS)

        with meanwhile(flood):
            assert longest_gap_us(board, lambda: leave(board), GAP_MAX_US) < GAP_MAX_US


@pytest.mark.parametrize("operation", [codes.OP_PING, codes.OP_LIST_CHUNK])
def test_a_guest_who_does_not_wait_for_answers_keeps_nobody_in(
    house: VirtualHouse, callers: Callers, operation: int
) -> None:
    board = house.boards[DOOR]
    arguments = (0, b"x") if operation == codes.OP_LIST_CHUNK else ()
    requests = b"".join(messages.request(n, operation, *arguments) for n in range(500))
    who = callers.identity(DOOR)
    stream, early = admitted(callers, who)
    with contextlib.closing(stream):
        secure = SecureStream(stream, who.context(), who.device_id, who.pinned_der)
        secure.handshake(early)

        def ask(done: threading.Event) -> None:
            with contextlib.suppress(LinkError, OSError):
                while not done.is_set():
                    secure.write(requests)

        def listen(done: threading.Event) -> None:
            with contextlib.suppress(LinkError):
                while not done.is_set():
                    stream.read(0.1)

        with meanwhile(ask, listen):
            assert longest_gap_us(board, lambda: leave(board), GAP_MAX_US) < GAP_MAX_US


def test_silent_strangers_do_not_lock_the_desk_out(callers: Callers) -> None:
    def wait_for_nothing(done: threading.Event) -> None:
        while not done.is_set():
            with contextlib.suppress(OSError, LinkError):
                stream = Plain(callers)
                with contextlib.closing(stream):
                    while not done.is_set():
                        stream.read(0.1)

    desks = [callers.identity(DOOR) for _ in range(DESK_CALLS)]
    came_in = 0
    with meanwhile(*[wait_for_nothing] * SILENT_CALLERS):
        for desk in desks:
            with contextlib.suppress(DeviceError, LinkError):
                session = open_session(callers.address(DOOR), desk)
                session.call(codes.OP_PING)
                session.close()
                came_in += 1
    assert came_in > DESK_CALLS // 2, came_in


def test_who_passes_the_preface_and_keeps_silent_makes_room_for_the_desk(
    callers: Callers,
) -> None:
    holder = callers.identity(DOOR, "installer", strange=True)
    told: list[str] = []
    silent, _ = admitted(callers, holder)
    with contextlib.closing(silent):
        desk = open_session(callers.address(DOOR), callers.identity(DOOR), told.append)
        with contextlib.closing(desk):
            desk.call(codes.OP_PING)
            assert len(told) == 1  # a second's wait, until the other is shown out
            assert silent.is_hung_up_on()


def test_who_keeps_silent_is_hung_up_on_and_waits_from_then_on(callers: Callers) -> None:
    holder = callers.identity(DOOR, "installer", strange=True)
    silent, _ = admitted(callers, holder)
    with contextlib.closing(silent):
        assert silent.is_hung_up_on()
    with contextlib.closing(Plain(callers)) as again:
        assert preface.knock(again, holder).wait_s is not None


def test_a_session_of_a_controller_whose_flash_refuses(
    house: VirtualHouse, callers: Callers
) -> None:
    board = house.boards[DOOR]
    with callers.call(DOOR) as client:
        boot = client.info()["boot"]
    board.stimulate("read_only", on=True)
    try:
        with callers.call(DOOR) as client:
            client.ping()
        with callers.call(DOOR) as client:  # the end of the first was no end of the controller
            info = client.info()
    finally:
        board.stimulate("read_only", on=False)
    assert info["boot"] == boot
