"""Journals read: who, when, why, a page at a time; unknown cards; files of them (host)."""

from __future__ import annotations

import csv
import io
import json
import shutil
from typing import TYPE_CHECKING

import openpyxl
import pytest

from controller_tool import credentials
from controller_tool.errors import OperatorError
from controller_tool.rules import words
from controller_tool.services import (
    cards,
    export,
    journal_export,
    journal_index,
    journal_read,
    journal_sheet,
    journal_unknown,
    people,
)
from controller_tool.services.journal_filter import Filter
from protocol import cards as layout
from protocol.codes import (
    CLOCK_UNSET,
    EVENT_BOOT,
    EVENT_DENIED,
    EVENT_DOOR_OPENED,
    EVENT_GRANTED,
    EVENT_SESSION_OPENED,
    EVENT_UNLOCKED,
    REASON_CARD,
    REASON_REX,
    REASON_UNKNOWN_CARD,
    ROLE_DESK,
)
from protocol.constants import RING_ACCESS, RING_ALARM
from tests.unit.operator_support import hire
from tests.unit.registry_support import Board
from tests.unit.test_cards import CARD, issue
from tests.unit.test_journal import pull, tamper

if TYPE_CHECKING:
    from controller_tool.services.journal_read import Entry
    from tests.unit.registry_support import Pen

OTHER_CARD = "0012345679"


def key_of(site, board: Board, number: str = CARD) -> bytes:
    known = credentials.parse(number)
    return layout.card_key(site.secret(board.device, "card_key"), known.type, known.data)


def walk(site, **wanted) -> list[Entry]:
    return list(journal_read.walk(site, Filter(**wanted)))


def refused(pen: Pen, key: bytes, **more) -> None:
    pen.write(EVENT_DENIED, REASON_UNKNOWN_CARD, key, **more)


@pytest.fixture
def told(site, board) -> list[Entry]:
    """A grant, a denial of a stranger, a boot, as `journal show` has them."""
    issue(site, holder=people.Holder("张伟"))
    board.update()
    access, alarm = board.pen(RING_ACCESS), board.pen(RING_ALARM)
    access.write(EVENT_GRANTED, REASON_CARD, key_of(site, board))
    refused(access, key_of(site, board, OTHER_CARD))
    alarm.write(EVENT_BOOT, 3, time_s=200_000_002)
    for pen in (access, alarm):
        pull(site, board, pen)
    return walk(site)


def test_an_auditor_at_the_desk_sees_the_first_character_of_a_holder(site, told, open_site) -> None:
    assert [entry.holder for entry in told if entry.holder] == ["张伟"]
    theirs = hire(site, open_site, "赵刚", words.AUDITOR)
    assert [entry.holder for entry in walk(theirs) if entry.holder] == ["张*"]


@pytest.fixture
def auditor(site, tmp_path, open_site):
    def made():
        shutil.rmtree(tmp_path / "auditor", ignore_errors=True)
        export.export(site, "auditor", tmp_path / "auditor", "of the auditor")
        return open_site(tmp_path / "auditor", "of the auditor")

    return made


def test_entries_say_who_and_why(told) -> None:
    assert [(e.event, e.reason, e.card, e.holder) for e in told] == [
        ("granted", "card", "K000001", "张伟"),
        ("denied", "unknown_card", "unknown", ""),
        ("boot", "3", "", ""),
    ]
    first = told[0]
    assert (first.controller, first.ring, first.seq, first.clock, first.list_version) == (
        "door-1", "access", 0, "synced", 1
    )  # fmt: skip
    assert first.time == "2026-05-04T03:33:20.005"


@pytest.mark.usefixtures("told")
def test_a_former_holders_records_keep_the_card_that_was_known_then(site, board) -> None:
    cards.collect(site, CARD)
    board.update()
    assert walk(site)[0].card == "K000001"


