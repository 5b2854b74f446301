"""What must be true of an energy ring after any history, written without its code (host)."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controller_tool.sim.micropython import find

ROOT = Path(__file__).resolve().parents[2]
RIG = Path(__file__).with_name("energy_history_rig.py")
HEAP_BYTES = 4 * 1024 * 1024  # the chip and uncompiled source are in it
MARK = "\x01"
NOBODY = bytes(8).hex()
ROWS_MAX = 64
FIRST_DAY = 2500
BACK_DAYS = 31
LIVE, ENDED, TICKET = 1, 2, 4


class Process:
    """The rig in MicroPython; close() ends it."""

    def __init__(self) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - as long as the process
        self._process = subprocess.Popen(
            find().argv(str(RIG), esp32_heap_bytes=HEAP_BYTES),
            env={**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()
        self._errors.close()

    def do(self, step: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(step) + "\n")
        self._process.stdin.flush()
        for answer in self._process.stdout:
            if answer.startswith(MARK):
                reply: dict[str, Any] = json.loads(answer[1:])
                assert "crash" not in reply, (reply, self._said())
                return reply
        raise RuntimeError(f"MicroPython ended: {self._said()}")

    def _said(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-2000:]


@dataclass
class Session:
    """One at a port."""

    key: str
    ticket: bool
    mwh: int = 0
    seconds: int = 0

    def entry(self, port: int, flag: int) -> list[Any]:
        return [port, self.key, self.mwh, self.seconds, 100, flag | (TICKET if self.ticket else 0)]

    def told(self, port: int) -> list[Any]:
        return [port, self.key, self.mwh, self.seconds, self.ticket]


Ledger = dict[str, list[int]]  # key: Wh and minutes


def spend(used: Ledger, key: str, mwh: int, seconds: int) -> None:
    """As the ledger counts it: what was begun, 64 keys, the least one falls out."""
    if key == NOBODY:
        return
    if key not in used and len(used) == ROWS_MAX:
        del used[min(used, key=lambda held: used[held])]
    row = used.setdefault(key, [0, 0])
    row[0] = min(row[0] + (mwh + 999) // 1000, 0xFFFF)
    row[1] = min(row[1] + max(1, (seconds + 59) // 60), 0xFFFF)


def day_after(ledger: int, today: int) -> int:
    """Whose day the ledger's is once today is known: a clock set back brings none anew."""
    return ledger if 0 <= ledger - today <= BACK_DAYS else today


@dataclass
class State:
    """What a flash may hold: sessions, and a ledger of some day."""

    open: list[Any] = field(default_factory=list)
    used: Ledger = field(default_factory=dict)
    day: int = 0
    time_s: int = 0

    def in_force(self, today: int) -> Ledger:
        """What counts for a start that knows the day, or (0) does not."""
        return {} if 0 < self.day < today else self.used


