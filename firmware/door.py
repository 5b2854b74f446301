"""A door: readers, lock relay, REX, contact, fire, tamper (device).

What happens when is protocol/policy/door.py; this carries it out: journal first, the lock last.
Leaving and fire do not depend on the flash: if the journal cannot be written, a card or a ticket
opens nothing and changes nothing, while REX and fire still release the lock.
"""

from firmware.reading import Input, Reader
from firmware.swipes import Swipes
from protocol.codes import (
    EVENT_DOOR_CLOSED,
    EVENT_DOOR_OPENED,
    EVENT_FIRE,
    EVENT_FIRE_CLEARED,
    EVENT_FORCED_OPEN,
    EVENT_GRANTED,
    EVENT_HELD_OPEN,
    EVENT_LOCKED,
    EVENT_REX,
    EVENT_TAMPER,
    EVENT_UNLOCKED,
    REASON_CARD,
    REASON_FIRE,
    REASON_NONE,
    REASON_REX,
    REASON_TICKET,
    TICKET_UNLOCK,
)
from protocol.policy.door import (
    ACT_DOOR_CLOSED,
    ACT_DOOR_OPENED,
    ACT_FIRE,
    ACT_FIRE_CLEARED,
    ACT_FORCED_OPEN,
    ACT_HELD_OPEN,
    ACT_LOCK,
    ACT_REX,
    ACT_TAMPER,
    ACT_UNLOCK,
    Door,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Controller

_POINT = 0
_UNLOCK_DS_AT = 3  # in a profile
_CAUSED = ACT_REX | ACT_FIRE | ACT_UNLOCK  # the other actions have no reason but themselves

# in the order in which they are carried out, the relay last
_EVENTS = (
    (ACT_REX, EVENT_REX),
    (ACT_FIRE, EVENT_FIRE),
    (ACT_FIRE_CLEARED, EVENT_FIRE_CLEARED),
    (ACT_TAMPER, EVENT_TAMPER),
    (ACT_DOOR_OPENED, EVENT_DOOR_OPENED),
    (ACT_FORCED_OPEN, EVENT_FORCED_OPEN),
    (ACT_HELD_OPEN, EVENT_HELD_OPEN),
    (ACT_DOOR_CLOSED, EVENT_DOOR_CLOSED),
    (ACT_UNLOCK, EVENT_UNLOCKED),
    (ACT_LOCK, EVENT_LOCKED),
)


class Service:
    """One lock and what belongs to it."""

    def __init__(self, controller: "Controller") -> None:
        self._c = controller
        config = controller.config
        board = controller.board
        self._door = Door(config.unlock_ds, config.held_open_s, config.relock_on_open)
        self._relay = board.relays()[_POINT]
        self._light = board.indicator()
        self._locked_level = 1 if config.fail_safe else 0
        self._swipes = Swipes(controller, self._card)
        contacts = board.inputs()
        self._rex = Input(contacts.get("rex"), False)
        self._leaf = Input(contacts.get("door"), False)
        self._fire = Input(contacts.get("fire"), False)
        self._tamper = Input(contacts.get("tamper"), False)
        self._drive()

    def turn(self, passed_ms: int) -> None:
        """Serve the door once; called every 10 ms. The ways out come before the cards."""
        door = self._door
        rex, leaf = self._rex.poll(), self._leaf.poll()
        fire, tamper = self._fire.poll(), self._tamper.poll()
        actions = door.inputs(rex, leaf, fire, tamper) | door.tick(passed_ms)
        if actions:
            self._perform(actions, REASON_FIRE if actions & ACT_FIRE else REASON_REX)
        self._swipes.poll()

    def _card(self, reader: Reader) -> None:
        access = self._c.access
        granted, reason = self._swipes.judge(reader, _POINT, False)
        if not granted:
            self._swipes.deny(reason, _POINT, reader.number)
            return
        self._c.journal.record(EVENT_GRANTED, reason, _POINT, access.key, reader.number)
        self._unlock(access.profile[_UNLOCK_DS_AT], REASON_CARD)

    def _unlock(self, duration_ds: int, reason: int) -> None:
        """By card or ticket: OSError when it cannot be written, and then nothing has changed."""
        if not self._door.unlocked:
            self._c.journal.record(EVENT_UNLOCKED, reason, _POINT)
        self._door.unlock(duration_ds)
        self._drive()

    def _perform(self, actions: int, cause: int) -> None:
        try:
            for action, event in _EVENTS:
                if actions & action:
                    reason = cause if action & _CAUSED else REASON_NONE
                    self._c.journal.note(event, reason, _POINT)
        finally:
            self._drive()

    def _drive(self) -> None:
        unlocked = self._door.unlocked
        self._relay.value(1 - self._locked_level if unlocked else self._locked_level)
        self._light.value(1 if unlocked else 0)

    def takes(self, action: int, point: int) -> bool:
        """Whether a ticket may ask for this here."""
        return action == TICKET_UNLOCK and point == _POINT

    def act(self, action: int, point: int, argument: int) -> None:
        """Unlock by ticket; argument: tenths of a second, 0 for the door's own duration."""
        self._unlock(argument, REASON_TICKET)

    def at_rest(self) -> bool:
        """Whether a restart would change nothing for anybody."""
        return not self._door.unlocked

    def is_shut(self) -> bool:
        """Whether it is locked, and the leaf closed as far as anybody can tell."""
        return not self._door.unlocked and not self._leaf.active

    def relay_follows(self) -> bool:
        """Whether the relay's output is what it should be."""
        unlocked = self._door.unlocked
        level = 1 - self._locked_level if unlocked else self._locked_level
        return bool(self._relay.value() == level)
