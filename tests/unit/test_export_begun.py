"""What leaves is written down before it leaves: a kill or a busy registry hides no copy (host)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from controller_tool.errors import OperatorError
from controller_tool.registry import database
from controller_tool.registry.records import AuditEntry
from controller_tool.services import hzaccess, journal_bundle, journal_export
from controller_tool.services.city import delivery, marks
from controller_tool.services.desk import clips, duties, duty_sheets, residents
from controller_tool.services.journal_filter import Filter
from tests.unit.test_city import NUMBER, house  # noqa: F401 - a fixture
from tests.unit.test_city_platform import Killed, platform, poster, send  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from controller_tool.services.site import Site

    Export = Callable[[Site, Path], object]

EXPORTS: dict[str, Export] = {
    "residents:province": lambda site, path: residents.export(site, "province", path / "r.csv"),
    "folder": lambda site, path: delivery.to_folder(site, path / "city"),
    "duties": lambda site, path: duty_sheets.export(site, path / "duties"),
    "clips": lambda site, path: clips.export(site, clips.Wish(), path / "clips.csv"),
    "journal": lambda site, path: journal_export.export(site, Filter(), path / "log.csv"),
    "journal ": lambda site, path: hzaccess.export(site, Filter(), path / "log"),
    "bundle": lambda site, path: journal_bundle.make(
        site, (), path / "bundle", journal_bundle.Wish(cards=True, people=True)
    ),
}


def begun(site: Site) -> list[dict[str, Any]]:
    with site.registry.session() as session:
        query = select(AuditEntry.details).where(AuditEntry.act == "export.begun")
        return [json.loads(text) for text in session.scalars(query.order_by(AuditEntry.id))]


@pytest.fixture
def answered(site, house) -> None:  # noqa: F811 - a fixture
    """Somebody answers for the house, so that there are duties to hand out."""
    assert house
    duties.add(site, site.operator, "patrol", house="H00001")


@pytest.mark.parametrize("target", EXPORTS)
@pytest.mark.usefixtures("answered")
def test_every_export_is_written_down_first(site, tmp_path, target) -> None:
    EXPORTS[target](site, tmp_path)
    [entry] = begun(site)
    assert entry["target"] == target.strip()
    assert entry["kinds"]
    assert NUMBER not in json.dumps(entry)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("target", EXPORTS)
@pytest.mark.usefixtures("answered")
def test_nothing_leaves_while_the_log_can_take_nothing(
    site, tmp_path, open_site, target, monkeypatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 10)
    other = open_site(site.path)
    out = tmp_path / "out"
    out.mkdir()
    with site.registry.writing() as session:
        session.scalar(select(AuditEntry.id).limit(1))  # from here on the lock is held
        with pytest.raises(OperatorError):
            EXPORTS[target](other, out)
    assert [path for path in out.rglob("*") if path.is_file()] == []
    assert begun(site) == []


@pytest.mark.usefixtures("house")
def test_who_is_killed_after_the_file_was_written_has_left_an_entry(
    site, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(marks, "advance", _killed)
    with pytest.raises(Killed):
        residents.export(site, "province", tmp_path / "r.csv", full=True)
    assert NUMBER in (tmp_path / "r.csv").read_text(encoding="utf-8-sig")
    assert begun(site) == [
        {"kinds": ["registration"], "records": 1, "target": "residents:province"}
    ]


@pytest.mark.usefixtures("house")
def test_a_delivery_is_written_down_once_and_before_its_first_batch(
    site,
    poster,  # noqa: F811
    platform,  # noqa: F811
    monkeypatch,
) -> None:
    monkeypatch.setattr(type(poster), "post", _killed)
    with pytest.raises(Killed):
        send(site, poster)
    assert (len(begun(site)), sum(platform.arrivals.values())) == (1, 0)
    monkeypatch.undo()
    send(site, poster)
    assert len(begun(site)) == 2
    assert set(begun(site)[1]["kinds"]) >= {"person", "binding", "access"}
    send(site, poster)  # a run that has nothing to send leaves no entry
    assert len(begun(site)) == 2


@pytest.mark.usefixtures("house")
def test_a_dry_run_leaves_no_entry(site, tmp_path) -> None:
    residents.export(site, "province", tmp_path / "r.csv", dry_run=True)
    delivery.count(site, "folder")
    duty_sheets.export(site, tmp_path / "duties", dry_run=True)
    assert begun(site) == []


def _killed(*_: object, **_facts: object) -> None:
    raise Killed
