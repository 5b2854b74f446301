"""Settings, supply and enrolment on a virtual controller, over the tool's own channel (host)."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from controller_tool.errors import DeviceError, ToolError
from controller_tool.services import card_enroll, device_config, push
from controller_tool.services.setting_words import parse
from protocol import cbor
from protocol.codes import (
    ERR_BUSY,
    ERR_KEY_UNKNOWN,
    ERR_NOT_ON_BOARD,
    ERR_ROLE,
    ERR_SETTING,
    EVENT_CONFIG_CHANGED,
    EVENT_CONFIG_REFUSED,
    EVENT_MAINS_BACK,
    EVENT_MAINS_LOST,
    EVENT_SUPPLY_LOW,
)
from protocol.constants import AAD_CONFIG, RING_ACCESS, RING_ALARM
from tests.e2e.callers import events
from tests.e2e.test_story import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller_tool.client import DeviceConfig
    from controller_tool.services.virtual_house import VirtualHouse
    from tests.e2e.callers import Callers

DOOR, PILE = "door-1", "pile-1"
POINTS = 6
CARD = "04a1b2c3d4e5f6"


@pytest.fixture(autouse=True)
def steady(house: VirtualHouse) -> Iterator[None]:
    """Whatever a test did to the supply is over with it."""
    yield
    house.boards[DOOR].stimulate("restore_power")
    for verb in ("restore_power", "steady_supply", "restore_mains"):
        house.boards[PILE].stimulate(verb)


def held(house: VirtualHouse, callers: Callers, name: str = DOOR) -> DeviceConfig:
    """What a controller keeps, once it answers."""
    found: list[DeviceConfig] = []

    def answers() -> bool:
        try:
            with callers.call(name) as client:
                found.append(client.config())
        except ToolError:
            house.boards[name].stimulate("restore_power")
            return False
        return True

    assert within(answers)
    return found[-1]


def sign(house: VirtualHouse, version: int, settings: dict[int, Any], key: str = "ticket") -> bytes:
    site = house.site
    fields = [site.id, site.device(DOOR).id_bytes, site.epoch, version, settings]
    return site.sign(key, AAD_CONFIG, cbor.encode(fields))


def happened(callers: Callers, name: str = DOOR) -> list[int]:
    with callers.call(name) as client:
        return [record.event for record in events(client, RING_ALARM)]


def test_a_setting_is_in_force_after_the_session_and_no_relay_moves(
    house: VirtualHouse, callers: Callers
) -> None:
    board = house.boards[DOOR]
    before = board.counters()
    done = device_config.change(house.site, DOOR, parse(["unlock_time=2", "held_open_time=40"]))
    assert done.sent
    assert within(lambda: held(house, callers).in_force)
    assert held(house, callers).settings == {2: 20, 3: 40}
    after = board.counters()
    assert after["resets"] == before["resets"], "it was not restarted"
    assert after["relay_log"] == before["relay_log"]
    assert EVENT_CONFIG_CHANGED in happened(callers)
    assert device_config.show(house.site, DOOR).same


def test_a_refused_setting_is_named_over_the_wire_and_only_behind_a_signature(
    house: VirtualHouse, callers: Callers
) -> None:
    version = held(house, callers).version + 1
    for settings, code, number in (({3: 65536}, ERR_SETTING, 3), ({32: 1}, ERR_NOT_ON_BOARD, 32)):
        with callers.call(DOOR) as client, pytest.raises(DeviceError) as refused:
            client.put_config(sign(house, version, settings))
        assert (refused.value.code, refused.value.setting) == (code, number)
    with callers.call(DOOR, "technician") as client, pytest.raises(DeviceError) as refused:
        client.put_config(sign(house, version, {3: 5}, "whitelist"))
    assert (refused.value.code, refused.value.setting) == (ERR_KEY_UNKNOWN, None)
    with callers.call(DOOR, "hub") as client, pytest.raises(DeviceError) as refused:
        client.config()
    assert refused.value.code == ERR_ROLE
    assert EVENT_CONFIG_REFUSED in happened(callers)


def test_power_cut_in_a_change_leaves_the_old_or_the_new_one(
    house: VirtualHouse, callers: Callers
) -> None:
    board = house.boards[DOOR]
    outcomes = set()
    for point in range(1, POINTS + 1):
        old = held(house, callers)
        new = {2: 20 + point}
        with callers.call(DOOR) as client:
            board.stimulate("cut_at", operation=2 * point, torn=bool(point % 2))
            with contextlib.suppress(ToolError):
                client.put_config(sign(house, old.version + 1, new))
        board.stimulate("cut_at", operation=0)
        board.stimulate("cut_power")
        board.stimulate("restore_power")
        now = held(house, callers)
        assert (now.version, now.settings) in (
            (old.version, old.settings), (old.version + 1, new)
        ), point  # fmt: skip
        outcomes.add(now.version - old.version)
    assert 0 in outcomes


def test_a_sag_holds_lists_and_a_power_cut_in_it_does_no_harm(
    house: VirtualHouse, callers: Callers
) -> None:
    board = house.boards[PILE]
    house.issue([f"{3_000_000 + n:010d}" for n in range(20)])
    assert push.push(house.site, [PILE])[0].ok
    with callers.call(PILE) as client:
        before = client.state()
    board.stimulate("sag_supply")
    assert within(lambda: EVENT_SUPPLY_LOW in happened(callers, PILE))
    with callers.call(PILE) as client, pytest.raises(DeviceError) as refused:
        push.push_open(house.site, house.site.device(PILE), client, force=True)
    assert refused.value.code == ERR_BUSY
    board.stimulate("cut_power")
    board.stimulate("restore_power")
    assert held(house, callers, PILE).in_force
    with callers.call(PILE) as client:
        after = client.state()
        assert (after.version, after.digest) == (before.version, before.digest)
    board.stimulate("steady_supply")
    assert push.push(house.site, [PILE], force=True)[0].ok


def test_mains_that_go_and_come_are_on_record(house: VirtualHouse, callers: Callers) -> None:
    board = house.boards[PILE]
    board.stimulate("lose_mains")
    assert within(lambda: EVENT_MAINS_LOST in happened(callers, PILE))
    assert EVENT_MAINS_BACK not in happened(callers, PILE)
    board.stimulate("restore_mains")
    assert within(lambda: EVENT_MAINS_BACK in happened(callers, PILE))


def test_the_next_card_comes_to_the_desk_and_opens_nothing(
    house: VirtualHouse, callers: Callers
) -> None:
    board = house.boards[DOOR]
    with callers.call(DOOR) as client:
        access_before = client.head(RING_ACCESS).next_seq
    log_before = board.counters()["relay_log"]

    def swipe() -> None:
        time.sleep(2)
        board.stimulate("swipe_card", credential=CARD, type=2)

    hand = threading.Thread(target=swipe)
    hand.start()
    seen = card_enroll.wait(house.site, DOOR, minutes=1)
    hand.join()
    assert str(seen.credential) == f"iso14443a:{CARD}"
    assert seen.reader == 0
    assert board.counters()["relay_log"] == log_before
    with callers.call(DOOR) as client:
        assert client.head(RING_ACCESS).next_seq == access_before, "nothing of it is on record"
    flash = (house.site.path / "sim" / DOOR / "flash.bin").read_bytes()
    assert bytes.fromhex(CARD) not in flash
    time.sleep(1.5)  # a reader gives no card again that was there a second ago
    board.stimulate("swipe_card", credential=CARD, type=2)

    def judged() -> bool:
        with callers.call(DOOR) as client:
            return client.head(RING_ACCESS).next_seq > access_before

    assert within(judged), "the same card is judged again as ever"
