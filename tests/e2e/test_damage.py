"""Damaged and failing flash: nobody gets in by it, and the way out stays open (host).

A house of its own: what is damaged here must not be met by other stories.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from controller_tool.errors import ToolError
from controller_tool.services import cards, push
from controller_tool.services.virtual_house import VirtualHouse
from protocol import cards as card_records
from protocol import codes
from protocol.constants import CARD_RECORD_BYTES, FLAG_REVOKED, RING_ACCESS, RING_ALARM
from tests.e2e.callers import Callers, events
from tests.e2e.test_story import Door, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from controller_tool.client import Client
    from controller_tool.sim.service import Board

DOOR = "door-1"
CARD, OTHER, STRANGER = "0013345678", "0013345679", "0099999999"
# a list of a few cards lies among LittleFS's own checked blocks, a longer one does not
BYSTANDERS = [f"{3_000_000 + number:010d}" for number in range(100)]
PASSPHRASE = "of a house that is damaged"
ENVELOPE_START = b"\x84\x4f\xa2\x01\x39\x01\x00\x04\x48"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[VirtualHouse]:
    """One door, in service, that holds a list in which CARD is collected and OTHER is not."""
    controllers = {DOOR: "virtual-door"}
    with VirtualHouse.found(
        tmp_path / "site", "damage", PASSPHRASE, controllers, until_pid=os.getpid()
    ) as made:
        made.provision()
        made.issue([CARD, OTHER, *BYSTANDERS])
        assert push.push(made.site)[0].ok
        cards.collect(made.site, CARD)
        assert push.push(made.site)[0].ok
        yield made


@pytest.fixture
def callers(house: VirtualHouse, tmp_path: Path) -> Callers:
    folder = tmp_path / "callers"
    folder.mkdir()
    return Callers(house.site, folder)


def damage(house: VirtualHouse, change: Callable[[bytearray], None]) -> None:
    """Changes the bytes of the door's chip while it is without power."""
    board = house.boards[DOOR]
    board.stimulate("cut_power")
    flash = house.sim_root / DOOR / "flash.bin"
    image = bytearray(flash.read_bytes())
    change(image)
    flash.write_bytes(image)
    board.stimulate("restore_power")


def places(image: bytearray, what: bytes) -> list[int]:
    found: list[int] = []
    at = image.find(what)
    while at >= 0:
        found.append(at)
        at = image.find(what, at + 1)
    return found


def lock(board: Board) -> int:
    return int(board.counters()["outputs"]["lock"])


def calling(callers: Callers) -> Client:
    """A session, once the door has started."""
    opened: list[Client] = []

    def answers() -> bool:
        try:
            opened.append(callers.call(DOOR))
        except ToolError:
            return False
        return True

    assert within(answers)
    return opened[0]


def presented(house: VirtualHouse, callers: Callers, card: str) -> list[tuple[int, int]]:
    with calling(callers) as client:
        return Door(house, client, DOOR).present(card)


def turn_slot_bytes(image: bytearray) -> None:
    """/wl/active names the other base: one bit, signed by nobody."""
    for at in places(image, ENVELOPE_START):
        if image[at - 1] in (0, 1):
            image[at - 1] ^= 1


def test_a_turned_slot_byte_does_not_bring_the_old_list_back(
    house: VirtualHouse, callers: Callers
) -> None:
    damage(house, turn_slot_bytes)
    assert presented(house, callers, CARD) == [(codes.EVENT_DENIED, codes.REASON_REVOKED)]
    assert (codes.EVENT_GRANTED, codes.REASON_CARD) in presented(house, callers, OTHER)


