"""Every transition of a door, made from the code: `python -m tests.door_states` (host).

Writes docs/door-states.md; with `--check` it only says whether the page is what the code gives.
A state is brought about by what leads there, then each stimulus is applied to it alone.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from protocol.codes import MODE_CLOSED, MODE_CONTROLLED, MODE_LOCKDOWN, MODE_OPEN
from protocol.names import MODE_NAMES
from protocol.policy import door as policy
from protocol.policy.door import Door

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = Path(__file__).resolve().parents[1] / "docs" / "door-states.md"
UNLOCK_DS, HELD_OPEN_S, HELD_WARNING_S = 50, 30, 15
_INTRODUCTION = (
    "Made by `python -m tests.door_states` from `protocol/policy/door.py`; a test holds the two"
    " together. Unlock duration 5 s, warning after 15 s, held open after 30 s. What is not in a"
    " table changes nothing. Actions stand in the order in which they are carried out: the lock"
    " moves last, after its record."
)
RELOCKS = {
    policy.RELOCK_TIMED: "when the time is up",
    policy.RELOCK_ON_OPEN: "soon after the leaf opens",
    policy.RELOCK_ON_CLOSE: "soon after the leaf closes",
}
ACTIONS = {
    value: name.removeprefix("ACT_").lower().replace("_", " ")
    for name, value in vars(policy).items()
    if name.startswith("ACT_")
}


class World:
    """A door and the wires around it."""

    def __init__(self, relock: int = policy.RELOCK_TIMED, *, sensor: bool = False) -> None:
        self.door = Door(UNLOCK_DS, HELD_OPEN_S, relock, HELD_WARNING_S, sensor)
        self.sensor = sensor
        self.rex = self.leaf = self.fire = self.tamper = False

    def wires(self, **levels: bool) -> int:
        """Change inputs; returns actions."""
        vars(self).update(levels)
        return self.door.inputs(self.rex, self.leaf, self.fire, self.tamper)

    def press(self) -> int:
        """REX, let go again."""
        return self.wires(rex=True) | self.wires(rex=False)

    def hold(self) -> int:
        """REX, held until a fire would be reset."""
        actions = self.wires(rex=True) | self.door.tick(policy.FIRE_RESET_HOLD_MS)
        return actions | self.wires(rex=False)

    def state(self) -> str:
        """In words."""
        door = self.door
        words = [MODE_NAMES[door.mode]] if door.mode != MODE_CONTROLLED else []
        words.append("unlocked" if door.unlocked else "locked")
        words.append("leaf open" if door.leaf_open else "leaf closed")
        if door.fire:
            words.append("fire input active" if self.fire else "fire latched")
        if door.forced:
            words.append("forced")
        if door.held:
            words.append(ACTIONS[door.held])
        if self.rex:
            words.append("REX active")
        elif self.sensor and door._shunt_ms:
            words.append("somebody seen")
        if self.tamper:
            words.append("tampered with")
        return ", ".join(words)


STATES: dict[str, list[Callable[[World], int]]] = {
    "at rest": [],
    "unlocked": [lambda w: w.door.unlock()],
    "passing": [lambda w: w.door.unlock(), lambda w: w.wires(leaf=True)],
    "left open": [
        lambda w: w.door.unlock(), lambda w: w.wires(leaf=True), lambda w: w.door.tick(5000)
    ],
    "forced": [lambda w: w.wires(leaf=True)],
    "warned": [lambda w: w.wires(leaf=True), lambda w: w.door.tick(15000)],
    "held open": [lambda w: w.wires(leaf=True), lambda w: w.door.tick(30000)],
    "normally open": [lambda w: w.door.set_mode(MODE_OPEN)],
    "normally closed": [lambda w: w.door.set_mode(MODE_CLOSED)],
    "lockdown": [lambda w: w.door.set_mode(MODE_LOCKDOWN)],
    "fire": [lambda w: w.wires(fire=True)],
    "fire latched": [lambda w: w.wires(fire=True), lambda w: w.wires(fire=False)],
    "fire latched in lockdown": [
        lambda w: w.door.set_mode(MODE_LOCKDOWN), lambda w: w.wires(fire=True),
        lambda w: w.wires(fire=False),
    ],
    "leaving": [lambda w: w.wires(rex=True)],
    "leaving in lockdown": [
        lambda w: w.door.set_mode(MODE_LOCKDOWN), lambda w: w.wires(rex=True)
    ],
    "tampered with": [lambda w: w.wires(tamper=True)],
}  # fmt: skip
SENSOR_STATES: dict[str, list[Callable[[World], int]]] = {"somebody left": [World.press]}
STIMULI: dict[str, Callable[[World], int]] = {
    "card or ticket": lambda w: w.door.unlock(),
    "REX pressed": World.press,
    "REX held 5 s": World.hold,
    "REX let go": lambda w: w.wires(rex=False),
    "leaf opens": lambda w: w.wires(leaf=True),
    "leaf closes": lambda w: w.wires(leaf=False),
    "leaf closes, 0.3 s pass": lambda w: (
        w.wires(leaf=False) | w.door.tick(policy.RELOCK_DELAY_MS) if w.leaf else 0
    ),
    "fire input": lambda w: w.wires(fire=True),
    "fire input clears": lambda w: w.wires(fire=False),
    "tamper": lambda w: w.wires(tamper=True),
    "tamper ends": lambda w: w.wires(tamper=False),
    "0.3 s pass": lambda w: w.door.tick(policy.RELOCK_DELAY_MS),
    "5 s pass": lambda w: w.door.tick(5000),
    "15 s pass": lambda w: w.door.tick(15000),
    "1 h passes": lambda w: w.door.tick(3_600_000),
    "mode controlled": lambda w: w.door.set_mode(MODE_CONTROLLED) | w.door.tick(10),
    "mode open": lambda w: w.door.set_mode(MODE_OPEN) | w.door.tick(10),
    "mode closed": lambda w: w.door.set_mode(MODE_CLOSED) | w.door.tick(10),
    "mode lockdown": lambda w: w.door.set_mode(MODE_LOCKDOWN) | w.door.tick(10),
}


def brought(name: str, relock: int = policy.RELOCK_TIMED, *, sensor: bool = False) -> World:
    """A door in this state."""
    world = World(relock, sensor=sensor)
    for step in (STATES | SENSOR_STATES)[name]:
        step(world)
    return world


def told(actions: int) -> str:
    """Actions in the order in which they are carried out."""
    return ", ".join(name for bit, name in sorted(ACTIONS.items()) if actions & bit) or "–"


def rows(relock: int = policy.RELOCK_TIMED, *, sensor: bool = False) -> list[tuple[str, ...]]:
    """(state, in words, stimulus, actions, next state) where anything happens at all."""
    found: list[tuple[str, ...]] = []
    for state in STATES | (SENSOR_STATES if sensor else {}):
        for stimulus, apply in STIMULI.items():
            world = brought(state, relock, sensor=sensor)
            before = world.state()
            actions = apply(world)
            after = world.state()
            if actions or after != before:
                found.append((state, before, stimulus, told(actions), after))
    return found


def page() -> str:
    """The whole page."""
    lines = [
        "# States of a door",
        "",
        _INTRODUCTION,
        "",
        "## Relock when the time is up, REX a button",
        "",
        *_table(("state", "is", "stimulus", "actions", "then"), rows()),
    ]
    usual = set(rows())
    for relock in (policy.RELOCK_ON_OPEN, policy.RELOCK_ON_CLOSE):
        lines += _difference(f"## Relock {RELOCKS[relock]}", usual, rows(relock))
    lines += _difference("## REX a sensor", usual, rows(sensor=True))
    return "\n".join(lines) + "\n"


def _difference(
    title: str, usual: set[tuple[str, ...]], changed: list[tuple[str, ...]]
) -> list[str]:
    new = [row for row in changed if row not in usual]
    kept = {(state, stimulus) for state, _, stimulus, *_ in changed}
    words = {row[0]: row[1] for row in changed}
    gone: list[tuple[str, ...]] = sorted(
        (state, words[state], stimulus)
        for state, _, stimulus, *_ in usual
        if (state, stimulus) not in kept
    )
    lines = ["", title, "", "As above, but:", ""]
    lines += _table(("state", "is", "stimulus", "actions", "then"), new)
    if gone:
        lines += ["", "and nothing happens any more at:", ""]
        lines += _table(("state", "is", "stimulus"), gone)
    return lines


def _table(columns: tuple[str, ...], found: list[tuple[str, ...]]) -> list[str]:
    head = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return head + [f"| {' | '.join(row)} |" for row in found]


def main() -> int:
    """Write the page, or compare it."""
    made = page()
    if "--check" in sys.argv[1:]:
        return 0 if PAGE.read_text("utf-8") == made else 1
    PAGE.write_text(made, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