def test_a_card_that_comes_back_is_its_holders_of_the_time(site, board) -> None:
    """Otherwise somebody is said to have opened a door before ever having the card."""
    pen = board.pen(RING_ACCESS)
    key = key_of(site, board)
    refused(pen, key, version=0)
    for name in ("张伟", "李娜"):
        issue(site, holder=people.Holder(name))
        pen.write(key=key, version=board.update().version)
        cards.collect(site, CARD)
        refused(pen, key, version=board.update().version)
    pull(site, board, pen)
    assert [e.holder for e in walk(site)] == ["张伟", "张伟", "张伟", "李娜", "李娜"]


@pytest.mark.usefixtures("told")
def test_an_auditor_reads_masked_cards(auditor) -> None:
    entries = walk(auditor(), devices=("door-1",), ring=RING_ACCESS)
    assert [(len(e.card), e.holder, e.event) for e in entries] == [
        (16, "", "granted"), (16, "", "denied")
    ]  # fmt: skip


def test_an_auditor_sees_no_card_where_there_is_none(site, board, auditor) -> None:
    """Its masked field is no bytes of anything."""
    access, alarm = board.pen(RING_ACCESS), board.pen(RING_ALARM)
    for event, reason in ((EVENT_UNLOCKED, REASON_CARD), (EVENT_DOOR_OPENED, 0),
                          (EVENT_GRANTED, REASON_REX), (EVENT_GRANTED, REASON_CARD)):  # fmt: skip
        access.write(event, reason)
    refused(access, bytes(8), point=journal_read.CONTROLLER, extra=9)
    alarm.write(EVENT_SESSION_OPENED, ROLE_DESK, b"12345678")
    for pen in (access, alarm):
        pull(site, board, pen)
    assert {e.event for e in walk(auditor()) if e.card} == {"granted"}
    assert [len(e.card) for e in walk(auditor(), ring=RING_ACCESS)] == [0, 0, 0, 16, 0]


@pytest.mark.usefixtures("told")
def test_an_auditor_cannot_ask_for_a_person(auditor) -> None:
    with pytest.raises(OperatorError, match="cannot do that with cards"):
        walk(auditor(), who="K000001")


# --- who ------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["K000001", "k000001", "张伟", CARD, "em4100:0000bc614e"])
@pytest.mark.usefixtures("told")
def test_a_person_is_found_by_card_number_and_name(site, who) -> None:
    assert [e.seq for e in walk(site, who=who)] == [0]


@pytest.mark.parametrize("who", ["李娜", "K000099", "nobody at all"])
@pytest.mark.usefixtures("told")
def test_who_is_nobody_is_told_in_one_line(site, who) -> None:
    with pytest.raises(OperatorError, match="is no card, credential or holder"):
        walk(site, who=who)


@pytest.mark.usefixtures("told")
def test_tries_before_a_card_was_issued_are_found_too(site) -> None:
    assert [e.seq for e in walk(site, who=OTHER_CARD)] == [1]
    assert [e.seq for e in walk(site, who="unknown")] == [1]
    issue(site, OTHER_CARD, people.Holder("李娜"))
    [entry] = walk(site, who="李娜")
    assert (entry.event, entry.reason, entry.card) == ("denied", "unknown_card", "K000002")
    assert walk(site, who="unknown") == []


def test_a_peer_of_a_session_is_never_taken_for_a_card(site, board) -> None:
    """Its id stands in the same field, and here even has the bytes of the card's key."""
    issue(site)
    board.update()
    access, alarm = board.pen(RING_ACCESS), board.pen(RING_ALARM)
    key = key_of(site, board)
    access.write(key=key)
    alarm.write(EVENT_SESSION_OPENED, ROLE_DESK, key)
    for pen in (access, alarm):
        pull(site, board, pen)
    [session] = walk(site, ring=RING_ALARM)
    assert (session.card, session.holder, session.reason) == ("", key.hex(), "desk")
    assert [e.event for e in walk(site, who="K000001")] == ["granted"]


# --- pages ----------------------------------------------------------------------------------