def test_a_cleared_flag_takes_the_list_out_of_force(house: VirtualHouse, callers: Callers) -> None:
    device = house.site.device(DOOR)
    with house.site.registry.session() as session:
        read = cards.parse(session, CARD)
    key = card_records.card_key(house.site.secret(device, "card_key"), read.type, read.data)

    def pardon(image: bytearray) -> None:
        hit = [at for at in places(image, key) if image[at + CARD_RECORD_BYTES - 1] & FLAG_REVOKED]
        assert hit
        for at in hit:
            image[at + CARD_RECORD_BYTES - 1] &= ~FLAG_REVOKED

    damage(house, pardon)
    assert presented(house, callers, CARD) == [(codes.EVENT_DENIED, codes.REASON_NO_LIST)]
    with callers.call(DOOR) as client:
        assert client.state().version == 0
        told = [(r.event, r.reason) for r in events(client, RING_ALARM)]
    assert (codes.EVENT_LIST_REFUSED, codes.ERR_DIGEST) in told
    results = push.push(house.site)
    assert results[0].ok, results
    assert (codes.EVENT_GRANTED, codes.REASON_CARD) in presented(house, callers, OTHER)
    assert presented(house, callers, CARD) == [(codes.EVENT_DENIED, codes.REASON_REVOKED)]


def leaves_by_rex(board: Board) -> bool:
    board.stimulate("press_rex", ms=300)
    return within(lambda: lock(board) == 1, 5) and within(lambda: lock(board) == 0, 10)


def lost(client: Client) -> int:
    """How many events the controller says that its flash did not take."""
    told = [r for r in events(client, RING_ALARM) if r.event == codes.EVENT_FIRMWARE_FAULT]
    return sum(r.extra for r in told)


def test_a_flash_that_takes_nothing_stops_neither_rex_nor_fire(
    house: VirtualHouse, callers: Callers
) -> None:
    board = house.boards[DOOR]
    resets = board.counters()["resets"]
    board.stimulate("read_only", on=True)
    for card in (STRANGER, OTHER, CARD):
        house.swipe(DOOR, card)
        assert leaves_by_rex(board)
    assert board.counters()["resets"] == resets
    board.stimulate("raise_smoke")
    assert within(lambda: lock(board) == 1, 5)
    board.stimulate("read_only", on=False)
    with callers.call(DOOR) as client:
        assert within(lambda: lost(client) > 0)
        assert codes.EVENT_GRANTED not in [r.event for r in events(client, RING_ACCESS)]


def test_a_start_on_a_flash_that_takes_nothing_keeps_the_way_out(house: VirtualHouse) -> None:
    board = house.boards[DOOR]
    board.stimulate("read_only", on=True)
    board.stimulate("reset")
    assert within(lambda: leaves_by_rex(board))
    resets = board.counters()["resets"]
    house.swipe(DOOR, OTHER)
    assert leaves_by_rex(board)
    board.stimulate("raise_smoke")
    assert within(lambda: lock(board) == 1, 5)
    assert board.counters()["resets"] == resets


def rot_key_slots(image: bytearray) -> None:
    """Turns a bit of every key slot that shows anything: its check no longer fits."""
    hit = 0
    for at in places(image, b"\xa5\x00"):
        slot = image[at : at + 84]
        if len(slot) == 84 and at % 4096 % 84 == 0 and slot[33:81] != bytes(48):
            image[at + 40] ^= 4
            hit += 1
    assert hit


def rot_config(image: bytearray) -> None:
    """The controller's own name in its settings file is no longer text that ends."""
    hit = places(image, b"\x66door-1")
    assert hit
    for at in hit:
        image[at] = 0xFF


@pytest.mark.parametrize("rot", [rot_key_slots, rot_config])
def test_rotten_keys_and_settings_leave_the_way_out(
    house: VirtualHouse, rot: Callable[[bytearray], None]
) -> None:
    board = house.boards[DOOR]
    damage(house, rot)
    assert within(lambda: leaves_by_rex(board))
    resets = board.counters()["resets"]
    house.swipe(DOOR, OTHER)
    board.stimulate("raise_smoke")
    assert within(lambda: lock(board) == 1, 5)
    assert board.counters()["resets"] == resets
