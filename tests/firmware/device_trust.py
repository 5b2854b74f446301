"""Trust objects that change in a controller: what is taken, what never falls (MicroPython)."""

from firmware import signed
from firmware.intake import NEW_EPOCH
from firmware.trust_change import NEW_PATH
from protocol import cose, trust
from protocol.codes import (
    ERR_KEY_UNKNOWN,
    ERR_LENGTH,
    ERR_MALFORMED,
    ERR_SIGNATURE,
    ERR_STATE,
    ERR_VERSION_LOW,
    EVENT_TRUST_CHANGED,
    EVENT_TRUST_REFUSED,
    KEY_WHITELIST,
)
from protocol.constants import AAD_MANIFEST
from protocol.messages import Refused
from tests.firmware.flash import PowerCut
from tests.firmware.trust_board import (
    CHAIN,
    PEER,
    Board,
    Controller,
    in_force,
    is_left_over,
    lay,
)

OLD_KID, NEW_KID = CHAIN["old_kid"], CHAIN["new_kid"]


def code_of_list(c: Controller, kid: bytes) -> int:
    """What a list signed by that key meets first: its key is unknown, or its signature wrong."""
    envelope = cose.build(kid, b"a manifest", AAD_MANIFEST, lambda _: b"\x01" * 384)
    try:
        signed.opened(c.keys, KEY_WHITELIST, envelope, AAD_MANIFEST)
    except Refused as error:
        return error.code
    return ERR_SIGNATURE  # that is what its verification would come to


def test_a_first_start_writes_down_what_it_trusts() -> None:
    board = Board()
    c = board.start()
    assert c.trust_floor == 1
    assert c.events() == [(EVENT_TRUST_CHANGED, 0, 1)]
    assert board.start().events() == [(EVENT_TRUST_CHANGED, 0, 1)], "once is enough"


def test_a_successor_is_in_force_at_once_and_after_a_start() -> None:
    board = Board()
    c = board.start()
    assert code_of_list(c, NEW_KID) == ERR_KEY_UNKNOWN
    assert c.put(CHAIN["both"]) == 0
    for running in (c, board.start()):
        assert running.keys.version == running.trust_floor == 2
        assert code_of_list(running, OLD_KID) == code_of_list(running, NEW_KID) == ERR_SIGNATURE
        assert running.events()[-1] == (EVENT_TRUST_CHANGED, 0, 2)
    assert c.intake.keys is c.keys
    assert in_force() == CHAIN["both"]
    assert not is_left_over()


def test_a_key_whose_place_in_the_file_holds_another_one_is_unknown() -> None:
    """Keys stay in the file: what is read there is the one that was asked for, or none."""
    board = Board()
    c = board.start()
    ((_, kid, at),) = [place for place in c.keys.places if place[0] == KEY_WHITELIST]
    whole = in_force()
    assert c.keys.find(KEY_WHITELIST, kid) == whole[at : at + 384]
    for bit in (0, 3071):
        turned = bytearray(whole)
        turned[at + (bit >> 3)] ^= 1 << (bit & 7)
        lay(bytes(turned))
        assert c.keys.find(KEY_WHITELIST, kid) is None, bit
        assert code_of_list(c, kid) == ERR_KEY_UNKNOWN
    lay(whole[: at + 100])
    assert c.keys.find(KEY_WHITELIST, kid) is None, "cut off"
    lay(whole)
    assert code_of_list(c, kid) == ERR_SIGNATURE


def test_a_list_on_its_way_begins_anew_under_the_new_object() -> None:
    c = Board().start()
    assert c.put(CHAIN["both"]) == 0
    assert c.intake.pauses == 1


def test_pieces_come_in_order_and_may_begin_anew() -> None:
    c = Board().start()
    data = CHAIN["both"]
    size = len(data)
    assert c.ask(0, size, data[:100]) == 0
    for offset in (99, 101, 200):
        assert c.ask(offset, size, data[100:200]) == ERR_STATE
    assert c.ask(100, size, data[100:] + b"!") == ERR_LENGTH
    assert c.put(data, 700) == 0
    assert c.keys.version == 2


def refused_and_on_record(c: Controller, data: bytes, code: int) -> None:
    """The object is refused with this code, and nothing but the journal tells of it."""
    before = in_force(), c.trust_floor, c.keys.version, c.config.epoch
    assert c.put(data) == code
    assert (in_force(), c.trust_floor, c.keys.version, c.config.epoch) == before
    assert c.events()[-1] == (EVENT_TRUST_REFUSED, code, 0)
    assert not is_left_over()


