"""A controller is opened to service, and one is retired, on virtual boards (host).

A house of its own: what becomes a blank board here must not be met by other stories.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from controller_tool.channel.dial import Identity, open_session
from controller_tool.client import Client
from controller_tool.clock import now_s
from controller_tool.errors import DeviceError, OperatorError
from controller_tool.registry.models import ENDED_STOLEN, ENDED_WIPED
from controller_tool.repl import BoardRepl
from controller_tool.services import (
    cards,
    device_retire,
    devices_ops,
    provision,
    push,
    service_access,
)
from controller_tool.services.virtual_house import VirtualHouse
from protocol import cbor, codes, wipe_receipt
from protocol.constants import AAD_SERVICE, RING_ALARM
from tests.board.prompt import Prompt
from tests.e2e.callers import Callers, events
from tests.e2e.test_story import within

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOOR, PILE = "door-1", "pile-1"
CARD, OTHER = "0013345678", "0013345679"
SERVICE = (codes.EVENT_SERVICE_OPENED, codes.EVENT_SERVICE_CLOSED)
PASSPHRASE = "of a house with service"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualHouse]:
    """A door and a charger, in service."""
    folder = tmp_path_factory.mktemp("service") / "site"
    with VirtualHouse.found(folder, "service", PASSPHRASE, until_pid=os.getpid()) as made:
        made.provision()
        made.issue([CARD, OTHER])
        assert all(one.ok for one in push.push(made.site))
        yield made


@pytest.fixture(scope="module")
def callers(house: VirtualHouse, tmp_path_factory: pytest.TempPathFactory) -> Callers:
    return Callers(house.site, tmp_path_factory.mktemp("callers"))


def told(callers: Callers, name: str = DOOR) -> list[tuple[int, int, int]]:
    """Event, reason and extra of the alarm ring."""
    with callers.call(name, via="serial") as client:
        return [(r.event, r.reason, r.extra) for r in events(client, RING_ALARM)]


def granted(house: VirtualHouse, callers: Callers, **wrong: Any) -> tuple[bytes, Identity]:
    """A grant for a new installer, right but for what is given; and who that is."""
    who = callers.identity(DOOR, "installer")  # a technician waits ten seconds for each
    device = house.site.device(DOOR)
    fields: dict[str, Any] = {
        "site": house.site.id, "device": device.id_bytes, "peer": who.peer_id,
        "until": 1_000_000_000, "minutes": 5,
    }  # fmt: skip
    key = wrong.pop("key", "firmware")
    aad = wrong.pop("aad", AAD_SERVICE)
    fields.update(wrong)
    return house.site.sign(key, aad, cbor.encode(list(fields.values()))), who


WRONG: dict[str, tuple[dict[str, Any], int]] = {
    "by the ticket key": ({"key": "ticket"}, codes.ERR_KEY_UNKNOWN),
    "for another purpose": ({"aad": b"ticket"}, codes.ERR_SIGNATURE),
    "for another site": ({"site": bytes(8)}, codes.ERR_OTHER_SITE),
    "for another controller": ({"device": bytes(8)}, codes.ERR_OTHER_DEVICE),
    "for another peer": ({"peer": bytes(8)}, codes.ERR_ROLE),
    "over": ({"until": 1000}, codes.ERR_DATE),
    "for no time": ({"minutes": 0}, codes.ERR_ROLE),
    "for days": ({"minutes": 481}, codes.ERR_MALFORMED),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_grant_that_is_not_right_opens_nothing(
    house: VirtualHouse, callers: Callers, wrong: str
) -> None:
    fields, code = WRONG[wrong]
    data, who = granted(house, callers, **fields)
    with _call(callers, who, "serial") as client, pytest.raises(DeviceError) as refused:
        client.open_service(data)
    assert refused.value.code == code
    assert not house.boards[DOOR].counters()["at_prompt"]


def _call(callers: Callers, who: Identity, via: str) -> Client:
    return Client(open_session(callers.address(DOOR, via), who))


def test_nobody_opens_it_over_the_network(house: VirtualHouse, callers: Callers) -> None:
    data, who = granted(house, callers)
    with _call(callers, who, "wifi") as client, pytest.raises(DeviceError) as refused:
        client.open_service(data)
    assert refused.value.code == codes.ERR_ROLE


def test_a_grant_of_the_office_opens_the_prompt_until_it_is_closed(
    house: VirtualHouse, callers: Callers, tmp_path: Path
) -> None:
    site, board = house.site, house.boards[DOOR]
    made, data = service_access.grant(site, DOOR, site.peer("installer").id.hex(), 30, 1)
    file = tmp_path / "grant"
    file.write_bytes(data)
    said, place = service_access.opened(site, DOOR, file)
    assert (said, place) == (made, board.serial_port)
    assert not board.counters()["outputs"]["lock"]
    with BoardRepl(place) as repl:
        assert "/cfg/config.cbor" in repl.digests()
    assert service_access.close(site, DOOR)
    assert within(lambda: board.counters()["serves"])
    assert not service_access.close(site, DOOR)
    last = [one for one in told(callers) if one[0] in SERVICE]
    assert [one[0] for one in last[-2:]] == list(SERVICE)
    assert last[-2][2] == 30


def open_by_hand(house: VirtualHouse, callers: Callers, minutes: int = 5) -> None:
    data, who = granted(house, callers, minutes=minutes)
    with _call(callers, who, "serial") as client:
        client.set_time(now_s())  # power may have gone
        assert client.open_service(data) == minutes
    assert within(lambda: house.boards[DOOR].counters()["at_prompt"])


@pytest.mark.parametrize("ending", ["power", "reset button", "soft reset, then power"])
def test_power_and_reset_end_it_and_a_soft_reset_does_not(
    house: VirtualHouse, callers: Callers, ending: str
) -> None:
    board = house.boards[DOOR]
    open_by_hand(house, callers)
    if ending.startswith("soft"):
        with Prompt(board) as prompt:
            prompt.enter(soft_reset=True)
            assert prompt.value("6 * 7") == 42
    if ending == "reset button":
        board.stimulate("reset")
    else:
        board.stimulate("cut_power")
        board.stimulate("restore_power")
    assert within(lambda: board.counters()["serves"])
    assert not board.counters()["at_prompt"]
    assert [one[0] for one in told(callers) if one[0] in SERVICE][-2:] == list(SERVICE)


@pytest.mark.full
def test_its_time_ends_it_whatever_runs_there(house: VirtualHouse, callers: Callers) -> None:
    board = house.boards[DOOR]
    open_by_hand(house, callers, minutes=1)
    with Prompt(board) as prompt:
        prompt.lose("while True:\n    pass")
        assert within(lambda: board.counters()["resets"]["watchdog"] == 1, 90)
    assert within(lambda: board.counters()["serves"])
    assert (codes.EVENT_SERVICE_CLOSED, 3) in [one[:2] for one in told(callers)]


# --- retire ------------------------------------------------------------------------------------


def secrets_of(house: VirtualHouse, name: str) -> list[bytes]:
    device = house.site.device(name)
    columns = ("link_root", "card_key", "receipt_key", "device_key")
    return [house.site.secret(device, column)[-32:] for column in columns]


def test_a_retired_door_is_a_blank_board_and_in_no_m(house: VirtualHouse) -> None:
    site, board = house.site, house.boards[DOOR]
    secrets = secrets_of(house, DOOR)
    flash = board.folder.flash_path
    assert all(secret in flash.read_bytes() for secret in secrets), "looked for nothing"
    looked = device_retire.retire(site, DOOR, dry_run=True)
    assert site.device(DOOR).ended_how is None
    done = device_retire.retire(site, DOOR)
    assert done.kept_as == looked.kept_as
    assert done.erased & wipe_receipt.WIPED_NEEDED == wipe_receipt.WIPED_NEEDED
    assert within(lambda: board.counters()["at_prompt"], 60)
    image = flash.read_bytes()
    assert not [secret for secret in secrets if secret in image]
    assert not board.counters()["outputs"]["lock"]
    with BoardRepl(board.serial_port) as repl:
        assert list(repl.digests()) == ["/boot.py"], "what the stock image makes"
    ended = site.device(done.kept_as)
    assert (ended.ended_how, ended.enrolled_at_s) == (ENDED_WIPED, None)
    receipt = wipe_receipt.read(site.secret(ended, "receipt_key"), ended.wipe_receipt or b"")
    assert receipt.device == ended.id_bytes
    card = next(one for one in cards.list_cards(site) if one.ref)
    assert card.sent_to == (PILE,)
    with pytest.raises(OperatorError, match="calls on it no more"):
        devices_ops.info(site, done.kept_as)


def test_its_name_is_free_and_its_board_can_be_provisioned_again(house: VirtualHouse) -> None:
    record = provision.provision(
        house.site, provision.Request(DOOR, f"sim://{DOOR}", "virtual-door")
    )
    assert record.ok
    assert house.site.device(DOOR).ended_how is None


def test_a_stolen_one_is_believed_no_more_and_its_cards_are_told(house: VirtualHouse) -> None:
    site = house.site
    looked = device_retire.stolen(site, PILE, dry_run=True)
    assert site.device(PILE).ended_how is None
    done = device_retire.stolen(site, PILE)
    assert done == looked
    assert len(done.reissue) == 2
    assert site.device(done.kept_as).ended_how == ENDED_STOLEN
    card = cards.lost(site, CARD)
    assert done.kept_as in card.pending, "a theft proves nothing dead"
    with pytest.raises(OperatorError, match="calls on it no more"):
        devices_ops.info(site, done.kept_as)
