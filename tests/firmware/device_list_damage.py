"""Lists that rot, and lists that are not proven yet: what is found, and kept (MicroPython)."""

import os

from firmware.whitelist import ACTIVE_PATH
from protocol import deltas
from protocol.codes import (
    ERR_BASE,
    ERR_EPOCH,
    ERR_TIME_REACH,
)
from protocol.constants import TIME_END_S
from tests.both.support import refused
from tests.firmware.flash import PowerCut
from tests.firmware.list_rig import (
    DAY_S,
    ISSUED_S,
    at_yield,
    draft,
    records,
    run,
    sign,
    signed,
    signed_delta,
)
from tests.firmware.list_scenes import (
    OLD,
    change,
    holds,
    merged_with,
    revoked,
    spoil_base,
    with_list,
)


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