def test_what_does_not_follow_is_refused() -> None:
    board = Board(CHAIN["epoch"])
    c = board.start()
    changed = bytearray(CHAIN["roots"])
    changed[40] ^= 1
    refused_and_on_record(c, CHAIN["unsigned_by_old"], ERR_SIGNATURE)
    refused_and_on_record(c, CHAIN["one_root_short"], ERR_SIGNATURE)
    refused_and_on_record(c, bytes(changed), ERR_SIGNATURE)
    refused_and_on_record(c, CHAIN["roots"][:-1], ERR_MALFORMED)
    refused_and_on_record(c, CHAIN["epoch"], ERR_VERSION_LOW)
    assert c.put(CHAIN["roots"]) == 0, "the true one is taken after all that"
    refused_and_on_record(c, CHAIN["epoch"], ERR_SIGNATURE)


def test_the_key_of_the_list_in_force_is_not_forgotten() -> None:
    board = Board(CHAIN["both"])
    c = board.start(OLD_KID)
    refused_and_on_record(c, CHAIN["retired"], ERR_STATE)
    c = board.start(NEW_KID)
    assert c.put(CHAIN["retired"]) == 0
    assert code_of_list(c, OLD_KID) == ERR_KEY_UNKNOWN


def test_without_a_list_any_key_may_go() -> None:
    c = Board(CHAIN["both"]).start()
    assert c.put(CHAIN["retired"]) == 0


def test_a_guest_who_is_revoked_leaves_and_others_stay() -> None:
    board = Board(CHAIN["retired"])
    image = board.image()
    for peer, leaves in ((PEER, True), (b"somebody", False)):
        board.restore(image)
        c = board.start()
        c.admission.guest.peer_id = peer
        assert c.put(CHAIN["revoked"]) == 0
        assert c.admission.guest.displaced == leaves
        assert (peer in board.start().keys.revoked_peers) == leaves


def test_an_older_object_speaks_for_nothing_new_until_a_newer_one_comes() -> None:
    board = Board()
    before, _ = board.image()
    assert board.start().put(CHAIN["both"]) == 0
    after, numbers = board.image()
    for source in ("cells", "NVS"):  # each alone remembers how far it was
        board.restore((before, numbers) if source == "NVS" else (after, {}))
        board.mount()
        lay(CHAIN["first"])
        c = board.start()
        assert c.events()[-1] == (EVENT_TRUST_REFUSED, ERR_VERSION_LOW, 1), source
        assert code_of_list(c, OLD_KID) == ERR_KEY_UNKNOWN
        assert c.trust_floor == 2
        assert c.put(CHAIN["both"]) == 0
        assert code_of_list(c, OLD_KID) == ERR_SIGNATURE


def test_a_firmware_on_its_way_is_judged_anew_by_the_keys_that_speak_now() -> None:
    c = Board().start()
    c.update, c.endorsed = (b"", 0, 0, b""), (b"", 0, [])
    assert c.put(CHAIN["both"][:-1] + b"?") != 0
    assert c.update is not None, "refused: nothing has changed"
    assert c.put(CHAIN["both"]) == 0
    assert c.update is None
    assert c.endorsed is None


def test_steps_below_the_floor_may_be_taken_but_speak_for_nothing() -> None:
    board = Board(CHAIN["revoked"])
    board.start()
    lay(CHAIN["both"])
    c = board.start()
    assert c.put(CHAIN["retired"]) == 0
    assert (c.keys.version, c.trust_floor) == (3, 4)
    assert code_of_list(c, NEW_KID) == ERR_KEY_UNKNOWN
    assert c.put(CHAIN["revoked"]) == 0
    assert code_of_list(c, NEW_KID) == ERR_SIGNATURE


def test_a_new_epoch_begins_the_numbers_of_lists_anew() -> None:
    board = Board(CHAIN["revoked"])
    c = board.start()
    c.journal.raise_version_floor(500)
    assert c.put(CHAIN["epoch"]) == 0
    for running in (c, board.start()):
        assert running.config.epoch == 2
        assert running.journal.version_floor == 0
        assert running.trust_floor == 5
    c = board.start()
    c.journal.raise_version_floor(3)
    c.journal.record(64)
    assert board.start().journal.version_floor == 3


