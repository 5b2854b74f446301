"""Callers who should not get in: refused, counted, and the door works meanwhile (host)."""

from __future__ import annotations

import dataclasses
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from controller_tool.channel import preface
from controller_tool.channel.address import connect
from controller_tool.channel.dial import open_session
from controller_tool.channel.secure import SecureStream
from controller_tool.client import Client
from controller_tool.errors import DeviceError, LinkError, ToolError
from protocol import codes
from protocol.constants import (
    HANDSHAKES_PER_MINUTE,
    PREFACES_WAITING_MAX,
    RING_ACCESS,
    RING_ALARM,
)
from tests.e2e.callers import events
from tests.e2e.gaps import longest_gap_us
from tests.e2e.test_story import within

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.channel.dial import Identity
    from controller_tool.services.virtual_house import VirtualHouse
    from tests.e2e.callers import Callers

DOOR = "door-1"
STORM = 1000
SWIPES = 5
CALM_REQUESTS = 50
DELAY_MAX_US = 100_000
FOLD_WINDOW_S = 65.0


def refusals(callers: Callers) -> int:
    """How many attempts the door has refused since it started."""
    with callers.call(DOOR) as client:
        return int(client.info()["refused_attempts"])


def shut_out(callers: Callers, who: Identity, context: ssl.SSLContext | None = None) -> None:
    """The caller gets no word in, and is counted."""
    before = refusals(callers)
    with (
        pytest.raises(ToolError),
        Client(open_session(callers.address(DOOR), who, context=context)) as client,
    ):
        client.ping()
    assert refusals(callers) == before + 1


@pytest.mark.parametrize("via", ["wifi", "serial"])
def test_without_the_link_key(callers: Callers, via: str) -> None:
    before = refusals(callers)
    with pytest.raises(DeviceError, match="does not know our key"):
        callers.call(DOOR, via=via, peer_key=bytes(32))
    assert refusals(callers) == before + 1


def test_with_the_link_key_of_another_role(callers: Callers) -> None:
    auditor = callers.identity(DOOR, "auditor")
    desk_key = callers.link_key(DOOR, codes.ROLE_DESK, auditor.peer_id)
    shut_out(callers, dataclasses.replace(auditor, peer_key=desk_key))


def test_with_a_certificate_of_a_strange_authority(callers: Callers) -> None:
    shut_out(callers, callers.identity(DOOR, strange=True))


def test_without_a_certificate(callers: Callers) -> None:
    who = callers.identity(DOOR)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=who.pinned_der)
    shut_out(callers, who, context)


def test_with_a_certificate_of_another_peer_than_the_preface_named(callers: Callers) -> None:
    named, shown = callers.identity(DOOR), callers.identity(DOOR)
    shut_out(callers, named, shown.context())


def test_refused_attempts_stand_in_the_journal(callers: Callers) -> None:
    total = refusals(callers)
    assert total

    def told() -> int:
        with callers.call(DOOR) as client:
            boot = client.info()["boot"]
            records = events(client, RING_ALARM)
        refused = codes.EVENT_REFUSED_ATTEMPTS
        return sum(r.extra for r in records if r.boot == boot and r.event == refused)

    # after ten such records in a minute the next one comes with the next minute
    assert within(lambda: told() == total, FOLD_WINDOW_S)


NOT_THEIRS: dict[str, list[Callable[[Client], object]]] = {
    "auditor": [
        lambda client: client.set_time(1),
        lambda client: client.begin_list(b"x"),
        lambda client: client.nonce(),
        lambda client: client.put_checkpoint(b"x"),
        lambda client: client.enroll(),
    ],
    "technician": [
        lambda client: client.begin_list(b"x"),
        lambda client: client.enroll(),
    ],
    "desk": [lambda client: client.enroll(), lambda client: client.self_test()],
    "installer": [lambda client: client.put_checkpoint(b"x")],
}


@pytest.mark.parametrize("role", NOT_THEIRS)
def test_a_role_may_not_do_what_is_another_s(callers: Callers, role: str) -> None:
    with callers.call(DOOR, role) as client:
        for ask in NOT_THEIRS[role]:
            with pytest.raises(DeviceError) as caught:
                ask(client)
            assert caught.value.code == codes.ERR_ROLE
        client.ping()


@pytest.mark.parametrize("via", ["wifi", "serial"])
def test_a_holder_of_a_link_key_gets_six_handshakes_a_minute(callers: Callers, via: str) -> None:
    who = callers.identity(DOOR)
    waits = []
    for _ in range(HANDSHAKES_PER_MINUTE + 1):
        stream = connect(callers.address(DOOR, via))
        knock = preface.knock(stream, who)
        if knock.wait_s is None:
            secure = SecureStream(stream, who.context(), who.device_id, who.pinned_der)
            secure.handshake(knock.early)
            secure.close()
        stream.close()
        waits.append(knock.wait_s)
    assert waits[:-1] == [None] * HANDSHAKES_PER_MINUTE
    assert waits[-1] is not None
    assert waits[-1] > 0
    with callers.call(DOOR) as another:  # the ceiling is that holder's, not the door's
        another.ping()


def test_a_storm_without_the_link_key_delays_no_decision(
    house: VirtualHouse, callers: Callers
) -> None:
    board = house.boards[DOOR]
    with callers.call(DOOR) as client:
        first = client.head(RING_ACCESS).next_seq
        refused = client.info()["refused_attempts"]
        board.stimulate("clear_gap")
        for _ in range(CALM_REQUESTS):
            client.state()
        calm_us = board.counters()["gap_us"]
    stranger = dataclasses.replace(callers.identity(DOOR), peer_key=bytes(32))
    address = callers.address(DOOR)

    def attempt(number: int) -> None:
        if number % (STORM // SWIPES) == 0:
            house.swipe(DOOR, f"{50_000_000 + number:010d}")
        stream = connect(address)
        with pytest.raises(ToolError):
            preface.knock(stream, stranger)
        stream.close()

    storms = 0

    def storm() -> None:
        nonlocal storms
        storms += 1
        with ThreadPoolExecutor(PREFACES_WAITING_MAX) as pool:
            assert len(list(pool.map(attempt, range(STORM)))) == STORM

    # against the same board in peace
    limit_us = calm_us + DELAY_MAX_US
    assert longest_gap_us(board, storm, limit_us) < limit_us
    with callers.call(DOOR) as client:
        assert len(events(client, RING_ACCESS, first)) == storms * SWIPES
    assert refusals(callers) == refused + storms * STORM


def test_a_desk_goes_before_an_auditor(callers: Callers) -> None:
    told: list[str] = []
    with callers.call(DOOR, "auditor") as auditor:
        auditor.ping()
        desk = open_session(callers.address(DOOR), callers.identity(DOOR), told.append)
        desk.call(codes.OP_PING)
        desk.close()
        with pytest.raises(LinkError):
            auditor.ping()
    assert len(told) <= 1  # until the auditor has been shown out
