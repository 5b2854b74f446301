"""Signed configuration: what is taken, what is refused by name, what a cut leaves (MicroPython)."""

from firmware.device_config import FLOOR, PATH, PATH_BEFORE, held
from firmware.journal import Journal
from protocol.codes import (
    ERR_BUSY,
    ERR_DIGEST,
    ERR_EPOCH,
    ERR_KEY_UNKNOWN,
    ERR_MALFORMED,
    ERR_NOT_ON_BOARD,
    ERR_OTHER_DEVICE,
    ERR_OTHER_SITE,
    ERR_SETTING,
    ERR_SIGNATURE,
    ERR_VERSION_LOW,
    EVENT_CONFIG_CHANGED,
    EVENT_CONFIG_REFUSED,
    EVENT_FORCED_OPEN,
)
from protocol.constants import AAD_TICKET
from tests.firmware.config_rig import Controller, Rig, seal, sign
from tests.firmware.flash import PowerCut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FIRST: "dict[int, Any]" = {2: 70, 3: 40}
SECOND: "dict[int, Any]" = {2: 90}


def configured(points: int = 1) -> "tuple[Rig, Controller]":
    """A controller that has taken its first configuration, and is started with it."""
    rig = Rig(points)
    assert rig.start().put(sign(1, FIRST)) == (0, 1)
    return rig, rig.start()


def test_without_one_everything_has_its_default() -> None:
    c = Rig().start()
    assert (c.config.unlock_ds, c.config.held_open_s, c.config.fail_safe) == (50, 30, False)
    assert c.get() == [0, 0, True, {}, []]
    assert c.events() == []
    assert c.clock_chip == "the chip's own"


def test_it_is_in_force_once_it_is_applied_and_after_a_start() -> None:
    rig = Rig()
    c = rig.start()
    assert c.put(sign(1, FIRST)) == (0, 1)
    assert c.get() == [1, 1, False, FIRST, []]
    assert c.config.unlock_ds == 50, "a door that is in use keeps its times"
    c.apply()
    for running in (c, rig.start()):
        assert (running.config.unlock_ds, running.config.held_open_s) == (70, 40)
        assert running.get() == [1, 1, True, FIRST, []]
        assert running.events()[-1] == (EVENT_CONFIG_CHANGED, 0, 1)
    assert len(rig.start().events()) == 1, "once is enough"


def test_what_it_does_not_name_goes_back_to_its_default() -> None:
    rig, c = configured()
    assert c.put(sign(2, SECOND)) == (0, 2)
    assert rig.start().config.held_open_s == 30


def refused_and_on_record(c: Controller, envelope: bytes, code: int, setting: int = 0) -> None:
    """Refused so, journalled so, and nothing has changed."""
    before = held(), c.nvs.get(FLOOR)
    assert c.put(envelope) == (code, setting)
    assert c.events()[-1] == (EVENT_CONFIG_REFUSED, code, setting)
    assert (held(), c.nvs.get(FLOOR)) == before
    assert not c.config_waits


def test_what_is_not_signed_for_this_controller_is_refused() -> None:
    _, c = configured()
    spoilt = bytearray(sign(2, SECOND))
    spoilt[-1] ^= 1
    refused_and_on_record(c, bytes(spoilt), ERR_SIGNATURE)
    refused_and_on_record(c, sign(2, SECOND, kid=b"stranger"), ERR_KEY_UNKNOWN)
    refused_and_on_record(c, sign(2, SECOND, aad=AAD_TICKET), ERR_SIGNATURE)
    refused_and_on_record(c, sign(2, SECOND, site=b"another-"), ERR_OTHER_SITE)
    refused_and_on_record(c, sign(2, SECOND, device=b"another-"), ERR_OTHER_DEVICE)
    assert c.put(sign(2, SECOND)) == (0, 2), "the true one is taken after all that"


def test_a_stranger_s_object_names_no_setting() -> None:
    """Its numbers are judged behind its signature alone."""
    _, c = configured()
    assert c.put(sign(2, {99: 1}, kid=b"stranger")) == (ERR_KEY_UNKNOWN, 0)
    assert c.put(sign(2, {99: 1})) == (ERR_SETTING, 99)


def test_versions_only_rise() -> None:
    _, c = configured()
    refused_and_on_record(c, sign(1, SECOND), ERR_VERSION_LOW)
    assert c.put(sign(9, SECOND)) == (0, 9)
    refused = c.put(sign(8, FIRST))
    assert refused == (ERR_VERSION_LOW, 0)
    assert c.put(sign(10, FIRST)) == (0, 10)


