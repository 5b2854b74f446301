"""The index of the journals: finds what a look at every record would, keeps secrets (host)."""

from __future__ import annotations

import itertools
import random
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from controller_tool import credentials
from controller_tool.errors import DeviceError
from controller_tool.registry.derived import JournalIndex
from controller_tool.services import (
    export,
    journal_index,
    journal_keys,
    journal_query,
    journal_read,
    journal_store,
)
from controller_tool.services.journal_filter import Filter
from controller_tool.services.site import Site
from controller_tool.wire_shapes import NUMBER_MAX
from protocol import cards as layout
from protocol import chain, sector_header
from protocol.codes import (
    EVENT_BOOT,
    EVENT_DENIED,
    EVENT_DOOR_OPENED,
    EVENT_GRANTED,
    EVENT_SESSION_OPENED,
    EVENT_TAMPER,
    REASON_CARD,
    REASON_SCHEDULE,
    REASON_UNKNOWN_CARD,
)
from protocol.constants import RECORD_BYTES, RING_ACCESS, RING_ALARM
from tests.unit.registry_support import PASSPHRASE, Board
from tests.unit.test_cards import CARD, issue
from tests.unit.test_journal import pull, tamper

if TYPE_CHECKING:
    from controller_tool.services.journal_read import Entry
    from tests.unit.registry_support import Pen

NUMBERS = itertools.count()
CARDS = (CARD, "0012345679", "0012345680")
FROM_S = 200_000_000


def page_of(pen: Pen, first: int = 0, end: int | None = None) -> bytes:
    return b"".join(pen.written[first:end])


def keys_in_index(site) -> dict[int, bytes | None]:
    """Key by number, of the only stream that there is."""
    with site.registry.session() as session:
        return {row.id & 0xFFFFFFFF: row.key for row in session.query(JournalIndex)}


# --- finds the same as a look at everything ---------------------------------------------------


@pytest.fixture(scope="module")
def house(made_site, tmp_path_factory):
    """Two doors whose clocks jump about, with cards of residents and strangers."""
    folder = tmp_path_factory.mktemp("house") / "office"
    site = Site.open(shutil.copytree(made_site, folder), PASSPHRASE)
    chance = random.Random(4)
    doors = [Board(site, name) for name in ("door-1", "door-2")]
    for number in CARDS[:2]:
        issue(site, number)
    for door in doors:
        door.update()
        known = [credentials.parse(number) for number in CARDS]
        secret = site.secret(door.device, "card_key")
        keys = [layout.card_key(secret, one.type, one.data) for one in known]
        for ring, count in ((RING_ACCESS, 250), (RING_ALARM, 60)):
            pen = door.pen(ring)
            for _ in range(count):
                scribble(pen, chance, keys)
            pull(site, door, pen)
    yield site
    site.close()


def scribble(pen: Pen, chance: random.Random, keys: list[bytes]) -> None:
    kinds = (
        [(EVENT_GRANTED, REASON_CARD), (EVENT_DENIED, REASON_SCHEDULE),
         (EVENT_DENIED, REASON_UNKNOWN_CARD), (EVENT_DOOR_OPENED, 0)]
        if pen.ring == RING_ACCESS
        else [(EVENT_BOOT, 1), (EVENT_SESSION_OPENED, 2), (EVENT_TAMPER, 0)]
    )  # fmt: skip
    event, reason = chance.choice(kinds)
    key = chance.choice(keys)
    if reason == REASON_UNKNOWN_CARD:
        key = chance.choice([keys[2], bytes((len(pen.written),)) * 8])
    elif event not in (EVENT_GRANTED, EVENT_DENIED, EVENT_SESSION_OPENED):
        key = bytes(8)
    pen.write(
        event, reason, key, time_s=FROM_S + chance.randrange(40), point=chance.choice((0, 1, 255))
    )


@pytest.fixture(scope="module")
def everything(house) -> list[Entry]:
    return list(journal_read.walk(house, Filter()))


def names(*values: str) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(values), max_size=2)


filters = st.builds(
    Filter,
    devices=st.sampled_from(((), ("door-1",), ("door-2",), ("door-1", "door-2"))),
    ring=st.sampled_from((None, RING_ACCESS, RING_ALARM)),
    points=st.frozensets(st.sampled_from((0, 1, 255, 7)), max_size=2),
    events=names("granted", "denied", "boot", "tamper", "door_opened", "session_opened"),
    result=st.sampled_from((None, "granted", "denied")),
    reasons=names("card", "outside_schedule", "unknown_card", "desk", "quota"),
    since_s=st.none() | st.integers(FROM_S - 2, FROM_S + 42),
    until_s=st.none() | st.integers(FROM_S - 2, FROM_S + 42),
    who=st.sampled_from((None, "K000001", "K000002", CARDS[2], "unknown")),
)


