"""What is done beside the door, a little every quarter second (device).

Flash is erased at most once a second, never near a card, not while the supply sags; but a card that
is left at a reader, or noise on its line, puts nothing off for more than ten seconds. Refused
attempts are journalled ever more rarely while they go on, and whenever a session begins; a list is
proven or merged, step by step; the heap is swept when nobody is at the door. One that has failed a
few times is in pieces, and only a restart mends it: at a time when nobody notices.
"""

import gc

from firmware import dispatch, reserve
from firmware.loan import forget
from protocol.codes import EVENT_FIRMWARE_FAULT
from protocol.constants import FIRMWARE_TRIAL_S

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.controller import Controller

packfs: "Any" = __import__("packfs")

PERIOD_MS = 250
_QUIET_MS = 100
_LOUD_MAX_MS = 10000
_AT_REST_MS = 10000
_SPENT_REST_MS = 1000  # a guest of ours waits for it: no stranger can bring it about
_MEMORY_FAULTS_MAX = 3
_SECOND_MS = 1000
_MINUTE_MS = 60000
_TELL_FIRST_S = 2
_TELL_MAX_S = 3600


class Chores:
    """turn() every PERIOD_MS."""

    def __init__(self, controller: "Controller") -> None:
        self._c = controller
        self._second_ms = 0
        self._minute_ms = 0
        self._loud_ms = 0  # for so long a reader was never found quiet
        self._tell_every_s = _TELL_FIRST_S
        self._told_s = 0

    def turn(self, passed_ms: int) -> None:
        """Do what is due; what a failing flash leaves undone is due again."""
        c = self._c
        c.clock.tick()
        self._second_ms += passed_ms
        self._minute_ms += passed_ms
        try:
            holds = c.supply is not None and c.supply.turn(passed_ms)
            quiet = c.pace.quiet_for(_QUIET_MS)
            self._loud_ms = 0 if quiet else self._loud_ms + passed_ms
            quiet = quiet or self._loud_ms >= _LOUD_MAX_MS
            if quiet and not holds:
                c.intake.step()
            if self._second_ms < _SECOND_MS:
                return
            self._second_ms = 0
            while self._minute_ms >= _MINUTE_MS:
                self._minute_ms -= _MINUTE_MS
                c.access.minute()
                self._end_trial()
            self._tell_refused()
            c.journal.tell(c.clock.uptime_s)
            if quiet:
                if not holds:
                    c.journal.erase_ahead()
                if c.config_waits and c.admission.guest is None and c.kind.is_shut():
                    from firmware.device_config import apply

                    forget("firmware.device_config")
                    apply(c)
                    del apply
                    gc.collect()  # what stays must not come to lie behind that code
                    c.restart_wanted = True  # unless all of them are built: half is no door
                    c.kind = __import__("firmware." + c.board.KIND, None, None, ("*",)).Service(c)
                    forget("wiring")
                    c.restart_wanted = c.config_lost  # relays are powered again by a start alone
                gc.collect()
                if c.admission.guest is None:  # else a request may be in it, between two steps
                    reserve.keep()
            self._renew_heap()
        except OSError:
            c.fault = "OSError"
        except MemoryError as error:
            dispatch.fault(c, error)
            self._renew_heap()  # it was not reached, and may never be

    def _end_trial(self) -> None:
        c = self._c
        if packfs.state == "t" and c.clock.uptime_s > FIRMWARE_TRIAL_S and c.kind.at_rest():
            from firmware.trial import give_up

            forget("firmware.trial")
            give_up(c)

    def _renew_heap(self) -> None:
        c = self._c
        rest_ms = _SPENT_REST_MS if c.heap_is_spent else _AT_REST_MS
        if (
            (c.heap_is_spent or c.memory_faults >= _MEMORY_FAULTS_MAX)
            and c.admission.guest is None
            and c.kind.at_rest()
            and (c.pace.quiet_for(rest_ms) or self._loud_ms >= _LOUD_MAX_MS)
        ):
            c.restart_wanted = True  # first: there may be no room for a record either
            c.journal.record(EVENT_FIRMWARE_FAULT, extra=c.memory_faults)

    def _tell_refused(self) -> None:
        c = self._c
        since_s = c.clock.uptime_s - self._told_s
        if since_s < self._tell_every_s:
            return
        self._told_s = c.clock.uptime_s
        if not c.admission.refused:
            self._tell_every_s = _TELL_FIRST_S
            return
        self._tell_every_s = min(_TELL_MAX_S, 2 * self._tell_every_s)
        c.admission.tell(c.journal)
