"""Lists as base and overlay: full lists, deltas, merges, starts, damage (MicroPython)."""

from protocol import deltas
from protocol.codes import (
    ERR_BASE,
    ERR_BOUNDS,
    ERR_CAPACITY,
    ERR_DATE,
    ERR_DIGEST,
    ERR_ORDER,
    ERR_PROFILE,
    ERR_VERSION_LOW,
)
from protocol.constants import FLAG_REVOKED, SECTOR_BYTES
from tests.both.support import refused
from tests.firmware.list_rig import (
    Rig,
    draft,
    record,
    records,
    sign,
    signed_delta,
)
from tests.firmware.list_scenes import (
    CARDS,
    OLD,
    change,
    holds,
    merged_with,
    revoked,
    spoil_base,
    with_list,
    without,
)


def test_a_full_list_is_found_again_after_a_restart() -> None:
    rig = with_list()
    holds(rig, OLD, bytes(8), b"\xff" * 8)
    rig.reboot()
    assert (rig.whitelist.version, rig.journal.version_floor) == (1, 1)
    assert rig.whitelist.prover is not None
    holds(rig, OLD)
    rig.work()
    assert rig.whitelist.prover is None
    holds(rig, OLD)


def test_an_empty_list_is_one_too() -> None:
    rig = with_list(b"")
    holds(rig, b"", bytes(8))
    new = records(3)
    change(rig, 2, b"", new)
    holds(rig, new)
    rig.reboot()
    holds(rig, new)


def test_one_delta_marks_adds_and_removes() -> None:
    rig = with_list()
    new = merged_with(without(revoked(OLD, 0, 77), 5, CARDS - 1), records(20, 10_000))
    change(rig, 2, OLD, new)
    gone = OLD[80:88], OLD[16 * (CARDS - 1) :][:8]
    holds(rig, new, *gone)
    assert (rig.whitelist.version, rig.journal.version_floor) == (2, 2)
    assert len(rig.whitelist.index) == 24
    rig.reboot()
    holds(rig, new, *gone)


def test_deltas_follow_each_other() -> None:
    rig = with_list()
    held = OLD
    for version in range(2, 12):
        new = merged_with(without(held, version * 3), records(3, 1000 * version))
        change(rig, version, held, new)
        held = new
        holds(rig, held)
    rig.reboot()
    holds(rig, held)


def test_a_card_that_left_may_come_back() -> None:
    rig = with_list()
    less = without(OLD, 9)
    change(rig, 2, OLD, less)
    change(rig, 3, less, OLD)
    holds(rig, OLD)
    assert len(rig.whitelist.index) == 1


def test_an_empty_delta_only_raises_the_version() -> None:
    rig = with_list()
    change(rig, 2, OLD, OLD)
    assert (rig.whitelist.version, len(rig.whitelist.index)) == (2, 0)
    holds(rig, OLD)


def test_a_delta_on_another_base_is_refused() -> None:
    rig = with_list()
    new = revoked(OLD, 1)
    changes = deltas.between(OLD, new)
    for envelope in (
        signed_delta(2, 2, OLD, new, changes),
        signed_delta(2, 1, revoked(OLD, 2), new, changes),
    ):
        refused(ERR_BASE, rig.push, envelope, changes)
    refused(ERR_BASE, Rig().push, signed_delta(2, 1, OLD, new, changes), changes)
    refused(ERR_VERSION_LOW, rig.push, signed_delta(1, 1, OLD, new, changes), changes)
    holds(rig, OLD)


def test_what_a_delta_says_must_be_what_comes_of_it() -> None:
    rig = with_list()
    new = revoked(OLD, 1)
    changes = deltas.between(OLD, new)
    m = draft(2, new, changes)
    m.kind, m.base_version, m.base_digest = 1, 1, rig.whitelist.digest
    m.count += 1
    refused(ERR_DIGEST, rig.push, sign(m), changes)
    m.count -= 1
    m.result_digest = bytes(32)
    refused(ERR_DIGEST, rig.push, sign(m), changes)
    other = deltas.between(OLD, revoked(OLD, 2))
    refused(ERR_DIGEST, rig.push, signed_delta(2, 1, OLD, new, changes), other)
    holds(rig, OLD)
    rig.push(signed_delta(2, 1, OLD, new, changes), changes)
    holds(rig, new)


