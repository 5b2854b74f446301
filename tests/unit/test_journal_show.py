"""`journal show` of a registry that lost, spoiled or never had something; its order (host)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from controller_tool.services import (
    journal_export,
    journal_index,
    journal_read,
    journal_store,
    journal_unknown,
    journal_verify,
)
from controller_tool.services.journal_filter import Filter
from protocol.codes import EVENT_DENIED, REASON_UNKNOWN_CARD
from protocol.constants import RING_ACCESS, RING_ALARM
from tests.unit.registry_support import Board
from tests.unit.test_journal import pull, tamper
from tests.unit.test_journal_cli import run, told
from tests.unit.test_journal_reading import walk

if TYPE_CHECKING:
    from controller_tool.services.journal_read import Entry

__all__ = ["run", "told"]  # fixtures
TEXT = "'not bytes at all, but text of forty-eight letters'"
DAMAGE = ["x'00'", "zeroblob(49)", TEXT, "x''"]
ODD = ["7", "1.5", "CAST(x'ff' AS TEXT)"]  # a server's column takes bytes alone


def places(entries: list[Entry]) -> list[str]:
    return [entry.place for entry in entries]


# --- the index lacks something ----------------------------------------------------------------


@pytest.mark.parametrize(
    "lost",
    ["id & 255 = 1", "id & 255 < 3", "id & 255 > 0", "true",
     "facet_id = (SELECT min(facet_id) FROM journal_index)"],
)  # fmt: skip
@pytest.mark.usefixtures("told")
def test_records_that_the_index_lacks_are_shown_all_the_same(site, run, lost) -> None:
    whole = run("show")
    tamper(site, f"DELETE FROM journal_index WHERE {lost}")  # noqa: S608 - of this file
    assert run("show") == whole
    tamper(site, f"DELETE FROM journal_index WHERE {lost}")  # noqa: S608 - of this file
    assert json.loads(run("show", "--result", "granted", "--json")[1])[0]["seq"] == 0


@pytest.mark.usefixtures("told")
def test_an_index_that_is_whole_is_not_made_anew(site, monkeypatch) -> None:
    monkeypatch.setattr(journal_index, "_index_all", lambda *_: pytest.fail("made anew"))
    assert len(journal_read.page(site, Filter(), 9).entries) == 4


@pytest.mark.usefixtures("told")
def test_an_open_registry_notices_what_another_program_removes(site) -> None:
    """That it was whole a moment ago is remembered only until somebody writes."""
    for _ in range(2):
        assert len(journal_read.page(site, Filter(), 9).entries) == 4
        tamper(site, "DELETE FROM journal_index WHERE id & 255 = 1")


def test_a_registry_without_records_has_an_index_that_fits(site, board) -> None:
    del board
    assert journal_read.page(site, Filter(), 9).entries == []


# --- a row is damaged -------------------------------------------------------------------------


@pytest.mark.parametrize("value", DAMAGE)
@pytest.mark.parametrize("indexed", ["before", "since"])
@pytest.mark.usefixtures("told")
def test_a_damaged_row_is_named_and_the_others_are_shown(site, run, value, indexed) -> None:
    tamper(site, f"UPDATE journal_records SET record = {value} WHERE seq = 1")  # noqa: S608 - as above
    if indexed == "since":
        assert run("reindex")[:2] == (0, "4 records are in the index\n")
    code, out, err = run("show")
    assert (code, [line.split()[2] for line in out.splitlines()]) == (0, ["number", "0", "2", "3"])
    assert err.splitlines() == [
        "registry row door-1/access/1 is damaged",
        "  All others are told. See what it means with: journal verify",
    ]
    code, out, err = run("show", "--json")
    assert ([e["seq"] for e in json.loads(out)], "row door-1/access/1" in err) == ([0, 2, 3], True)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("indexed", ["before", "since"])
@pytest.mark.usefixtures("told")
def test_so_is_one_of_another_type(site, run, value, indexed) -> None:
    test_a_damaged_row_is_named_and_the_others_are_shown(site, run, value, indexed)


@pytest.mark.parametrize("value", DAMAGE)
def test_every_other_command_takes_a_damaged_row_too(site, board, told, tmp_path, value) -> None:
    del told
    tamper(site, f"UPDATE journal_records SET record = {value} WHERE seq IN (1, 2)")  # noqa: S608 - as above
    flaws = journal_read.Flaws()
    for name in ("log.csv", "log.ndjson", "log.xlsx"):
        assert journal_export.export(site, Filter(), tmp_path / name, flaws=flaws) == 2
    assert flaws.damaged == ["door-1/access/1", "door-1/access/2"] * 3
    [counted] = journal_unknown.report(site).counted
    assert (counted.recorded, counted.folded) == (1, 0)
    report = journal_verify.verify(site, board.device)
    assert [str(f) for f in report.findings][:2] == [
        "access ring: 1 changed", "access ring: 2 changed"
    ]  # fmt: skip


@pytest.mark.sqlite_only
@pytest.mark.parametrize("value", ODD)
def test_and_one_of_another_type(site, board, told, tmp_path, value) -> None:
    test_every_other_command_takes_a_damaged_row_too(site, board, told, tmp_path, value)


def test_a_damaged_row_that_comes_again_is_kept_beside_it(site, board) -> None:
    """Never put in its place: that it was damaged is evidence."""
    pen = board.pen(RING_ACCESS)
    pen.write()
    pull(site, board, pen)
    tamper(site, "UPDATE journal_records SET record = 'text'")
    assert journal_store.append(site, board.device, RING_ACCESS, pen.written[0]).conflicting == 1
    kinds = {finding.kind for finding in journal_verify.verify(site, board.device).findings}
    assert {"conflicting", "changed"} <= kinds


@pytest.mark.usefixtures("told")
def test_many_damaged_rows_are_counted(site, run) -> None:
    tamper(site, "UPDATE journal_records SET record = x''",
           "INSERT INTO journal_records SELECT device_id, 1, seq, boot, record, 0"
           " FROM journal_records")  # fmt: skip
    _, out, err = run("show")
    assert out.strip() == "Nothing that is stored fits"
    assert err.splitlines()[5:] == [
        "3 more rows are damaged",
        "  All others are told. See what it means with: journal verify",
    ]


# --- order ------------------------------------------------------------------------------------


@pytest.fixture
def crowded(site, board) -> list[str]:
    """One second of two controllers and both rings; the order by millisecond, then by place."""
    other = Board(site, "door-2")
    first, second = sorted((board, other), key=lambda one: one.device.id)
    said: list[tuple[int, str]] = []
    for one in (first, second):
        for ring in (RING_ACCESS, RING_ALARM):
            pen = one.pen(ring)
            for number in range(40):
                ms = (number * 317 + 11 * ring) % 7 * 100  # it jumps back within a ring as well
                pen.write(time_s=200_000_000, ms=ms)
                said.append((ms, f"{one.device.name}/{('access', 'alarm')[ring]}/{number}"))
            pull(site, one, pen)
    return [place for _, place in sorted(said, key=lambda pair: pair[0])]


def test_order_is_by_millisecond_then_by_ring_and_number(site, crowded) -> None:
    assert places(walk(site)) == crowded
    page = journal_read.page(site, Filter(), 160)
    assert (places(page.entries), page.older) == (crowded, None)


@pytest.mark.parametrize("size", [1, 7, 50, 159])
def test_pages_of_a_crowded_second_are_everything_once(site, crowded, size) -> None:
    seen: list[str] = []
    before = None
    for _ in range(200):
        page = journal_read.page(site, Filter(), size, before)
        seen = places(page.entries) + seen
        before = page.older
        if before is None:
            break
    assert seen == crowded


def test_the_order_stays_when_the_index_is_made_anew(site, crowded) -> None:
    """Streams are numbered as they are first met: here the other way round."""
    tamper(site, "DELETE FROM journal_index", "DELETE FROM journal_cursors",
           "DELETE FROM journal_facets", "DELETE FROM journal_streams")  # fmt: skip
    for device in reversed(site.devices()):
        journal_index.ensure(site, [device])
    assert places(walk(site)) == crowded


def test_a_filter_keeps_the_order(site, crowded) -> None:
    wanted = Filter(ring=RING_ALARM, devices=("door-1",))
    assert places(walk(site, ring=RING_ALARM, devices=("door-1",))) == [
        place for place in crowded if place.startswith("door-1/alarm/")
    ]
    page = journal_read.page(site, wanted, 3)
    assert places(page.entries) == [p for p in crowded if p.startswith("door-1/alarm/")][-3:]


# --- doors count from 1 -----------------------------------------------------------------------


def test_doors_count_from_1_for_people_and_as_stored_for_machines(
    site, board, run, tmp_path
) -> None:
    pen = board.pen(RING_ACCESS)
    for point in (0, 3, 255):
        pen.write(EVENT_DENIED, REASON_UNKNOWN_CARD, bytes(7) + bytes((point + 1 & 255,)),
                  point=point)  # fmt: skip
    pull(site, board, pen)
    lines = [line.split() for line in run("show")[1].splitlines()]
    assert [line[lines[0].index("point")] for line in lines[1:]] == ["1", "4", "-"]
    assert [e["point"] for e in json.loads(run("show", "--json")[1])] == [0, 3, 255]
    for name, wanted in (("log.csv", ["1", "4", ""]), ("log.ndjson", [0, 3, 255])):
        path = tmp_path / name
        assert run("export", "--output", str(path))[0] == 0
        text = path.read_text(encoding="utf-8-sig").splitlines()
        if name == "log.csv":
            at = text[0].split(",").index("point")
            assert [line.split(",")[at] for line in text[1:]] == wanted
        else:
            assert [json.loads(line)["point"] for line in text] == wanted
