"""Imports a roster of people into houses: all rows or none, as often as it comes (host)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.houses import House, Room
from controller_tool.registry.models import STATE_ISSUED, Card, Device, Grant, Person
from controller_tool.registry.stays import Lease, RosterImport
from controller_tool.rules import duty, words
from controller_tool.rules import stay as rules
from controller_tool.rules.refusal import require
from controller_tool.services import audit, list_content, profiles, roster, roster_file
from controller_tool.services.desk import check_out, operators, places, sheets
from controller_tool.services.desk.roster_apply import Applier
from controller_tool.services.desk.roster_books import Books
from controller_tool.services.desk.roster_plan import Planner
from controller_tool.services.site_init import RESIDENT_PROFILE

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from controller_tool.services.desk.roster_plan import Plan, Step
    from controller_tool.services.desk.sheet_cells import Fault
    from controller_tool.services.desk.sheets import LeftOut
    from controller_tool.services.site import Site

SOURCE_MAX = 64


@dataclass(frozen=True)
class Wish:
    """How a roster is to be taken.

    house: reference or address code of all of it, None where each row names its own; source: whose
    roster it is, None: the house's; kind, leavers: codes of rules.words; profile: by name, None is
    the residents'; sheet: of a workbook with several.
    """

    house: str | None
    source: str | None = None
    kind: str = words.WORKER
    leavers: str = words.LIST
    profile: str | None = None
    sheet: str | None = None


@dataclass(frozen=True)
class Change:
    """One person. row: in the file, 0 for who is not on it; what: codes of rules.words.

    stay: its reference, also in a dry run; card: masked, empty where none was given; bed: the one
    that the person has afterwards, empty where beds have no names.
    """

    row: int
    name: str
    house: str
    room: str
    card: str
    until_min: int
    what: tuple[str, ...]
    stay: str
    bed: str


@dataclass(frozen=True)
class Imported:
    """What an import did, or would do. counts: persons by code of rules.words.

    faults: only in a dry run, and then nothing can be imported; ignored: columns that nothing was
    read from; left_out: rows that are totals or notes; devices: controllers that the next push
    tells of it.
    """

    source: str
    rows: int
    counts: dict[str, int]
    changes: tuple[Change, ...]
    leavers: tuple[Change, ...]
    faults: tuple[Fault, ...]
    ignored: tuple[str, ...]
    devices: tuple[str, ...]
    dry_run: bool
    left_out: tuple[LeftOut, ...] = ()


def import_tenants(site: Site, path: Path, wish: Wish, dry_run: bool = False) -> Imported:
    """Import the file. RosterRefused with every fault, RuleRefused for a house that takes nobody.

    Then nothing has changed; a dry run returns its faults instead.
    """
    site.require_cards()
    operators.require(site, duty.CHECK_IN)
    if wish.leavers == words.END:
        operators.require(site, duty.CHECK_OUT)
    raw = sheets.read_bytes(path)
    site.unlock()
    with site.registry.writing() as session:
        house = places.house(session, wish.house) if wish.house else None
        if house is not None:
            require(rules.admission(places.facts(house)))
        source = _source(wish, house)
        read = roster.judge(session)
        found = read.read(raw, path.name, _columns(house), wish.sheet)
        books = Books(site, session, found.rows, house, source)
        planner = Planner(books, found, source, now_s() // 60)
        plan = planner.plan(wish.kind, wish.leavers == words.END, read.local)
        faults = roster.in_order(found, plan.faults)
        seen = Imported(
            source, len(found.rows), {}, (), (), tuple(faults), found.ignored, (), dry_run,
            found.left_out,
        )  # fmt: skip
        if faults and not dry_run:
            raise roster.RosterRefused(path.name, faults)
        if faults:
            return _refused(plan, seen)
        with session.begin_nested() as trial:
            done = _carry_out(site, session, books, plan, wish, seen)
            if dry_run:
                trial.rollback()
            else:
                _record(site, session, done, wish, sha256(raw).hexdigest())
    return done


def _columns(house: House | None) -> sheets.Columns:
    """A file of several houses has a column for them; in a file of one it would contradict."""
    if house is None:
        required = (*roster_file.DESK.required, "house")
        return replace(roster_file.DESK, required=required)
    names = {field: names for field, names in roster_file.DESK_COLUMNS.items() if field != "house"}
    return replace(roster_file.DESK, names=names)


def _source(wish: Wish, house: House | None) -> str:
    text = (wish.source or "").strip() or (house.ref if house else "")
    if not text or len(text) > SOURCE_MAX or not text.isprintable():
        raise OperatorError(
            t("It is not said whose roster this is"),
            t("Give --source, at most {n} characters, the same each time", n=SOURCE_MAX),
        )
    return text


def _carry_out(
    site: Site, session: Session, books: Books, plan: Plan, wish: Wish, read: Imported
) -> Imported:
    """``read`` with what was done."""
    profile = profiles.find(session, wish.profile).id if wish.profile else RESIDENT_PROFILE
    leavers = [] if wish.leavers == words.KEEP else _leavers(session, plan.leavers, wish.leavers)
    told: set[str] = set()
    if wish.leavers == words.END:
        told = _holding(session, plan.leavers)
        for lease in plan.leavers:
            check_out.move_out(session, lease, reason=words.NOT_ON_ROSTER)
    applier = Applier(site, session, books)
    stays = applier.apply(plan.steps, wish.kind, read.source, profile)
    list_content.require_room(session, list(applier.doors))
    changes = tuple(_change(step, stays[step.row.line]) for step in plan.steps)
    devices = tuple(sorted(told | {device.name for device in applier.doors}))
    return replace(
        read, counts=_counts(changes, leavers), changes=changes, leavers=tuple(leavers),
        devices=devices,
    )  # fmt: skip


def _refused(plan: Plan, read: Imported) -> Imported:
    """A dry run of what cannot be imported: what the good rows would mean, and the faults.

    No leavers: who seems to be one may be a slip of the pen in a row with a fault.
    """
    wrong = {fault.row for fault in read.faults}
    good = tuple(_change(s, s.lease) for s in plan.steps if s.row.line not in wrong)
    refused = len({row for row in wrong if row})
    counts = {**_counts(good, []), words.REFUSED_ROW: refused}
    return replace(read, counts=counts, changes=good)


def _change(step: Step, lease: Lease | None) -> Change:
    row = step.row
    kept = "" if lease is None or step.begins else lease.bed
    return Change(
        row.line, row.name, step.house.ref, step.room.number,
        row.credential.masked() if row.credential else "", row.until_min,
        tuple(step.what) or (words.UNCHANGED,), lease.ref if lease else "", row.bed or kept,
    )  # fmt: skip


def _holding(session: Session, leases: list[Lease]) -> set[str]:
    """Controllers that hold cards which are out of these stays and of visits to them."""
    stays = {lease.id for lease in leases}
    visits = select(Lease.id).where(Lease.host_lease_id.in_(stays), Lease.ended_at_s.is_(None))
    stays |= set(session.scalars(visits))
    query = (
        select(Device.name)
        .join(Grant, Grant.device_id == Device.id)
        .join(Card, Card.id == Grant.card_id)
        .where(Card.lease_id.in_(stays), Card.state == STATE_ISSUED)
    )
    return set(session.scalars(query))


def _leavers(session: Session, leases: list[Lease], what: str) -> list[Change]:
    word = words.CHECKED_OUT if what == words.END else words.LEAVING
    made = []
    for lease in leases:
        person = session.get_one(Person, lease.person_id)
        house, room = session.get_one(House, lease.house_id), session.get_one(Room, lease.room_id)
        made.append(Change(0, person.name, house.ref, room.number, "", lease.until_min,
                           (word,), lease.ref, lease.bed))  # fmt: skip
    return made


def _counts(changes: tuple[Change, ...], leavers: list[Change]) -> dict[str, int]:
    counts = Counter(word for change in (*changes, *leavers) for word in change.what)
    return {word: counts[word] for word in words.ON_ROSTER}


def _record(site: Site, session: Session, done: Imported, wish: Wish, digest: str) -> None:
    session.add(RosterImport(
        source=done.source, file_sha256=digest, rows=done.rows, imported_at_s=now_s(),
        operator=site.operator,
    ))  # fmt: skip
    ended = wish.leavers == words.END
    audit.append(
        session, site.operator, "tenant.import", source=done.source, rows=done.rows,
        counts=done.counts, left=[one.stay for one in done.leavers] if ended else [],
        stays=[one.stay for one in done.changes if one.what != (words.UNCHANGED,)],
    )  # fmt: skip
