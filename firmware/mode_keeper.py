"""Door modes by ticket, by hours and by setting, carried out (device).

Loaded when a door has a mode by setting, hours of its own, or a command, now or before a restart.
Which mode counts is protocol/policy/door_modes.py. A mode that unlocks is on record before the lock
moves; one that locks does not wait for the flash.
"""

from firmware.config import own
from firmware.judging import within
from firmware.point import Point
from protocol.codes import (
    EVENT_DOOR_MODE,
    EVENT_MODE_CHANGED,
    EVENT_UNLOCKED,
    MODE_OPEN,
    MODE_SCHEDULE,
    REASON_MODE,
)
from protocol.constants import MODE_MINUTES_MAX
from protocol.policy.door_modes import Modes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Controller
    from firmware.door import Service

_MODE_SHIFT = 13


class Keeper:
    """The modes of all doors of a controller."""

    def __init__(self, controller: "Controller", service: "Service", count: int) -> None:
        self._c = controller
        self._service = service
        config = controller.config
        self._modes = []
        self._schedules = []
        for number in range(count):
            hours = own(config.mode_schedule, number)
            stored = controller.nvs.get("mode" + str(number))
            first_card = own(config.first_card, number)
            modes = Modes(own(config.mode, number), hours >> 8, first_card, stored)
            self._modes.append(modes)
            try:  # a start uses up what was booked
                controller.nvs.put("mode" + str(number), modes.stored())
            except OSError:  # the next minute tries again
                controller.journal.lost += 1
            self._schedules.append(hours & 0xFF)

    def second(self, point: Point, minute: bool) -> None:
        """A second is over, and perhaps a minute; OSError: it is to be asked again."""
        number = point.number
        modes = self._modes[number]
        if minute:
            modes.minute()
            self._c.nvs.put("mode" + str(number), modes.stored())
        self._follow(point, False)

    def first_card(self, point: Point) -> None:
        """Such a card was let in."""
        self._modes[point.number].first_card()

    def command(self, point: Point, argument: int) -> None:
        """By ticket. OSError when it cannot be written, and then nothing has changed."""
        mode = argument >> _MODE_SHIFT
        number = point.number
        journal = self._c.journal
        journal.record(EVENT_MODE_CHANGED, mode, number, extra=argument & MODE_MINUTES_MAX)
        if mode == MODE_OPEN and not point.door.unlocked:
            journal.record(EVENT_UNLOCKED, REASON_MODE, number)
        modes = self._modes[number]
        modes.command(argument)
        self._follow(point, mode != MODE_SCHEDULE)
        self._c.nvs.put("mode" + str(number), modes.stored())

    def _follow(self, point: Point, told: bool) -> None:
        """Brings the mode that counts now into force; told: it is on record already."""
        number = point.number
        modes = self._modes[number]
        access = self._c.access
        mode = modes.now(access is not None and within(access, self._schedules[number]))
        point.waits = modes.waits
        door = point.door
        if mode == door.mode:
            return
        if mode == MODE_OPEN and not told:
            if self._service.blocked(number):
                return
            self._c.journal.record(EVENT_DOOR_MODE, mode, number)
            if not door.unlocked:
                self._c.journal.record(EVENT_UNLOCKED, REASON_MODE, number)
        elif not told:
            self._c.journal.note(EVENT_DOOR_MODE, mode, number)
        door.set_mode(mode)
        self._service.drive(point)
