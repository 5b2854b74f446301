"""A battery burns at a charger: the part of the demonstration that is about fire (host).

Time is drawn together: what takes a battery ten minutes takes ten seconds here. The controller is
asked for its ports as `device ports` asks it, the load and the heat are the virtual board's.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from controller_tool.errors import DeviceError
from controller_tool.messages import t
from controller_tool.services import load_curve, ports
from controller_tool.services.load_curve import CELSIUS, Curve, Limit, Mark, word
from protocol.codes import (
    END_SMOKE,
    EVENT_CHARGE_ENDED,
    EVENT_FIRE,
    EVENT_TEMPERATURE_WARNING,
    LATCH_SMOKE,
    PORT_CHARGING,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from controller_tool.client import Client
    from controller_tool.sim import service as sim

WARN_C, CUT_C = 65.0, 75.0
LIMIT_W = 1000.0
_PORTS = (1, 2)
_CALM_W, _WARM_C = 320, 31
# of the port whose battery burns: watts and degrees, a step each
_COURSE = (
    (330, 33), (340, 35), (360, 39), (390, 44), (430, 50), (480, 56), (540, 61), (600, 66),
    (660, 69), (720, 72),
)  # fmt: skip
_AFTER_C = (74, 78, 83, 88)  # the fire goes on without us
_STEP_S = 0.6
_PATIENCE_S = 15.0
_US_A_MS = 1000


@dataclass
class Runaway:
    """What was seen. open_ms: from the smoke contact to the last relay, by the board's clock."""

    times_s: list[float] = field(default_factory=list)
    watts: list[list[float]] = field(default_factory=lambda: [[] for _ in _PORTS])
    celsius: list[float] = field(default_factory=list)
    marks: list[tuple[str, float]] = field(default_factory=list)
    open_ms: float = 0.0
    ok: bool = False


class Scenario:
    """The scenario at one charger whose ports charge for two cards."""

    def __init__(
        self, board: sim.Board, client: Client, line: Callable[[str], None],
        happened: Callable[[int], bool],
    ) -> None:  # fmt: skip
        self._board = board
        self._client = client
        self._line = line
        self._happened = happened
        self._began_s = 0.0
        self.seen = Runaway()

    def begin(self, swipe: Callable[[int], Any]) -> None:
        """Both ports charge; swipe(n): the n-th card at the reader."""
        for number, port in enumerate(_PORTS):
            self._stimulate("set_temperature", celsius=_WARM_C, port=port)
            swipe(number)
            self._stimulate("plug_in", port=port, watts=_CALM_W)
            self._stimulate("press_button", port=port)
            self._until(partial(self._charges, port))
        self._line(t("two e-bikes charge, {watts} W each", watts=_CALM_W))

    def burn(self) -> Runaway:
        """A battery goes through, smoke comes, the relays open."""
        self._began_s = time.monotonic()
        for _ in range(3):
            self._sample(_WARM_C)
        warned = False
        for watts, celsius in _COURSE:
            self._stimulate("draw_watts", watts=watts, port=_PORTS[0])
            self._stimulate("set_temperature", celsius=celsius, port=_PORTS[0])
            self._sample(celsius)
            if not warned and self._happened(EVENT_TEMPERATURE_WARNING):
                warned = True
                self._mark(word("warning"))
                self._line(t("port {port}: {celsius} °C, a warning is on record",
                             port=_PORTS[0], celsius=celsius))  # fmt: skip
        self._sample(celsius, 0)
        smoke_us = self._stimulate("raise_smoke")
        self._mark(word("smoke"))
        opened_us = self._until(self._opened)
        self._sample(celsius, 0)
        self.seen.open_ms = (opened_us - smoke_us) / _US_A_MS
        self._line(t("smoke: every relay is open {ms:.0f} ms later", ms=self.seen.open_ms))
        for celsius in _AFTER_C:
            self._stimulate("set_temperature", celsius=celsius, port=_PORTS[0])
            self._sample(celsius)
        self._until(lambda: self._happened(EVENT_CHARGE_ENDED))
        station = self._ask()
        self.seen.ok = (
            warned
            and self._happened(EVENT_FIRE)
            and station.latches & LATCH_SMOKE != 0
            and all(port.last_end == END_SMOKE for port in station.ports)
        )
        self._line(t("both sessions ended by smoke; nothing starts until somebody resets it there"))
        return self.seen

    def _charges(self, port: int) -> bool:
        return self._ask().ports[port - 1].state == PORT_CHARGING

    def _opened(self) -> int | None:
        """When the last relay opened, once all of them have."""
        log = [e for e in self._board.counters()["relay_log"] if e["relay"] != "contactor"]
        states = {entry["relay"]: entry["on"] for entry in log}
        if any(states.values()):
            return None
        return max(int(entry["at_us"]) for entry in log)

    def _sample(self, celsius: float, pause_s: float = _STEP_S) -> None:
        station = self._ask()
        self.seen.times_s.append(time.monotonic() - self._began_s)
        # what flows: these meters count pulses, and notice late that there are none any more
        for values, watts in zip(self.seen.watts, self._stimulate("true_power"), strict=True):
            values.append(watts)
        told = station.ports[_PORTS[0] - 1].temperature_dc
        self.seen.celsius.append(celsius if told is None else told / 10)
        time.sleep(pause_s)

    def _mark(self, name: str) -> None:
        self.seen.marks.append((name, time.monotonic() - self._began_s))

    def _ask(self) -> ports.Station:
        return ports.ask(self._client, self._board.name)

    def _stimulate(self, verb: str, **arguments: Any) -> Any:
        return self._board.stimulate(verb, **arguments)

    @staticmethod
    def _until(ask: Callable[[], Any]) -> Any:
        end = time.monotonic() + _PATIENCE_S
        while True:
            found = ask()
            if found:
                return found
            if time.monotonic() > end:
                raise DeviceError(
                    t("A virtual controller did not do what it should"), t("Run the demo again")
                )
            time.sleep(0.05)


def picture(seen: Runaway, path: Path) -> None:
    """All of it in one picture; raises OperatorError when the file is there."""
    curves = [
        Curve(word("port {port}", port=port), seen.times_s, values, filled=number == 0)
        for number, (port, values) in enumerate(zip(_PORTS, seen.watts, strict=True))
    ]
    curves.append(
        Curve(word("heat of port {port}", port=_PORTS[0]), seen.times_s, seen.celsius, CELSIUS)
    )
    load_curve.save(
        path,
        curves,
        title=word("A battery burns at port 1; smoke opens every port"),
        limits=[
            Limit(word("port limit"), LIMIT_W),
            Limit(word("warning"), WARN_C, CELSIUS),
            Limit(word("cut"), CUT_C, CELSIUS),
        ],
        marks=[Mark(name, at_s) for name, at_s in seen.marks],
    )
