"""What hangs at a charger's ports: power through relay and contactor, and its meters (host).

A load draws as much as it is told to while its relay and the contactor are closed; a relay that is
welded conducts whatever the board says, and the contactor alone stops it. The energy is summed up
here, beside every meter, so that a bench can hold the firmware's account against it.
"""

from __future__ import annotations

import os
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controller_tool.sim.chips.bl0942 import Bl0942, Line
from controller_tool.sim.chips.hlw8012 import Hlw8012
from controller_tool.sim.page import PageView, layout
from controller_tool.sim.readers import BadStimulus

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOK_S = 0.01  # how late a relay that moves may be seen
_ADC_MAX_MV = 3300
_UJ_OF_MWH = 3_600_000
_BYTE_BITS = 10
_BL_PER_MV2 = 3537 / 1.218**2
_HLW_HZ_OF_V2 = {"hlw8012": 48 / 2.43**2 * 3579000 / 128, "bl0937": 1721506 / 1.218**2}


class AnalogMeter:
    """A current sensor at an ADC: 1 mV a watt. Faults: silent (0 mV), stuck, noisy (5 W)."""

    def __init__(self) -> None:
        self.milliwatts = 0
        self.silent = self.stuck = self.noisy = False
        self._shown_mv = 0

    def well(self) -> None:
        """No fault any more."""
        self.silent = self.stuck = self.noisy = False

    def level_mv(self) -> int:
        """At the pin."""
        if self.silent:
            return 0
        if not self.stuck:
            self._shown_mv = self.milliwatts // 1000
        noise_mv = os.urandom(1)[0] % 11 - 5 if self.noisy else 0
        return max(0, min(_ADC_MAX_MV, self._shown_mv + noise_mv))


Meter = AnalogMeter | Bl0942 | Hlw8012
FAULTS = {  # by the word of the stimulus, for each kind of meter
    AnalogMeter: {"silent": "silent", "stuck": "stuck", "noise": "noisy"},
    Hlw8012: {"silent": "silent", "stuck": "stuck", "noise": "noisy"},
    Bl0942: {
        "silent": "silent", "stuck": "stuck", "noise": "chatters", "checksum": "spoils",
        "backwards": "backwards",
    },
}  # fmt: skip


@dataclass
class Port:
    """One port: its relay's pin, its meter, and what hangs there."""

    relay: int
    meter: Meter
    watts: float = 0.0
    welded: bool = False
    cut: bool = False  # the wire between relay and load
    error: float = 0.0  # of its meter, as a share: what a calibration takes away
    energy_uj: float = 0.0
    flows_mw: int = 0


class Loads:
    """All ports of a board; `advance` before anybody looks at a meter."""

    def __init__(self, wiring: dict[str, Any], page: PageView) -> None:
        self._page = page
        self._contactor = wiring.get("contactor")
        self._lines: dict[int, tuple[list[int], list[Line]]] = {}
        self._adcs: list[tuple[int, AnalogMeter]] = []
        self._counters: list[Hlw8012] = []
        meters = [meter for row in wiring.get("meters", []) for meter in self._row(row)]
        self.ports = [Port(*pair) for pair in zip(wiring["relays"].values(), meters, strict=False)]
        self._told = [0] * len(self._counters)
        self._last_us = _now_us()

    def _row(self, row: dict[str, Any]) -> Iterator[Meter]:
        """The meters of a row of board.toml, wired."""
        if row["kind"] == "analog":
            for pin in row["pins"]:
                self._adcs.append((pin, AnalogMeter()))
                yield self._adcs[-1][1]
        elif row["kind"] == "hlw8012":
            hz = _hz_of_watt(row)
            for _ in row["cf"]:
                self._counters.append(Hlw8012(round(1_000_000 / hz)))
                yield self._counters[-1]
        else:
            per_watt = _BL_PER_MV2 * _v2_of_watt(row) * 1_000_000
            lines = []
            for addresses in row["lines"]:
                chips = {address: Bl0942(per_watt, 7 + address) for address in addresses}
                lines.append(Line(chips))
                yield from chips.values()
            self._lines[row["uart"]] = (row.get("select", []), lines)

    def port(self, number: int) -> Port:
        """By its number from 1; BadStimulus when the board has no such port."""
        if not 1 <= number <= len(self.ports):
            raise BadStimulus(f"this board has no metered port {number}, but {len(self.ports)}")
        return self.ports[number - 1]

    def cut_wire(self, relay: int, cut: bool) -> None:
        """Cut or mend the wire behind a relay's pin, where it feeds a port."""
        for port in self.ports:
            if port.relay == relay:
                port.cut = cut

    def advance(self) -> None:
        """Let the time pass that has passed, with the power that flowed until now."""
        now_us = _now_us()
        passed_us = now_us - self._last_us
        self._last_us = now_us
        closed = self._contactor is None or self._is_on(self._contactor)
        for port in self.ports:
            port.energy_uj += port.flows_mw * passed_us / 1000
            if isinstance(port.meter, Hlw8012):
                port.meter.pass_us(passed_us)
            flows = closed and not port.cut and (port.welded or self._is_on(port.relay))
            port.flows_mw = round(1000 * port.watts) if flows else 0
            port.meter.milliwatts = round(port.flows_mw * (1 + port.error))
        for pin, meter in self._adcs:
            at = layout.ANALOG_MV + 2 * pin
            struct.pack_into("<H", self._page.bytes, at, meter.level_mv())
        for place, counter in enumerate(self._counters):
            came = counter.pulses - self._told[place]
            if came:  # a wire from another board may bring pulses too (wires.py)
                self._told[place] = counter.pulses
                at = layout.PULSES + 4 * place
                self._page.set_word(at, (self._page.word(at) + came) & 0xFFFFFFFF)

    def heard(self, uart: int, data: bytes) -> tuple[bytes, float]:
        """What the meters of a UART answer, and after how many seconds its last bit is there."""
        if uart not in self._lines:
            return b"", 0.0
        self.advance()
        select, lines = self._lines[uart]
        chosen = sum(self._is_on(pin) << place for place, pin in enumerate(select))
        if chosen >= len(lines):
            return b"", 0.0
        answer = lines[chosen].receive(data)
        baud = self._page.word(layout.UARTS + uart * layout.UART_BYTES + 8)
        return answer, _BYTE_BITS * (len(data) + len(answer)) / max(baud, 1)

    def energy_mwh(self) -> list[float]:
        """What truly flowed at each port since the board was started."""
        self.advance()
        return [port.energy_uj / _UJ_OF_MWH for port in self.ports]

    def _is_on(self, pin: int) -> bool:
        return bool(self._page.bytes[layout.OUTPUTS + pin] == 1)


def hlw_milli_hz(row: dict[str, Any], watts: float) -> int:
    """Pulses in a thousand seconds at a CF pin, for a row of board.toml and a power."""
    return round(1000 * _hz_of_watt(row) * watts)


def _hz_of_watt(row: dict[str, Any]) -> float:
    return _HLW_HZ_OF_V2[row.get("chip", "hlw8012")] * _v2_of_watt(row)


def _v2_of_watt(row: dict[str, Any]) -> float:
    """V1 * V2 of a watt, in V²: shunt by divider."""
    upper, lower = row["divider"]
    return float(row["shunt_uohm"] / 1_000_000 * lower / (upper + lower))


def _now_us() -> int:
    return time.monotonic_ns() // 1000