def test_pages_one_after_the_other_are_everything_once(site, board) -> None:
    other = Board(site, "door-2")
    for one in (board, other):
        pen = one.pen(RING_ACCESS)
        for number in range(30):
            pen.write(time_s=200_000_000 + number // 7)  # many at the same second
        pull(site, one, pen)
    seen: list[Entry] = []
    before = None
    for _ in range(20):
        page = journal_read.page(site, Filter(), 7, before)
        seen = page.entries + seen
        before = page.older
        if before is None:
            break
        assert len(page.entries) == 7
        assert before == page.entries[0].place
    assert seen == walk(site)
    assert len(seen) == 60


@pytest.mark.parametrize(
    "place", ["", "x", "door-1", "door-9/access/0", "door-1/attic/0", "door-1/access/-1",
              "door-1/access/99", "door-1/access/１", "/0", "//"],
)  # fmt: skip
@pytest.mark.usefixtures("told")
def test_a_place_where_nothing_is_stored_is_refused(site, place) -> None:
    with pytest.raises(OperatorError, match="is no stored record"):
        journal_read.page(site, Filter(), 5, place)


@pytest.mark.parametrize(
    "change",
    ["UPDATE journal_index SET time_s = time_s + 1 WHERE id & 255 = 1 AND id >> 32 = 1",
     "DELETE FROM journal_records WHERE ring = 0 AND seq = 0",
     "UPDATE journal_index SET facet_id = 4711 WHERE id & 255 = 1 AND id >> 32 = 1",
     "UPDATE journal_records SET record = zeroblob(48) WHERE ring = 0 AND seq = 0"],
)  # fmt: skip
@pytest.mark.usefixtures("told")
def test_where_index_and_records_do_not_agree_it_is_told(site, change) -> None:
    assert journal_read.page(site, Filter(), 5).flaws == journal_read.Flaws()
    tamper(site, change)
    assert journal_read.page(site, Filter(), 5).flaws == journal_read.Flaws(misfits=1)


def test_an_index_that_was_emptied_comes_back(site, told) -> None:
    tamper(site, "DELETE FROM journal_index WHERE id & 255 = 0 AND id >> 32 = 1")
    assert journal_read.page(site, Filter(), 5).entries == told
    tamper(site, "DELETE FROM journal_index", "DELETE FROM journal_facets")
    assert journal_read.page(site, Filter(), 5).entries == told
    assert journal_index.rebuild(site) == 3
    assert walk(site) == told


# --- unknown cards ----------------------------------------------------------------------------


def test_unknown_cards_are_counted_by_controller_and_keyed_hash(site, board) -> None:
    access = board.pen(RING_ACCESS)
    first, second = (key_of(site, board, number) for number in (CARD, OTHER_CARD))
    for point, key in enumerate((first, second, first, first)):
        refused(access, key, point=point)
    refused(access, bytes(8), point=journal_read.CONTROLLER, extra=321)
    pull(site, board, access)
    report = journal_unknown.report(site)
    assert [(u.pseudonym, u.tries, u.point, u.card) for u in report.credentials] == [
        (first[:4].hex(), 3, 3, ""), (second[:4].hex(), 1, 1, "")
    ]  # fmt: skip
    assert report.credentials[0].first.endswith("03:33:20")
    assert report.credentials[0].last.endswith("03:33:23")
    assert [(c.controller, c.recorded, c.folded) for c in report.counted] == [("door-1", 4, 321)]


@pytest.mark.usefixtures("told")
def test_an_unknown_card_that_was_issued_since_is_shown_as_such(site) -> None:
    assert [u.card for u in journal_unknown.report(site).credentials] == [""]
    issue(site, OTHER_CARD, people.Holder("李娜"))
    [one] = journal_unknown.report(site, ("door-1",)).credentials
    assert (one.card, one.holder) == ("K000002", "李娜")


@pytest.mark.usefixtures("told")
def test_an_auditor_sees_how_many_unknown_tries_there_were_only(auditor) -> None:
    report = journal_unknown.report(auditor())
    assert (report.credentials, report.told_apart) == ([], False)
    assert [(c.recorded, c.folded) for c in report.counted] == [(1, 0)]


# --- files ------------------------------------------------------------------------------------


def rows_of(path) -> list[dict[str, str]]:
    if path.suffix == ".xlsx":
        book = openpyxl.load_workbook(path)
        head, *rows = book.worksheets[0].iter_rows(values_only=True)
        return [dict(zip(head, row, strict=True)) for row in rows]
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix == ".csv":
        return list(csv.DictReader(io.StringIO(text)))
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("name", ["log.csv", "log.ndjson", "log.jsonl", "log.XLSX"])
def test_exports_hold_every_record_whole(site, told, tmp_path, name) -> None:
    path = tmp_path / name.lower()
    assert journal_export.export(site, Filter(), path) == 3
    rows = rows_of(path)
    assert [row["record"] for row in rows] == [entry.record for entry in told]
    assert [row["holder"] or "" for row in rows] == ["张伟", "", ""]


def test_an_export_takes_the_same_filters(site, told, tmp_path) -> None:
    assert journal_export.export(site, Filter(result="denied"), tmp_path / "log.csv") == 1
    assert rows_of(tmp_path / "log.csv")[0]["record"] == told[1].record
    assert journal_export.export(site, Filter(who="unknown", ring=1), tmp_path / "x.xlsx") == 0
    assert rows_of(tmp_path / "x.xlsx") == []


def test_a_large_spreadsheet_goes_on_in_further_sheets(site, told, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(journal_sheet, "SHEET_ROWS", 2)
    path = tmp_path / "log.xlsx"
    assert journal_export.export(site, Filter(), path) == 3
    sheets = openpyxl.load_workbook(path).worksheets
    assert [sheet.max_row for sheet in sheets] == [3, 2]
    assert sheets[1].cell(2, 15).value == told[2].record


@pytest.mark.parametrize("name", ["log.txt", "nowhere/log.csv", "nowhere/log.xlsx"])
def test_exports_that_cannot_be_written_are_refused(site, tmp_path, name) -> None:
    with pytest.raises(OperatorError):
        journal_export.export(site, Filter(), tmp_path / name)


@pytest.mark.usefixtures("told")
def test_an_export_that_fails_leaves_no_half_of_a_file(site, tmp_path) -> None:
    with pytest.raises(OperatorError):
        journal_export.export(site, Filter(who="nobody"), tmp_path / "log.csv")
    assert list(tmp_path.glob("log*")) == []


@pytest.mark.usefixtures("told")
def test_an_export_leaves_other_files_alone_and_is_for_its_owner(site, tmp_path) -> None:
    mine, link, log = tmp_path / "mine.csv", tmp_path / "link.csv", tmp_path / "log.csv"
    mine.write_text("mine")
    link.symlink_to(mine)
    for path in (mine, link):
        with pytest.raises(OperatorError, match="there already"):
            journal_export.export(site, Filter(), path)
    journal_export.export(site, Filter(), link, force=True)
    assert (mine.read_text(), link.is_symlink()) == ("mine", False)
    journal_export.export(site, Filter(), log)
    assert log.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@x"])
def test_a_name_is_no_formula_in_a_spreadsheet(site, board, tmp_path, name) -> None:
    issue(site, holder=people.Holder(name))
    board.update()
    pen = board.pen(RING_ACCESS)
    pen.write(key=key_of(site, board))
    pull(site, board, pen)
    for file, wanted in (("log.csv", f"'{name}"), ("log.xlsx", f"'{name}"), ("log.ndjson", name)):
        journal_export.export(site, Filter(), tmp_path / file)
        assert [row["holder"] for row in rows_of(tmp_path / file)] == [wanted]
    sheet = openpyxl.load_workbook(tmp_path / "log.xlsx").worksheets[0]
    assert "f" not in {cell.data_type for row in sheet.iter_rows() for cell in row}


def test_the_time_of_an_unset_clock_is_marked_wherever_it_goes(site, board, tmp_path) -> None:
    pen = board.pen(RING_ACCESS)
    pen.write(quality=CLOCK_UNSET)
    pull(site, board, pen)
    journal_export.export(site, Filter(), tmp_path / "log.csv")
    assert [row["clock"] for row in rows_of(tmp_path / "log.csv")] == ["unset"]
