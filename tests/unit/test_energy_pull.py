"""Pulling a charger's account of energy: what is missing, once, no two rings mixed (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from controller_tool.client import Client
from controller_tool.errors import DeviceError, LinkError, OperatorError
from controller_tool.registry.records import EnergySlot
from controller_tool.services import energy_pull
from controller_tool.services.energy_pull import EnergyPulled
from protocol.codes import ERR_BUSY, ERR_UNKNOWN_OPERATION, OP_READ_ENERGY
from protocol.constants import ENERGY_PAGE_SLOTS, ENERGY_SLOT_BYTES
from tests.unit.energy_support import Ring
from tests.unit.registry_support import Board

if TYPE_CHECKING:
    from controller_tool.registry.models import Device


@pytest.fixture
def charger(site) -> Device:
    return Board(site, "pile-1", board="virtual_charger").device


def pull(site, device: Device, ring: Any) -> EnergyPulled:
    return energy_pull.pull_open(site, device, ring)


def stored(site, device: Device, era: int = 0) -> list[bytes]:
    with site.registry.session() as session:
        rows = session.query(EnergySlot).filter_by(device_id=device.id, era=era)
        return [row.slot for row in rows.order_by(EnergySlot.seq)]


def test_what_is_new_comes_once(site, charger) -> None:
    ring = Ring()
    assert pull(site, charger, ring) == EnergyPulled()
    ring.charge(0, 20, 300)
    assert pull(site, charger, ring) == EnergyPulled(21)
    assert pull(site, charger, ring) == EnergyPulled()
    ring.ledger()
    ring.charge(3, 2 * ENERGY_PAGE_SLOTS - 3, 200)
    assert pull(site, charger, ring) == EnergyPulled(1 + 2 * ENERGY_PAGE_SLOTS - 2)
    assert stored(site, charger) == ring.slots


def test_what_was_overwritten_is_counted(site, charger) -> None:
    ring = Ring()
    ring.charge(0, 30, 300)
    written = list(ring.slots)
    del ring.slots[:4]
    assert pull(site, charger, ring) == EnergyPulled(27, overwritten=4)
    ring.charge(0, 30, 300)
    del ring.slots[:-5]
    assert pull(site, charger, ring) == EnergyPulled(5, overwritten=26)
    assert stored(site, charger) == written[4:] + ring.slots


def test_a_ring_that_began_anew_is_another_one(site, charger) -> None:
    first = Ring()
    first.charge(0, 10, 300)
    pull(site, charger, first)
    second = Ring(time_s=first.time_s + 3600)
    assert pull(site, charger, second) == EnergyPulled(), "it has nothing to tell yet"
    for minutes in (3, 20):  # fewer slots than are stored, then more
        second.charge(1, minutes, 200)
        new = minutes + 1
        assert pull(site, charger, second) == EnergyPulled(new, begun_anew=minutes == 3)
    assert stored(site, charger) == first.slots
    assert stored(site, charger, 1) == second.slots


def test_a_ring_that_began_anew_and_has_gone_further_is_another_one_too(site, charger) -> None:
    first, second = Ring(), Ring(time_s=Ring().time_s + 9000)
    first.charge(0, 10, 300)
    pull(site, charger, first)
    second.charge(1, 40, 200)
    assert pull(site, charger, second) == EnergyPulled(41, begun_anew=True)
    assert stored(site, charger, 1) == second.slots


def test_the_newest_slot_that_rotted_there_makes_no_new_ring(site, charger) -> None:
    ring = Ring()
    ring.charge(0, 10, 300)
    pull(site, charger, ring)
    kept = stored(site, charger)
    del ring.slots[-1]
    assert pull(site, charger, ring) == EnergyPulled()
    assert (stored(site, charger), stored(site, charger, 1)) == (kept, [])


def test_what_came_before_the_wire_broke_stays(site, charger) -> None:
    class Breaks(Ring):
        calls = 0

        def energy_slots(self, seq: int, count: int = ENERGY_PAGE_SLOTS) -> list[bytes]:
            self.calls += 1
            if self.calls == 3:
                raise LinkError("the wire broke", "again")
            return super().energy_slots(seq, count)

    ring = Breaks()
    ring.charge(0, 40, 300)
    with pytest.raises(LinkError):
        pull(site, charger, ring)
    assert stored(site, charger) == ring.slots[: 2 * ENERGY_PAGE_SLOTS]
    assert pull(site, charger, ring).new == 41 - 2 * ENERGY_PAGE_SLOTS
    assert stored(site, charger) == ring.slots


def test_firmware_without_an_account_has_nothing_to_pull(site, charger) -> None:
    def refused(code: int) -> Any:
        class Refuses(Ring):
            def energy_slots(self, *_: int) -> list[bytes]:
                raise DeviceError("refused", "", code)

        return Refuses()

    assert pull(site, charger, refused(ERR_UNKNOWN_OPERATION)) == EnergyPulled()
    with pytest.raises(DeviceError):
        pull(site, charger, refused(ERR_BUSY))


def test_a_door_is_not_asked(site) -> None:
    Board(site, "door-1")
    with pytest.raises(OperatorError, match="does not charge"):
        energy_pull.pull(site, "door-1")


@pytest.mark.parametrize("spoil", ["torn", "order", "older", "many", "bit", "text", "twice"])
def test_a_page_of_another_shape_is_refused_whole(spoil: str) -> None:
    ring = Ring()
    ring.charge(0, 9, 300)
    good = b"".join(ring.slots[2:9])
    page: dict[str, Any] = {
        "torn": good[:-1],
        "order": good[ENERGY_SLOT_BYTES:] + good[:ENERGY_SLOT_BYTES],
        "older": b"".join(ring.slots[1:8]),
        "many": b"".join(ring.slots[2:10]),
        "bit": good[:100] + bytes([good[100] ^ 1]) + good[101:],
        "text": "slots",
        "twice": good[:ENERGY_SLOT_BYTES] * 2,
    }

    class Session:
        device_name = "pile-1"

        def __init__(self, value: Any) -> None:
            self.value = value

        def call(self, operation: int, *_: int) -> Any:
            assert operation == OP_READ_ENERGY
            return self.value

    session: Any = Session(good)
    assert Client(session).energy_slots(3) == ring.slots[2:9]
    session.value = page[spoil]
    with pytest.raises(DeviceError, match="cannot be read"):
        Client(session).energy_slots(3)
