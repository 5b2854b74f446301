"""Lists as base and overlay: full lists, deltas, merges, starts, damage (MicroPython)."""

import os

from firmware.whitelist import ACTIVE_PATH
from protocol import deltas
from protocol.codes import (
    ERR_BASE,
    ERR_BOUNDS,
    ERR_CAPACITY,
    ERR_DATE,
    ERR_DIGEST,
    ERR_EPOCH,
    ERR_ORDER,
    ERR_PROFILE,
    ERR_TIME_REACH,
    ERR_VERSION_LOW,
)
from protocol.constants import FLAG_REVOKED, SECTOR_BYTES, TIME_END_S
from tests.both.support import refused
from tests.firmware.flash import PowerCut
from tests.firmware.list_rig import (
    DAY_S,
    ISSUED_S,
    Rig,
    at_yield,
    draft,
    record,
    records,
    run,
    sign,
    signed,
    signed_delta,
)

CARDS = 600
OLD = records(CARDS)


def revoked(listed: bytes, *numbers: int) -> bytes:
    """The list with these of its records marked as collected."""
    changed = bytearray(listed)
    for number in numbers:
        changed[16 * number + 15] |= FLAG_REVOKED
    return bytes(changed)


def without(listed: bytes, *numbers: int) -> bytes:
    return b"".join(
        [listed[at : at + 16] for at in range(0, len(listed), 16) if at // 16 not in numbers]
    )


def merged_with(listed: bytes, more: bytes) -> bytes:
    return deltas.applied(listed, more)


def holds(rig: Rig, listed: bytes, *absent: bytes) -> None:
    """The list in force is exactly this one, by search and by digest."""
    assert rig.whitelist.count == len(listed) // 16
    for at in range(0, len(listed), 16):
        assert rig.has(listed[at : at + 16]), at // 16
    for key in absent:
        assert not rig.whitelist.find(key)


def change(rig: Rig, version: int, old: bytes, new: bytes) -> None:
    rig.delta(version, old, new, deltas.between(old, new))


def with_list(listed: bytes = OLD) -> Rig:
    rig = Rig()
    rig.full(1, listed)
    return rig


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


def spoil_base(rig: Rig, half: int, at: int) -> None:
    """One bit of a base turns."""
    data = rig.parts["lists"].data
    data[half * len(data) // 2 + at] ^= 1


def size_of(path: str) -> int:
    size: int = os.stat(path)[6]  # noqa: PTH116 - MicroPython has no pathlib
    return size


def spoil(path: str, at: int) -> None:
    """One byte of a file turns."""
    with open(path, "r+b") as file:  # noqa: PTH123 - MicroPython has no pathlib
        file.seek(at)
        byte = file.read(1)[0] ^ 1
        file.seek(at)
        file.write(bytes((byte,)))


def test_a_rotten_record_is_never_decided_by() -> None:
    for overlay in (False, True):
        rig = with_list(revoked(OLD, 10))
        if overlay:
            new = revoked(OLD, 10, 11)
            change(rig, 2, revoked(OLD, 10), new)
        spoil_base(rig, 0, 16 * 10 + 15)
        rig.reboot()
        assert not rig.has(OLD[160:176])
        assert rig.whitelist.manifest is None


def test_nothing_is_found_in_a_list_that_is_out_of_force() -> None:
    rig = with_list()
    change(rig, 2, OLD, revoked(OLD, 11))
    rig.whitelist.drop()
    for number in (11, 12):  # one of the overlay, one of the base
        try:
            rig.whitelist.find(OLD[16 * number : 16 * number + 8])
        except OSError:
            continue
        raise AssertionError("it was looked for")


def test_no_merge_begins_while_a_list_is_on_its_way() -> None:
    rig = with_list()
    new = merged_with(OLD, records(200, 7000))
    change(rig, 2, OLD, new)
    envelope, payload = signed(3, OLD)
    assert run(rig.intake.begin(envelope)) == 0
    for at in range(0, len(payload), 2048):
        rig.intake.chunk(at, payload[at : at + 2048])
        for _ in range(3):
            rig.intake.step()
    run(rig.intake.commit(rig.scratch))
    holds(rig, OLD)


def test_a_rotten_record_that_nobody_asks_for_is_found_too() -> None:
    rig = with_list()
    spoil_base(rig, 0, 16 * 300 + 9)
    rig.reboot()
    assert rig.has(OLD[:16])
    rig.work()
    assert rig.whitelist.manifest is None
    rig.full(2, OLD)
    holds(rig, OLD)


def test_damaged_tables_and_trailers_are_made_anew() -> None:
    new = revoked(OLD, 1, 2)
    for where, at in (("table", 8192 + 3), ("table", 100), ("active", -3), ("active", -12)):
        rig = with_list()
        change(rig, 2, OLD, new)
        if where == "table":
            spoil_base(rig, 0, rig.whitelist.bases.table_at + at)
        else:
            spoil(ACTIVE_PATH, size_of(ACTIVE_PATH) + at)
        rig.reboot()
        holds(rig, new)
        rig.work()
        holds(rig, new)
        newer = revoked(new, 3)
        if (where, at) != ("table", 100):  # that one is for a full list to mend
            change(rig, 3, new, newer)
            holds(rig, newer)


def test_a_damaged_manifest_or_overlay_takes_the_list_out_of_force() -> None:
    new = revoked(OLD, 1, 2)
    for at in (30, 200, -30):
        rig = with_list()
        change(rig, 2, OLD, new)
        size = size_of(ACTIVE_PATH)
        spoil(ACTIVE_PATH, at % size)
        rig.reboot()
        rig.has(new[16:32])
        assert rig.whitelist.manifest is None, at
        rig.full(3, new)
        holds(rig, new)


def test_an_unspoilt_list_is_taken_so_the_damage_is_what_was_found() -> None:
    rig = with_list()
    change(rig, 2, OLD, revoked(OLD, 1, 2))
    rig.reboot()
    holds(rig, revoked(OLD, 1, 2))


def test_a_list_of_an_older_epoch_stays_until_one_of_the_new_comes() -> None:
    rig = with_list()
    rig.config.epoch = 2
    rig.reboot()
    holds(rig, OLD)
    assert rig.journal.version_floor == 0
    new = records(5, 900)
    refused(ERR_EPOCH, change, rig, 2, OLD, OLD)
    m = draft(1, new, new, epoch=2)
    rig.push(sign(m), new)
    holds(rig, new)
    assert rig.journal.version_floor == 1
    refused(ERR_EPOCH, rig.full, 9, OLD)
    holds(rig, new)


def test_a_delta_before_all_is_proven_leaves_the_rest_to_be_proven() -> None:
    rig = with_list(revoked(OLD, 10))
    spoil_base(rig, 0, 16 * 10 + 15)  # a collected card's flag rots away
    rig.reboot()
    change(rig, 2, revoked(OLD, 10), revoked(OLD, 10, 500))
    assert not rig.has(OLD[160:176])
    assert rig.whitelist.manifest is None


def test_a_delta_that_finds_no_room_at_its_very_end_leaves_the_rest_to_be_proven_too() -> None:
    rig = with_list(revoked(OLD, 10))
    spoil_base(rig, 0, 16 * 10 + 15)
    rig.reboot()

    def no_room(*_: object, **__: object) -> None:
        raise MemoryError

    rig.journal.record = no_room  # what follows the rename
    try:
        change(rig, 2, revoked(OLD, 10), revoked(OLD, 10, 500))
    except MemoryError:
        assert rig.whitelist.version == 2
    else:
        raise AssertionError("there was room")
    rig.journal.record = lambda *_, **__: None
    assert not rig.has(OLD[160:176])
    assert rig.whitelist.manifest is None


def test_a_list_that_rot_takes_out_of_force_is_not_brought_back_by_a_delta() -> None:
    held, new = revoked(OLD, 10), revoked(OLD, 10, 500)
    changes = deltas.between(held, new)
    rig = with_list(held)
    spoil_base(rig, 0, 16 * 10 + 15)
    rig.reboot()
    envelope = signed_delta(2, 1, held, new, changes)
    run(rig.intake.begin(envelope))
    rig.intake.chunk(0, changes)

    def swipe() -> None:  # while the change is being proven
        assert not rig.has(OLD[160:176])

    at_yield.append(swipe)
    try:
        refused(ERR_BASE, run, rig.intake.commit(rig.scratch))
    finally:
        at_yield.remove(swipe)
    assert rig.whitelist.manifest is None


def test_the_first_list_of_a_new_epoch_takes_back_the_time_floor() -> None:
    rig = with_list()
    m = draft(2, OLD, OLD)
    m.issued_at_s, m.refresh_by_s = 10 * m.issued_at_s // 3, TIME_END_S
    rig.push(sign(m), OLD)  # nobody has told the clock that this is years ahead
    refused(ERR_TIME_REACH, rig.clock.set_signed, ISSUED_S + DAY_S)
    rig.config.epoch = 2
    rig.numbers["new_epoch"] = 1  # firmware/trust_change.py
    image = rig.image()
    rig.reboot()
    m = draft(1, b"", b"", epoch=2)
    rig.cut(0)
    rig.push(sign(m), b"")
    for point in range(1, rig.chip.operations + 1):
        rig.reboot(image)
        rig.cut(point)
        try:
            rig.push(sign(m), b"")
        except PowerCut:
            rig.reboot()
        if rig.whitelist.manifest.epoch == 2:
            assert rig.clock.floor_s == m.issued_at_s, point
            rig.clock.set_unsigned(ISSUED_S + DAY_S)
    later = draft(2, b"", b"", epoch=2)
    later.issued_at_s -= 2
    rig.push(sign(later), b"")
    assert rig.clock.floor_s == m.issued_at_s
