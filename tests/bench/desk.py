"""The desk's work in a district of 200 houses and 20 000 persons, SQLite and PostgreSQL (host)."""

from __future__ import annotations

import statistics
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text

from controller_tool import credentials
from controller_tool.clock import now_s
from controller_tool.registry.houses import House, Room
from controller_tool.rules import words
from controller_tool.services import people, site_init
from controller_tool.services.desk import check_in, rates
from controller_tool.services.desk.rate_books import HOUSE
from tests import postgresql_server
from tests.bench import desk_imports, desk_town
from tests.bench.charged_house import row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from controller_tool.services.site import Site

NAME = "desk"
_KPI_LIMIT_S = 2.0
_CHECK_IN_LIMIT_MS = 50
_RUNS = 5
_PASSPHRASE = "of a desk that lives for one benchmark"


def run() -> list[dict[str, Any]]:
    """A row for each kind of work and database."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for database, made in DATABASES.items():
            with made(Path(folder) / database) as site:
                rows += _rows(site, database)
    return rows


def _rows(site: Site, database: str) -> list[dict[str, Any]]:
    started = time.perf_counter()
    desk_town.build(site)
    with site.registry.writing() as session:
        session.execute(text("ANALYZE"))  # as a server's own housekeeping does by and by
    built_s = time.perf_counter() - started
    rows = [row(f"{database}: the district, written", built_s, "s")]
    for measure in MEASURES:
        rows += measure(site, database)
    return rows


@contextmanager
def _sqlite(folder: Path) -> Iterator[Site]:
    with _made(folder, "") as site:
        yield site


@contextmanager
def _postgresql(folder: Path) -> Iterator[Site]:
    server = postgresql_server.start()
    try:
        with _made(folder, server.url(server.database())) as site:
            yield site
    finally:
        server.stop()


@contextmanager
def _made(folder: Path, registry: str) -> Iterator[Site]:
    site = site_init.init(folder, site_init.Wish("bench", "bench", registry=registry), _PASSPHRASE)
    try:
        yield site
    finally:
        site.close()


def _kpi(site: Site, database: str) -> list[dict[str, Any]]:
    """Rates, gaps and ages of the district, with a line for each house."""
    spent_s = time.process_time()
    took_s, found = median_s(lambda: rates.report(site, HOUSE, area=desk_town.DISTRICT))
    spent_s = (time.process_time() - spent_s) / _RUNS
    if len(found.units) != desk_town.HOUSES or not all(found.gaps.values()):
        raise RuntimeError("the district has not the houses or the gaps that were made")
    return [
        row(f"{database}: KPI of the district", took_s, "s", at_most=_KPI_LIMIT_S),
        row("  of it the tool's processor time", spent_s, "s"),
    ]


def _check_ins(site: Site, database: str) -> list[dict[str, Any]]:
    """One tenant after another with a card each, a transaction each, into rooms with a free bed."""
    with site.registry.writing() as session:
        house = session.scalars(select(House).where(House.state == words.ADMITTED)).first()
        if house is None:
            raise RuntimeError("the district has no admitted house")
        session.add(Room(id="bench-room", house_id=house.id, number="bench", beds=_RUNS))
    now_min = now_s() // 60
    requests = [
        check_in.Request(
            people.Holder(f"租客{number}", f"P{number:07d}", document=words.PASSPORT),
            house.ref, "bench", now_min, now_min + 20 * 1440,
            cards=(credentials.parse(f"{900_000_000 + number:010d}"),),
        )
        for number in range(_RUNS)
    ]  # fmt: skip
    took_s, done = median_s(lambda: check_in.check_in(site, requests.pop()))
    if not done.cards:
        raise RuntimeError("nobody got a card")
    return [row(f"{database}: check-in", took_s * 1000, "ms", at_most=_CHECK_IN_LIMIT_MS)]


def median_s(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that it takes, the median of some runs, and what the last of them returned."""
    took = []
    for _ in range(_RUNS):
        started = time.perf_counter()
        done = work()
        took.append(time.perf_counter() - started)
    return statistics.median(took), done


DATABASES = {"SQLite": _sqlite, "PostgreSQL": _postgresql}
# what is timed, in this order; the later ones may change the registry
MEASURES: tuple[Callable[[Site, str], list[dict[str, Any]]], ...] = (
    _kpi, _check_ins, desk_imports.imports, desk_imports.lists,
)  # fmt: skip
