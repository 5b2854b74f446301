"""Firmware through the channel: what is taken, proven and refused, what goes back (MicroPython)."""

import hashlib
import sys

from firmware import judging, trial, update
from firmware.chores import Chores
from protocol import cbor
from protocol.codes import (
    ERR_ARGUMENT,
    ERR_BASE,
    ERR_BUSY,
    ERR_DIGEST,
    ERR_KEY_UNKNOWN,
    ERR_LENGTH,
    ERR_MALFORMED,
    ERR_OTHER_SITE,
    ERR_SIGNATURE,
    ERR_STATE,
    ERR_VERSION_LOW,
    EVENT_FIRMWARE_CONFIRMED,
    EVENT_FIRMWARE_REFUSED,
    EVENT_FIRMWARE_ROLLED_BACK,
    EVENT_FIRMWARE_TAKEN,
    KEY_FIRMWARE,
    KEY_ROOT,
    OP_FIRMWARE_BEGIN,
    OP_FIRMWARE_CHUNK,
    REASON_CARD,
    REASON_NO_LIST,
    REASON_UNKNOWN_CARD,
    ROLLBACK_BOOTS,
    ROLLBACK_PACK,
    ROLLBACK_TEST,
    ROLLBACK_TIME,
)
from protocol.constants import AAD_FIRMWARE_ROOT, FIRMWARE_TRIAL_S, PACK_MAX_BYTES
from protocol.version import VERSION
from tests.firmware.update_rig import (
    FIRMWARE_KEY,
    NEW,
    NEWER,
    OLD,
    ROOTS,
    STRANGER_KEY,
    Board,
    files,
    held,
    lay,
    manifest,
    pack,
    packfs,
    running,
    seal,
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


def refused(c: object, code: int, answer: int) -> None:
    assert answer == -code, (answer, code)
    assert c.events()[-1][:2] == (EVENT_FIRMWARE_REFUSED, code)  # type: ignore[attr-defined]
    assert files() == ["fw0.pack"]


def test_what_is_not_for_this_controller_is_refused_before_anything_is_changed() -> None:
    board = Board()
    c = board.start()
    refused(c, ERR_KEY_UNKNOWN, c.begin(manifest(NEW), STRANGER_KEY))
    refused(c, ERR_KEY_UNKNOWN, c.begin(manifest(NEW), ROOTS[0]))
    refused(c, ERR_OTHER_SITE, c.begin(manifest(NEW, site=b"other---")))
    refused(c, ERR_ARGUMENT, c.begin(manifest(NEW, board="another")))
    refused(c, ERR_BASE, c.begin(manifest(NEW, api=packfs.API + 1)))
    refused(c, ERR_VERSION_LOW, c.begin(manifest(NEW, VERSION)))
    refused(c, ERR_VERSION_LOW, c.begin(manifest(NEW, 0)))
    for wrong in (
        {"version": -1}, {"version": 1 << 24}, {"version": True}, {"version": None},
        {"length": PACK_MAX_BYTES + 1}, {"length": -1}, {"length": b"5"},
        {"digest": b"short"}, {"digest": 5},
    ):  # fmt: skip
        refused(c, ERR_MALFORMED, c.begin(manifest(NEW, **wrong)))
    for payload in (b"", b"\x80", b"\xa0", b"\xf6", manifest(NEW)[:-1], manifest(NEW) + b"\0"):
        refused(c, ERR_MALFORMED, c.begin(payload))
    envelope = seal(manifest(NEW), AAD_FIRMWARE_ROOT, FIRMWARE_KEY)
    refused(c, ERR_SIGNATURE, c.ask(OP_FIRMWARE_BEGIN, KEY_FIRMWARE, envelope))
    refused(c, ERR_ARGUMENT, c.ask(OP_FIRMWARE_BEGIN, 1, envelope))
    c.keys.places = []
    refused(c, ERR_KEY_UNKNOWN, c.begin(manifest(NEW)))
    board.start()
    assert running() == OLD


def test_a_version_that_was_confirmed_once_is_a_floor() -> None:
    board = Board()
    c = board.start()
    board.numbers.data["floor_firmware"] = VERSION + 5
    assert c.begin(manifest(NEW, VERSION + 5)) == -ERR_VERSION_LOW
    assert c.begin(manifest(NEW, VERSION + 6)) == 0


def test_a_lower_version_wants_the_threshold_of_root_over_the_same_manifest() -> None:
    board = Board()
    c = board.start()
    low, other = manifest(NEW, VERSION - 1), manifest(NEWER, VERSION - 1)
    assert c.endorse(low, STRANGER_KEY) == -ERR_KEY_UNKNOWN
    assert c.endorse(low, FIRMWARE_KEY) == -ERR_KEY_UNKNOWN
    assert c.begin(low) == -ERR_VERSION_LOW
    for _ in range(2):
        assert c.endorse(low, ROOTS[0]) == 0
        assert c.begin(low) == -ERR_VERSION_LOW, "one key twice is one key"
    assert c.endorse(other, ROOTS[1]) == 0
    assert c.begin(low) == -ERR_VERSION_LOW
    assert c.begin(other) == -ERR_VERSION_LOW
    for root in ROOTS:
        assert c.endorse(low, root) == 0
    assert c.begin(other) == -ERR_VERSION_LOW
    assert c.begin(low) == 0
    assert c.put(NEW) == len(NEW)
    assert c.commit() is None
    board.start()
    assert running() == NEW


def test_an_endorsement_of_old_brings_nothing_back_over_what_came_later() -> None:
    board = Board()
    c = board.start()
    low = manifest(NEW, VERSION - 1)
    for root in ROOTS:
        assert c.endorse(low, root, VERSION - 1) == 0
    assert c.begin(low) == -ERR_VERSION_LOW, "it was made against an older version"
    for root in ROOTS:
        assert c.endorse(low, root, VERSION) == 0
    board.numbers.data["floor_firmware"] = VERSION + 1
    assert c.begin(low) == -ERR_VERSION_LOW, "a later one was confirmed"
    assert c.endorse(low, ROOTS[0], VERSION + 1) == 0
    assert c.begin(low) == -ERR_VERSION_LOW, "they must say the same"
    assert c.endorse(low, ROOTS[1], VERSION + 1) == 0
    assert c.begin(low) == 0


def test_what_root_took_away_does_not_come_again_by_its_old_signature() -> None:
    board = Board()
    board.numbers.data["floor_firmware"] = VERSION + 3
    c = board.start()
    low = manifest(NEW, VERSION + 1)
    for root in ROOTS:
        assert c.endorse(low, root, VERSION + 3) == 0
    c.take(NEW, VERSION + 1)
    assert all(board.start().prove().values())
    c = board.start()
    assert running() == NEW
    assert c.begin(manifest(NEWER, VERSION + 3)) == -ERR_VERSION_LOW
    assert c.begin(manifest(NEWER, VERSION + 4)) == 0


def test_an_endorsement_that_says_something_else_lifts_nothing() -> None:
    board = Board()
    c = board.start()
    low = manifest(NEW, VERSION - 1)
    name = hashlib.sha256(low).digest()
    for wrong in ([name], [name, VERSION, 0], [name, True], [name, 1 << 24], [b"", VERSION], 5):
        for root in ROOTS:
            envelope = seal(cbor.encode(wrong), AAD_FIRMWARE_ROOT, root)
            assert c.ask(OP_FIRMWARE_BEGIN, KEY_ROOT, envelope) == 0
        assert c.begin(low) == -ERR_VERSION_LOW, wrong


def test_an_endorsement_ends_with_a_start() -> None:
    board = Board()
    c = board.start()
    low = manifest(NEW, VERSION - 1)
    for root in ROOTS:
        assert c.endorse(low, root) == 0
    assert board.start().begin(low) == -ERR_VERSION_LOW


def test_pieces_come_in_order_and_no_more_than_were_announced() -> None:
    board = Board()
    c = board.start()
    piece = memoryview(NEW)[:2048]
    assert c.ask(OP_FIRMWARE_CHUNK, 0, piece) == -ERR_STATE
    assert c.commit() == -ERR_STATE
    assert c.begin(manifest(NEW)) == 0
    assert c.ask(OP_FIRMWARE_CHUNK, 2048, piece) == -ERR_STATE
    assert c.ask(OP_FIRMWARE_CHUNK, 0, piece) == 2048
    assert c.ask(OP_FIRMWARE_CHUNK, 0, piece) == -ERR_STATE
    assert c.commit() == -ERR_STATE
    assert c.put(NEW, 2048) == len(NEW)
    assert c.ask(OP_FIRMWARE_CHUNK, len(NEW), piece) == -ERR_LENGTH
    assert c.commit() is None


def test_what_has_come_goes_on_after_a_break_and_another_pack_begins_anew() -> None:
    board = Board()
    c = board.start()
    assert c.begin(manifest(NEW)) == 0
    assert c.ask(OP_FIRMWARE_CHUNK, 0, memoryview(NEW)[:2048]) == 2048
    c = board.start()
    assert running() == OLD
    assert c.begin(manifest(NEW)) == 2048
    assert c.put(NEW, 2048) == len(NEW)
    as_long = pack("alt")
    assert len(as_long) == len(NEW)
    assert c.begin(manifest(as_long)) == 0, "another one, however long"
    assert c.begin(manifest(NEWER, VERSION + 2)) == 0
    assert c.put(NEWER) == len(NEWER)
    assert c.commit() is None
    board.start()
    assert running() == NEWER


def test_a_pack_that_is_another_than_was_signed_gets_no_slot() -> None:
    board = Board()
    c = board.start()
    assert c.begin(manifest(NEW)) == 0
    evil = pack("bad")
    assert len(evil) == len(NEW)
    assert c.put(evil) == len(NEW)
    assert c.commit() == -ERR_DIGEST
    assert held("/fw1.pack") is None
    assert c.events()[-1] == (EVENT_FIRMWARE_REFUSED, ERR_DIGEST, 0)
    assert c.commit() == -ERR_STATE
    c = board.start()
    assert running() == OLD
    assert c.begin(manifest(NEW)) == 0, "and it begins anew"


def test_a_door_in_use_does_not_restart_for_it() -> None:
    board = Board()
    c = board.start()
    assert c.begin(manifest(NEW)) == 0
    assert c.put(NEW) == len(NEW)
    c.kind.rests = False
    assert c.commit() == -ERR_BUSY
    c.kind.rests = True
    assert c.begin(manifest(NEW)) == len(NEW), "nothing is sent twice"

    async def step_in(_ms: int) -> None:  # somebody comes while it is proven
        c.kind.rests = False

    slept, update.asyncio.sleep_ms = update.asyncio.sleep_ms, step_in
    try:
        assert c.commit() == -ERR_BUSY
    finally:
        update.asyncio.sleep_ms = slept
    assert held("/fw1.pack") is None
    c.kind.rests = True
    assert c.commit() is None


def test_nothing_is_taken_while_another_one_is_on_trial() -> None:
    board = Board()
    board.start().take(NEW)
    c = board.start()
    assert c.begin(manifest(NEWER, VERSION + 2)) == -ERR_STATE
    assert held("/fw0.pack") == OLD


def test_a_supply_that_sags_keeps_the_flash_alone() -> None:
    board = Board()
    c = board.start()

    class Sagging:
        def sags(self) -> bool:
            return True

    c.supply = Sagging()
    assert c.begin(manifest(NEW)) == -ERR_BUSY
    assert files() == ["fw0.pack"]


def test_both_slots_take_turns() -> None:
    board = Board()
    for number, data in enumerate((NEW, NEWER, pack("third"), pack("fourth")), 1):
        board.start().take(data, VERSION + number)
        assert all(board.start().prove().values())
        board.start()
        assert running() == data
        assert packfs.mounted == number % 2
