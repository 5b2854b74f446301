"""What happens around a charging station, as verbs of the field (host).

Ports count from 1. Stimuli (stimuli.py) takes these verbs in beside those of every board.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

from controller_tool.sim.loads import FAULTS
from controller_tool.sim.page import layout
from controller_tool.sim.readers import BadStimulus

if TYPE_CHECKING:
    from controller_tool.sim.page import PageView
    from controller_tool.sim.supervisor import Supervisor

_PRESS_MS = 300
_KEY_MS = 3000  # a charger wants it held for two seconds
_SUPPLY_MV = 3300
_SERIES_OHM = _NTC_OHM = 10000
_NTC_B = 3950
_KELVIN = 273.15
_I2C_HELD = 3


def thermistor_mv(celsius: float) -> int:
    """The divider's voltage, by the equation that a thermistor's data sheet gives."""
    kelvin, warm = celsius + _KELVIN, 25 + _KELVIN
    ohms = _NTC_OHM * math.exp(_NTC_B * (1 / kelvin - 1 / warm))
    return round(_SUPPLY_MV * ohms / (ohms + _SERIES_OHM))


class Station:
    """Verbs of ports; mixed into Stimuli, which has the board, its page and its wiring."""

    _board: Supervisor
    _page: PageView
    _wiring: dict[str, Any]

    def set_input(self, name: str, active: bool) -> int:
        """A contact by its name in board.toml, and when; Stimuli has it."""
        raise NotImplementedError

    # --- vehicles ---------------------------------------------------------------------

    def plug_in(self, port: int = 1, watts: float | None = None) -> bool:
        """A vehicle is plugged in at a port; watts: what it draws as soon as it gets power.

        Returns whether the port has a contact that tells the board.
        """
        name = _of_port("plug", port)
        has_contact = name in self._wiring["inputs"]
        if has_contact:
            self.set_input(name, active=True)
        if watts is not None:
            self.draw_watts(watts, port)
        else:
            self._board.loads.port(port)
        return has_contact

    def unplug(self, port: int = 1) -> None:
        """It is pulled out."""
        self.draw_watts(0, port)
        name = _of_port("plug", port)
        if name in self._wiring["inputs"]:
            self.set_input(name, active=False)

    def draw_watts(self, watts: float, port: int = 1) -> None:
        """What is plugged in at a port draws so much while it gets power."""
        loads = self._board.loads
        loads.advance()
        loads.port(port).watts = max(0.0, float(watts))
        loads.advance()

    def press_button(self, port: int = 1, ms: int = _PRESS_MS) -> None:
        """Press a port's button for so long."""
        self._press(_of_port("button", port), ms)

    def true_energy(self) -> list[float]:
        """What truly flowed at each port since the board was started, mWh."""
        return self._board.loads.energy_mwh()

    def true_power(self) -> list[float]:
        """What flows at each port, W."""
        self._board.loads.advance()
        return [port.flows_mw / 1000 for port in self._board.loads.ports]

    # --- what goes wrong --------------------------------------------------------------

    def weld(self, port: int = 1) -> None:
        """A port's relay is welded: it conducts though it is open."""
        self._set_welded(port, True)

    def unweld(self, port: int = 1) -> None:
        """It was replaced."""
        self._set_welded(port, False)

    def _set_welded(self, port: int, welded: bool) -> None:
        self._board.loads.port(port).welded = welded
        self._board.loads.advance()

    def meter_fault(self, fault: str, port: int = 1) -> None:
        """well, silent, stuck, noise; a BL0942 knows checksum and backwards too."""
        meter = self._board.loads.port(port).meter
        faults = FAULTS[type(meter)]
        if fault != "well" and fault not in faults:
            raise BadStimulus(f"this meter's faults are well, {', '.join(faults)}")
        self._board.loads.advance()
        meter.well()
        if fault != "well":
            setattr(meter, faults[fault], True)

    def meter_error(self, percent: float, port: int = 1) -> None:
        """A port's meter tells so much too much, until it is calibrated."""
        self._board.loads.port(port).error = percent / 100
        self._board.loads.advance()

    def set_temperature(self, celsius: float, port: int | None = None) -> None:
        """At a port; without one, of the board's own sensor."""
        self._set_sensor(port, thermistor_mv(celsius))

    def break_sensor(self, port: int | None = None, shorted: bool = False) -> None:
        """A thermistor's wire is cut, or shorted."""
        self._set_sensor(port, 0 if shorted else _SUPPLY_MV)

    def _set_sensor(self, port: int | None, level_mv: int) -> None:
        pin = sensor_pins(self._wiring).get(port or 0)
        if pin is None:
            raise BadStimulus("this board has no such thermistor")
        struct.pack_into("<H", self._page.bytes, layout.ANALOG_MV + 2 * pin, level_mv)

    def raise_smoke(self) -> int:
        """Smoke, or fire, by whichever input the board has; returns when, as the relays' log."""
        return self._smoke(True)

    def clear_smoke(self) -> int:
        """It is over; what latched stays latched."""
        return self._smoke(False)

    def _smoke(self, active: bool) -> int:
        lines = self._wiring.get("lines", {})
        known = "smoke" in lines or "smoke" in self._wiring["inputs"]
        return self.set_input("smoke" if known else "fire", active=active)

    def turn_key(self, ms: int = _KEY_MS) -> None:
        """Turn the key switch that lets latches go, and back."""
        self._press("reset", ms)

    def _press(self, name: str, ms: int) -> None:
        self.set_input(name, active=True)
        self._board.later(ms / 1000, lambda: self.set_input(name, active=False))

    # --- the bus of the relays --------------------------------------------------------

    def i2c_fault(self, fault: int) -> None:
        """0 well, 1 nobody on it, 2 stuck, 3 SDA held down until it is clocked nine times."""
        self._page.bytes[layout.I2C_FAULT] = fault
        sda = self._wiring.get("bus", {}).get("sda")
        if sda is not None:
            self._page.bytes[layout.LEVELS + sda] = 1 if fault < _I2C_HELD - 1 else 0

    def cut_expanders(self) -> None:
        """The expanders lose their supply for a moment, the controller does not."""
        self._board.chip.clear_expanders()


def sensor_pins(wiring: dict[str, Any]) -> dict[int, int]:
    """Where the voltage of each thermistor stands, by port from 1; 0 is the board's own."""
    wired = wiring.get("thermistors", {})
    pins = dict(enumerate(wired.get("ports", []), 1))
    multiplexer = wired.get("multiplexer")
    if multiplexer:
        for number in range(multiplexer["ports"]):
            pins[number + 1] = multiplexer["first"] + number
    return pins | ({0: wired["board"]} if "board" in wired else {})


def _of_port(name: str, port: int) -> str:
    """The contact's name in board.toml."""
    return name if port == 1 else f"{name}{port}"
