"""Firmware through the channel: what is taken, proven and refused, what goes back (MicroPython)."""

import sys

from firmware import judging, trial
from firmware.chores import Chores
from protocol.codes import (
    ERR_STATE,
    EVENT_FIRMWARE_CONFIRMED,
    EVENT_FIRMWARE_ROLLED_BACK,
    EVENT_FIRMWARE_TAKEN,
    REASON_CARD,
    REASON_NO_LIST,
    REASON_UNKNOWN_CARD,
    ROLLBACK_BOOTS,
    ROLLBACK_PACK,
    ROLLBACK_TEST,
    ROLLBACK_TIME,
)
from protocol.constants import FIRMWARE_TRIAL_S
from protocol.version import VERSION
from tests.firmware.update_rig import (
    NEW,
    NEWER,
    OLD,
    Board,
    files,
    lay,
    packfs,
    running,
    slots,
)

HIGHER = VERSION + 1
JUDGE = judging.judge


def test_what_is_taken_runs_on_trial_and_stays_once_it_is_proven() -> None:
    board = Board()
    c = board.start()
    assert running() == OLD
    c.take(NEW)
    assert c.events()[-1] == (EVENT_FIRMWARE_TAKEN, 0, HIGHER)
    c = board.start()
    assert running() == NEW
    assert packfs.state == "t"
    assert all(c.prove().values())
    assert c.events()[-1] == (EVENT_FIRMWARE_CONFIRMED, 0, VERSION)
    for _ in range(5):
        c = board.start()
        assert running() == NEW
        assert packfs.state == ""
    assert c.prove() == -ERR_STATE
    assert files() == ["fw.sel", "fw0.pack", "fw1.pack"]


def test_three_starts_without_a_proof_go_back_and_it_is_told_once() -> None:
    board = Board()
    board.start().take(NEW)
    for _ in range(3):
        board.start()
        assert running() == NEW
    c = board.start()
    assert running() == OLD
    assert c.events()[-1] == (EVENT_FIRMWARE_ROLLED_BACK, ROLLBACK_BOOTS, HIGHER)
    told = c.events()
    assert board.start().events() == told
    c.take(NEWER, VERSION + 2)
    board.start().prove()
    board.start()
    assert running() == NEWER


def test_a_firmware_that_ends_before_it_can_say_anything_has_been_counted() -> None:
    board = Board()
    board.start().take(NEW)
    for _ in range(3):
        board.boot()  # and it dies while it is imported
    board.boot()
    assert running() == OLD


def test_who_is_not_called_on_goes_back() -> None:
    board = Board()
    board.start().take(NEW)
    c = board.start()
    trial.give_up(c)
    assert c.restart_wanted
    c = board.start()
    assert running() == OLD
    # the version is that of the code under test, whatever its manifest said
    assert c.events()[-1] == (EVENT_FIRMWARE_ROLLED_BACK, ROLLBACK_TIME, VERSION)


def test_nobody_called_for_ten_minutes_ends_a_trial_when_nobody_is_at_the_door() -> None:
    board = Board()
    board.start().take(NEW)
    c = board.start()
    chores = Chores(c)
    c.clock.uptime_s, c.kind.rests = FIRMWARE_TRIAL_S, True
    chores._end_trial()
    assert not c.restart_wanted
    c.clock.uptime_s, c.kind.rests = FIRMWARE_TRIAL_S + 1, False
    chores._end_trial()
    assert not c.restart_wanted, "somebody is there"
    c.kind.rests = True
    chores._end_trial()
    assert c.restart_wanted
    board.start()
    assert running() == OLD


def test_a_decision_that_is_another_fails_the_proof() -> None:
    for answer in ((True, REASON_UNKNOWN_CARD), (True, REASON_NO_LIST), (False, REASON_CARD)):
        board = Board()
        board.start().take(NEW)
        c = board.start()
        sys.modules["firmware.judging"].judge = lambda *_: answer  # noqa: B023 - used at once
        try:
            checks = c.prove()
        finally:
            sys.modules["firmware.judging"].judge = JUDGE
        assert not checks["decision"], answer


def another(_seq: int, out: memoryview) -> int:
    out[:4] = b"\x00\x00\x00\x00"
    return len(out)


def unreadable(_seq: int, _out: memoryview) -> int:
    raise OSError(5)