def test_the_epoch_is_the_one_in_force_and_a_new_one_begins_the_numbers_anew() -> None:
    rig, c = configured()
    assert c.put(sign(100, FIRST)) == (0, 100)
    c = rig.start()
    refused_and_on_record(c, sign(101, SECOND, epoch=2), ERR_EPOCH)
    c.config.epoch = 2
    refused_and_on_record(c, sign(101, SECOND), ERR_EPOCH)
    assert c.put(sign(1, SECOND, epoch=2)) == (0, 1)


def test_the_floor_survives_the_loss_of_either_place_of_it() -> None:
    rig, c = configured()
    assert c.put(sign(5, SECOND)) == (0, 5)
    rig.flash.numbers.data.pop(FLOOR)
    c = rig.start()
    assert c.put(sign(4, FIRST)) == (ERR_VERSION_LOW, 0)
    assert c.nvs.get(FLOOR) & 0xFF == 5, "a start writes it anew"
    rig.remove(PATH)
    rig.remove(PATH_BEFORE)
    assert rig.start().put(sign(4, FIRST)) == (ERR_VERSION_LOW, 0)


def test_each_door_takes_its_own_value() -> None:
    _, c = configured(points=2)
    assert c.put(sign(2, {2: [50, 60], 6: [0, 20], 8: 1})) == (0, 2)
    c.apply()
    assert (c.config.unlock_ds, c.config.held_warning_s, c.config.interlock) == (
        [50, 60],
        [0, 20],
        1,
    )


def test_each_wrong_field_is_named() -> None:
    _, c = configured()
    for settings, code, number in (
        ({2: -1}, ERR_SETTING, 2),
        ({2: 36001}, ERR_SETTING, 2),
        ({2: "text"}, ERR_SETTING, 2),
        ({1: 1, 3: 65536}, ERR_SETTING, 3),
        ({31: 1}, ERR_SETTING, 31),
        ({5: 60}, ERR_NOT_ON_BOARD, 5),
        ({32: 1}, ERR_NOT_ON_BOARD, 32),
        ({2: [50, 60]}, ERR_NOT_ON_BOARD, 2),
        ({40: "network"}, ERR_SETTING, 41),
        ({40: "network", 41: "short"}, ERR_SETTING, 41),
    ):
        c.journal._asked.clear()
        refused_and_on_record(c, sign(2, settings), code, number)


class Measured:
    """A supply."""

    mv = 12000


def test_a_supply_that_would_sag_at_once_is_refused_by_name() -> None:
    _, c = configured()
    c.supply = Measured()
    for hold_mv in (60000, 12100, 11500):
        assert c.put(sign(2, {49: hold_mv})) == (ERR_SETTING, 49), hold_mv
    assert c.get()[1] == 1
    assert c.put(sign(2, {49: 11400})) == (0, 2)


def test_a_way_out_that_opens_for_no_time_is_refused_by_name() -> None:
    _, c = configured()
    for unlock_ds in (0, 9, [50, 0]):
        assert c.put(sign(2, {2: unlock_ds})) == (ERR_SETTING, 2)


def test_what_is_no_configuration_at_all_is_malformed() -> None:
    _, c = configured()
    for settings in ([], None, {"2": 50}, {-1: 5}, {300: 1}):
        c.journal._asked.clear()
        assert c.put(sign(2, settings)) == (ERR_MALFORMED, 0)
    for version in (0, 16384, -1, None, True):
        c.journal._asked.clear()
        assert c.put(sign(version, FIRST)) == (ERR_MALFORMED, 0), version  # type: ignore[arg-type]
    c.journal._asked.clear()
    assert c.put(seal(b"\x80")) == (ERR_MALFORMED, 0)
    assert c.put(b"\x84nothing") == (ERR_MALFORMED, 0)


def test_it_cannot_be_asked_for_so_often_that_it_empties_the_journal() -> None:
    _, c = configured()
    answers = [c.put(sign(1, FIRST))[0] for _ in range(12)]
    assert answers == [ERR_VERSION_LOW] * 10 + [ERR_BUSY] * 2


# --- secrets --------------------------------------------------------------------------------


