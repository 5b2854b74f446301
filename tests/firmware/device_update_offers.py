"""Which firmware is taken, piece by piece, and what is refused (MicroPython)."""

import hashlib

from firmware import update
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
    EVENT_FIRMWARE_REFUSED,
    KEY_FIRMWARE,
    KEY_ROOT,
    OP_FIRMWARE_BEGIN,
    OP_FIRMWARE_CHUNK,
)
from protocol.constants import AAD_FIRMWARE_ROOT, PACK_MAX_BYTES
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
    manifest,
    pack,
    packfs,
    running,
    seal,
)


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