def test_what_fails_its_own_test_goes_back_at_once() -> None:
    for spoil, failed in (
        (lambda c: setattr(c.kind, "obeys", False), "decision"),
        (lambda c: setattr(c.journal, "lost", 1), "journal"),
        (lambda c: setattr(c.journal.rings[1], "read", unreadable), "journal"),
        (lambda c: setattr(c.journal.rings[1], "read", another), "journal"),
        (lambda c: setattr(c.admission, "guest", None), "link"),
    ):
        board = Board()
        board.start().take(NEW)
        c = board.start()
        spoil(c)
        checks = c.prove()
        assert [name for name, passed in checks.items() if not passed] == [failed]
        assert c.restart_wanted
        c = board.start()
        assert running() == OLD, failed
        assert c.events()[-1] == (EVENT_FIRMWARE_ROLLED_BACK, ROLLBACK_TEST, VERSION)


def test_a_list_that_rotted_fails_the_proof() -> None:
    board = Board()
    board.start().take(NEW)
    c = board.start()
    c.whitelist.manifest = c  # one is in force, and there is nothing of it
    c.refresh_by_s, c.policy = 0, (0, 0)
    assert c.prove()["list"] is False
    board.start()
    assert running() == OLD


def test_nothing_goes_back_to_a_slot_that_is_not_whole() -> None:
    board = Board()
    board.start().take(NEW)
    c = board.start()
    lay("/fw0.pack", OLD[:-1] + b"?")
    trial.give_up(c)
    assert not c.restart_wanted
    for _ in range(5):
        c = board.start()
        assert running() == NEW
    assert all(c.prove().values())
    board.start()
    assert packfs.state == ""


def test_a_pack_that_rots_on_trial_is_left_at_once() -> None:
    board = Board()
    board.start().take(NEW)
    lay("/fw1.pack", NEW[:-1] + b"?")
    c = board.start()
    assert running() == OLD
    assert c.events()[-1] == (EVENT_FIRMWARE_ROLLED_BACK, ROLLBACK_PACK, HIGHER)


def test_a_pack_that_rots_later_is_told_at_each_start() -> None:
    board = Board()
    board.start().take(NEW)
    board.start().prove()
    lay("/fw1.pack", NEW[:-1] + b"?")
    for times in (1, 2):
        c = board.start()
        assert running() == OLD
        told = [event for event in c.events() if event[0] == EVENT_FIRMWARE_ROLLED_BACK]
        assert told == [(EVENT_FIRMWARE_ROLLED_BACK, ROLLBACK_PACK, VERSION)] * times


def test_without_any_whole_pack_nothing_runs() -> None:
    board = Board()
    lay("/fw0.pack", OLD[:-1])
    try:
        board.boot()
    except OSError:
        return
    raise AssertionError(running())


def test_a_flash_that_takes_no_count_runs_the_other_slot() -> None:
    board = Board()
    board.start().take(NEW)
    write = slots.select

    def refuse(*_fields: object) -> None:
        raise OSError(5)

    slots.select = refuse
    try:
        for _ in range(5):
            board.boot()
            assert running() == OLD
    finally:
        slots.select = write
    board.boot()
    assert running() == NEW


def test_a_flash_that_refuses_to_be_told_of_a_way_back_keeps_no_door_shut() -> None:
    board = Board()
    board.start().take(NEW)
    for _ in range(3):
        board.boot()
    write = slots.select
    board.boot()
    assert running() == OLD

    def refuse(*_fields: object) -> None:
        raise OSError(5)

    slots.select = refuse
    try:
        c = board.start()
    finally:
        slots.select = write
    assert running() == OLD
    assert c.journal.lost == 1
    board.start()
    assert packfs.state == "", "told now"


def test_a_selection_that_says_nothing_is_slot_0() -> None:
    board = Board()
    lay("/fw1.pack", NEW)
    for text in (
        b"",
        b"?",
        b"0",
        b"0 t",
        b"2 t 0 1",
        b"0 q 1 2",
        b"0 t x 1",
        b"\xff\xfe",
        b"1 t 9",
        b"-1",
    ):
        lay("/fw.sel", text)
        board.boot()
        assert running() == (NEW if text[:1] == b"1" else OLD), text
        assert packfs.state == "", text