def test_records_of_a_delta_are_judged() -> None:
    rig = with_list()
    good = deltas.between(OLD, revoked(OLD, 1, 2))
    new = revoked(OLD, 1, 2)
    for code, changes in (
        (ERR_ORDER, good[16:] + good[:16]),
        (ERR_ORDER, good[:16] + good[:16]),
        (ERR_PROFILE, good[:14] + b"\x09" + good[15:]),
        (ERR_DATE, good[:8] + bytes(6) + good[14:]),
        (ERR_BOUNDS, good[:15] + b"\x80" + good[16:]),
    ):
        refused(code, rig.push, signed_delta(2, 1, OLD, new, changes), changes)
    holds(rig, OLD)


def test_more_changes_than_an_overlay_takes_are_refused() -> None:
    rig = with_list()
    held = OLD
    for version in (2, 3):
        new = merged_with(held, records(250, 1000 * version))
        change(rig, version, held, new)
        held = new
    assert len(rig.whitelist.index) == 500
    refused(ERR_CAPACITY, change, rig, 4, held, merged_with(held, record(b"\x01" * 8)))
    holds(rig, held)
    later = records(250, 2000)[:16]
    change(rig, 4, held, merged_with(held, later[:15] + bytes((FLAG_REVOKED,))))
    assert len(rig.whitelist.index) == 500


def test_a_merge_makes_one_base_of_base_and_overlay() -> None:
    rig = with_list()
    new = merged_with(without(revoked(OLD, 3), 4, 5), records(200, 7000))
    change(rig, 2, OLD, new)
    assert rig.work() > 5
    assert (rig.whitelist.version, len(rig.whitelist.index)) == (2, 0)
    assert rig.whitelist.slot == 1
    holds(rig, new, OLD[64:72])
    rig.reboot()
    holds(rig, new, OLD[64:72])
    newer = revoked(new, 8)
    change(rig, 3, new, newer)
    holds(rig, newer)


def test_few_changes_wait_an_hour_for_their_merge() -> None:
    rig = with_list()
    new = revoked(OLD, 3)
    change(rig, 2, OLD, new)
    rig.work()
    assert len(rig.whitelist.index) == 1
    rig.clock.uptime_s += 3601
    rig.work()
    assert len(rig.whitelist.index) == 0
    holds(rig, new)


def test_a_push_ends_a_merge_that_is_under_way() -> None:
    rig = with_list()
    new = merged_with(OLD, records(200, 7000))
    change(rig, 2, OLD, new)
    for _ in range(5):
        rig.intake.step()
    newer = revoked(new, 1)
    change(rig, 3, new, newer)
    holds(rig, newer)
    rig.work()
    assert len(rig.whitelist.index) == 0
    holds(rig, newer)
    rig.full(4, OLD)
    holds(rig, OLD)


def half_merged() -> "tuple[Rig, bytes]":
    rig = with_list()
    new = merged_with(OLD, records(200, 7000))
    change(rig, 2, OLD, new)
    for _ in range(7):
        rig.intake.step()
    return rig, new


def test_a_merge_goes_on_where_power_cut_it() -> None:
    rig, new = half_merged()
    assert rig.numbers["merging"] == 2
    rig.numbers["reached"] = SECTOR_BYTES  # as it is told every sixteen sectors
    image = rig.image()
    erases = []
    for reached in (SECTOR_BYTES, 0):
        rig.reboot(image)
        rig.numbers["reached"] = reached
        rig.work()
        assert len(rig.whitelist.index) == 0
        holds(rig, new)
        erases.append(rig.chip.erases)
    assert erases[0] == erases[1] - 1


def test_a_merge_of_another_version_is_not_gone_on_with() -> None:
    rig, new = half_merged()
    newer = revoked(new, 0)
    change(rig, 3, new, newer)
    rig.numbers["merging"], rig.numbers["reached"] = 2, SECTOR_BYTES
    rig.reboot()
    rig.work()
    assert len(rig.whitelist.index) == 0
    holds(rig, newer)


def test_a_merge_that_does_not_come_out_is_not_tried_again_at_once() -> None:
    rig, new = half_merged()
    spoil_base(rig, 1, 100)  # of what is merged already: a bad sector
    rig.work()
    assert len(rig.whitelist.index) == 200
    holds(rig, new)
    rig.clock.uptime_s += 3601
    rig.work()
    assert len(rig.whitelist.index) == 0
    holds(rig, new)
