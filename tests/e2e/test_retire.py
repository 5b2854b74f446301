"""A controller is opened to service, and one is retired, on virtual boards (host).

A house of its own: what becomes a blank board here must not be met by other stories.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from controller_tool.cli.common import App
from controller_tool.errors import DeviceError, OperatorError
from controller_tool.registry.models import ENDED_STOLEN, ENDED_WIPED, Device
from controller_tool.repl import BoardRepl
from controller_tool.services import (
    cards,
    device_retire,
    devices_ops,
    export,
    push,
    service_access,
)
from controller_tool.services.site import Site
from controller_tool.services.virtual_house import VirtualHouse
from protocol import cbor, codes, wipe_receipt
from protocol.constants import AAD_SERVICE, RING_ALARM
from tests.e2e.callers import Callers, events
from tests.e2e.test_story import within

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOOR, PILE = "door-1", "pile-1"
CARD, OTHER = "0013345678", "0013345679"
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


def told(house: VirtualHouse, callers: Callers, name: str = DOOR) -> list[tuple[int, int, int]]:
    """Event, reason and extra of the alarm ring."""
    with callers.call(name, via="serial") as client:
        return [(r.event, r.reason, r.extra) for r in events(client, RING_ALARM)]


def granted(house: VirtualHouse, callers: Callers, **wrong: object) -> tuple[bytes, object]:
    """A grant for a new technician, right but for what is given; and who that is."""
    who = callers.identity(DOOR, "technician")
    device = house.site.device(DOOR)
    fields = {
        "site": house.site.id, "device": device.id_bytes, "peer": who.peer_id,
        "until": 1_000_000_000, "minutes": 5,
    }  # fmt: skip
    key = wrong.pop("key", "firmware")
    aad = wrong.pop("aad", AAD_SERVICE)
    fields.update(wrong)
    return house.site.sign(key, aad, cbor.encode(list(fields.values()))), who


WRONG = {
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


def _call(callers: Callers, who: object, via: str) -> object:
    from controller_tool.channel.dial import open_session  # noqa: PLC0415
    from controller_tool.client import Client  # noqa: PLC0415

    return Client(open_session(callers.address(DOOR, via), who))


def test_nobody_opens_it_over_the_network(house: VirtualHouse, callers: Callers) -> None:
    data, who = granted(house, callers)
    with _call(callers, who, "wifi") as client, pytest.raises(DeviceError) as refused:
        client.open_service(data)
    assert refused.value.code == codes.ERR_ROLE
