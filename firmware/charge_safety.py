"""What opens the ports of a charger, whatever else is going on (device).

Smoke and fire, the residual-current device, the emergency stop and a board that is too hot open all
relays and the contactor in the turn in which they are seen, then the journal is written, then it is
latched: in NVS, for a restart must not let go of it. Where NVS has not got it, the journal has
(firmware/charge_latched.py). A welded relay, or an expander that does not do what it is told, opens
the contactor where there is one. Ports have temperatures, meters and outputs of their own: what
fails there ends the session of that port alone.

A thermistor that is cut or shorted has no temperature. Such looks take none of the hot ones back: a
sensor that is hot whenever it works is hot. A port's own takes the port out of use. The board's own
is on record and keeps new sessions from beginning, for nobody would see the board get hot; those
that run go on, each under the thermistor of its port, for a wire that breaks is no heat.
"""

from array import array

from firmware.journal import CONTROLLER, NO_KEY
from firmware.loan import forget
from protocol.codes import (
    END_PORT_FAULT,
    END_RELAY_WELD,
    END_TEMPERATURE,
    EVENT_CONTACTOR_TRIPPED,
    EVENT_INPUT_FAULT,
    EVENT_METER_BACK,
    EVENT_METER_LOST,
    EVENT_OUTPUT_BACK,
    EVENT_OUTPUT_LOST,
    EVENT_OVER_TEMPERATURE,
    EVENT_RELAY_WELD,
    EVENT_TAMPER,
    EVENT_TEMPERATURE_WARNING,
    LATCH_TEMPERATURE,
    LATCH_WELD,
    LINE_ACTIVE,
    LINE_OK,
    LINE_OPEN,
    LINE_SHORT,
    PORT_HOT,
    PORT_METER,
    PORT_OUTPUT,
    PORT_SENSOR,
)
from protocol.policy.thermistor import UNKNOWN, tenths_of_degree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from firmware.charge_sessions import Sessions
    from firmware.controller import Controller

LATCH = "latch"  # in NVS
THERMISTOR = 4  # as the input that is at fault, beside those of firmware/charge_setup.py
_STEADY = 3  # so many samples in a row before a temperature or an output counts
_SHORT_UV = 1000000  # of a broken one: below is a short, above a wire that is cut
_COOLER_DC = 50  # below the warning: what was hot may be used again
# how a thermistor is: so many looks in a row at which it was broken, and at which it was too hot
_BROKEN = 0x03
_COUNT = 0x0C
_ONE = 0x04
_HOT = 0x10
_WARNED = 0x20