def test_a_password_is_used_and_never_read_back() -> None:
    rig, c = configured()
    network = {40: "courtyard", 41: "a long password"}
    assert c.put(sign(2, network)) == (0, 2)
    assert c.get()[3:] == [{40: "courtyard"}, [41]]
    assert c.config.wifi == ["old", "network1"]
    c.apply()
    assert c.config.wifi == ["courtyard", "a long password"]
    assert c.station.left, "it joins the other network"
    c = rig.start()
    assert c.config.wifi == ["courtyard", "a long password"]
    assert c.put(sign(3, FIRST)) == (0, 3)
    assert rig.start().config.wifi == ["old", "network1"]


def test_another_setting_leaves_the_network_alone() -> None:
    _, c = configured()
    assert c.put(sign(2, SECOND)) == (0, 2)
    c.apply()
    assert not c.station.left


# --- the door -------------------------------------------------------------------------------


def test_no_relay_moves_when_it_comes_into_force() -> None:
    rig = Rig()
    assert rig.start().put(sign(1, {1: 1})) == (0, 1)
    c = rig.start()
    assert rig.board.lock.level == 1, "a fail-safe lock is powered while it is locked"
    moves: list[int] = []
    lock = rig.board.lock

    def value(level: "int | None" = None) -> int:
        if level is not None:
            moves.append(level)
        return lock.level

    lock.value = value  # type: ignore[method-assign]
    assert c.put(sign(2, {1: 1, 2: 80})) == (0, 2)
    c.apply()
    assert moves
    assert set(moves) == {1}
    assert not c.restart_wanted, "a restart would let go of it"


def test_the_new_times_are_those_of_the_door() -> None:
    _, c = configured()
    c.apply()
    c.turn(rex=1)
    c.turn(rex=0)
    c.kind.turn(6800)
    assert c.board.lock.level == 1
    c.kind.turn(200)
    assert c.board.lock.level == 0


def test_it_waits_while_somebody_goes_through_or_a_guest_is_there() -> None:
    _, c = configured()
    assert c.put(sign(2, SECOND)) == (0, 2)
    for wires in ({"rex": 1}, {"rex": 0}, {"door": 1}):
        c.turn(**wires)
        c.apply()
        assert c.config_waits
    c.turn(door=0)
    c.kind.turn(7000)
    c.admission.guest = c
    c.apply()
    assert c.config_waits
    c.admission.guest = None
    c.apply()
    assert not c.config_waits
    assert c.config.unlock_ds == 90


def test_an_open_leaf_is_seen_before_the_door_is_built_anew() -> None:
    _, c = configured()
    c.turn(rex=1)
    c.turn(door=1, rex=0)
    assert not c.kind.is_shut()
    c.turn(door=0)
    assert not c.kind.is_shut(), "closed, and not yet locked"
    c.kind.turn(7000)
    assert c.kind.is_shut()
    assert EVENT_FORCED_OPEN not in [event for event, _, _ in c.events()]


def test_doors_that_could_not_be_built_anew_are_built_by_a_restart() -> None:
    for error in (MemoryError(), OSError(5)):
        _, c = configured()
        assert c.put(sign(2, SECOND)) == (0, 2)

        def fails(why: Exception = error) -> "list[object]":
            raise why

        c.board.readers = fails
        c.apply()
        assert c.restart_wanted, "half of the new doors and half of the old ones are no doors"


def refuses(*_: "Any", **__: "Any") -> int:
    raise OSError(5)


def test_what_the_journal_did_not_take_is_not_in_force() -> None:
    rig, c = configured()
    written = c.journal.record
    c.journal.record = refuses
    try:
        c.put(sign(2, SECOND))
    except OSError:
        c.apply()
    assert c.config.unlock_ds == 70
    assert not c.restart_wanted
    c.journal.record = written
    c.apply()
    assert c.config.unlock_ds == 90
    assert c.events()[-1] == (EVENT_CONFIG_CHANGED, 0, 2)
    assert len(rig.start().events()) == 2, "once is enough"


def test_a_journal_that_refuses_keeps_no_door_from_starting() -> None:
    rig, c = configured()
    assert c.put(sign(2, SECOND)) == (0, 2)
    rig.flash.numbers.data[FLOOR] -= 1
    record = Journal.record
    Journal.record = refuses  # type: ignore[method-assign,assignment]
    try:
        c = rig.start()
    finally:
        Journal.record = record  # type: ignore[method-assign]
    c.turn(rex=1)
    assert c.board.lock.level == 1
    c.turn(rex=0)
    c.kind.turn(9000)
    c.apply()
    assert c.events()[-1] == (EVENT_CONFIG_CHANGED, 0, 2)


