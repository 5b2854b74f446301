"""Imports a roster: all rows or none (host).

Against the registry, after each row was found good by itself:

- the same person with the same card and the same lease: there already, nothing to do
- a card that is out, to somebody else or for another lease: refused
- a known ID number under another name: refused
- a new card that the houses behind its doors forbid (rules.stay.card_without_stay): refused
- else the person is added, or the room brought up to date, and the card issued
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.models import Device, Grant
from controller_tool.rules import duty, stay
from controller_tool.services import (
    audit,
    card_holder,
    card_terms,
    cards,
    list_content,
    people,
    roster_file,
    site_time,
)
from controller_tool.services.desk import operators, sheets

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Card
    from controller_tool.services.desk.sheet_cells import Fault
    from controller_tool.services.desk.sheets import LeftOut
    from controller_tool.services.roster_file import Roster, Row
    from controller_tool.services.site import Site


class RosterRefused(OperatorError):
    """Nothing was imported; ``faults`` name every row and field that is wrong."""

    def __init__(self, file: str, faults: list[Fault]) -> None:
        shown = "; ".join(f"{fault.row} {fault.field}: {fault.what}" for fault in faults[:3])
        super().__init__(
            t("{file}: {n} wrong fields, nothing was imported ({shown})",
              file=file, n=len(faults), shown=shown),
            t("Correct these rows and import the file again"),
        )  # fmt: skip
        self.faults = faults


@dataclass(frozen=True)
class Imported:
    """What an import did, or would do (dry run). Rows; people and cards that are new.

    over: new cards whose lease has ended already: they are listed and open nothing; left_out: rows
    that are totals or notes.
    """

    rows: int
    new_people: int
    new_cards: int
    unchanged: int
    over: int
    devices: tuple[str, ...]
    dry_run: bool
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True)
class _Task:
    """A row that has something to do."""

    row: Row
    known: bool


def import_roster(
    site: Site, path: Path, devices: tuple[str, ...] | None = None, dry_run: bool = False
) -> Imported:
    """Import the file and grant its cards on the named controllers (None: on all).

    Raises RosterRefused with every fault, or OperatorError; then nothing has changed.
    """
    site.require_cards()
    operators.require(site, duty.CHECK_IN)
    raw = sheets.read_bytes(path)
    site.unlock()
    with site.registry.writing() as session:
        roster = judge(session).read(raw, path.name, roster_file.CARDS)
        doors = cards.grant_devices(session, devices)
        tasks, faults = _compare(site, session, roster)
        faults = in_order(roster, faults + _forbidden(session, roster, tasks, doors))
        if faults:
            raise RosterRefused(path.name, faults)
        with session.begin_nested() as trial:
            for task in tasks:
                _carry_out(site, session, task.row, doors)
            list_content.require_room(session, doors)
            if dry_run:
                trial.rollback()
        if not dry_run:
            audit.append(
                session, site.operator, "card.import", file=path.name, rows=len(roster.rows),
                cards=len(tasks), devices=[door.name for door in doors],
            )  # fmt: skip
    return Imported(
        rows=len(roster.rows),
        new_people=sum(not task.known for task in tasks),
        new_cards=len(tasks),
        unchanged=len(roster.rows) - len(tasks),
        over=sum(task.row.until_min * 60 <= now_s() for task in tasks),
        devices=tuple(door.name for door in doors),
        dry_run=dry_run,
        left_out=roster.left_out,
    )


def judge(session: Session) -> roster_file.Judge:
    """The judge of rosters as this site has them today."""
    today = date.today()  # noqa: DTZ011 - leases and birth dates are local days
    version = list_content.number(session, "em4100_version")
    return roster_file.Judge(version, today, site_time.read(session))


def in_order(roster: Roster, more: list[Fault]) -> list[Fault]:
    """All faults of a roster, its own and ``more``, by row and column."""
    columns = {name: place for place, name in enumerate(roster.names.values())}
    faults = roster.faults + more
    return sorted(faults, key=lambda fault: (fault.row, columns.get(fault.field, 0)))


def _compare(site: Site, session: Session, roster: Roster) -> tuple[list[_Task], list[Fault]]:
    tasks: list[_Task] = []
    faults: list[Fault] = []
    for row in roster.rows:
        assert row.credential is not None  # noqa: S101 - roster_file.CARDS requires the column
        person = people.find(site, session, people.indexed(row.document, row.id_number))
        if person is not None and person.name != row.name:
            what = t("this ID number belongs to somebody of another name")
            faults.append(roster.fault(row, "name", what, row.name))
        card = cards.live_card(site, session, row.credential)
        lost = cards.lost_card(site, session, row.credential) if card is None else None
        if lost is not None:
            what = card_holder.lost_in_row(lost, card_holder.said(site, session, lost))
            faults.append(roster.fault(row, "card", what, row.credential.masked()))
        elif card is None:
            tasks.append(_Task(row, person is not None))
        elif person is None or card.person_id != person.id:
            what = t("this card is issued to somebody else ({holder})",
                     holder=card_holder.said(site, session, card))  # fmt: skip
            faults.append(roster.fault(row, "card", what, row.credential.masked()))
        elif not _same_lease(card, row):
            what = t("this card is out for another lease ({ref}): collect it first", ref=card.ref)
            faults.append(roster.fault(row, "until", what))
    return tasks, faults


def _forbidden(
    session: Session, roster: Roster, tasks: list[_Task], doors: list[Device]
) -> list[Fault]:
    """New cards that the houses behind these doors forbid."""
    served = card_terms.served(session, [door.name for door in doors])
    found = []
    for row in (task.row for task in tasks):
        assert row.from_min is not None  # noqa: S101 - roster_file.CARDS requires the column
        refused = stay.card_without_stay(served, row.from_min, row.until_min, now_s() // 60)
        if refused is not None:
            found.append(roster.fault(row, "until", refused.what))
    return found


def _same_lease(card: Card, row: Row) -> bool:
    return (card.from_min, card.until_min) == (row.from_min, row.until_min)


def _carry_out(site: Site, session: Session, row: Row, doors: list[Device]) -> None:
    assert row.credential is not None  # noqa: S101 - roster_file.CARDS requires both columns
    assert row.from_min is not None  # noqa: S101
    holder = people.Holder(row.name, row.id_number, row.room, row.phone, row.document)
    person = people.take(site, session, holder)
    card = cards.add(
        site, session, row.credential, cards.Terms(row.from_min, row.until_min), person
    )
    session.add_all(Grant(card_id=card.id, device_id=door.id) for door in doors)
