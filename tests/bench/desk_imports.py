"""Rosters that come to the desk of a district, and the lists that follow (host)."""

from __future__ import annotations

import os
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from controller_tool.registry import bulk
from controller_tool.registry.houses import House, HousePoint, Room
from controller_tool.rules import words
from controller_tool.services import list_batch
from controller_tool.services.desk import tenant_import
from protocol.constants import ID_BYTES
from tests.bench.charged_house import row
from tests.unit.house_support import number as id_number
from tests.unit.roster_support import xlsx_bytes

if TYPE_CHECKING:
    from controller_tool.services.site import Site

ROWS, WORKERS = 5000, 300
_BEDS = 8
_STAY_DAYS = 20
_IMPORT_LIMIT_S, _LISTS_LIMIT_S = 10.0, 3.0
_CARDS_FROM = 910_000_000
_BORN_FROM = date(1970, 1, 1)
_SAME_DAY = 900  # persons born on one day: the ID number has three digits for them


def imports(site: Site, database: str) -> list[dict[str, Any]]:
    """New tenants of a workbook, each with a card, into free beds of one house."""
    spent_s = time.process_time()
    took_s = _import(site, 0, ROWS)
    spent_s = time.process_time() - spent_s
    return [
        row(f"{database}: import of {ROWS} rows", took_s, "s", at_most=_IMPORT_LIMIT_S),
        row("  of it the tool's processor time", spent_s, "s"),
    ]


def lists(site: Site, database: str) -> list[dict[str, Any]]:
    """All lists of the district looked at, those of one house made and signed."""
    names = [device.name for device in site.devices()]
    site.signer("whitelist")  # the passphrase is stretched before, as in any command
    before = list_batch.sign_all(site, names)
    _import(site, ROWS, WORKERS)
    started = time.perf_counter()
    done = list_batch.sign_all(site, names)
    took_s = time.perf_counter() - started
    if before.failed or not done.signed or len(done.unchanged) + len(done.signed) != len(names):
        raise RuntimeError(f"lists that were not signed: {before.failed or done.failed}")
    return [
        row(f"{database}: lists after an import of {WORKERS} workers", took_s, "s",
            at_most=_LISTS_LIMIT_S),
    ]  # fmt: skip


def _import(site: Site, first: int, count: int) -> float:
    """Seconds that the import of persons ``first`` and following takes; the file is made before."""
    ref, rooms = _house(site, first, count)
    today = date.today()  # noqa: DTZ011 - a roster has local days
    days = today.isoformat(), (today + timedelta(days=_STAY_DAYS)).isoformat()
    people = [
        [f"工人{place}", _id_number(place), rooms[(place - first) // _BEDS],
         f"{_CARDS_FROM + place:010d}", *days]
        for place in range(first, first + count)
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "roster.xlsx"
        path.write_bytes(xlsx_bytes(*people))
        started = time.perf_counter()
        done = tenant_import.import_tenants(site, path, tenant_import.Wish(ref))
        took_s = time.perf_counter() - started
    if done.counts[words.NEW] != count or not done.devices:
        raise RuntimeError(f"persons that were imported: {done.counts}, {len(done.devices)} doors")
    return took_s


def _house(site: Site, first: int, count: int) -> tuple[str, list[str]]:
    """An admitted house with a door, and the numbers of rooms that it gets for so many people."""
    rooms = [f"W{first + place}" for place in range(-(-count // _BEDS))]
    with site.registry.writing() as session:
        query = select(House).join(HousePoint, HousePoint.house_id == House.id)
        house = session.scalars(query.where(House.state == words.ADMITTED)).first()
        if house is None:
            raise RuntimeError("the district has no admitted house with a door")
        values = [(os.urandom(ID_BYTES).hex(), house.id, number, _BEDS) for number in rooms]
        bulk.insert_rows(session, Room, ("id", "house_id", "number", "beds"), values)
        return house.ref, rooms


def _id_number(place: int) -> str:
    """Of somebody invented, of county 330199, which does not exist."""
    born = _BORN_FROM + timedelta(days=place // _SAME_DAY)
    return id_number(f"330199{born:%Y%m%d}{place % _SAME_DAY:03d}")