class Safety:
    """Inputs, temperatures, relays and the contactor of all ports."""

    contactor: "Any"
    by_power: bool  # without a reset on site, the power that came just now was one
    inputs: "list[tuple[Any, int, int, int]]"  # line, latch, event, end code
    lines: "list[tuple[Any, int]]"  # supervised ones, and which input that is
    tamper: "Any"
    reset: "Any"
    # of each thermistor: its point, its voltage in uV, tenths of a degree, and how it is
    sensed: bytes
    read_uv: "Callable[[int], int]"
    heat_dc: "array[int]"
    looks: bytearray
    warn_dc: int
    cut_dc: int
    wrong: bytearray  # outputs that were found not to follow

    def __init__(self, controller: "Controller", sessions: "Sessions") -> None:
        """Everything is open from here on. firmware/charge_setup.py fills the rest in."""
        self._c = controller
        self._sessions = sessions
        # blind: ports that only the contactor keeps open, and a board that feels no heat
        self._sensor = self._hot_dc = self.blind = 0
        from firmware.charge_setup import wire

        forget("firmware.charge_setup")
        wire(self, controller.board, len(sessions.relays))
        for number in range(len(sessions.relays)):
            self.drive(number, 0)
        self.power(0)

    # --- outputs --------------------------------------------------------------------------

    def drive(self, number: int, level: int) -> None:
        """Open (0) or close a relay; a bus that fails is found out by check_output."""
        try:
            self._sessions.relays[number].value(level)
        except (OSError, MemoryError):
            self.wrong[number] = _STEADY

    def power(self, level: int) -> None:
        """Open (0) or close the contactor, where there is one."""
        if self.contactor is not None:
            self.contactor.value(level)

    def _open_all(self) -> None:
        self.power(0)
        for number in range(len(self._sessions.ports)):
            self.drive(number, 0)

    def check_output(self, number: int) -> None:
        """Whether a relay says what it was told; a few times a second."""
        port = self._sessions.ports[number]
        relay = self._sessions.relays[number]
        level = 1 if port.live else 0
        try:
            follows = relay.value() == level
            if not follows:
                relay.value(level)
        except OSError:
            follows = False
        if follows:
            self.wrong[number] = 0
        elif self.wrong[number] < _STEADY:
            self.wrong[number] += 1
        lost = self.wrong[number] >= _STEADY
        if lost == (port.trouble & PORT_OUTPUT != 0):
            return
        if lost:
            port.trouble |= PORT_OUTPUT
            if self.contactor is not None:  # it may be closed, and cannot be told to open
                self.blind += 1
                self._trip(END_PORT_FAULT)
            else:
                self._sessions.carry_out(number, port.end(END_PORT_FAULT))
            self._c.journal.note(EVENT_OUTPUT_LOST, 0, number)
        elif level == 0 or follows:
            port.trouble &= ~PORT_OUTPUT
            if self.contactor is not None:
                self.blind -= 1
            self._c.journal.note(EVENT_OUTPUT_BACK, 0, number)

    def _trip(self, code: int) -> None:
        """Open the contactor and with it every session."""
        self._open_all()
        self._sessions.stop_all(code)
        self._c.journal.note(EVENT_CONTACTOR_TRIPPED, code)

    def weld(self, number: int) -> None:
        """Current flows though the port's relay is open: its port is locked by now."""
        power_dw = self._sessions.ports[number].power_dw
        self.power(0)
        self._c.journal.note(EVENT_RELAY_WELD, END_RELAY_WELD, number, NO_KEY, power_dw)
        self._sessions.station.resets(True, LATCH_WELD, 0)  # a key that is held by now is no press
        if self.contactor is not None:
            self._trip(END_PORT_FAULT)
            self._latch(LATCH_WELD)

    # --- what opens all of them -------------------------------------------------------------

    def turn(self, passed_ms: int) -> None:
        """Ask every input once, and one thermistor."""
        said = 0
        for line, bit, event, code in self.inputs:
            if line.poll():
                said |= bit
                if not self._sessions.station.latches & bit:
                    self.cut(bit, event, code, CONTROLLER, 0)
        if self.tamper.active != self.tamper.poll() and self.tamper.active:
            self._c.journal.note(EVENT_TAMPER)
        if self.sensed:
            self._sensor = (self._sensor + 1) % len(self.sensed)
            self._sample(self._sensor)
        if self._hot_dc:  # at every turn: a key that is held must not find one between two looks
            said |= LATCH_TEMPERATURE
            if not self._sessions.station.latches & LATCH_TEMPERATURE:
                self.cut(
                    LATCH_TEMPERATURE, EVENT_OVER_TEMPERATURE, END_TEMPERATURE, CONTROLLER,
                    self._hot_dc,
                )  # fmt: skip
        station = self._sessions.station
        held = self.reset.poll()
        if station.resets(held, said, passed_ms):
            try:
                from firmware.charge_told import let_go

                forget("firmware.charge_told")
                let_go(self._sessions, self._c)
            except (OSError, MemoryError):  # the key has to be held once more
                self._c.journal.lost += 1

    def cut(self, bit: int, event: int, code: int, point: int, extra: int) -> None:
        """Open everything, say why, and latch it."""
        self._open_all()
        self._c.journal.note(event, code, point, NO_KEY, extra)
        self._sessions.stop_all(code)
        self._latch(bit)

    def _latch(self, bit: int) -> None:
        station = self._sessions.station
        station.latches |= bit
        try:
            self._c.nvs.put(LATCH, station.latches)
        except (OSError, MemoryError):  # latched as long as it runs
            self._c.journal.lost += 1

    # --- temperatures, meters, lines --------------------------------------------------------

    def _sample(self, index: int) -> None:
        """Look at one."""
        point = self.sensed[index]
        now_dc = tenths_of_degree(self.read_uv(index) // 1000)
        looks = self.looks[index]
        before_dc = self.heat_dc[index]
        if now_dc == UNKNOWN:
            looks += 1 if looks & _BROKEN < _STEADY else 0
            if looks & _BROKEN == _STEADY and looks != self.looks[index]:
                self.heat_dc[index] = UNKNOWN
                self._tell_sensor(index, 1)
        else:
            if looks & _BROKEN == _STEADY:
                self._tell_sensor(index, -1)
            looks &= ~_BROKEN
            self.heat_dc[index] = now_dc
            if now_dc >= self.cut_dc:
                if looks & _COUNT < _STEADY * _ONE:
                    looks += _ONE
                    if looks & _COUNT == _STEADY * _ONE:
                        looks |= _HOT
                        if point != CONTROLLER:  # the board's own is asked for at every turn
                            self._too_hot(point, now_dc)
            else:
                looks = self._warm(looks & ~_COUNT, point, before_dc, now_dc)
        self.looks[index] = looks
        if point == CONTROLLER:
            self._hot_dc = max(self.heat_dc[index], self.cut_dc) if looks & _HOT else 0

    def _warm(self, looks: int, point: int, before_dc: int, now_dc: int) -> int:
        """Below the cut: what becomes of its looks."""
        if now_dc < self.warn_dc - _COOLER_DC:
            looks &= ~_HOT & ~_WARNED
        elif now_dc >= self.warn_dc and not looks & _WARNED:
            looks |= _WARNED
            if before_dc != UNKNOWN:
                self._c.journal.note(EVENT_TEMPERATURE_WARNING, 0, point, NO_KEY, now_dc)
        return looks

    def _too_hot(self, point: int, now_dc: int) -> None:
        port = self._sessions.ports[point]
        port.trouble |= PORT_HOT
        self._sessions.carry_out(point, port.end(END_TEMPERATURE))
        # another reason than the board's: counts of the two are told apart, and only one latches
        self._c.journal.note(EVENT_OVER_TEMPERATURE, END_PORT_FAULT, point, NO_KEY, now_dc)

    def look_at(self, number: int) -> None:
        """What is wrong with a port's meter, on record when it changes, or with its sensor."""
        port = self._sessions.ports[number]
        trouble = self._sessions.troubles[number]
        if (trouble != 0) != (port.trouble & PORT_METER != 0):
            port.trouble ^= PORT_METER
            if trouble:
                self._c.journal.note(EVENT_METER_LOST, trouble, number)
            else:
                self._c.journal.note(EVENT_METER_BACK, 0, number)
        for index in range(len(self.sensed)):
            if self.sensed[index] == number:
                looks = self.looks[index]
                if not looks & _HOT:
                    port.trouble &= ~PORT_HOT
                port.trouble &= ~PORT_SENSOR
                if looks & _BROKEN == _STEADY:
                    port.trouble |= PORT_SENSOR

    def _tell_sensor(self, index: int, broken: int) -> None:
        """Put it on record that a thermistor is broken (1) or mended (-1)."""
        point = self.sensed[index]
        if point == CONTROLLER:
            self.blind += broken
        state = LINE_OK
        if broken > 0:
            state = LINE_SHORT if self.read_uv(index) < _SHORT_UV else LINE_OPEN
        self._c.journal.note(EVENT_INPUT_FAULT, state, point, NO_KEY, THERMISTOR)

    def second(self) -> None:
        """A second is over: supervised lines that broke, beside what they did as inputs."""
        for line, which in self.lines:
            state = LINE_OK if line.line == LINE_ACTIVE else line.line
            if state != line.told:
                line.told = state
                self._c.journal.note(EVENT_INPUT_FAULT, state, CONTROLLER, NO_KEY, which)