def fits(entry: Entry, wanted: Filter) -> bool:
    """As a person would sort it, entry by entry."""
    time_s = int.from_bytes(bytes.fromhex(entry.record)[8:12], "big")
    who = {"K000001": entry.card == "K000001", "K000002": entry.card == "K000002",
           CARDS[2]: entry.card == "unknown" and not _odd(entry),
           "unknown": entry.card in ("unknown", "") and entry.reason == "unknown_card",
           None: True}  # fmt: skip
    return (
        (not wanted.devices or entry.controller in wanted.devices)
        and (wanted.ring is None or entry.ring == ("access", "alarm")[wanted.ring])
        and (not wanted.points or entry.point in wanted.points)
        and (not wanted.events or entry.event in wanted.events)
        and (wanted.result is None or entry.event == wanted.result)
        and (not wanted.reasons or entry.reason in wanted.reasons)
        and (wanted.since_s is None or time_s >= wanted.since_s)
        and (wanted.until_s is None or time_s < wanted.until_s)
        and who[wanted.who]
    )


def _odd(entry: Entry) -> bool:
    """A stranger's card, by the key that `scribble` gave it: its number, eight times."""
    return ODD.get((entry.controller, entry.seq), False)


ODD: dict[tuple[str, int], bool] = {}


@pytest.fixture(scope="module", autouse=True)
def odd_ones(house):
    with house.registry.session() as session:
        streams = {
            row.id: (row.device_id, row.ring)
            for row in session.execute(text("SELECT id, device_id, ring FROM journal_streams"))
        }
        device_names = {device.id: device.name for device in house.devices()}
        for row in session.query(JournalIndex):
            device_id, ring = streams[row.id >> 32]
            if ring == RING_ACCESS and row.key is not None and len(set(row.key)) == 1:
                ODD[device_names[device_id], row.id & 0xFFFFFFFF] = True


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(wanted=filters, size=st.integers(1, 60))
def test_a_filter_finds_what_a_look_at_every_entry_finds(house, everything, wanted, size) -> None:
    right = [entry for entry in everything if fits(entry, wanted)]
    assert list(journal_read.walk(house, wanted)) == right
    page = journal_read.page(house, wanted, size)
    assert page.entries == right[-size:]
    if page.older is not None:
        older = journal_read.page(house, wanted, size, page.older)
        assert older.entries == right[: len(right) - size][-size:]
    assert (page.older is None) == (len(right) <= size)


def test_the_comparison_has_something_of_each_kind(everything) -> None:
    assert len(everything) == 620
    assert {"K000001", "K000002", "unknown", ""} == {entry.card for entry in everything}
    assert any(ODD.values())


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.sqlite_only  # a plan is told in each database's own words
def test_nothing_is_sorted_and_nothing_scanned(house, newest_first) -> None:
    """EXPLAIN QUERY PLAN of every statement that a search makes."""
    with house.registry.session() as session:
        connection = session.connection()
        said: list[str] = []

        def explain(raw, cursor, statement, parameters, context, many):  # noqa: ARG001 - of an event
            if "journal_index" in statement and not statement.startswith("EXPLAIN"):
                plan = raw.connection.cursor()
                plan.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
                said.extend(row[3] for row in plan.fetchall())

        event.listen(connection, "before_cursor_execute", explain)
        facets = journal_query.facets(session)
        device_id = facets[0].device_id
        for wanted in (
            journal_query.Wanted(),
            journal_query.Wanted(since_s=FROM_S, until_s=FROM_S + 30),
            journal_query.Wanted(facet=lambda f: f.event == EVENT_DENIED, since_s=FROM_S),
            journal_query.Wanted(keys={device_id: frozenset((bytes(8), b"12345678"))}),
        ):
            list(journal_query.search(session, wanted, newest_first))
    of_index = [line for line in said if "journal_index" in line]
    assert len(of_index) > 10
    allowed = re.compile(
        "SEARCH journal_index USING (COVERING )?INDEX"
        "|SCAN journal_index USING INDEX journal_index_by_time"
    )
    assert [line for line in of_index if not allowed.match(line)] == []
    assert [line for line in said if "TEMP B-TREE" in line] == []


