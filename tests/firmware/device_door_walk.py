"""Four doors at which anything happens keep their rules, and their heap (MicroPython)."""

from firmware import journal as _early  # noqa: F401  nested imports cost stack
from firmware.door import Service
from protocol.codes import EVENT_UNLOCKED
from tests.firmware.door_walk import SETTINGS, Walk, soaked, walked

STEPS = 500
# two collections never agree to the byte; what a decision leaked would stand here 1500 times
JITTER_BYTES = 1024


def test_whatever_happens_the_relays_are_what_the_journal_says() -> None:
    for number in range(len(SETTINGS)):
        for seed in (1, 2):
            walk = walked(number, seed, STEPS)
            assert walk.journal.decisions > STEPS // 4
            walk.settle()


def test_a_restart_at_any_moment_releases_nothing_without_a_record() -> None:
    for number in range(len(SETTINGS)):
        walk = walked(number, 4, STEPS // 10)
        for _ in range(40):
            walk.restart()
            for _ in range(8):
                walk.check()
                walk.step()
        walk.settle()


def test_negative_control_a_start_that_leaves_the_relays_is_seen() -> None:
    walk = walked(0, 4, 10)
    drive, Service.drive = Service.drive, lambda *_: None
    try:
        assert failed(walk.restart)
    finally:
        Service.drive = drive


def test_negative_control_a_relay_that_moves_without_a_record_is_seen() -> None:
    walk = Walk(0, 3)
    walk.rig.door._doors[2].unlocked = True
    walk.rig.door.drive(walk.rig.door.points[2])
    assert failed(walk.check)


def test_negative_control_a_record_without_a_reason_and_one_that_comes_late_are_seen() -> None:
    walk = Walk(0, 3)
    assert failed(lambda: walk.journal.record(EVENT_UNLOCKED, 0, 1))
    walk.rig.locks[1].level = 1
    assert failed(lambda: walk.journal.record(EVENT_UNLOCKED, 1, 1))


def test_negative_control_a_door_that_is_deaf_to_fire_is_seen() -> None:
    walk = Walk(0, 3)
    point = walk.rig.door.points[3].door
    point.inputs = lambda *_: 0
    walk.rig.turn(fire=1)
    assert failed(walk.check)


def failed(function: "object") -> bool:
    try:
        function()  # type: ignore[operator]  # what is given is called
    except AssertionError:
        return True
    return False


def test_fifteen_hundred_decisions_leave_the_heap_as_it_was() -> None:
    walk = walked(1, 5, STEPS, checked=False)
    assert soaked(walk, 1500) < JITTER_BYTES


def test_negative_control_a_decision_that_keeps_something_is_seen() -> None:
    walk = walked(1, 5, STEPS, checked=False)
    kept = []
    settle = walk.rig.door.settle

    def leaking(point: "object", granted: bool, reason: int) -> None:
        kept.append(bytes(16))
        settle(point, granted, reason)

    walk.rig.door.settle = leaking
    assert soaked(walk, 1500) > JITTER_BYTES
