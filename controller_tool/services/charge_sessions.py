"""Charging sessions, put together from the two records of each (host).

Rules, for the records of one port in the order of their numbers:

- `charge_started` begins a session; with the reason `resumed` it goes on with the one before it
- `charge_ended` ends the one that runs, or one whose beginning is not stored here
- a session that another one follows without an end is lost: so is one that ran when the controller
  started anew, or that is older than any session can get
- else one without an end runs, as far as was pulled
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller_tool.services import journal_read, journal_rows
from controller_tool.services.journal_details import minutes_wh
from controller_tool.services.journal_filter import Filter
from protocol import records
from protocol.codes import EVENT_CHARGE_ENDED, EVENT_CHARGE_STARTED, REASON_RESUMED
from protocol.constants import CHARGE_MINUTES_MAX, RECORD_BODY_BYTES
from protocol.names import EVENT_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from controller_tool.services.journal_index import Progress
    from controller_tool.services.journal_read import Entry, Flaws
    from controller_tool.services.site import Site
    from protocol.records import Record

ENDED, RUNNING, LOST = "ended", "running", "lost"
STATES = (ENDED, RUNNING, LOST)
_STARTED = EVENT_NAMES[EVENT_CHARGE_STARTED]
_EVENTS = frozenset((_STARTED, EVENT_NAMES[EVENT_CHARGE_ENDED]))
_LONGEST_S = (CHARGE_MINUTES_MAX + 60) * 60  # of a session, outages that it outlasts included
_TEXT = slice(0, 19)  # of a record's time: to the second


@dataclass(frozen=True)
class Session:
    """One session. point: from 0 as records have it; began, ended: local ISO 8601, "" if unknown.

    state: of STATES; by: why it began; why: why it ended; clock: how sure its times are, of both
    ends the less sure; began_clock, ended_clock: of each, "" where that is not stored; minutes, wh:
    its account, None without an end; quota_min, quota_wh: 0 is no limit; resumed: short outages
    that it outlasted; start_seq, end_seq: numbers of its records in the access ring; began_s,
    ended_s: their times in seconds since 2020.
    """

    controller: str
    point: int
    state: str
    card: str
    holder: str
    by: str
    began: str
    ended: str
    clock: str
    minutes: int | None
    wh: int | None
    why: str
    quota_min: int
    quota_wh: int
    resumed: int
    start_seq: int | None
    end_seq: int | None
    began_s: int | None
    ended_s: int | None
    began_clock: str = ""
    ended_clock: str = ""


@dataclass(frozen=True)
class Wish:
    """Which sessions. since_s, until_s: of their beginning, the second is not wanted any more.

    points: from 0; who, devices: as in journal_filter.Filter; why: names of ends; states: of
    STATES.
    """

    devices: tuple[str, ...] = ()
    points: frozenset[int] = frozenset()
    since_s: int | None = None
    until_s: int | None = None
    who: str | None = None
    why: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()


def sessions(
    site: Site, wish: Wish, progress: Progress | None = None, flaws: Flaws | None = None
) -> list[Session]:
    """What is wished, by beginning; OperatorError when ``who`` is nobody."""
    wanted = Filter(
        devices=wish.devices or _chargers(site),
        points=wish.points,
        events=_EVENTS,
        since_s=None if wish.since_s is None else wish.since_s - _LONGEST_S,
        until_s=None if wish.until_s is None else wish.until_s + _LONGEST_S,
    )
    by_controller: dict[str, list[Entry]] = {}
    if wanted.devices:
        for entry in journal_read.walk(site, wanted, progress, flaws):
            by_controller.setdefault(entry.controller, []).append(entry)
    theirs = _of_whom(site, wish, wanted)
    found = [
        one
        for name, entries in by_controller.items()
        for one in _of_controller(site, name, entries)
        if _is_wished(one, wish, theirs)
    ]
    return sorted(found, key=lambda one: (_begin_s(one), one.controller, one.point))


def _chargers(site: Site) -> tuple[str, ...]:
    return tuple(device.name for device in site.devices() if device.kind == "charger")


def _of_whom(site: Site, wish: Wish, wanted: Filter) -> set[tuple[str, int]] | None:
    """Controller and number of the records of whom is asked for; None for anybody's."""
    if wish.who is None:
        return None
    found = journal_read.walk(site, replace(wanted, who=wish.who))
    return {(entry.controller, entry.seq) for entry in found}


