"""A door in every state: what always holds, and the page that shows it (host)."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from protocol.codes import MODE_CLOSED, MODE_CONTROLLED, MODE_LOCKDOWN, MODE_OPEN
from protocol.policy import door as policy
from protocol.policy.door import Door
from tests import door_states

MODES = (MODE_CONTROLLED, MODE_OPEN, MODE_CLOSED, MODE_LOCKDOWN)
_EXAMPLES, _STEPS = 300, 30
_HOUR_MS = 3_600_000


def test_the_page_is_what_the_code_gives() -> None:
    assert door_states.PAGE.read_text("utf-8") == door_states.page(), (
        "docs/door-states.md is not what the code gives; make it anew: python -m tests.door_states"
    )


def test_a_changed_rule_changes_the_page(monkeypatch) -> None:
    monkeypatch.setattr(door_states, "Door", DeafToFire)
    assert door_states.PAGE.read_text("utf-8") != door_states.page()


def test_every_state_and_stimulus_of_the_page_is_another_one() -> None:
    for sensor, names in (
        (False, door_states.STATES),
        (True, door_states.STATES | door_states.SENSOR_STATES),
    ):
        words = {door_states.brought(name, sensor=sensor).state() for name in names}
        assert len(words) == len(names)


def test_every_action_stands_on_the_page() -> None:
    told = {action for row in door_states.rows() for action in row[3].split(", ")}
    assert told >= set(door_states.ACTIONS.values())


class Walk(RuleBasedStateMachine):
    """Anything may happen in any order; a journal is kept of what the actions say."""

    make: type[Door] = Door

    @initialize(relock=st.sampled_from(sorted(door_states.RELOCKS)), sensor=st.booleans())
    def begin(self, relock: int, sensor: bool) -> None:
        self.sensor = sensor
        self.door = self.make(50, 30, relock, 15, sensor)
        self.rex = self.leaf = self.fire = self.latched = False
        self.left_ms = 0  # at most so long an unlock may still last
        self.journalled = False  # whether the last record of the lock says unlocked
        self.rex_ms = 0

    def _took(self, actions: int) -> None:
        assert not (actions & policy.ACT_UNLOCK and self.journalled), "unlocked twice"
        if actions & policy.ACT_UNLOCK:
            self.journalled = True
        if actions & policy.ACT_LOCK:
            assert self.journalled, "locked twice"
            self.journalled = False

    def _wires(self) -> int:
        actions = self.door.inputs(self.rex, self.leaf, self.fire, tamper=False)
        self._took(actions)
        return actions

    @rule(duration_ds=st.integers(0, 600))
    def card(self, duration_ds: int) -> None:
        self._took(self.door.unlock(duration_ds))
        self.left_ms = max(self.left_ms, (duration_ds or 50) * 100)
        assert self.door.unlocked

    @rule()
    def press(self) -> None:
        pressed_before, self.rex = self.rex, True
        if not pressed_before:
            self.rex_ms = 0
        self._wires()
        if not self.sensor and not pressed_before:
            self.left_ms = max(self.left_ms, 5000)
            assert self.door.unlocked, "leaving is free"

    @rule()
    def let_go(self) -> None:
        self.rex = False
        self._wires()

    @rule()
    def move_leaf(self) -> None:
        locked, self.leaf = not self.door.unlocked, not self.leaf
        forced = self._wires() & policy.ACT_FORCED_OPEN
        assert not forced or (locked and self.leaf and not self.rex), "nobody forced it"
        if self.leaf and locked and not self.rex and not self.sensor:
            assert forced, "forced, and nobody was told"

    @rule()
    def burn(self) -> None:
        self.fire = self.latched = True
        self._wires()

    @rule()
    def stop_burning(self) -> None:
        self.fire = False
        self._wires()

    @rule(mode=st.sampled_from(MODES))
    def set_mode(self, mode: int) -> None:
        self._took(self.door.set_mode(mode))

    @rule()
    def lock_down(self) -> None:
        self.set_mode(MODE_LOCKDOWN)

    @rule(elapsed_ms=st.sampled_from((10, 10, 300, 1000, 4999, 5000, 60000)))
    def wait(self, elapsed_ms: int) -> None:
        actions = self.door.tick(elapsed_ms)
        self._took(actions)
        may_reset = self.rex and not self.fire and not self.sensor
        self.rex_ms = self.rex_ms + elapsed_ms if may_reset else 0
        if actions & policy.ACT_FIRE_CLEARED:
            assert self.latched
            assert self.rex_ms >= policy.FIRE_RESET_HOLD_MS, "reset by nobody on site"
            self.latched = False
        self.left_ms = max(0, self.left_ms - elapsed_ms)
        if not (self.left_ms or self.latched or self.door.mode == MODE_OPEN):
            assert not self.door.unlocked, "an unlock that does not end"

    @precondition(lambda self: not self.latched)
    @rule()
    def wait_for_long(self) -> None:
        self.wait(_HOUR_MS)
        assert self.door.unlocked == (self.door.mode == MODE_OPEN)

    @invariant()
    def unlocked_is_what_the_journal_says(self) -> None:
        if hasattr(self, "door"):
            assert self.door.unlocked == self.journalled, "unlocked without a record"

    @invariant()
    def fire_and_normally_open_release(self) -> None:
        if hasattr(self, "door") and (self.latched or self.door.mode == MODE_OPEN):
            assert self.door.unlocked


class DeafToFire(Door):
    """Lockdown wins over fire."""

    def inputs(self, rex: bool, leaf_open: bool, fire: bool, tamper: bool) -> int:
        return super().inputs(rex, leaf_open, fire and self.mode != MODE_LOCKDOWN, tamper)


class Silent(Door):
    """An unlock that nobody is told of."""

    def unlock(self, duration_ds: int = 0) -> int:
        super().unlock(duration_ds)
        return 0


class Endless(Door):
    """The lock forgets to lock."""

    def tick(self, elapsed_ms: int) -> int:
        return super().tick(0 if self.unlocked and not self.fire else elapsed_ms)


class Forgetful(Door):
    """A fire ends with its input."""

    def inputs(self, rex: bool, leaf_open: bool, fire: bool, tamper: bool) -> int:
        actions = super().inputs(rex, leaf_open, fire, tamper)
        if self.fire and not fire:
            self.fire = False
        return actions


class Prison(Door):
    """REX does nothing in lockdown."""

    def inputs(self, rex: bool, leaf_open: bool, fire: bool, tamper: bool) -> int:
        return super().inputs(rex and self.mode != MODE_LOCKDOWN, leaf_open, fire, tamper)


class Hasty(Door):
    """A mode that is commanded locks in a fire."""

    def set_mode(self, mode: int) -> int:
        actions = super().set_mode(mode)
        if mode == MODE_LOCKDOWN:
            self.fire = False
        return actions


def walk(door: type[Door]) -> None:
    """Let it walk; AssertionError where a rule does not hold."""
    machine = type("Walk", (Walk,), {"make": door})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=_EXAMPLES, stateful_step_count=_STEPS, deadline=None, database=None,
            derandomize=True, suppress_health_check=list(HealthCheck), print_blob=False,
            phases=[Phase.generate],
        ),
    )  # fmt: skip


def test_a_door_keeps_its_rules_whatever_happens() -> None:
    walk(Door)


@pytest.mark.parametrize("broken", [DeafToFire, Silent, Endless, Forgetful, Prison, Hasty])
def test_negative_control_a_broken_rule_is_found(broken: type[Door]) -> None:
    with pytest.raises(AssertionError):
        walk(broken)
