"""What a door does, told by its inputs and by time (both)."""

from protocol.codes import MODE_CLOSED, MODE_CONTROLLED, MODE_LOCKDOWN, MODE_OPEN
from protocol.policy import door as d
from protocol.policy.door import Door


def quiet(door: Door, rex: bool = False, leaf: bool = False, fire: bool = False) -> int:
    """Actions of one sample of the inputs."""
    return door.inputs(rex, leaf, fire, False)


def test_an_unlock_lasts_its_time_and_then_locks() -> None:
    door = Door(unlock_ds=30)
    assert door.unlock() == d.ACT_UNLOCK
    assert door.tick(2999) == 0
    assert door.tick(1) == d.ACT_LOCK
    assert not door.unlocked


def test_a_second_unlock_prolongs_and_never_shortens() -> None:
    door = Door(unlock_ds=50)
    door.unlock(100)
    assert door.unlock(10) == 0
    assert door.tick(9999) == 0
    assert door.tick(1) == d.ACT_LOCK


def test_rex_unlocks_once_per_press() -> None:
    door = Door()
    assert quiet(door, rex=True) == d.ACT_REX | d.ACT_UNLOCK
    assert quiet(door, rex=True) == 0


def test_a_leaf_that_opens_while_locked_is_forced_once() -> None:
    door = Door()
    assert quiet(door, leaf=True) == d.ACT_DOOR_OPENED | d.ACT_FORCED_OPEN
    assert quiet(door, leaf=True) == 0
    assert quiet(door) == d.ACT_DOOR_CLOSED


def test_a_leaf_that_opens_while_unlocked_is_not_forced() -> None:
    door = Door()
    door.unlock()
    assert quiet(door, leaf=True) == d.ACT_DOOR_OPENED


def test_held_open_is_told_once_and_only_after_the_lock_has_locked() -> None:
    door = Door(unlock_ds=10, held_open_s=5)
    door.unlock()
    quiet(door, leaf=True)
    assert door.tick(1000) == d.ACT_LOCK
    assert door.tick(3999) == 0
    assert door.tick(1000) == d.ACT_HELD_OPEN
    assert door.tick(60000) == 0


def test_relock_on_open_locks_soon_after_the_leaf_has_opened() -> None:
    door = Door(unlock_ds=50, relock=d.RELOCK_ON_OPEN)
    door.unlock()
    quiet(door, leaf=True)
    assert door.tick(d.RELOCK_DELAY_MS) == d.ACT_LOCK


def test_fire_releases_at_once_and_stays_when_the_input_clears() -> None:
    door = Door()
    assert quiet(door, fire=True) == d.ACT_FIRE | d.ACT_UNLOCK
    assert quiet(door) == 0
    assert door.tick(3_600_000) == 0
    assert door.unlocked


def test_fire_is_reset_on_site_only_and_not_while_it_burns() -> None:
    door = Door()
    quiet(door, rex=True, fire=True)
    assert door.tick(d.FIRE_RESET_HOLD_MS) == 0  # still burning
    quiet(door, rex=True)
    assert door.tick(d.FIRE_RESET_HOLD_MS - 1) == 0
    assert door.tick(1) == d.ACT_FIRE_CLEARED | d.ACT_LOCK


def test_the_reset_of_a_fire_ends_a_long_unlock_too() -> None:
    door = Door()
    door.unlock(36000)
    quiet(door, fire=True)
    quiet(door, rex=True)
    assert door.tick(d.FIRE_RESET_HOLD_MS) == d.ACT_FIRE_CLEARED | d.ACT_LOCK


def test_a_short_press_does_not_reset_fire() -> None:
    door = Door()
    quiet(door, fire=True)
    quiet(door, rex=True)
    door.tick(d.FIRE_RESET_HOLD_MS - 1)
    quiet(door)
    assert door.tick(1) == 0
    quiet(door, rex=True)
    assert door.tick(d.FIRE_RESET_HOLD_MS - 1) == 0


def test_tamper_is_told_at_its_rising_edge() -> None:
    door = Door()
    assert door.inputs(False, False, False, True) == d.ACT_TAMPER
    assert door.inputs(False, False, False, True) == 0
    assert door.inputs(False, False, False, False) == 0
    assert door.inputs(False, False, False, True) == d.ACT_TAMPER


