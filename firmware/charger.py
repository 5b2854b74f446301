"""A charger port: reader, contactor, fire and tamper (device).

Who may start and stop it is protocol/policy/charger.py. Opening the contactor is the safe
direction and waits for nothing; closing it comes after the record of it.
"""

from firmware.journal import NO_KEY
from firmware.reading import Input, Reader
from firmware.swipes import Swipes
from protocol.codes import (
    EVENT_CHARGE_ENDED,
    EVENT_CHARGE_STARTED,
    EVENT_DENIED,
    EVENT_FIRE,
    EVENT_GRANTED,
    EVENT_TAMPER,
    REASON_CARD,
    REASON_PORT_BUSY,
    REASON_REVOKED,
    REASON_TICKET,
    TICKET_CHARGE_START,
    TICKET_CHARGE_STOP,
)
from protocol.constants import FLAG_REVOKED
from protocol.policy.charger import NO_END, Port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Controller

_POINT = 0
_QUOTA_MIN_AT = 6  # in a profile


class Service:
    """One port and what belongs to it."""

    def __init__(self, controller: "Controller") -> None:
        self._c = controller
        board = controller.board
        self._port = Port(controller.config.ceiling_min)
        self._relay = board.relays()[_POINT]
        self._light = board.indicator()
        self.swipes = Swipes(controller, self._card)
        contacts = board.inputs()
        self._fire = Input(contacts.get("fire"), False)
        self._tamper = Input(contacts.get("tamper"), False)
        self._lists_seen = 0
        self._drive()

    def turn(self, passed_ms: int) -> None:
        """Serve the port once; called every 10 ms."""
        port = self._port
        if self._fire.poll() and not port.fire:
            self._end(port.smoke())
            self._c.journal.note(EVENT_FIRE, point=_POINT)
        tampered = self._tamper.active
        if self._tamper.poll() and not tampered:
            self._c.journal.note(EVENT_TAMPER)
        self._end(port.tick(passed_ms))
        self.swipes.poll()
        if self._lists_seen != self._c.intake.changes:
            self._look_up_session()

    def _card(self, reader: Reader) -> None:
        c = self._c
        granted, reason = self.swipes.judge(reader, _POINT, self._port.fire)
        key = c.access.key
        if reason == REASON_REVOKED:
            self._end(self._port.revoked(key))
        elif self._port.owns(key):
            self._end(self._port.card(key, 0))
            return
        if not granted:
            self.swipes.deny(reason, _POINT, reader.number)
        elif self._port.active:
            c.journal.note(EVENT_DENIED, REASON_PORT_BUSY, _POINT, key, reader.number)
        else:
            c.journal.record(EVENT_GRANTED, reason, _POINT, key, reader.number)
            self._start(key, c.access.profile[_QUOTA_MIN_AT], REASON_CARD)

    def _start(self, key: bytes, quota_min: int, reason: int) -> None:
        """OSError when it cannot be written, and then nothing has begun."""
        if self._port.active or self._port.fire:
            return
        self._c.journal.record(EVENT_CHARGE_STARTED, reason, _POINT, key, quota_min)
        self._port.start(key, quota_min)
        self._drive()

    def _end(self, code: int) -> None:
        """Carry out an end of the port's session; extra of its record: minutes."""
        if code == NO_END:
            return
        self._drive()
        port = self._port
        self._c.journal.note(EVENT_CHARGE_ENDED, code, _POINT, port.key, port.minutes)

    def _look_up_session(self) -> None:
        """A new list came: the card that charges may have been collected."""
        port = self._port
        whitelist = self._c.whitelist
        if port.active and port.key != NO_KEY:
            try:
                listed = whitelist.find(port.key)
            except OSError:  # unread is unseen: asked again at the next turn
                return
            if not listed or whitelist.found_flags & FLAG_REVOKED:
                self._end(port.revoked(port.key))
        self._lists_seen = self._c.intake.changes

    def _drive(self) -> None:
        level = 1 if self._port.active else 0
        self._relay.value(level)
        self._light.value(level)

    def takes(self, action: int, point: int, argument: int) -> bool:
        """Whether a ticket may ask for this here."""
        if point != _POINT:
            return False
        if action == TICKET_CHARGE_START:
            return not self._port.active and not self._port.fire
        return action == TICKET_CHARGE_STOP

    def act(self, action: int, point: int, argument: int) -> None:
        """Start (argument: minutes, 0 for the ceiling) or stop by ticket."""
        if action == TICKET_CHARGE_START:
            self._start(NO_KEY, argument, REASON_TICKET)
        else:
            self._end(self._port.stop())

    def at_rest(self) -> bool:
        """Whether a restart would change nothing for anybody; it would reset a latched fire."""
        return not (self._port.active or self._port.fire)

    is_shut = at_rest

    def relay_follows(self) -> bool:
        """Whether the contactor's output is what it should be."""
        return bool(self._relay.value() == (1 if self._port.active else 0))
