"""Before anything runs: the board that was named, and every wire where it should end (host).

Each wire is moved by the jig and must be seen by the controller, in its journal or in what it says
of itself, and nothing else may be seen; each watched wire must be seen to move by the jig. What
the controller's supply, EN and GPIO0 do is only tried where it may be restarted.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from controller_tool.errors import OperatorError
from protocol.codes import (
    DOOR_FIRE,
    DOOR_LEAF_OPEN,
    EVENT_DENIED,
    EVENT_EMERGENCY_STOP,
    EVENT_FIRE,
    EVENT_GRANTED,
    EVENT_READER_DOUBTFUL,
    EVENT_REX,
    EVENT_TAMPER,
)
from protocol.constants import RING_ACCESS, RING_ALARM
from protocol.policy.door import FIRE_RESET_HOLD_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from hil_tests.controller import Controller
    from hil_tests.wiring import Wire

_SEEN_S = 3.0
_STEP_S = 0.1
_SETTLE_S = 0.3
_HELD_MS = 300
_LOCK_MS = 2000
KEY_MS = 3000  # a charger wants it held for two seconds
_START_S = 3.0  # within which a controller has begun its boot
_EVENTS = {
    EVENT_REX: "inputs.rex", EVENT_TAMPER: "inputs.tamper", EVENT_FIRE: "inputs.fire",
    EVENT_EMERGENCY_STOP: "inputs.estop", EVENT_DENIED: "card", EVENT_GRANTED: "card",
    EVENT_READER_DOUBTFUL: "a doubtful card",
}  # fmt: skip


class WrongWire(OperatorError):
    """A wire that is missing or ends elsewhere; found: what was seen of it."""

    def __init__(self, wire: Wire, found: str) -> None:
        super().__init__(
            f"Wrong or missing wire {wire}: {found}", "Mend the wire, or hil_tests/wiring.toml"
        )


def require_board(controller: Controller, board: str) -> None:
    """The controller is the board that was named; OperatorError when it is another."""
    told = controller.client.info()["board"]
    if told != board:
        raise OperatorError(
            f"Wrong board: {controller.name} says that it is {told}, not {board}",
            "Give its own name by --board, or put the other board on the bench",
        )


def check_wires(controller: Controller, destructive: bool) -> list[str]:
    """What was proven, a line each; WrongWire names the first wire that is not as it should be."""
    return _Check(controller, destructive).run()


class _Check:
    def __init__(self, controller: Controller, destructive: bool) -> None:
        self._c = controller
        self._bench = controller.bench
        self._destructive = destructive
        self._proven: list[Wire] = []

    def run(self) -> list[str]:
        """What restarts the controller comes last."""
        steps: list[tuple[str, Callable[[str], None], bool]] = [
            ("rex", self._input, False),
            ("door", self._input, False),
            ("tamper", self._input, False),
            ("card_d0", self._card, False),
            ("card_tx", self._card, False),
            ("lock", self._lock, False),
            ("fire", self._alarm, True),
            ("estop", self._alarm, True),
            ("supply", self._supply, True),
            ("boot", self._loader, True),
        ]
        for role, check, is_destructive in steps:
            if role in self._bench.wiring and (self._destructive or not is_destructive):
                check(role)
        self._bench.watch()
        return [f"{wire} ok" for wire in self._proven] + [
            f"{wire}: not moved by this check"
            for wire in self._bench.wiring.wires.values()
            if wire not in self._proven
        ]

    def _seen(self) -> set[str]:
        """What the controller noticed since this was asked last."""
        events = [
            one.event for ring in (RING_ACCESS, RING_ALARM) for one in self._c.new_events(ring)
        ]
        found = {_EVENTS[event] for event in events if event in _EVENTS}
        doors = self._c.client.info()["doors"]
        if doors and doors[0] & DOOR_LEAF_OPEN:
            found.add("inputs.door")
        return found

    def _require(self, wire: Wire, wanted: str) -> None:
        end_s = time.monotonic() + _SEEN_S
        seen: set[str] = set()
        while time.monotonic() < end_s and not seen:
            seen = self._seen()
            time.sleep(_STEP_S)
        time.sleep(_SETTLE_S)
        seen |= self._seen()
        if seen != {wanted}:
            other = f"; seen instead: {', '.join(sorted(seen))}" if seen else ""
            raise WrongWire(wire, f"the jig moved it, the controller did not see {wanted}{other}")
        self._proven.append(wire)

    def _moved(self, role: str) -> None:
        wire = self._bench.wiring[role]
        self._seen()
        self._bench.drive(role, on=True)
        try:
            self._require(wire, wire.end)
        finally:
            self._bench.drive(role, on=False)
        time.sleep(_SETTLE_S)

    def _input(self, role: str) -> None:
        self._moved(role)
        self._c.locked()

    def _card(self, role: str) -> None:
        self._seen()
        self._bench.swipe(self._bench.new_credential())
        self._require(self._bench.wiring[role], "card")
        if role == "card_d0":
            self._proven.append(self._bench.wiring["card_d1"])

    def _lock(self, role: str) -> None:
        """By the exit button, whose own wire was proven."""
        wire, bench = self._bench.wiring[role], self._bench
        mark = bench.mark()
        bench.press("rex", _HELD_MS)
        for powered in (True, False):
            if bench.moved(mark, powered=powered, within_ms=_LOCK_MS if powered else 15000) is None:
                raise WrongWire(
                    wire,
                    "the controller journalled an exit, and the jig saw the lock "
                    f"{'get no' if powered else 'keep its'} power",
                )
        self._proven.append(wire)

    def _alarm(self, role: str) -> None:
        """Fire and emergency stop latch; a held exit button, or a charger's key, lets them go."""
        self._moved(role)
        bench = self._bench
        if "rex" in bench.wiring:
            bench.press("rex", FIRE_RESET_HOLD_MS + 1000)
            assert self._c.within(lambda: not self._c.client.info()["doors"][0] & DOOR_FIRE)
            assert self._c.locked()
        elif "key" in bench.wiring:
            bench.press("key", KEY_MS)
            time.sleep(KEY_MS / 1000 + _SETTLE_S)

    def _supply(self, role: str) -> None:
        before = self._boot()
        self._bench.cut_power()
        time.sleep(_SETTLE_S)
        self._bench.restore_power()
        self._require_boots(before, role, {0: "the controller went on"})

    def _loader(self, role: str) -> None:
        """With GPIO0 down a rise of EN leads into the ROM loader, and only the next one back."""
        before = self._boot()
        self._bench.drive(role, on=True)
        time.sleep(_STEP_S)
        self._bench.press("en", _HELD_MS)
        time.sleep(_START_S)
        self._bench.drive(role, on=False)
        time.sleep(_STEP_S)
        self._bench.press("en", _HELD_MS)
        time.sleep(2 * _HELD_MS / 1000)
        wrong = {0: "the controller went on: EN", 2: "it started twice: boot"}
        self._require_boots(before, "en", wrong)
        self._proven.append(self._bench.wiring[role])

    def _boot(self) -> int:
        boot = int(self._c.client.info()["boot"])
        self._c.close()
        return boot

    def _require_boots(self, before: int, role: str, wrong: dict[int, str]) -> None:
        wire = self._bench.wiring[role]
        started = self._c.client.info()["boot"] - before if self._c.comes_back() else -1
        if started != 1:
            what = wrong.get(started, "it did not start again")
            raise WrongWire(wire, f"the jig pulled it, {what}")
        self._proven.append(wire)