def test_relock_on_close_locks_soon_after_the_leaf_has_closed_again() -> None:
    door = Door(unlock_ds=50, relock=d.RELOCK_ON_CLOSE)
    door.unlock()
    quiet(door, leaf=True)
    assert door.tick(2000) == 0
    quiet(door)
    assert door.tick(d.RELOCK_DELAY_MS) == d.ACT_LOCK


def test_relock_never_prolongs_an_unlock() -> None:
    door = Door(unlock_ds=50, relock=d.RELOCK_ON_OPEN)
    door.unlock()
    door.tick(4900)
    quiet(door, leaf=True)
    assert door.tick(100) == d.ACT_LOCK


def test_held_open_warns_first_and_once() -> None:
    door = Door(unlock_ds=10, held_open_s=5, held_warning_s=3)
    quiet(door, leaf=True)
    assert door.tick(2999) == 0
    assert door.tick(1) == d.ACT_HELD_WARNING
    assert door.tick(1999) == 0
    assert door.tick(1) == d.ACT_HELD_OPEN
    assert door.tick(60000) == 0
    quiet(door)
    quiet(door, leaf=True)
    assert door.tick(3000) == d.ACT_HELD_WARNING, "with the next opening it begins anew"


def test_a_warning_that_is_set_behind_the_alarm_does_not_come() -> None:
    door = Door(held_open_s=5, held_warning_s=9)
    quiet(door, leaf=True)
    assert door.tick(5000) == d.ACT_HELD_OPEN
    assert door.tick(60000) == 0


def test_normally_open_lasts_until_it_ends_and_tells_each_once() -> None:
    door = Door()
    assert door.set_mode(MODE_OPEN) == d.ACT_UNLOCK
    assert door.tick(3_600_000) == 0
    assert door.set_mode(MODE_CONTROLLED) == 0
    assert door.tick(1) == d.ACT_LOCK


def test_an_unlock_that_runs_outlasts_normally_open() -> None:
    door = Door()
    door.set_mode(MODE_OPEN)
    door.unlock(50)
    door.tick(1000)
    door.set_mode(MODE_CONTROLLED)
    assert door.tick(3999) == 0
    assert door.tick(1) == d.ACT_LOCK


def test_lockdown_and_normally_closed_end_an_unlock_but_not_a_way_out() -> None:
    for mode in (MODE_CLOSED, MODE_LOCKDOWN):
        door = Door()
        door.unlock(600)
        door.set_mode(mode)
        assert door.tick(1) == d.ACT_LOCK
        assert quiet(door, rex=True) == d.ACT_REX | d.ACT_UNLOCK
        door.set_mode(MODE_CONTROLLED)
        door.set_mode(mode)
        assert door.tick(1) == 0


def test_fire_outlasts_every_mode_and_its_reset_leaves_the_mode() -> None:
    for mode in (MODE_CONTROLLED, MODE_OPEN, MODE_CLOSED, MODE_LOCKDOWN):
        door = Door()
        door.set_mode(mode)
        quiet(door, fire=True)
        door.set_mode(MODE_LOCKDOWN)
        door.set_mode(mode)
        quiet(door)
        assert door.tick(3_600_000) == 0
        quiet(door, rex=True)
        actions = door.tick(d.FIRE_RESET_HOLD_MS)
        assert actions & d.ACT_FIRE_CLEARED
        assert door.unlocked == (mode == MODE_OPEN)


def test_a_rex_sensor_unlocks_nothing_shunts_the_alarm_and_resets_no_fire() -> None:
    door = Door(rex_sensor=True)
    assert quiet(door, rex=True) == d.ACT_REX
    assert quiet(door, rex=True, leaf=True) == d.ACT_DOOR_OPENED
    quiet(door)
    door.tick(d.REX_SHUNT_MS - 1)
    assert quiet(door, leaf=True) == d.ACT_DOOR_OPENED
    quiet(door)
    door.tick(1)
    assert quiet(door, leaf=True) == d.ACT_DOOR_OPENED | d.ACT_FORCED_OPEN
    quiet(door, fire=True)
    quiet(door, rex=True)
    assert door.tick(60000) == 0


def test_a_button_that_was_let_go_shunts_nothing() -> None:
    door = Door(unlock_ds=10)
    quiet(door, rex=True)
    quiet(door)
    door.tick(1000)
    assert quiet(door, leaf=True) == d.ACT_DOOR_OPENED | d.ACT_FORCED_OPEN
