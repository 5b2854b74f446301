"""Stored journals in words: who, which point, when, why (host).

The index says where to look and which card it was; all else is read from the records themselves,
and where the two do not agree it is told. A folder without the tool's keys (the auditor's) shows
the cards' masked bytes.
"""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller_tool import clock
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.services import (
    journal_details,
    journal_index,
    journal_keys,
    journal_order,
    journal_query,
    site_time,
)
from controller_tool.services.journal_filter import UNKNOWN, Filter, event_name, reason_name
from controller_tool.services.journal_index import CARD_EVENTS, SEQ_BITS, SESSION_EVENTS
from controller_tool.services.journal_people import Known, People
from controller_tool.services.journal_verify import RING_NAMES
from controller_tool.services.site import CARD_ROLES
from protocol import records
from protocol.codes import (
    EVENT_CHARGE_ENDED,
    EVENT_UNLOCKED,
    REASON_FIRE,
    REASON_REX,
    REASON_TICKET,
)
from protocol.constants import RECORD_BODY_BYTES
from protocol.names import CLOCK_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device
    from controller_tool.services.journal_index import Progress
    from controller_tool.services.journal_order import Stored
    from controller_tool.services.journal_query import Facet, Found
    from controller_tool.services.site import Site

CONTROLLER = 255  # the point of records that belong to no door, port or reader
UNSET = "unset"
UNKNOWN_CARD = "unknown"
_BATCH = 1000
_NOBODY = Known("", "", "")
_CARDLESS = (REASON_REX, REASON_TICKET, REASON_FIRE)


@dataclass(frozen=True)
class Entry:
    """One record. time: local ISO 8601; card: reference, "unknown" or, masked, its bytes.

    clock: its quality; of an unset one the time is no more than "not before", for it counts from
    the floor. holder: of the card; for a session the peer id. flag: "master" or "emergency" where
    such a card was used. reason: by name where it has one for this event; record: all 48 bytes as
    hex.
    """

    controller: str
    ring: str
    seq: int
    boot: int
    time: str
    clock: str
    event: str
    reason: str
    point: int
    card: str
    holder: str
    flag: str
    list_version: int
    extra: int
    record: str

    @property
    def details(self) -> str:
        """What `extra` means, in words."""
        body = records.unpack(bytes.fromhex(self.record)[:RECORD_BODY_BYTES])
        return journal_details.details(body.event, body.reason, body.point, body.extra)

    @property
    def place(self) -> str:
        """What `page` takes as ``before``."""
        return f"{self.controller}/{self.ring}/{self.seq}"


@dataclass
class Flaws:
    """misfits: records that are not what the index says, or gone; damaged: places of those that
    are no records any more, and were left out.
    """

    misfits: int = 0
    damaged: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Page:
    """Entries by time, the oldest first; older: ``before`` of the page that ends before this one,
    None where this is the oldest.
    """

    entries: list[Entry]
    older: str | None
    flaws: Flaws


def page(site: Site, wanted: Filter, last: int, before: str | None = None) -> Page:
    """The newest ``last`` entries, or those that come before the entry at a place."""
    flaws = Flaws()
    with _open(site, wanted, flaws) as (session, reader):
        at = None if before is None else _place(session, reader.devices, before)
        found = list(itertools.islice(reader.find(wanted, at, last + 1), last + 1))
        told = list(reader.tell(found[:last]))
        older = reader.place(found[last - 1].found) if len(found) > last else None
        return Page(told[::-1], older, flaws)


def walk(
    site: Site, wanted: Filter, progress: Progress | None = None, flaws: Flaws | None = None
) -> Iterator[Entry]:
    """All entries by time, the oldest first, a batch at a time: there may be millions.

    progress: told how many there were so far, of all records that are stored here; flaws: are
    written down there.
    """
    flaws = Flaws() if flaws is None else flaws
    with _open(site, wanted, flaws, thoroughly=True) as (session, reader):
        total = journal_index.size(session) if progress is not None else 0
        done = 0
        found = reader.find(wanted, None, _BATCH, newest_first=False)
        while batch := list(itertools.islice(found, _BATCH)):
            yield from reader.tell(batch)
            done += len(batch)
            if progress is not None:
                progress(t("records"), done, total)


def at(
    site: Site, device: Device, ring: int, seqs: Sequence[int], events: frozenset[int]
) -> list[Entry]:
    """The entries at these ascending numbers of one ring that are of these events."""
    with _open(site, Filter(devices=(device.name,)), Flaws()) as (session, reader):
        return list(reader.at(journal_query.places(session, device.id, ring, seqs), events))


@contextmanager
def _open(
    site: Site, wanted: Filter, flaws: Flaws, thoroughly: bool = False
) -> Iterator[tuple[Session, _Reader]]:
    """A session in which everything is indexed, and a reader of it."""
    devices = wanted.chosen(site)
    journal_index.ensure(site, devices, thoroughly)
    with site.registry.session() as session:
        yield session, _Reader(site, session, devices, flaws)


