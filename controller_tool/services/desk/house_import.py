"""Imports a list of houses: all rows or none, as often as it comes (host).

- an address code that is not known: a house is registered, known and not yet admitted
- one that is known: what differs is brought up to date; what the list does not say stays
- a class is given once; later it changes by house classify, with a reason
- rooms are added, and beds of those that are there change; no room is taken away
- areas are never made: a grid that is not there is a fault
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.messages import name_of, t
from controller_tool.registry.houses import Area, House
from controller_tool.rules import duty, words
from controller_tool.services import audit
from controller_tool.services.desk import house_file, house_view, houses, operators, sheets
from controller_tool.services.roster import RosterRefused

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from controller_tool.services.desk.house_file import Row
    from controller_tool.services.desk.house_view import RoomLine
    from controller_tool.services.desk.sheet_cells import Fault
    from controller_tool.services.desk.sheets import LeftOut, Table
    from controller_tool.services.site import Site

_TEXTS = ("address", "grid", "type5", "landlord", "phone", "document")  # of houses.Wish
_COUNTS = {"rooms": "rooms_declared", "beds": "beds_declared"}


@dataclass(frozen=True)
class Change:
    """One house. what: a code of rules.words; columns: those of the file that bring news.

    house: its reference, also in a dry run; empty for a new house of a file with faults.
    """

    row: int
    house: str
    address_code: str
    address: str
    what: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Imported:
    """What an import did, or would do. counts: houses by code of rules.words.

    faults: only in a dry run, and then nothing can be imported; ignored: columns that nothing was
    read from; left_out: rows that are totals or notes.
    """

    rows: int
    counts: dict[str, int]
    changes: tuple[Change, ...]
    faults: tuple[Fault, ...]
    ignored: tuple[str, ...]
    dry_run: bool
    left_out: tuple[LeftOut, ...] = ()


@dataclass
class _Task:
    """A row, the house that it means and the fields that differ."""

    row: Row
    house: House | None
    news: list[str]


def import_houses(
    site: Site, path: Path, sheet: str | None = None, dry_run: bool = False
) -> Imported:
    """Import the file. RosterRefused with every fault, and nothing has changed.

    A dry run returns its faults instead.
    """
    site.require_cards()
    raw = sheets.read_bytes(path)
    operators.require(site, duty.KEEP)
    site.unlock()
    with site.registry.writing() as session:
        table, rows = house_file.read(raw, path.name, sheet)
        tasks = _Planner(site, session, table).plan(rows)
        faults = (*table.faults, *(one for row in rows for one in row.faults))
        if faults and not dry_run:
            raise RosterRefused(path.name, list(faults))
        with session.begin_nested() as trial:
            if not faults:
                for task in tasks:
                    _carry_out(site, session, task)
            done = _told(table, tasks, faults, dry_run)
            if dry_run:
                trial.rollback()
                return done
        audit.append(
            session, site.operator, "house.import", file_sha256=sha256(raw).hexdigest(),
            rows=done.rows, counts=done.counts,
            houses=[one.house for one in done.changes if one.what != words.UNCHANGED],
        )  # fmt: skip
    return done


class _Planner:
    """Compares rows with the registry; what is wrong with one is put down in its faults."""

    def __init__(self, site: Site, session: Session, table: Table) -> None:
        self._site, self._session, self._table = site, session, table
        grids = select(Area.code).where(Area.kind == words.GRID)
        self._grids = set(session.scalars(grids))
        self._houses = {one.address_code: one for one in session.scalars(select(House))}

    def plan(self, rows: list[Row]) -> list[_Task]:
        return [self._task(row) for row in rows]

    def _task(self, row: Row) -> _Task:
        house = self._houses.get(row.address_code)
        if row.grid and row.grid not in self._grids:
            what = t("there is no such grid: add it with area add, or correct the code")
            self._wrong(row, "grid", row.grid, what)
        if house is None:
            return _Task(row, None, [])
        if row.class4 not in (None, house.class4):
            what = t("house {house} is {class4}: change that with house classify, or leave the"
                     " cell empty", house=house.ref,
                     class4=name_of("class4", house.class4))  # fmt: skip
            self._wrong(row, "class4", row.class4 or "", what)
        return _Task(row, house, self._news(row, house))

    def _news(self, row: Row, house: House) -> list[str]:
        phone, document = houses.opened(self._site, house)
        kept = {
            "address": house.address, "grid": house.grid_code, "type5": house.type5,
            "landlord": house.landlord_name, "phone": phone, "document": document,
        }  # fmt: skip
        said = {name: getattr(row, name) for name in _TEXTS}
        news = [name for name, text in said.items() if text and text != kept[name]]
        news += [name for name, kept_in in _COUNTS.items()
                 if getattr(row, name) != getattr(house, kept_in)]  # fmt: skip
        if row.room_beds and self._rooms_differ(row, house):
            news.append("room_beds")
        return news

    def _rooms_differ(self, row: Row, house: House) -> bool:
        there = {one.number: one for one in house_view.rooms(self._session, house)}
        for number in row.room_beds.keys() & there.keys():
            self._require_beds(row, there[number])
        return any(
            number not in there or there[number].beds != beds
            for number, beds in row.room_beds.items()
        )

    def _require_beds(self, row: Row, room: RoomLine) -> None:
        beds = row.room_beds[room.number]
        if room.taken > beds:
            what = t("{n} people stay in room {room}", n=room.taken, room=room.number)
            self._wrong(row, "room_beds", f"{room.number}:{beds}", what)

    def _wrong(self, row: Row, column: str, value: str, what: str) -> None:
        row.faults.append(house_file.fault(self._table, row, column, value, what))


def _carry_out(site: Site, session: Session, task: _Task) -> None:
    row = task.row
    if task.house is None:
        task.house = houses.register(site, session, houses.NewHouse(
            row.address_code, row.address, row.grid, row.type5, row.rooms, row.beds,
            row.class4 or words.WATCHED, row.landlord, row.phone, row.document,
        ))  # fmt: skip
        task.news = [words.NEW]
    else:
        wish = {name: getattr(row, name) for name in _TEXTS if name in task.news}
        houses.write_down(site, session, task.house, houses.Wish(**wish))
        for name, kept_in in _COUNTS.items():
            setattr(task.house, kept_in, getattr(row, name))
    if row.room_beds and {words.NEW, "room_beds"} & set(task.news):
        houses.put_rooms(session, task.house, row.room_beds)


def _told(table: Table, tasks: list[_Task], faults: tuple[Fault, ...], dry_run: bool) -> Imported:
    changes = tuple(_change(table, task) for task in tasks if not task.row.faults)
    seen = Counter(one.what for one in changes)
    seen[words.REFUSED_ROW] = len({one.row for one in faults})
    counts = {word: seen[word] for word in words.ON_HOUSE_LIST}
    left_out = tuple(table.left_out)
    return Imported(len(tasks), counts, changes, faults, table.ignored, dry_run, left_out)


def _change(table: Table, task: _Task) -> Change:
    row, house = task.row, task.house
    is_new = house is None or words.NEW in task.news
    what = words.NEW if is_new else words.CHANGED if task.news else words.UNCHANGED
    columns = () if is_new else tuple(table.names[name] for name in task.news)
    return Change(row.line, house.ref if house else "", row.address_code, row.address, what,
                  columns)  # fmt: skip
