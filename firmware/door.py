"""The doors of a controller: readers, lock relays, REX, contacts, fire, tamper, modes (device).

What happens when is protocol/policy; this carries it out: journal first, the lock last. Leaving and
fire do not depend on flash or heap: if the journal cannot be written, a card, a ticket or a
schedule opens nothing and changes nothing, while REX and fire still release the lock, and what
locks a door happens in any case.

One relay of the board is one door, one to four; readers go round them: with two doors, readers 0
and 2 belong to the first, 1 and 3 to the second. The first round lets in, the second one out.
Fire and tamper are the controller's. A commanded mode survives a restart (NVS), its hours are
recomputed; a latched fire, a lock-out and what anti-passback remembers do not. A configuration that
comes into force is such a restart for the doors, but it waits for a latched fire to be reset.
"""

from firmware.journal import NO_KEY
from firmware.judging import judge
from firmware.point import Point
from firmware.readers.results import SHOW_DENIED, SHOW_WAIT
from firmware.reading import Reader, wired
from firmware.swipes import Swipes
from protocol.codes import (
    EVENT_DOOR_CLOSED,
    EVENT_DOOR_OPENED,
    EVENT_DURESS,
    EVENT_FIRE,
    EVENT_FIRE_CLEARED,
    EVENT_FORCED_OPEN,
    EVENT_GRANTED,
    EVENT_HELD_OPEN,
    EVENT_HELD_WARNING,
    EVENT_LOCK_OUT,
    EVENT_LOCKED,
    EVENT_REX,
    EVENT_TAMPER,
    EVENT_UNLOCKED,
    MODE_CLOSED,
    MODE_LOCKDOWN,
    MODE_OPEN,
    MODE_SCHEDULE,
    REASON_CARD,
    REASON_FIRE,
    REASON_NONE,
    REASON_PIN_MISSING,
    REASON_PIN_WRONG,
    REASON_REVOKED,
    REASON_REX,
    REASON_TICKET,
    REASON_UNKNOWN_CARD,
    TICKET_DOOR_MODE,
    TICKET_UNLOCK,
)
from protocol.constants import PROFILE_DURESS, PROFILE_ESCORT, PROFILE_FIRST_CARD
from protocol.policy.decide import (
    RULE_CLOSED,
    RULE_ESCORTED,
    RULE_FIRST_CARD,
    RULE_FIRST_ONLY,
    RULE_INTERLOCK,
    RULE_LOCKED_OUT,
    RULE_PASSBACK,
    RULE_PASSBACK_SOFT,
)
from protocol.policy.door import ACT_FIRE, ACT_REX, ACT_UNLOCK
from protocol.policy.interlock import blocked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.controller import Controller
    from firmware.keypads import Keypads
    from firmware.lines import Lines
    from firmware.mode_keeper import Keeper
    from protocol.policy.door import Door
    from protocol.policy.passback import Passback

_UNLOCK_DS_AT = 3  # in a profile
_FLAGS_AT = 4
_CAUSED = ACT_REX | ACT_FIRE | ACT_UNLOCK  # the other actions have no reason but themselves
_DENIED_S = 2
_SECOND_MS = 1000
_MODE_SHIFT = 13
_HARD = 2

# of the actions by their bits, in the order in which they are carried out, the relay last
_EVENTS = (
    EVENT_REX,
    EVENT_FIRE,
    EVENT_FIRE_CLEARED,
    EVENT_TAMPER,
    EVENT_DOOR_OPENED,
    EVENT_FORCED_OPEN,
    EVENT_HELD_WARNING,
    EVENT_HELD_OPEN,
    EVENT_DOOR_CLOSED,
    EVENT_UNLOCKED,
    EVENT_LOCKED,
)