@dataclass
class _Reader:
    site: Site
    session: Session
    chosen: Sequence[Device]
    flaws: Flaws
    devices: dict[str, Device] = field(init=False)

    def __post_init__(self) -> None:
        self.devices = {device.id: device for device in self.chosen}
        self._facets: dict[int, Facet] = {f.id: f for f in journal_query.facets(self.session)}
        self._people = People(self.site, self.session)
        self._local = local_time(self.site, self.session)

    def find(
        self,
        wanted: Filter,
        before: journal_order.Key | None,
        at_once: int,
        newest_first: bool = True,
    ) -> Iterator[Stored]:
        """What is wanted, in its order; at_once: as journal_order.by_time has it."""
        end_s = None if before is None else before[0] + 1
        query = wanted.resolve(self.site, self.session, self.chosen, end_s)
        found = journal_query.search(self.session, query, newest_first)
        if wanted.who == UNKNOWN:
            found = (one for one in found if not self._known_by_now(one))
        stored = journal_order.by_time(self.session, self._facets, found, newest_first, at_once)
        return (one for one in stored if before is None or one.key < before)

    def tell(self, stored: Sequence[Stored]) -> Iterator[Entry]:
        """Their entries; what has no record any more is a flaw instead."""
        for _, found, record in stored:
            facet = self._facets.get(found.facet_id)
            if record is None or facet is None:
                self.flaws.misfits += 1
            elif not journal_order.is_whole(record):
                self.flaws.damaged.append(self.place(found))
            else:
                yield self._entry(found, facet, record)

    def at(self, places: Sequence[Found], events: frozenset[int]) -> Iterator[Entry]:
        """Entries of places in the index, in their order, of these events alone."""
        wanted = [found for found in places if self._facets[found.facet_id].event in events]
        for start in range(0, len(wanted), _BATCH):
            some = wanted[start : start + _BATCH]
            records_ = dict(journal_index.records_of(self.session, [one.id for one in some]))
            nowhere = (0, 0, "", 0, 0)  # the order is the caller's
            yield from self.tell(
                [journal_order.Stored(nowhere, one, records_.get(one.id)) for one in some]
            )

    def place(self, found: Found) -> str:
        """As Entry.place."""
        facet = self._facets[found.facet_id]
        seq = found.id & ((1 << SEQ_BITS) - 1)
        return f"{self.devices[facet.device_id].name}/{RING_NAMES[facet.ring]}/{seq}"

    def _known_by_now(self, found: Found) -> bool:
        device = self.devices[self._facets[found.facet_id].device_id]
        return found.key is not None and self._people.knows(device, found.key)

    def _entry(self, found: Found, facet: Facet, record: bytes) -> Entry:
        body = records.unpack(record[:RECORD_BODY_BYTES])
        self.flaws.misfits += (body.time_s, body.event, body.reason, body.point) != (
            found.time_s, facet.event, facet.reason, facet.point
        )  # fmt: skip
        device = self.devices[facet.device_id]
        known = self._known(device, facet, found.key, body)
        text = clock.local_text(body.time_s, self._local.offset_min(body.time_s))
        return Entry(
            controller=device.name,
            ring=RING_NAMES[facet.ring],
            seq=found.id & ((1 << SEQ_BITS) - 1),
            boot=body.boot,
            time=f"{text[:-6]}.{body.ms:03d}",
            clock=CLOCK_NAMES.get(body.quality, str(body.quality)),
            event=event_name(body.event),
            reason=reason_name(body.event, body.reason),
            point=body.point,
            card=known.ref,
            holder=known.holder,
            flag=known.flag,
            list_version=body.version,
            extra=body.extra,
            record=record.hex(),
        )

    def _known(
        self, device: Device, facet: Facet, key: bytes | None, body: records.Record
    ) -> Known:
        if not journal_keys.unmasks(device, facet.ring):
            return Known(body.key.hex(), "", "") if _has_card(body) else _NOBODY
        if key is None:
            return _NOBODY
        if facet.event in SESSION_EVENTS:
            return Known("", key.hex(), "")
        if facet.event not in CARD_EVENTS:
            return _NOBODY
        return self._people.of(device, key, body.version) or Known(UNKNOWN_CARD, "", "")


def _has_card(body: records.Record) -> bool:
    """Whether a card's key stands in a record, by its kind: masked, no key looks like one too."""
    return (
        body.event in CARD_EVENTS
        and body.event != EVENT_UNLOCKED
        and (body.reason not in _CARDLESS or body.event == EVENT_CHARGE_ENDED)
        and body.point != CONTROLLER
    )


def door_of(point: int) -> int | None:
    """A record's point as people count doors, ports and readers, from 1; None for none."""
    return None if point == CONTROLLER else point + 1


def local_of(site: Site) -> site_time.SiteTime:
    """As `local_time`, where no session is open."""
    with site.registry.session() as session:
        return local_time(site, session)


def local_time(site: Site, session: Session) -> site_time.SiteTime:
    """The site's, or where a folder has no settings that of the default zone."""
    if site.role in CARD_ROLES:
        return site_time.read(session)
    return site_time.SiteTime([0, clock.LOCAL_OFFSET_MIN])


def _place(session: Session, devices: dict[str, Device], text: str) -> journal_order.Key:
    name, _, rest = text.rpartition("/")[0].rpartition("/")
    seq = text.rpartition("/")[2]
    rings = {ring_name: ring for ring, ring_name in RING_NAMES.items()}
    ids = [device.id for device in devices.values() if device.name == name]
    if ids and rest in rings and seq.isascii() and seq.isdigit():
        found = journal_query.place_of(session, ids[0], rings[rest], int(seq))
        if found is not None:
            record = dict(journal_index.records_of(session, [found[1]])).get(found[1])
            return journal_order.key_of(found[0], record, ids[0], rings[rest], int(seq))
    raise OperatorError(
        t("{place} is no stored record of these controllers", place=text),
        t("Write controller, ring and number as in door-1/access/120"),
    )