def test_a_number_of_the_old_epoch_counts_in_no_cut_of_the_first_of_the_new() -> None:
    board = Board(CHAIN["epoch"])
    board.start()
    board.numbers.data["floor_version"], board.numbers.data["floor_epoch"] = 900, 1
    image = board.image()
    for point in (1, 2, 3):
        board.restore(image)
        c = board.start()
        board.chip.operations, board.chip.cut_at = 0, point
        try:
            c.journal.raise_version_floor(3)
        except PowerCut:
            board.chip.cut_at = 0
        assert board.start().journal.version_floor in (0, 3), point


def test_an_object_of_an_older_epoch_brings_no_floor_down() -> None:
    board = Board(CHAIN["epoch"])
    c = board.start()
    c.journal.raise_version_floor(7)
    lay(CHAIN["revoked"])
    c = board.start()
    assert (c.config.epoch, c.journal.version_floor, c.trust_floor) == (2, 7, 5)


# --- power ----------------------------------------------------------------------------------


def cut_everywhere(steps: "list[str]", floor: int = 0) -> int:
    """Cut power at every operation of an update; returns how many there were."""
    board = Board(CHAIN[steps[0]])
    c = board.start()
    if floor:
        c.journal.raise_version_floor(floor)
    image = board.image()
    new = [CHAIN[step] for step in steps[1:]]
    allowed = [CHAIN[step] for step in steps]
    for data in new:
        assert c.put(data) == 0
    operations = board.chip.operations
    outcomes = set()
    point = 0
    while True:
        point += 1
        board.restore(image)
        c = board.start()
        board.chip.operations = 0
        board.chip.cut_at = point
        answered = 0
        try:
            for data in new:
                assert c.put(data) == 0
                answered += 1
            break
        except PowerCut:
            board.chip.cut_at = 0
        floors = check_after_cut(board, allowed, answered, floor)
        outcomes.add(floors)
        c = board.start()  # and what a start writes may be cut as well: nothing falls
        assert c.trust_floor >= floors, point
        for data in new[allowed.index(in_force()) :]:
            assert c.put(data) == 0, point
        assert in_force() == new[-1]
    assert operations > point // 2 > 3
    assert len(outcomes) == len(steps), "the cuts should hit both sides of each rename"
    return point


def check_after_cut(board: Board, allowed: "list[bytes]", answered: int, floor: int) -> int:
    """One of the objects is in force, and the floors are its own; the trust floor."""
    c = board.start()
    held = in_force()
    assert held in allowed[answered:]
    object_ = trust.parse(held)
    assert c.trust_floor == c.keys.version == object_.version
    assert c.config.epoch == object_.epoch
    assert c.journal.version_floor == (floor if object_.epoch == 1 else 0)
    if floor:  # it had an epoch before
        assert c.nvs.get(NEW_EPOCH) == object_.epoch - 1
        assert c.nvs.get("floor_epoch") == object_.epoch
    assert c.events()[-1] == (EVENT_TRUST_CHANGED, 0, object_.version)
    assert code_of_list(c, NEW_KID) in (ERR_SIGNATURE, ERR_KEY_UNKNOWN)
    return c.trust_floor


def test_a_cut_anywhere_in_an_update_leaves_the_old_or_the_new_object() -> None:
    assert cut_everywhere(["first", "both"]) > 8


def test_a_cut_anywhere_in_a_rotation_leaves_one_of_its_objects() -> None:
    assert cut_everywhere(["first", "both", "retired"]) > 16


def test_a_cut_anywhere_in_a_new_epoch_lets_no_number_of_the_old_one_count() -> None:
    cut_everywhere(["revoked", "epoch"], floor=500)


def test_a_cut_anywhere_in_a_change_of_roots_leaves_the_old_or_the_new_ones() -> None:
    cut_everywhere(["epoch", "roots"])


def test_the_check_would_see_an_object_without_its_floor() -> None:
    """Negative control: a start that does not settle is told from one that does."""
    board = Board()
    board.start()
    lay(CHAIN["both"], NEW_PATH)
    lay(CHAIN["both"])
    assert Controller.settles
    Controller.settles = False
    try:
        check_after_cut(board, [CHAIN["first"], CHAIN["both"]], 0, 0)
        raise RuntimeError("saw nothing")
    except AssertionError:
        Controller.settles = True
    check_after_cut(board, [CHAIN["first"], CHAIN["both"]], 0, 0)