def _is_wished(one: Session, wish: Wish, theirs: set[tuple[str, int]] | None) -> bool:
    seqs = {(one.controller, seq) for seq in (one.start_seq, one.end_seq) if seq is not None}
    begin_s = _begin_s(one)
    return (
        (theirs is None or not theirs.isdisjoint(seqs))
        and (wish.since_s is None or begin_s >= wish.since_s)
        and (wish.until_s is None or begin_s < wish.until_s)
        and (not wish.why or one.why in wish.why)
        and (not wish.states or one.state in wish.states)
    )


def _begin_s(one: Session) -> int:
    """When it began; of one whose beginning is not stored, as its account has it."""
    return (one.ended_s or 0) - 60 * (one.minutes or 0) if one.began_s is None else one.began_s


def _of_controller(site: Site, name: str, entries: list[Entry]) -> Iterator[Session]:
    """The sessions of all its ports."""
    last = _Last(site, name)
    running: dict[int, _Open] = {}
    for entry in sorted(entries, key=lambda one: one.seq):
        open_ = running.get(entry.point)
        if entry.event != _STARTED:
            yield _session(running.pop(entry.point, None), entry)
        elif open_ is not None and _body(entry).reason == REASON_RESUMED:
            open_.resumed += 1
            open_.boot = entry.boot
        else:
            if open_ is not None:
                yield _session(open_, None, LOST)
            running[entry.point] = _Open(entry, entry.boot)
    for open_ in running.values():
        yield _session(open_, None, RUNNING if last.may_run(open_) else LOST)


@dataclass
class _Open:
    """A session whose end has not come yet. boot: the start of the controller that it runs in."""

    entry: Entry
    boot: int
    resumed: int = 0


class _Last:
    """What was pulled last of a controller."""

    def __init__(self, site: Site, name: str) -> None:
        device_id = site.device(name).id
        bodies = []
        with site.registry.session() as session:
            for ring in journal_rows.RINGS:
                seq = journal_rows.next_seq_of(session, device_id, ring) - 1
                stored = journal_rows.record_at(session, device_id, ring, seq)
                bodies += [] if stored is None else [records.unpack(stored[:RECORD_BODY_BYTES])]
        self._boot = max((body.boot for body in bodies), default=0)
        self._time_s = max((body.time_s for body in bodies), default=0)

    def may_run(self, open_: _Open) -> bool:
        begin_s = _body(open_.entry).time_s
        return open_.boot >= self._boot and self._time_s - begin_s <= _LONGEST_S


def _session(open_: _Open | None, end: Entry | None, state: str = ENDED) -> Session:
    start = open_.entry if open_ else None
    known = [one for one in (start, end) if one is not None]
    named = known[0]
    began, ended = (_body(one) if one else None for one in (start, end))
    minutes, wh = minutes_wh(ended.extra) if ended else (None, None)
    quota_min, quota_wh = minutes_wh(began.extra) if began else (0, 0)
    clocks = [one.clock for one in known]
    return Session(
        controller=named.controller,
        point=named.point,
        state=state,
        card=named.card,
        holder=named.holder,
        by=start.reason if start else "",
        began=start.time[_TEXT] if start else "",
        ended=end.time[_TEXT] if end else "",
        clock=journal_read.UNSET if journal_read.UNSET in clocks else clocks[0],
        minutes=minutes,
        wh=wh,
        why=end.reason if end else "",
        quota_min=quota_min,
        quota_wh=quota_wh,
        resumed=open_.resumed if open_ else 0,
        start_seq=start.seq if start else None,
        end_seq=end.seq if end else None,
        began_s=began.time_s if began else None,
        ended_s=ended.time_s if ended else None,
        began_clock=start.clock if start else "",
        ended_clock=end.clock if end else "",
    )


def _body(entry: Entry) -> Record:
    return records.unpack(bytes.fromhex(entry.record)[:RECORD_BODY_BYTES])


def energy_wh(found: Iterable[Session]) -> int:
    """Of all that have an account."""
    return sum(one.wh or 0 for one in found)
