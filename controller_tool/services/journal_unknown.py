"""Credentials that were tried and that nobody was issued, by controller (host).

A controller never says which credential it was, only by which keyed hash it would know it. So the
same card has another pseudonym on each controller, and none can be turned back into a card number
but by trying numbers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from controller_tool import clock
from controller_tool.registry.derived import JournalIndex
from controller_tool.services import (
    journal_index,
    journal_keys,
    journal_order,
    journal_query,
    journal_read,
)
from controller_tool.services.journal_filter import Filter, is_unknown
from controller_tool.services.journal_people import Known, People

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device
    from controller_tool.services.journal_query import Facet
    from controller_tool.services.site import Site

PSEUDONYM_BYTES = 4
_EXTRA = struct.Struct(">28xI16x")
_AT_ONCE = 1000


@dataclass(frozen=True)
class Unknown:
    """One credential on one controller. first, last: local ISO 8601; point: of the last try.

    card, holder: where the card was issued since.
    """

    controller: str
    pseudonym: str
    tries: int
    first: str
    last: str
    point: int
    card: str
    holder: str


@dataclass(frozen=True)
class Counted:
    """What a controller refused as unknown: recorded one by one, and only counted (a flood)."""

    controller: str
    recorded: int
    folded: int


@dataclass(frozen=True)
class Report:
    """credentials: the most recent first; told_apart: whether this folder can tell cards apart."""

    credentials: list[Unknown]
    counted: list[Counted]
    told_apart: bool


@dataclass
class _Tries:
    count: int = 0
    first_s: int = 1 << 62
    last_s: int = -1
    point: int = 0

    def add(self, count: int, first_s: int, last_s: int, point: int) -> None:
        self.count += count
        self.first_s = min(self.first_s, first_s)
        if last_s > self.last_s:
            self.last_s, self.point = last_s, point


def report(site: Site, names: tuple[str, ...] = ()) -> Report:
    """Of the named controllers, or of all."""
    devices = Filter(devices=names).chosen(site)
    journal_index.ensure(site, devices, thoroughly=True)
    found: list[tuple[int, Unknown]] = []
    counted: list[Counted] = []
    with site.registry.session() as session:
        people = People(site, session)
        local = journal_read.local_time(site, session)
        by_device: dict[str, list[Facet]] = {}
        for facet in filter(is_unknown, journal_query.facets(session)):
            by_device.setdefault(facet.device_id, []).append(facet)
        for device in devices:
            facets = by_device.get(device.id, [])
            for key, tries in _by_key(session, facets).items():
                # the first issue: whoever got the card later was not the one who tried it
                known = people.of(device, key, 0) or Known("", "", "")
                first, last = (
                    clock.local_text(time_s, local.offset_min(time_s))[:-6]
                    for time_s in (tries.first_s, tries.last_s)
                )
                one = Unknown(
                    device.name, key[:PSEUDONYM_BYTES].hex(), tries.count, first, last,
                    tries.point, known.ref, known.holder,
                )  # fmt: skip
                found.append((tries.last_s, one))
            counted.append(_counted(session, device, facets))
    found.sort(key=lambda pair: (-pair[0], pair[1].controller, pair[1].pseudonym))
    told_apart = any(journal_keys.unmasks(device, 0) for device in devices)
    return Report(
        [one for _, one in found], [c for c in counted if c.recorded or c.folded], told_apart
    )


def _by_key(session: Session, facets: list[Facet]) -> dict[bytes, _Tries]:
    points = {facet.id: facet.point for facet in facets}
    query = (
        select(
            JournalIndex.key, JournalIndex.facet_id, func.count(), func.min(JournalIndex.time_s),
            func.max(JournalIndex.time_s),
        )
        .where(JournalIndex.facet_id.in_(points), JournalIndex.key.is_not(None))
        .group_by(JournalIndex.key, JournalIndex.facet_id)
    )  # fmt: skip
    found: dict[bytes, _Tries] = {}
    for key, facet_id, count, first_s, last_s in session.execute(query):
        if key is not None:
            found.setdefault(key, _Tries()).add(count, first_s, last_s, points[facet_id])
    return found


def _counted(session: Session, device: Device, facets: list[Facet]) -> Counted:
    folded = recorded = 0
    for facet in facets:
        of_it = JournalIndex.facet_id == facet.id
        if facet.point != journal_read.CONTROLLER:
            count = select(func.count()).select_from(JournalIndex).where(of_it)
            recorded += session.execute(count).scalar() or 0
            continue
        ids = list(session.scalars(select(JournalIndex.id).where(of_it)))
        for at in range(0, len(ids), _AT_ONCE):
            some = journal_index.records_of(session, ids[at : at + _AT_ONCE])
            folded += sum(_EXTRA.unpack(r)[0] for _, r in some if journal_order.is_whole(r))
    return Counted(device.name, recorded, folded)