# --- damage ---------------------------------------------------------------------------------


def twice_configured() -> Rig:
    rig, c = configured()
    assert c.put(sign(2, SECOND)) == (0, 2)
    return rig


def test_a_damaged_file_stands_back_for_the_one_before() -> None:
    rig = twice_configured()
    rig.spoil(PATH)
    c = rig.start()
    assert c.config.unlock_ds == 70
    assert c.get()[:3] == [1, 1, True]
    assert c.events()[-1] == (EVENT_CONFIG_REFUSED, ERR_DIGEST, 1)
    assert c.put(sign(1, FIRST)) == (ERR_VERSION_LOW, 0)
    assert c.put(sign(2, SECOND)) == (0, 2), "what rotted can be sent again"
    assert rig.start().config.unlock_ds == 90


def lost(fail_safe: bool) -> "tuple[Rig, Controller]":
    rig = Rig()
    assert rig.start().put(sign(1, {1: int(fail_safe), 2: 70})) == (0, 1)
    assert rig.start().put(sign(2, {1: int(fail_safe), 2: 70})) == (0, 2)
    rig.start()
    rig.spoil(PATH)
    rig.spoil(PATH_BEFORE)
    return rig, rig.start()


def test_with_none_left_a_fail_secure_lock_is_locked_and_lets_out() -> None:
    rig, c = lost(False)
    assert c.config.unlock_ds == 50
    assert c.events()[-1] == (EVENT_CONFIG_REFUSED, ERR_DIGEST, 0)
    assert rig.board.lock.level == 0
    c.turn(rex=1)
    assert rig.board.lock.level == 1


def test_with_none_left_a_fail_safe_lock_is_released_and_nothing_locks_it() -> None:
    rig, c = lost(True)
    assert c.config_lost
    for wires in ({"rex": 1}, {"rex": 0}, {"fire": 1}):
        c.turn(**wires)
        assert rig.board.lock.level == 0, "power would lock it"
    c = rig.start()
    assert c.config_lost, "it is remembered which lock it is"
    assert c.put(sign(3, {1: 1})) == (0, 3)
    c.apply()
    assert c.restart_wanted
    c = rig.start()
    assert not c.config_lost
    assert rig.board.lock.level == 1


def test_a_configuration_that_was_taken_away_is_missed() -> None:
    rig, _ = configured()
    rig.remove(PATH)
    c = rig.start()
    assert c.config_lost
    assert c.events()[-1] == (EVENT_CONFIG_REFUSED, ERR_VERSION_LOW, 0)


# --- power ----------------------------------------------------------------------------------


def test_a_cut_anywhere_leaves_the_old_or_the_new_one() -> None:
    rig = twice_configured()
    c = rig.start()
    image = rig.flash.image()
    outcomes = set()
    point = 0
    while True:
        point += 1
        rig.flash.restore(image)
        c = rig.start()
        rig.cut(point)
        try:
            assert c.put(sign(3, {2: 30})) == (0, 3)
            break
        except PowerCut:
            pass
        c = rig.start()
        version = c.get()[1]
        assert (version, c.config.unlock_ds) in ((2, 90), (3, 30)), point
        changed = [extra for event, _, extra in c.events() if event == EVENT_CONFIG_CHANGED]
        assert changed[-1] == version, "a start finishes the record"
        assert EVENT_CONFIG_REFUSED not in [event for event, _, _ in c.events()], point
        assert c.nvs.get(FLOOR) & 0xFF == version
        assert c.put(sign(2, SECOND)) == (ERR_VERSION_LOW, 0)
        assert c.put(sign(3, {2: 30})) == ((0, 3) if version == 2 else (ERR_VERSION_LOW, 0))
        assert rig.start().config.unlock_ds == 30
        outcomes.add(version)
    assert outcomes == {2, 3}
    assert point > 10
    print("cut at", point - 1, "operations")


def test_a_cut_in_the_first_one_leaves_none_or_it() -> None:
    rig = Rig()
    rig.start()
    image = rig.flash.image()
    point = 0
    while True:
        point += 1
        rig.flash.restore(image)
        c = rig.start()
        rig.cut(point)
        try:
            assert c.put(sign(1, FIRST)) == (0, 1)
            break
        except PowerCut:
            pass
        c = rig.start()
        assert not c.config_lost, point
        assert c.config.unlock_ds in (50, 70)
    assert point > 6
