"""Every way of tampering with a journal is found, named, and never found where it is not (host)."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller_tool.services import journal_check as check
from controller_tool.services import journal_reach
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
    """It is there, so it is not deleted as well; those beside it that are gone are."""
    assert found(judge(replaced(7, record), [HEAD])) == [(check.CHANGED, 7, 7)]
    few = [place for place in replaced(7, record) if place[0] not in (5, 6, 8)]
    assert found(judge(few, [HEAD])) == [
        (check.CHANGED, 7, 7),
        (check.DELETED, 5, 6),
        (check.DELETED, 8, 8),
    ]
    last = judge(replaced(COUNT - 1, record), [HEAD])
    assert found(last) == [(check.CHANGED, COUNT - 1, COUNT - 1)]
    cut = [place for place in replaced(30, record) if place[0] <= 30]
    assert found(judge(cut, [HEAD])) == [(check.CHANGED, 30, 30), (check.TRUNCATED, 31, COUNT - 1)]


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


# --- how far keys are followed -----------------------------------------------------------------

FAR = 1 << 20


def with_far(*numbers: int) -> list[tuple[int, bytes]]:
    """The journal, and records of somebody's invention far beyond it."""
    return [*PLACES, *((n, n.to_bytes(4, "big") + PLACES[7][1][4:]) for n in numbers)]


def judge_with(steps: int, places, heads, **more: Any) -> tuple[check.Report, int]:
    """The verdict, and how many steps were left."""
    budget = journal_reach.Budget(steps)
    ring = check.Ring(b"site-id1", b"device-1", RING_ACCESS, KEYS, places, heads, LONG, **more)
    return check.check(ring, budget), budget.left


def test_a_number_far_off_costs_no_more_than_the_budget(key_steps) -> None:
    """Even with a head there, which would make it worth while to go on."""
    report, _ = judge_with(1000, with_far(FAR, FAR + 1), [HEAD, head(PEN, next_seq=FAR)])
    assert sum(key_steps) <= 1000
    assert found(report) == [(check.TOO_FAR, FAR, FAR + 1)]
    assert (report.proven, report.unproven, report.ok) == (COUNT, 2, False)
    assert report.unproven_ranges == [(FAR, FAR + 1)]


def test_a_false_head_far_off_costs_no_more_than_the_budget(key_steps) -> None:
    report, _ = judge_with(1000, PLACES, [HEAD, head(PEN, next_seq=FAR)])
    assert sum(key_steps) <= 1000
    assert (found(report), report.proven) == ([(check.TOO_FAR, FAR, FAR)], COUNT)


def test_a_budget_that_is_large_enough_changes_nothing(key_steps) -> None:
    """Negative control: the same things are judged then."""
    report, left = judge_with(1 << 22, with_far(FAR), [HEAD, head(PEN, next_seq=FAR)])
    assert sum(key_steps) > FAR
    assert (check.FALSE_HEAD, FAR, FAR) in found(report)
    assert left == (1 << 22) - 2 * (FAR - COUNT), "one step of each key for each missing number"


def test_records_that_are_there_cost_nothing_of_the_budget() -> None:
    report, left = judge_with(0, PLACES, [HEAD])
    assert (report.ok, left) == (True, 0)


def test_what_lies_before_the_end_of_the_budget_is_judged_as_ever() -> None:
    places = [*replaced(7, flipped(PLACES[7][1], 100)), *with_far(FAR)[COUNT:]]
    report, _ = judge_with(1000, places, [HEAD])
    assert found(report) == [(check.CHANGED, 7, 7), (check.TOO_FAR, FAR, FAR)]


def test_a_gap_before_the_end_of_the_budget_is_not_called_deleted_by_guess() -> None:
    """A record behind the end might prove that the ring let it go; what one holds was not."""
    places = [*with_far(FAR)[10:]]
    assert found(judge_with(1000, places, [HEAD])[0]) == [(check.TOO_FAR, FAR, FAR)]
    held = judge_with(1000, places, [HEAD], held=[3, 4])[0]
    assert found(held) == [(check.DELETED, 3, 4), (check.TOO_FAR, FAR, FAR)]


def test_rings_share_a_budget() -> None:
    budget = journal_reach.Budget(2 * 500)
    ring = check.Ring(
        b"site-id1", b"device-1", RING_ACCESS, KEYS, [*PLACES, *with_far(500)[COUNT:]], [HEAD]
    )
    first, second = check.check(ring, budget), check.check(ring, budget)
    kinds = [{kind for kind, _, _ in found(report)} for report in (first, second)]
    assert [check.TOO_FAR in each for each in kinds] == [False, True]
