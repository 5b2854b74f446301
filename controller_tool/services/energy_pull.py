"""Fetches what chargers' energy rings tell into the registry (host).

Rules:

- only what is not stored comes over the wire; the newest slot that is stored is asked for once
  more, for its bytes say whether the ring is still the same
- a ring that began anew (its flash was spoiled, or the board exchanged) counts from 1 again: its
  slots are stored under the next era, the old ones stay
- a ring holds some hours; what was overwritten before anybody fetched it is counted
- then the clock is brought in step, where this folder may: energy without a time is in no day
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.channel.dial import Notice, Way, dial
from controller_tool.clock import now_s
from controller_tool.errors import DeviceError, OperatorError
from controller_tool.messages import t
from controller_tool.registry.bulk import insert_rows
from controller_tool.registry.records import EnergySlot
from controller_tool.services import clock_step
from controller_tool.services.devices_ops import again_when_busy
from protocol.codes import ERR_UNKNOWN_OPERATION
from protocol.constants import ENERGY_PAGE_SLOTS

if TYPE_CHECKING:
    from controller_tool.client import Client
    from controller_tool.registry.models import Device
    from controller_tool.services.devices_ops import ClockReport
    from controller_tool.services.site import Site

CHARGER = "charger"
_PAGES_MAX = 1024  # of one pull: a ring on 2 MB
_COLUMNS = ("device_id", "era", "seq", "time_s", "slot", "pulled_at_s")


@dataclass(frozen=True)
class EnergyPulled:
    """new: slots that were stored; overwritten: gone before this pull; begun_anew: another era;
    clock: how that was and what was done about it, None where it was not told.
    """

    new: int = 0
    overwritten: int = 0
    begun_anew: bool = False
    clock: ClockReport | None = None


def pull(
    site: Site, name: str, way: Way | None = None, notice: Notice | None = None
) -> EnergyPulled:
    """Opens a session with one charger and pulls; raises a ToolError when that fails."""
    device = charger(site, name)

    def once() -> EnergyPulled:
        with dial(site, device, way, notice=notice) as client:
            pulled = pull_open(site, device, client)
            return replace(pulled, clock=clock_step.keep(site, device, client))

    return again_when_busy(once)


def charger(site: Site, name: str) -> Device:
    """The controller of that name; OperatorError when it is none."""
    device = site.device(name)
    if device.kind != CHARGER:
        raise OperatorError(
            t("{device} does not charge anything", device=name), t("Name a charger controller")
        )
    return device


def pull_open(site: Site, device: Device, client: Client) -> EnergyPulled:
    """Pulls over a session that is open already; what has come stays when the wire breaks."""
    try:
        return _Ring(site, device, client).pull()
    except DeviceError as error:
        if error.code == ERR_UNKNOWN_OPERATION:  # of firmware that keeps no account yet
            return EnergyPulled()
        raise


class _Ring:
    def __init__(self, site: Site, device: Device, client: Client) -> None:
        self._site = site
        self._device = device
        self._client = client

    def pull(self) -> EnergyPulled:
        newest = self._newest()
        if newest is None:
            return self._fetch(0, 0, begun_anew=False)
        page = self._client.energy_slots(newest.seq)
        if page and number(page[0]) > newest.seq:
            lost = number(page[0]) - newest.seq - 1
            return self._fetch(newest.era, newest.seq + 1, begun_anew=False, overwritten=lost)
        witness = page[:1] or self._client.energy_slots(0, 1)
        if not witness:  # nothing was written there since it began anew
            return EnergyPulled()
        if self._is_stored(newest.era, witness[0]):
            return self._fetch(newest.era, newest.seq + 1, begun_anew=False)
        return self._fetch(newest.era + 1, 0, begun_anew=True)

    def _fetch(self, era: int, seq: int, *, begun_anew: bool, overwritten: int = 0) -> EnergyPulled:
        new = 0
        for _ in range(_PAGES_MAX):
            page = self._client.energy_slots(seq)
            if not page:
                break
            if not seq:
                overwritten = number(page[0]) - 1
            self._store(era, page)
            new += len(page)
            seq = number(page[-1]) + 1
            if len(page) < ENERGY_PAGE_SLOTS:
                break
        return EnergyPulled(new, overwritten, begun_anew)

    def _store(self, era: int, page: list[bytes]) -> None:
        at_s = now_s()
        with self._site.registry.writing() as session:
            held = select(EnergySlot.seq).where(
                EnergySlot.device_id == self._device.id,
                EnergySlot.era == era,
                EnergySlot.seq >= number(page[0]),
            )
            there = set(session.scalars(held))  # another pull was faster
            rows = [
                (self._device.id, era, number(slot), int.from_bytes(slot[4:8], "big"), slot, at_s)
                for slot in page
                if number(slot) not in there
            ]
            insert_rows(session, EnergySlot, _COLUMNS, rows)

    def _newest(self) -> EnergySlot | None:
        query = select(EnergySlot).where(EnergySlot.device_id == self._device.id)
        order = EnergySlot.era.desc(), EnergySlot.seq.desc()
        with self._site.registry.session() as session:
            return session.scalars(query.order_by(*order).limit(1)).first()

    def _is_stored(self, era: int, slot: bytes) -> bool:
        with self._site.registry.session() as session:
            held = session.get(EnergySlot, (self._device.id, era, number(slot)))
            return held is not None and held.slot == slot


def number(slot: bytes) -> int:
    """A slot's number in its ring."""
    return int.from_bytes(slot[:4], "big")
