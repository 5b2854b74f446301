"""Doors as packed and provisioned: four on a board, modes over a restart, a PIN (host)."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from controller_tool import clock
from controller_tool.channel.dial import dial
from controller_tool.errors import DeviceError, OperatorError
from controller_tool.services import cards, devices_ops, people, profiles, push
from controller_tool.services.virtual_house import VirtualHouse
from protocol import records
from protocol.codes import (
    EVENT_DENIED,
    EVENT_GRANTED,
    EVENT_INPUT_FAULT,
    EVENT_MODE_CHANGED,
    LINE_OPEN,
    MODE_OPEN,
    REASON_CARD,
    REASON_LOCKDOWN,
    TICKET_UNLOCK,
)
from protocol.constants import RECORD_BODY_BYTES, RECORD_BYTES, RING_ACCESS, RING_ALARM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GATE = "gate"
PASSPHRASE = "of a house with four doors"
CARD = "0012345678"
PATIENCE_S = 20


@contextmanager
def serving(folder: Path, board: str) -> Iterator[VirtualHouse]:
    """A controller in service, with one card."""
    made = VirtualHouse.found(folder, "doors", PASSPHRASE, {GATE: board}, until_pid=os.getpid())
    with made:
        made.provision()
        made.issue([CARD])
        [result] = push.push(made.site, [GATE])
        assert result.ok, result
        yield made
        counted = made.boards[GATE].counters()
        assert not counted["memory_faults"]
        assert not counted["resets"]["watchdog"]
        assert not counted["resets"]["crash"]


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualHouse]:
    """Four doors."""
    with serving(tmp_path_factory.mktemp("four") / "site", "virtual-doors4") as made:
        yield made


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualHouse]:
    """One door, whose heap has room for modes that are commanded while it runs."""
    with serving(tmp_path_factory.mktemp("one") / "site", "virtual-door") as made:
        yield made


def soon(holds: Callable[[], bool]) -> bool:
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.05)
    return True


def released(house: VirtualHouse) -> set[str]:
    """The locks that are powered, which is released: strikes."""
    return {name for name, on in house.boards[GATE].counters()["outputs"].items() if on}


def events(house: VirtualHouse, ring: int) -> set[tuple[int, int, int]]:
    """Event, reason and door of all that is in a ring."""
    with dial(house.site, house.site.device(GATE), role="desk") as client:
        head = client.head(ring)
        pages = b"".join(client.records(ring, [(head.oldest_seq, head.next_seq)]))
    bodies = (
        records.unpack(pages[at : at + RECORD_BODY_BYTES])
        for at in range(0, len(pages), RECORD_BYTES)
    )
    return {(body.event, body.reason, body.point) for body in bodies}


def test_a_ticket_unlocks_the_door_that_it_names(four) -> None:
    devices_ops.ticket(four.site, GATE, TICKET_UNLOCK, 2)
    assert soon(lambda: released(four) == {"lock3"})
    assert soon(lambda: released(four) == set())
    with pytest.raises(OperatorError, match="no door 5"):
        devices_ops.ticket(four.site, GATE, TICKET_UNLOCK, 4)
    gate = four.site.device(GATE)
    with dial(four.site, gate) as client, pytest.raises(DeviceError):
        devices_ops.send_ticket(four.site, gate, client, TICKET_UNLOCK, 4, 0)


def test_each_reader_and_exit_button_opens_its_own_door(four) -> None:
    card = cards.read_credential(four.site, CARD)
    four.boards[GATE].stimulate("swipe_card", credential=card.data.hex(), type=card.type, reader=1)
    assert soon(lambda: released(four) == {"lock2"})
    four.boards[GATE].stimulate("press_rex", door=4)
    assert soon(lambda: "lock4" in released(four))
    assert soon(lambda: released(four) == set())


def test_a_mode_holds_over_a_restart_and_is_on_record(one) -> None:
    devices_ops.door_mode(one.site, GATE, "open")
    assert soon(lambda: released(one) == {"lock"})
    one.boards[GATE].stimulate("reset")
    assert soon(lambda: released(one) == set())
    assert soon(lambda: released(one) == {"lock"})
    assert (EVENT_MODE_CHANGED, MODE_OPEN, 0) in events(one, RING_ALARM)
    devices_ops.door_mode(one.site, GATE, "lockdown")
    assert soon(lambda: released(one) == set())
    one.swipe(GATE, CARD)
    assert soon(lambda: (EVENT_DENIED, REASON_LOCKDOWN, 0) in events(one, RING_ACCESS))
    devices_ops.door_mode(one.site, GATE, "schedule")


def test_a_card_with_its_pin_is_another_credential(one) -> None:
    profiles.add(one.site, "staff", profiles.Wish(flags=("needs-pin",)))
    minute = clock.now_s() // 60
    for number in ("0099999999", "0099999999+4711"):
        terms = cards.Terms(minute - 5, minute + 600, profile_id=2)
        cards.issue(one.site, cards.read_credential(one.site, number), terms, people.Holder("王"))
    [result] = push.push(one.site, [GATE])
    assert result.ok, result
    credential = cards.read_credential(one.site, "0099999999+4711")
    before = events(one, RING_ACCESS)
    one.swipe(GATE, "0099999999")
    time.sleep(0.5)
    assert released(one) == set(), "the card alone waits"
    one.boards[GATE].stimulate("swipe_card", credential=credential.data.hex(), type=credential.type)
    assert soon(lambda: released(one) == {"lock"})
    assert (EVENT_GRANTED, REASON_CARD, 0) in events(one, RING_ACCESS) - before


def test_a_fire_line_that_is_cut_releases_every_door(four) -> None:
    four.boards[GATE].stimulate("set_line", name="fire", millivolts=3300)
    assert soon(lambda: len(released(four)) == 4)
    assert soon(lambda: (EVENT_INPUT_FAULT, LINE_OPEN, 0) in events(four, RING_ALARM))
    four.boards[GATE].stimulate("set_line", name="fire", millivolts=1050)
    for door in range(1, 5):
        four.boards[GATE].stimulate("press_rex", door=door, ms=6000)
    assert soon(lambda: released(four) == set())