# --- made from the records, whenever ----------------------------------------------------------


def test_the_index_has_the_unmasked_keys(site, board, written) -> None:
    journal_store.append(site, board.device, RING_ACCESS, page_of(written))
    assert keys_in_index(site) == {n: bytes((n + 1,)) * 8 for n in range(60)}


def test_what_is_of_no_card_and_no_peer_has_no_key(site, board) -> None:
    """Whatever its field says: nothing but these two kinds is ever looked for by it."""
    pen = board.pen(RING_ACCESS)
    for kind in (EVENT_DOOR_OPENED, EVENT_BOOT, EVENT_GRANTED):
        pen.write(kind, 0, b"12345678")
    pen.write(EVENT_GRANTED, REASON_CARD, bytes(8))
    journal_store.append(site, board.device, RING_ACCESS, page_of(pen))
    assert keys_in_index(site) == {0: None, 1: None, 2: b"12345678", 3: None}


@pytest.mark.parametrize("every", [1, 16])
def test_pages_in_any_order_are_indexed_alike(site, board, written, monkeypatch, every) -> None:
    monkeypatch.setattr(journal_keys, "_CURSOR_EVERY", every)
    for first, end in ((40, 50), (0, 10), (55, 60), (10, 40), (45, 58)):
        journal_store.append(site, board.device, RING_ACCESS, page_of(written, first, end))
    assert keys_in_index(site) == {n: bytes((n + 1,)) * 8 for n in range(60)}


def test_keys_are_never_counted_from_the_first_one_again(site, board, written, monkeypatch):
    monkeypatch.setattr(journal_keys, "_REACH", 12)
    for first in range(0, 60, 10):
        journal_store.append(site, board.device, RING_ACCESS, page_of(written, first, first + 10))
    assert None not in keys_in_index(site).values()
    # the control: without cursors the same reach is not enough
    tamper(site, "DELETE FROM journal_cursors")
    written.write(key=b"12345678")
    journal_store.append(site, board.device, RING_ACCESS, page_of(written, 60))
    assert keys_in_index(site)[60] is None


def test_a_number_far_off_costs_no_time_and_spoils_nothing(site, board, written) -> None:
    journal_store.append(site, board.device, RING_ACCESS, page_of(written, 0, 10))
    far = NUMBER_MAX - 1
    liar = far.to_bytes(4, "big") + written.written[10][4:]
    assert journal_store.append(site, board.device, RING_ACCESS, liar).new == 1
    journal_store.append(site, board.device, RING_ACCESS, page_of(written, 10))
    keys = keys_in_index(site)
    assert keys.pop(far) is None
    assert keys == {n: bytes((n + 1,)) * 8 for n in range(60)}


def test_an_older_registry_is_indexed_when_it_is_first_asked_or_added_to(site, board, written):
    journal_store.append(site, board.device, RING_ACCESS, page_of(written, 0, 50))
    right = keys_in_index(site)
    derived = ("journal_index", "journal_cursors", "journal_facets", "journal_streams")
    empty = [f"DELETE FROM {table}" for table in derived]  # noqa: S608 - names of ours
    tamper(site, *empty)
    assert len(journal_read.page(site, Filter(), 100).entries) == 50
    assert keys_in_index(site) == right
    tamper(site, *empty)
    journal_store.append(site, board.device, RING_ACCESS, page_of(written, 50))
    assert keys_in_index(site) == {n: bytes((n + 1,)) * 8 for n in range(60)}


@pytest.mark.both_registries
def test_what_somebody_spoiled_does_not_stop_the_index(site, board, written) -> None:
    journal_store.append(site, board.device, RING_ACCESS, page_of(written))
    tamper(
        site,
        "UPDATE journal_records SET record = x'00' WHERE seq = 3",
        "UPDATE journal_records SET seq = -1 WHERE seq = 4",
        "UPDATE journal_records SET seq = 1099511627776 WHERE seq = 5",
    )
    journal_index.rebuild(site)
    assert sorted(keys_in_index(site)) == [0, 1, 2, 3, *range(6, 60)]


def test_an_exported_desk_finds_the_same(site, board, written, tmp_path, open_site) -> None:
    issue(site)
    board.update()
    pull(site, board, written)
    export.export(site, "desk", tmp_path / "desk", "of the front desk")
    desk = open_site(tmp_path / "desk", "of the front desk")
    assert list(journal_read.walk(desk, Filter())) == list(journal_read.walk(site, Filter()))


