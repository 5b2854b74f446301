"""Sessions at the ports of a charger: meters, relays, records, the account of energy (device).

When a session begins and ends is protocol/policy/charge_port.py, what ports share is
charge_station.py; this carries it out. A session is on record before its relay closes. Opening is
the safe direction: a relay opens first, and what is to be said of it is written in the same turn
(ADR-0020).
"""

import time
from array import array

from firmware.charge_safety import Safety
from firmware.energy_ring import EnergyRing
from firmware.loan import forget
from protocol.codes import (
    END_OVER_POWER,
    END_POWER_LOSS,
    END_REVOKED,
    END_STATION_LIMIT,
    EVENT_DENIED,
    EVENT_OVER_POWER,
    EVENT_STATION_LIMIT,
    PORT_IDLE,
    PORT_LOCKED,
    PORT_WAITS,
    REASON_PORT_FAULT,
    REASON_STATION_LIMIT,
)
from protocol.policy.charge_port import NO_END, WELDED, Port
from protocol.policy.charge_station import NONE, Station

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from firmware.controller import Controller
    from firmware.reading import Input
    from protocol.policy.charge_port import Rules

_WAIT_MS = 10000  # for head room and the meter, before a port that was promised is refused
_OUT_MS = 5000  # a plug that is out for so long was pulled out