class Service:
    """All doors of the board."""

    def __init__(self, controller: "Controller") -> None:
        self._c = controller
        config = controller.config
        board = controller.board
        contacts = board.inputs()
        self.points: "list[Point]" = []
        self._doors: "list[Door]" = []
        watched: "list[Any]" = []
        self._keeper: "Keeper | None" = None
        self._has_modes = False
        self._keypads: "Keypads | None" = None
        self._lines: "Lines | None" = None
        self._passback: "Passback | None" = None
        self._reader = 0  # whose card is judged
        self._card_key = b""  # of the card before the PIN that is judged
        self._ms = 0
        self._seconds = 0
        self._light = board.indicator()
        self._locked_level = 1 if config.fail_safe else 0
        self.swipes = Swipes(controller, self._card, self.on_key)
        self._fire = wired(contacts.get("fire"))
        self._tamper = wired(contacts.get("tamper"))
        for relay in board.relays():
            point = Point(len(self.points), relay, contacts, config)
            self.points.append(point)
            self._doors.append(point.door)
            watched += (point.leaf, point.number, 0), (point.rex, point.number, 1)
            self.drive(point)
        if controller.access is not None:  # else the way out alone is served
            controller.access.rules = self._rules
            watched += (self._fire, 0, 2), (self._tamper, 0, 3)
            self._bring(contacts, watched)

    def _bring(self, contacts: "dict[str, Any]", watched: "list[Any]") -> None:
        """Load what this door was set to do, or its board has, beyond what every door does."""
        config = self._c.config
        commanded = [self._c.nvs.get("mode" + str(point.number)) for point in self.points]
        # loaded a second after the start: a list and what sessions need in one piece come before
        self._has_modes = bool(config.mode or config.mode_schedule or any(commanded))
        if config.passback:
            from protocol.policy.passback import Passback

            self._passback = Passback(config.passback_min)
        if [pin for pin in contacts.values() if hasattr(pin, "read_uv")]:
            from firmware.lines import Lines

            self._lines = Lines(self._c, watched)

    def turn(self, passed_ms: int) -> None:
        """Serve the doors once; called every 10 ms. The ways out come before the cards, which wait
        in the readers' lines until it is known whether a door is, say, in lockdown."""
        fire, tamper = self._fire.poll(), self._tamper.poll()
        for point in self.points:
            door = point.door
            rex, leaf = point.rex.poll(), point.leaf.poll()
            actions = door.inputs(rex, leaf, fire, tamper and not point.number)
            actions |= door.tick(passed_ms)
            if actions:
                self._perform(point, actions, REASON_FIRE if actions & ACT_FIRE else REASON_REX)
        if self._seconds or not self._has_modes:
            self.swipes.poll()
        self._ms += passed_ms
        if self._ms >= _SECOND_MS:
            self._ms -= _SECOND_MS
            self._second()

    # --- cards and keys -----------------------------------------------------------------

    def _card(self, reader: Reader) -> None:
        number = reader.number
        if self._keypads is not None:
            self._keypads.give_up(number)
        point = self.begin(number, b"")
        driver = reader.driver
        access = self._c.access
        granted, reason = judge(access, driver.type, driver.credential, point.number, False)
        self.settle(point, granted, reason)

    def on_key(self, reader: Reader, key: int) -> None:
        """A key of a reader's keypad."""
        try:
            self._pads().press(reader.number, key)
        except (OSError, MemoryError) as error:
            self.swipes.failed(error)

    def _pads(self) -> "Keypads":
        if self._keypads is None:
            from firmware.keypads import Keypads

            self._keypads = Keypads(self._c, self)
        return self._keypads

    def begin(self, reader: int, card_key: bytes) -> Point:
        """Something is about to be judged at a reader; card_key: of the card before a PIN."""
        self._reader = reader
        self._card_key = card_key
        return self.points[reader % len(self.points)]

    def settle(self, point: Point, granted: bool, reason: int) -> None:
        """What follows a decision. OSError when a grant cannot be written: nothing has changed."""
        access = self._c.access
        flags = access.profile[_FLAGS_AT]
        reader = self._reader
        key = access.key
        if flags & PROFILE_DURESS and reason != REASON_REVOKED:
            self._c.journal.note(EVENT_DURESS, reason, point.number, key, reader)
        if reason == REASON_PIN_MISSING and self._pads().hold(reader):
            self.swipes.show(reader, SHOW_WAIT)
            return
        if not granted:
            self.deny(point, reason)
            return
        self._c.journal.record(EVENT_GRANTED, reason, point.number, key, reader)
        self._unlock(point, access.profile[_UNLOCK_DS_AT], REASON_CARD)
        if self._passback is not None:
            self._passback.note(self._card_key or key, self._side(), self._minute())
        if flags & PROFILE_ESCORT:
            point.escort_s = self._c.config.escort_s
        if flags & PROFILE_FIRST_CARD and self._keeper is not None:
            self._keeper.first_card(point)

    def deny(self, point: Point, reason: int) -> None:
        """Write a denial of the card judged last, and count the wrong ones."""
        reader = self._reader
        self.swipes.deny(reason, point.number, reader)
        wrong = reason in (REASON_UNKNOWN_CARD, REASON_REVOKED, REASON_PIN_WRONG)
        if wrong and point.attempts.wrong(self._c.clock.uptime_s):
            self._c.journal.note(EVENT_LOCK_OUT, REASON_NONE, point.number, NO_KEY, reader)
        point.denied_s = _DENIED_S
        self.swipes.show(reader, SHOW_DENIED)

    def _rules(self, number: int) -> int:
        """RULE_… that hold at a door for the card whose key access has just made."""
        point = self.points[number]
        mode = point.door.mode
        access = self._c.access
        access.lockdown = mode == MODE_LOCKDOWN
        rules = RULE_CLOSED if mode == MODE_CLOSED else 0
        if point.attempts.locked(self._c.clock.uptime_s):
            rules |= RULE_LOCKED_OUT
        if point.waits:
            rules |= RULE_FIRST_CARD if point.waits == 1 else RULE_FIRST_CARD | RULE_FIRST_ONLY
        if self.blocked(number):
            rules |= RULE_INTERLOCK
        passback = self._passback
        key = self._card_key or access.key
        if passback is not None and passback.violates(key, self._side(), self._minute()):
            rules |= RULE_PASSBACK if self._c.config.passback == _HARD else RULE_PASSBACK_SOFT
        return rules | RULE_ESCORTED if point.escort_s else rules

    def blocked(self, number: int) -> bool:
        """Whether the interlock keeps a door locked."""
        return self._c.config.interlock != 0 and blocked(self._doors, number)

    def _side(self) -> int:
        return self._reader // len(self.points) & 1

    def _minute(self) -> int:
        return self._c.clock.uptime_s // 60

    # --- what a door is told and does -----------------------------------------------------

    def _unlock(self, point: Point, duration_ds: int, reason: int) -> None:
        """By card or ticket: OSError when it cannot be written, and then nothing has changed."""
        if not point.door.unlocked:
            self._c.journal.record(EVENT_UNLOCKED, reason, point.number)
        point.door.unlock(duration_ds)
        self.drive(point)

    def _modes(self) -> "Keeper":
        if self._keeper is None:
            from firmware.mode_keeper import Keeper

            self._keeper = Keeper(self._c, self, len(self.points))
        return self._keeper

    def _second(self) -> None:
        self._seconds += 1
        if self._has_modes:
            self._modes()
        minute = self._seconds % 60 == 0
        for point in self.points:
            if point.second(self._c.clock.uptime_s):
                self._show_state(point)
            if self._keeper is not None:
                try:
                    self._keeper.second(point, minute)
                except OSError:  # tried again in a second
                    self._c.journal.lost += 1
        if self._keypads is not None:
            self._keypads.second()
        if self._lines is not None:
            self._lines.second()

    def _perform(self, point: Point, actions: int, cause: int) -> None:
        try:
            for bit in range(len(_EVENTS)):
                if actions >> bit & 1:
                    reason = cause if _CAUSED >> bit & 1 else REASON_NONE
                    self._c.journal.note(_EVENTS[bit], reason, point.number)
        finally:
            self.drive(point)

    def drive(self, point: Point) -> None:
        """The relay, the light and the readers follow the door."""
        point.relay.value(self._level(point))
        lit = 0
        for door in self._doors:
            if door.unlocked:
                lit = 1
        self._light.value(lit)
        self._show_state(point)

    def _level(self, point: Point) -> int:
        return 1 - self._locked_level if point.door.unlocked else self._locked_level

    def _show_state(self, point: Point) -> None:
        pattern = point.pattern(self._c.clock.uptime_s)
        for reader in range(point.number, len(self.swipes.readers), len(self.points)):
            self.swipes.show(reader, pattern)

    # --- tickets and questions ------------------------------------------------------------

    def takes(self, action: int, point: int, argument: int) -> bool:
        """Whether a ticket may ask for this here."""
        if point >= len(self.points):
            return False
        mode = argument >> _MODE_SHIFT
        if action == TICKET_DOOR_MODE:
            return mode <= MODE_SCHEDULE and not (mode == MODE_OPEN and self.blocked(point))
        return action == TICKET_UNLOCK and not self.blocked(point)

    def act(self, action: int, point: int, argument: int) -> None:
        """Unlock (argument: tenths of a second, 0 for the door's own duration) or set a mode.

        OSError when it cannot be written, and then nothing has changed.
        """
        if action == TICKET_UNLOCK:
            self._unlock(self.points[point], argument, REASON_TICKET)
        else:
            self._modes().command(self.points[point], argument)

    def at_rest(self) -> bool:
        """Whether a restart would change nothing for anybody, but for some seconds."""
        for door in self._doors:
            if door.fire or (door.unlocked and door.mode != MODE_OPEN):
                return False
        return True

    def is_shut(self) -> bool:
        """Whether every door is locked, or unlocked by its mode alone, and its leaf closed.

        Then a configuration may be put into force; a door that a mode holds open locks for a
        second by that. A latched fire or a REX that is pressed keeps it waiting.
        """
        for point in self.points:
            if point.leaf.active:
                return False
        return self.at_rest()

    def relay_follows(self) -> bool:
        """Whether the relays' outputs are what they should be."""
        for point in self.points:  # noqa: SIM110  a generator would be an allocation
            if point.relay.value() != self._level(point):
                return False
        return True