@pytest.mark.sqlite_only  # reads the file
def test_no_key_of_the_journal_lies_open_in_the_file(site, board, written, monkeypatch) -> None:
    monkeypatch.setattr(journal_keys, "_CURSOR_EVERY", 1)
    journal_store.append(site, board.device, RING_ACCESS, page_of(written))
    with site.registry.session() as session:
        session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    content = (site.path / "registry.sqlite").read_bytes()
    assert bytes((7,)) * 8 in content, "the control: what is not sealed is seen"
    key = site.secret(board.device, "k_tool_access")
    for _ in range(62):
        assert key not in content
        assert chain.tag_key(key) not in content
        key = chain.evolve(key)


@pytest.mark.parametrize("change", ["seq = seq - 1", "k_tool_sealed = x'00'"])
def test_a_cursor_that_was_altered_is_not_believed(site, board, written, change) -> None:
    journal_store.append(site, board.device, RING_ACCESS, page_of(written, 0, 10))
    tamper(site, f"UPDATE journal_cursors SET {change}")  # noqa: S608 - as somebody would
    journal_store.append(site, board.device, RING_ACCESS, page_of(written, 10))
    assert keys_in_index(site) == {n: bytes((n + 1,)) * 8 for n in range(60)}


# --- stored in bulk ---------------------------------------------------------------------------


def test_a_page_of_thousands_is_stored_with_what_was_there_already(site, board) -> None:
    pen = board.pen(RING_ACCESS)
    for _ in range(3000):
        pen.write()
    journal_store.append(site, board.device, RING_ACCESS, page_of(pen, 100, 200))
    other = bytearray(page_of(pen))
    other[150 * RECORD_BYTES + 40] ^= 1
    counts = journal_store.append(site, board.device, RING_ACCESS, bytes(other))
    assert (counts.new, counts.already_had, counts.conflicting) == (2900, 99, 1)
    with site.registry.session() as session:
        stored = journal_store.rows(session, board.device.id, RING_ACCESS)
    assert b"".join(row.record for row in stored) == page_of(pen)


def test_a_page_may_hold_a_record_twice(site, board, written) -> None:
    first = written.written[0]
    other = first[:-1] + bytes((first[-1] ^ 1,))
    counts = journal_store.append(site, board.device, RING_ACCESS, first + first + other)
    assert (counts.new, counts.already_had, counts.conflicting) == (1, 1, 1)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(there=st.frozensets(st.integers(0, 59)), oldest=st.integers(0, 65), end=st.integers(0, 70))
def test_missing_ranges_are_exactly_what_is_missing(house, there, oldest, end) -> None:
    door = Board(house, f"spare-{next(NUMBERS)}")
    pen = door.pen(RING_ACCESS)
    for _ in range(60):
        pen.write()
    page = b"".join(pen.written[seq] for seq in sorted(there))
    journal_store.append(house, door.device, RING_ACCESS, page)
    ranges = journal_store.missing_ranges(house, door.device, RING_ACCESS, oldest, end)
    missing = [seq for first, last in ranges for seq in range(first, last)]
    assert missing == [seq for seq in range(oldest, end) if seq not in there]
    assert all(first < last for first, last in ranges)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(ranges)), "none touch"


def sector(pen: Pen, first_seq: int = 0, ring: int = RING_ACCESS) -> bytes:
    return sector_header.pack(ring, 1, 0, first_seq, bytes(32), pen.k_tool, pen.k_audit)


def test_sector_headers_are_stored_once(site, board, written) -> None:
    first, second = sector(written), sector(written, 84)
    add = journal_store.append_sectors
    assert add(site, board.device, RING_ACCESS, first + second + first) == 2
    assert add(site, board.device, RING_ACCESS, second) == 0
    assert add(site, board.device, RING_ACCESS, second[:-1] + b"?") == 1, "other bytes are kept too"
    assert add(site, board.device, RING_ACCESS, b"") == 0


@pytest.mark.parametrize("spoil", [lambda h: h[:-1], lambda h: b"?" + h[1:], lambda h: h + b"x"])
def test_sector_headers_of_a_wrong_shape_are_refused(site, board, written, spoil) -> None:
    with pytest.raises(DeviceError, match="wrong shape"):
        journal_store.append_sectors(site, board.device, RING_ACCESS, spoil(sector(written)))


def test_sector_headers_of_the_other_ring_are_refused(site, board, written) -> None:
    header = sector(written, ring=RING_ALARM)
    with pytest.raises(DeviceError, match="wrong shape"):
        journal_store.append_sectors(site, board.device, RING_ACCESS, header)
