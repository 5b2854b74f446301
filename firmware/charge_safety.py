"""What opens the ports of a charger, whatever else is going on (device).

Smoke and fire, the residual-current device, the emergency stop and a board that is too hot open all
relays and the contactor in the turn in which they are seen, then the journal is written, then it is
latched: in NVS, for a restart must not let go of it. A welded relay, or an expander that does not
do what it is told, opens the contactor where there is one. Ports have temperatures, meters and
outputs of their own: what fails there ends the session of that port alone.
"""

from array import array

from firmware.journal import CONTROLLER, NO_KEY
from firmware.reading import wired
from protocol.codes import (
    END_EMERGENCY_STOP,
    END_LEAKAGE,
    END_PORT_FAULT,
    END_RELAY_WELD,
    END_SMOKE,
    END_TEMPERATURE,
    EVENT_CONTACTOR_TRIPPED,
    EVENT_EMERGENCY_STOP,
    EVENT_FIRE,
    EVENT_INPUT_FAULT,
    EVENT_LEAKAGE,
    EVENT_METER_BACK,
    EVENT_METER_LOST,
    EVENT_OUTPUT_BACK,
    EVENT_OUTPUT_LOST,
    EVENT_OVER_TEMPERATURE,
    EVENT_RELAY_WELD,
    EVENT_RESET_ON_SITE,
    EVENT_TAMPER,
    EVENT_TEMPERATURE_WARNING,
    LATCH_ESTOP,
    LATCH_LEAKAGE,
    LATCH_SMOKE,
    LATCH_TEMPERATURE,
    LATCH_WELD,
    LINE_OK,
    LINE_OPEN,
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
_STEADY = 3  # so many samples in a row before a temperature or an output counts
_COOLER_DC = 50  # below the warning: what was hot may be used again
# how a thermistor is: so many looks in a row at which it was broken, and at which it was too hot
_BROKEN, _COUNT, _ONE = 0x03, 0x0C, 0x04
_HOT, _WARNED = 0x10, 0x20

# contacts that open everything, in the order in which they are asked
_INPUTS = (
    ("smoke", LATCH_SMOKE, EVENT_FIRE, END_SMOKE),
    ("fire", LATCH_SMOKE, EVENT_FIRE, END_SMOKE),
    ("estop", LATCH_ESTOP, EVENT_EMERGENCY_STOP, END_EMERGENCY_STOP),
    ("leakage", LATCH_LEAKAGE, EVENT_LEAKAGE, END_LEAKAGE),
)


class Safety:
    """Inputs, temperatures, relays and the contactor of all ports."""

    _read_uv: "Callable[[int], int]"

    def __init__(self, controller: "Controller", sessions: "Sessions") -> None:
        self._c = controller
        self._sessions = sessions
        board = controller.board
        contacts = board.inputs()
        self._inputs = [
            (wired(contacts[name]), bit, event, code)
            for name, bit, event, code in _INPUTS
            if name in contacts
        ]
        self._tamper = wired(contacts.get("tamper"))
        self.has_reset = "reset" in contacts
        self._reset = wired(contacts.get("reset"), False)
        self.contactor: "Any" = board.contactor() if hasattr(board, "contactor") else None
        # of each thermistor: its point, tenths of a degree, and how it is
        self.sensed = b""
        if hasattr(board, "thermistors"):
            self.sensed, self._read_uv = board.thermistors()
        self.heat_dc = array("h", [UNKNOWN] * len(self.sensed))
        self._looks = bytearray(len(self.sensed))
        self.warn_dc, self.cut_dc = 650, 750
        self._sensor = 0
        self._wrong = bytearray(len(sessions.relays))  # outputs that were found not to follow
        for number in range(len(sessions.relays)):
            self.open(number)
        self.power(False)

    # --- outputs --------------------------------------------------------------------------

    def open(self, number: int) -> None:
        """Open one relay; a bus that fails is found out by check_output."""
        try:
            self._sessions.relays[number].value(0)
        except OSError:
            self._wrong[number] = _STEADY

    def close(self, number: int) -> None:
        """Close one relay."""
        try:
            self._sessions.relays[number].value(1)
        except OSError:
            self._wrong[number] = _STEADY

    def power(self, on: bool) -> None:
        """The contactor, where there is one."""
        if self.contactor is not None:
            self.contactor.value(1 if on else 0)

    def _open_all(self) -> None:
        self.power(False)
        for number in range(len(self._sessions.ports)):
            self.open(number)

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
            self._wrong[number] = 0
        elif self._wrong[number] < _STEADY:
            self._wrong[number] += 1
        lost = self._wrong[number] >= _STEADY
        if lost == (port.trouble & PORT_OUTPUT != 0):
            return
        if lost:
            port.trouble |= PORT_OUTPUT
            if self.contactor is not None:  # it may be closed, and cannot be told to open
                self._trip(END_PORT_FAULT)
            else:
                self._sessions.carry_out(number, port.end(END_PORT_FAULT))
            self._c.journal.note(EVENT_OUTPUT_LOST, 0, number)
        elif level == 0 or follows:
            port.trouble &= ~PORT_OUTPUT
            self._c.journal.note(EVENT_OUTPUT_BACK, 0, number)

    def _trip(self, code: int) -> None:
        """Open the contactor and with it every session."""
        self._open_all()
        self._sessions.stop_all(code)
        self._c.journal.note(EVENT_CONTACTOR_TRIPPED, code)

    def weld(self, number: int) -> None:
        """Current flows though the port's relay is open: its port is locked by now."""
        port = self._sessions.ports[number]
        if self.contactor is not None:
            self._trip(END_PORT_FAULT)
            self._latch(LATCH_WELD)
        self._c.journal.note(EVENT_RELAY_WELD, END_RELAY_WELD, number, NO_KEY, port.power_dw)

    # --- what opens all of them -------------------------------------------------------------

    def turn(self, passed_ms: int) -> None:
        """Ask every input once, and one thermistor."""
        said = 0
        for line, bit, event, code in self._inputs:
            if line.poll():
                said |= bit
                if not self._sessions.station.latches & bit:
                    self.cut(bit, event, code, CONTROLLER, 0)
        if self._tamper.active != self._tamper.poll() and self._tamper.active:
            self._c.journal.note(EVENT_TAMPER)
        if self.sensed:
            self._sensor = (self._sensor + 1) % len(self.sensed)
            said |= self._sample(self._sensor)
        station = self._sessions.station
        held = self._reset.poll()
        if station.resets(held, said, passed_ms):
            self.let_go()

    def cut(self, bit: int, event: int, code: int, point: int, extra: int) -> None:
        """Open everything, say why, and latch it."""
        self._open_all()
        self._sessions.stop_all(code)
        self._c.journal.note(event, code, point, NO_KEY, extra)
        self._latch(bit)

    def _latch(self, bit: int) -> None:
        station = self._sessions.station
        station.latches |= bit
        self._c.nvs.put(LATCH, station.latches)

    def let_go(self) -> None:
        """Whoever stands there has reset it."""
        station = self._sessions.station
        was = station.latches
        locked = False
        for port in self._sessions.ports:
            locked = port.release() or locked
        if was or locked:
            station.latches = 0
            self._c.nvs.put(LATCH, 0)
            self._c.journal.note(EVENT_RESET_ON_SITE, 0, CONTROLLER, NO_KEY, was)

    # --- temperatures, meters, lines --------------------------------------------------------

    def _sample(self, index: int) -> int:
        """Look at one; LATCH_TEMPERATURE while the board's own is hot."""
        point = self.sensed[index]
        now_dc = tenths_of_degree(self._read_uv(index) // 1000)
        looks = self._looks[index]
        before_dc = self.heat_dc[index]
        if now_dc == UNKNOWN:
            looks += 1 if looks & _BROKEN < _STEADY else 0
            if looks & _BROKEN == _STEADY:
                self.heat_dc[index] = UNKNOWN
            self._looks[index] = looks & ~_COUNT
            return 0
        looks &= ~_BROKEN
        self.heat_dc[index] = now_dc
        if now_dc >= self.cut_dc:
            if looks & _COUNT < _STEADY * _ONE:
                looks += _ONE
                if looks & _COUNT == _STEADY * _ONE:
                    looks |= _HOT
                    self._too_hot(point, now_dc)
        else:
            looks &= ~_COUNT
            if now_dc < self.warn_dc - _COOLER_DC:
                looks &= ~_HOT & ~_WARNED
            elif now_dc >= self.warn_dc and not looks & _WARNED:
                looks |= _WARNED
                if before_dc != UNKNOWN:
                    self._c.journal.note(EVENT_TEMPERATURE_WARNING, 0, point, NO_KEY, now_dc)
        self._looks[index] = looks
        return LATCH_TEMPERATURE if point == CONTROLLER and looks & _HOT else 0

    def _too_hot(self, point: int, now_dc: int) -> None:
        if point == CONTROLLER:
            if not self._sessions.station.latches & LATCH_TEMPERATURE:
                event = EVENT_OVER_TEMPERATURE
                self.cut(LATCH_TEMPERATURE, event, END_TEMPERATURE, CONTROLLER, now_dc)
            return
        port = self._sessions.ports[point]
        port.trouble |= PORT_HOT
        self._sessions.carry_out(point, port.end(END_TEMPERATURE))
        self._c.journal.note(EVENT_OVER_TEMPERATURE, END_TEMPERATURE, point, NO_KEY, now_dc)

    def look_at(self, number: int) -> None:
        """What is wrong with a port's meter or sensor, on record when it changes."""
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
                looks = self._looks[index]
                if not looks & _HOT:
                    port.trouble &= ~PORT_HOT
                if (looks & _BROKEN == _STEADY) != (port.trouble & PORT_SENSOR != 0):
                    port.trouble ^= PORT_SENSOR
                    state = LINE_OPEN if port.trouble & PORT_SENSOR else LINE_OK
                    self._c.journal.note(EVENT_INPUT_FAULT, state, number)

    def second(self) -> None:
        """A second is over: the contactor rests while nothing is charged, lines are told of."""
        if not self._sessions.is_busy():
            self.power(False)