@dataclass
class History:
    """The charger's side: what it did, what the flash may hold, what it must.

    A clock that is lost, is lost with the power; while it is unknown, the day of the ledger stays.
    """

    process: Process
    spoil: str | None = None
    running: dict[int, Session] = field(default_factory=dict)
    used: Ledger = field(default_factory=dict)  # in force
    ends: dict[int, Session] = field(default_factory=dict)  # of no commit that succeeded yet
    day: int = FIRST_DAY
    ledger_day: int = 0
    time_s: int = 1000
    knows_time: bool = True
    tally: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.candidates = [State()]  # one of these is on the flash
        self._do({"do": "new", "spoil": self.spoil})
        self._today()

    # --- steps --------------------------------------------------------------------------------

    def begin(self, port: int, person: int, ticket: bool) -> None:
        if port not in self.running and port not in self.ends:
            self.running[port] = Session(NOBODY if ticket else f"{person:016x}", ticket)

    def minutes(self, count: int, trouble: dict[str, Any]) -> None:
        commits: list[Any] = []
        after: list[State] = []
        for _ in range(count):
            self.time_s += 60
            for port, session in self.running.items():
                session.mwh += 1300 * (port + 1)
                session.seconds += 60
            if self.running or self.ends:
                ended = [] if commits else self._entries(self.ends, ENDED)
                commits.append((ended + self._entries(self.running, LIVE), self._when()))
                after.append(self._state())
        if commits:
            self._settle(self._do({"do": "commits", "commits": commits, **trouble}), after)

    def end(self, port: int, trouble: dict[str, Any]) -> None:
        session = self.running.pop(port, None)
        if session is None:
            return
        spend(self.used, session.key, session.mwh, session.seconds)
        self.ends[port] = session
        step = {"do": "end", "spend": [session.key, session.mwh, session.seconds],
                "entries": self._all_entries(), "when": self._when()}  # fmt: skip
        self._settle(self._do({**step, **trouble}), [self._state()])

    def quiet(self, times: int, trouble: dict[str, Any]) -> None:
        """The ledger may be written, as it is in force; unless an end still waits for its slot."""
        if not self.ends:
            self.candidates += [
                State(one.open, copied(self.used), self.ledger_day, one.time_s)
                for one in self.candidates
            ]
        self._settle(self._do({"do": "quiet", "times": times, **trouble}), [])

    def midnight(self, days: int) -> None:
        self.day += days
        if self.knows_time and not self.ends:
            self._today()

    def set_back(self, days: int) -> None:
        """Somebody sets the clock back, once the flash knows what day it was before."""
        self.begin(14, 92, False)
        self.minutes(1, {})
        self.day -= days
        if self.knows_time:
            self._today()

    def clock(self) -> None:
        """Somebody sets it."""
        if not self.knows_time and not self.ends:
            self.knows_time = True
            self._today()

    def restart(self, loses_clock: bool) -> None:
        self.knows_time = self.knows_time and not loses_clock
        self._found(self._do({"do": "restart"}))

    def finish(self) -> None:
        """Whatever was refused is safe as soon as one minute is written."""
        self.begin(15, 1, False)
        self.minutes(1, {})
        assert len(self.candidates) == 1
        self.restart(False)

    # --- what is seen -------------------------------------------------------------------------

    def _today(self) -> None:
        self.used = State([], self.used, self.ledger_day).in_force(self.day)
        self.ledger_day = day_after(self.ledger_day, self.day)
        reply = self._do({"do": "day", "day": self.day})
        assert reply["used"] == self.used
        self.quiet(3, {})  # seconds pass

    def _do(self, step: dict[str, Any]) -> dict[str, Any]:
        return self.process.do({**step, "today": self.day if self.knows_time else 0})

    def _all_entries(self) -> list[list[Any]]:
        return self._entries(self.ends, ENDED) + self._entries(self.running, LIVE)

    @staticmethod
    def _entries(sessions: dict[int, Session], flag: int) -> list[list[Any]]:
        return [one.entry(port, flag) for port, one in sessions.items()]

    def _when(self) -> list[int]:
        """A midnight that waits for an end's commit comes after it."""
        return [min(self.day, self.ledger_day), self.time_s, 3] if self.knows_time else [0, 0, 0]

    def _state(self) -> State:
        sessions = [self.running[port].told(port) for port in sorted(self.running)]
        time_s = self.time_s if self.knows_time else 0
        return State(sessions, copied(self.used), self.ledger_day, time_s)

    def _settle(self, reply: dict[str, Any], after: list[State]) -> None:
        """after: the flash after each commit of the step, if it was carried out."""
        outcome = reply["outcome"]
        self.tally[outcome] += 1
        if outcome == "done" and after:
            self.candidates = after[-1:]
            self.ends = {}
        elif outcome != "done":
            self.candidates += after
        if outcome == "cut":
            self._found(reply)
            return
        self._on_flash(reply)
        assert reply["used"] == self.used

    def _on_flash(self, reply: dict[str, Any]) -> State:
        assert not reply["damaged"]
        found = State(**reply["flash"])
        assert found in self.candidates, (reply, self.candidates)
        return found

    def _found(self, reply: dict[str, Any]) -> None:
        """A start: what it found is what counts from now on."""
        found = self._on_flash(reply)
        assert reply["used"] == found.in_force(self.day if self.knows_time else 0)
        self.candidates = [found]
        self.ends = {}
        self.used = copied(reply["used"])
        self.ledger_day = day_after(found.day, self.day) if self.knows_time else found.day
        self.running = {
            port: Session(key, ticket, mwh, seconds)
            for port, key, mwh, seconds, ticket in found.open
        }


def copied(used: Ledger) -> Ledger:
    return {key: list(row) for key, row in used.items()}