class Sessions:
    """on_plug(port): something was plugged in there. firmware/charge_setup.py fills the rest in.

    lists_seen: the count of changes up to which cards that charge were looked up;
    reasons: of each port, why its session begins or ran; running: it is on record as begun, and its
    end not (1), or not in the account yet (2). offer_wh, offer_min: what the card that was accepted
    last may take. resumed: of ports whose session went on after an outage, its seconds then, until
    a whole minute more of it is in the account.
    """

    def __init__(self, controller: "Controller", on_plug: "Callable[[int], None]") -> None:
        self._c = controller
        self._on_plug = on_plug
        self.relays: "list[Any]" = controller.board.relays()
        self._light = controller.board.indicator()
        self.ports: "list[Port]" = []
        self.meters: "list[Any]" = []  # rows of them, one after another a meter for each port
        self.plugs: "dict[int, Input]" = {}  # of ports that have one
        self.buttons: "dict[int, Input]" = {}
        self.reasons = bytearray(len(self.relays))
        self.running = bytearray(len(self.relays))
        self.troubles = bytearray(len(self.relays))
        self.station = Station(self.ports)
        self.energy = EnergyRing(controller.board.partition("energy"), len(self.relays))
        self.safety = Safety(controller, self)
        count = len(self.relays)
        # of each port: readings and their time as they were seen last, when it was served last, for
        # how long it waits to close and its plug is out, and what the account has of its session
        self._readings, self._read_ms = bytearray(count), array("i", [0] * count)
        self._served_ms = array("i", [time.ticks_ms()] * count)
        self._waits_ms, self._out_ms = array("i", [0] * count), array("i", [0] * count)
        self.slot_s, self.slot_mwh = array("i", [0] * count), array("i", [0] * count)
        self.resumed: "dict[int, int]" = {}
        self.offer_wh = self.offer_min = 0
        self._number = 0
        self.lists_seen = controller.intake.changes

    def add(self, rules: "Rules", limit_w: int) -> None:
        """One more port. Its code has to come from here: charge_setup.py is to be forgotten."""
        self.ports.append(Port(rules, limit_w))

    def turn(self, passed_ms: int) -> None:
        """Every meter, then one port after another: one a turn."""
        station = self.station
        station.tick(passed_ms)
        now = time.ticks_ms()
        if self._measure(now):
            shed = station.to_shed()
            if shed != NONE:
                self._shed(shed)
        self._number = (self._number + 1) % len(self.ports)
        self._serve(self._number, now)
        if self.lists_seen != self._c.intake.changes:
            self._look_up()

    def _measure(self, now: int) -> bool:
        """Whether a meter gave a power."""
        any_read = False
        number = 0
        for row in self.meters:
            row.poll(now)
            for index in range(row.count):
                if row.readings[index] != self._readings[number]:
                    self._readings[number] = row.readings[index]
                    since_ms = time.ticks_diff(row.read_ms[index], self._read_ms[number])
                    self._read_ms[number] = row.read_ms[index]
                    result = self.ports[number].read(row.power_dw[index], since_ms)
                    self.carry_out(number, result)
                    any_read = True
                self.troubles[number] = row.trouble[index]
                number += 1
        return any_read

    def _serve(self, number: int, now: int) -> None:
        """What every port is asked some times a second, in turn."""
        port = self.ports[number]
        passed_ms = time.ticks_diff(now, self._served_ms[number])
        self._served_ms[number] = now
        self.safety.look_at(number)
        self.carry_out(number, port.tick(passed_ms))
        plug = self.plugs.get(number)
        if plug is not None:
            was_in = plug.active
            is_in = plug.poll()
            out_ms = 0 if is_in else min(self._out_ms[number] + passed_ms, _OUT_MS)
            self._out_ms[number] = out_ms
            if out_ms == _OUT_MS:
                self.carry_out(number, port.pulled_out())
            if is_in and not was_in:
                self._on_plug(number)
        if port.state == PORT_WAITS:
            waits_for_turn = port.ready and self.station.has_room() and not self.safety.blind
            waits_ms = 0 if waits_for_turn else self._waits_ms[number] + passed_ms
            self._waits_ms[number] = waits_ms
            if waits_for_turn and self.station.may_close():
                self._begin(number)
            elif port.trouble or waits_ms >= _WAIT_MS:
                self._withdraw(number)
        self.safety.check_output(number)

    def carry_out(self, number: int, result: int) -> None:
        """What a port's policy has said: open its relay, or say what became of it."""
        if result == NO_END:
            return
        port = self.ports[number]
        if result >= 0:
            self.safety.drive(number, 0)
            self._end(number)  # from here on no start takes it for one that goes on
            if result == END_OVER_POWER:
                self._c.journal.note(EVENT_OVER_POWER, 0, number, port.key, port.power_dw)
            return
        if result == WELDED:
            self.safety.weld(number)
        if self.running[number]:
            self._end(number)
        elif self.reasons[number]:  # its relay was found welded before it ever closed
            self.reasons[number] = 0
            self._c.journal.note(EVENT_DENIED, REASON_PORT_FAULT, number, port.key)

    def _begin(self, number: int) -> None:
        from firmware.charge_book import begin

        forget("firmware.charge_book")
        port = self.ports[number]
        if not begin(self, self._c, number):  # as if the card had not been there
            port.cancel()
            port.code = END_POWER_LOSS  # of one that was to go on: its end is tried again
            return
        port.close()
        self.safety.drive(number, 1)
        self.station.closed(number)

    def _withdraw(self, number: int) -> None:
        """What was promised does not begin after all."""
        port = self.ports[number]
        reason = REASON_STATION_LIMIT if port.ready else REASON_PORT_FAULT
        self._c.journal.note(EVENT_DENIED, reason, number, port.key)
        self.stop(number, END_POWER_LOSS)

    def _end(self, number: int) -> None:
        """Put it on record; what flash or heap refuse now is tried again each second."""
        try:
            from firmware.charge_book import end

            forget("firmware.charge_book")
            end(self, self._c, number)
        except (OSError, MemoryError):
            self._c.journal.lost += 1

    def second(self) -> None:
        """A second is over: the contactor rests while nothing is charged, and an end that is not
        on record yet is tried again."""
        self.safety.second()
        busy = self.is_busy()
        self._light.value(1 if busy else 0)
        if not busy:
            self.safety.power(0)
        for number in range(len(self.ports)):
            if self.running[number] and not PORT_IDLE < self.ports[number].state < PORT_LOCKED:
                self._end(number)

    def _shed(self, number: int) -> None:
        watts = self.station.power_dw() // 10
        self.carry_out(number, self.ports[number].end(END_STATION_LIMIT))
        self._c.journal.note(EVENT_STATION_LIMIT, 0, number, self.ports[number].key, watts)

    def is_busy(self) -> bool:
        """Whether a port has a session, is to have one, or has yet to show no current."""
        for port in self.ports:  # noqa: SIM110  a generator would be an allocation
            if PORT_IDLE < port.state < PORT_LOCKED:
                return True
        return False

    def is_free(self, number: int) -> bool:
        """Whether a port is idle and well, its last session on record, and nothing latched."""
        port = self.ports[number]
        free = port.state == PORT_IDLE and not port.trouble and not self.running[number]
        return free and not self.station.latches and not self.safety.blind

    def promise(self, number: int, key: bytes, reason: int) -> None:
        """A free port is to serve this card, with what was offered to it."""
        self.ports[number].authorise(key, self.offer_wh, self.offer_min)
        self.reasons[number] = reason
        self._waits_ms[number] = self.slot_s[number] = self.slot_mwh[number] = 0
        self.safety.power(1)

    def stop(self, number: int, code: int) -> None:
        """A session, or what is to become one, ends with that code."""
        port = self.ports[number]
        if port.state != PORT_WAITS:
            self.carry_out(number, port.end(code))
            return
        port.cancel()
        if self.running[number]:  # it was to go on after a short outage
            port.code = code
            self._end(number)
        else:
            self.reasons[number] = 0

    def stop_all(self, code: int) -> None:
        """Every session ends with that code; the relays are open by then."""
        for number in range(len(self.ports)):
            self.stop(number, code)

    def _look_up(self) -> None:
        """A new list came: cards that charge may have been collected."""
        try:
            from firmware.charge_told import collected

            forget("firmware.charge_told")
            gone = collected(self, self._c.whitelist)
        except (OSError, MemoryError):  # unread is unseen: asked again at the next turn
            return
        self.lists_seen = self._c.intake.changes
        for number in range(len(self.ports)):
            if gone >> number & 1:
                self.stop(number, END_REVOKED)
