"""Every way of tampering with a journal is found, named, and never found where it is not (host)."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller_tool.services import journal_check as check
from protocol.constants import RECORD_BYTES, RING_ACCESS
from tests.unit.registry_support import Pen

COUNT = 40
LONG = 100
KEYS = {"tool": b"t" * 16, "audit": b"a" * 16}


def written(count: int = COUNT, **keys: bytes) -> Pen:
    held = {**KEYS, **keys}
    pen = Pen(b"site-id1", b"device-1", RING_ACCESS, held["tool"], held["audit"])
    for _ in range(count):
        pen.write()
    return pen


def head(pen: Pen, oldest: int = 0, **changes: Any) -> check.Head:
    nonce = os.urandom(16)
    _, n, c, held, _, tool, audit = pen.head(nonce, oldest)
    genuine = check.Head(nonce, n, c, held, {"tool": tool, "audit": audit})
    return dataclasses.replace(genuine, **changes)


def judge(places, heads, keys=KEYS, long: int = LONG) -> check.Report:
    ring = check.Ring(b"site-id1", b"device-1", RING_ACCESS, keys, places, heads, long)
    return check.check(ring)


PEN = written()
HEAD = head(PEN)
PLACES = list(enumerate(PEN.written))


def without(*gone: int) -> list[tuple[int, bytes]]:
    return [place for place in PLACES if place[0] not in gone]


def replaced(seq: int, record: bytes) -> list[tuple[int, bytes]]:
    return [(place, record if place == seq else held) for place, held in PLACES]


def flipped(record: bytes, bit: int) -> bytes:
    changed = bytearray(record)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def found(report: check.Report) -> list[tuple[str, int, int]]:
    return [(f.kind, f.first_seq, f.last_seq) for f in report.findings]


@pytest.mark.parametrize("names", [("tool",), ("audit",), ("tool", "audit")])
def test_a_genuine_journal_is_whole_by_either_key(names) -> None:
    report = judge(PLACES, [HEAD], {name: KEYS[name] for name in names})
    assert (report.ok, report.findings, report.proven) == (True, [], COUNT)
    assert report.last_head_seq == COUNT


def test_an_empty_journal_is_whole() -> None:
    assert judge([], [head(written(0))]).ok


def test_without_a_head_nothing_proves_where_a_journal_ends() -> None:
    assert found(judge(PLACES, [])) == [(check.NO_HEAD, COUNT, COUNT)]
    assert not judge([], []).ok


def test_a_journal_that_grew_between_pulls_is_whole() -> None:
    pen, heads = written(3), []
    for _ in range(4):
        heads.append(head(pen))
        pen.write()
    assert judge(list(enumerate(pen.written)), [*heads, head(pen)]).ok


def test_records_pulled_before_the_wire_broke_need_no_head() -> None:
    assert judge(PLACES, [head(written(5))]).ok


@given(st.integers(0, COUNT - 1), st.integers(0, 32 * 8 - 1))
@settings(max_examples=40, deadline=None)
def test_a_changed_body_is_named(seq: int, bit: int) -> None:
    report = judge(replaced(seq, flipped(PLACES[seq][1], bit)), [HEAD])
    if bit < 32:  # its number: it stands at a place that is not its own
        assert found(report)[0] == (check.REPLAYED, seq, seq)
    else:
        assert found(report) == [(check.CHANGED, seq, seq)]
        assert (report.proven, report.unproven) == (seq, COUNT - seq - 1)
    assert not report.ok


@given(st.integers(0, COUNT - 1), st.integers(32 * 8, RECORD_BYTES * 8 - 1))
@settings(max_examples=30, deadline=None)
def test_a_changed_tag_is_told_from_a_changed_record(seq: int, bit: int) -> None:
    report = judge(replaced(seq, flipped(PLACES[seq][1], bit)), [HEAD])
    assert found(report) == [(check.TAG_CHANGED, seq, seq)]
    assert (report.proven, report.ok) == (COUNT, False)


@given(st.integers(0, COUNT - 2), st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_deleted_records_are_named(first: int, count: int) -> None:
    last = min(first + count, COUNT - 1) - 1
    report = judge(without(*range(first, last + 1)), [HEAD])
    assert found(report) == [(check.DELETED, first, last)]
    assert (report.proven, report.unproven) == (first, COUNT - last - 1)


@given(st.integers(0, COUNT - 1))
@settings(max_examples=20, deadline=None)
def test_a_journal_that_was_cut_off_is_named(kept: int) -> None:
    report = judge(PLACES[:kept], [HEAD])
    assert found(report) == [(check.TRUNCATED, kept, COUNT - 1)]
    assert report.proven == kept


@given(st.lists(st.integers(0, COUNT - 1), min_size=2, max_size=2, unique=True))
@settings(max_examples=30, deadline=None)
def test_swapped_records_are_named_and_still_judged(two: list[int]) -> None:
    first, second = sorted(two)
    places = list(PLACES)
    places[first], places[second] = (first, PLACES[second][1]), (second, PLACES[first][1])
    report = judge(places, [HEAD])
    assert report.findings == [check.Finding(check.SWAPPED, first, first, second)]
    assert (report.proven, report.ok) == (COUNT, False)


@given(st.lists(st.integers(0, COUNT - 1), min_size=2, max_size=2, unique=True))
@settings(max_examples=30, deadline=None)
def test_a_record_replayed_in_the_place_of_another_is_named(two: list[int]) -> None:
    old, place = two
    report = judge(replaced(place, PLACES[old][1]), [HEAD])
    missing = check.TRUNCATED if place == COUNT - 1 else check.DELETED
    assert report.findings[0] == check.Finding(check.REPLAYED, place, place, old)
    assert found(report)[1:] == [(missing, place, place)]


def test_a_record_that_was_appended_again_is_named() -> None:
    report = judge([*PLACES, (COUNT, PLACES[3][1])], [HEAD])
    assert report.findings == [check.Finding(check.REPLAYED, COUNT, COUNT, 3)]
    report = judge([*PLACES, PLACES[3]], [HEAD])
    assert report.findings == [check.Finding(check.REPLAYED, 3, 3, 3)]


def test_a_record_of_another_controller_does_not_pass() -> None:
    stranger = written(tool=b"x" * 16)
    assert found(judge(replaced(7, stranger.written[7]), [HEAD])) == [(check.CHANGED, 7, 7)]


@pytest.mark.parametrize("record", [b"", PLACES[7][1][:-1], PLACES[7][1] + b"\0"])
def test_what_is_no_record_is_named(record) -> None:
    assert found(judge(replaced(7, record), [HEAD]))[0] == (check.CHANGED, 7, 7)


def test_the_desk_cannot_rewrite_what_the_auditor_checks() -> None:
    """The desk knows K_tool, and writes a record, all later ones and the head again."""
    forged = written(0, audit=b"?" * 16)
    for seq in range(COUNT):
        forged.write(reason=2 if seq == 11 else 1)
    genuine = [r[:40] + PEN.written[i][40:] for i, r in enumerate(forged.written)]
    places = list(enumerate(genuine))  # it keeps the audit tags that it has
    false_head = head(forged)
    assert judge(places, [false_head], {"tool": KEYS["tool"]}).ok, (
        "the tool's key alone believes it"
    )
    audited = judge(places, [false_head], {"audit": KEYS["audit"]})
    assert found(audited) == [(check.FALSE_HEAD, COUNT, COUNT), (check.CHANGED, 11, 11)]
    assert found(judge(places, [HEAD]))[0] == (check.CHANGED, 11, 11)
    assert found(judge(places, [HEAD], {"tool": KEYS["tool"]})) == [(check.FORGED, 0, COUNT - 1)], (
        "somewhere since the last point that agreed"
    )


def test_a_record_behind_an_altered_one_is_not_called_proven() -> None:
    report = judge(replaced(7, flipped(PLACES[7][1], 100)), [HEAD])
    assert report.unproven_ranges == [(8, COUNT - 1)]


def test_fifty_years_of_a_busy_door_are_followed() -> None:
    """2000 records a day in one ring, as long as its key cells last."""
    assert check.NUMBER_MAX > 50 * 366 * 2000


def test_a_number_that_no_controller_reaches_is_named_at_once() -> None:
    far = (check.NUMBER_MAX + 1, (check.NUMBER_MAX + 1).to_bytes(4, "big") + PLACES[7][1][4:])
    report = judge([*PLACES, far], [HEAD])
    assert found(report) == [(check.CHANGED, far[0], far[0])]


@pytest.mark.parametrize(
    "changes",
    [
        {"next_seq": COUNT + 1},
        {"chain": bytes(32)},
        {"oldest_seq": 5},
        {"nonce": bytes(16)},
        {"macs": {}},
        {"next_seq": 0xFFFFFFFF},
    ],
)
def test_a_head_that_is_not_the_controllers_is_named(changes) -> None:
    false = head(PEN, **changes)
    report = judge(PLACES, [HEAD, false])
    assert found(report) == [(check.FALSE_HEAD, false.next_seq, false.next_seq)]
    assert not report.ok


def test_a_controller_that_lost_records_it_once_had_is_named() -> None:
    report = judge(PLACES, [HEAD, head(written(25))])
    assert found(report) == [(check.ROLLED_BACK, 25, COUNT - 1)]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_random_edits_never_pass(data: st.DataObject) -> None:
    """Delete, double, flip, exchange, a few times over: unless nothing changed, it is not whole."""
    places = list(PLACES)
    for _ in range(data.draw(st.integers(1, 4))):
        if not places:
            break
        at = data.draw(st.integers(0, len(places) - 1))
        edit = data.draw(st.sampled_from(["delete", "double", "flip", "exchange"]))
        place, record = places[at]
        if edit == "delete":
            del places[at]
        elif edit == "double":
            places.append((place, record))
        elif edit == "flip":
            bit = data.draw(st.integers(0, RECORD_BYTES * 8 - 1))
            places[at] = (place, flipped(record, bit))
        else:
            other = data.draw(st.integers(0, len(places) - 1))
            places[at], places[other] = (place, places[other][1]), (places[other][0], record)
    assert judge(places, [HEAD]).ok == (sorted(places) == PLACES)
