"""A charger: its ports, its readers, what its tickets may do (device).

Who may charge where is firmware/charge_cards.py, how sessions run charge_sessions.py, what opens
everything charge_safety.py. Without access (firmware/way_out.py) every port stays open.
"""

from firmware import reserve
from firmware.charge_cards import Chooser
from firmware.charge_sessions import Sessions
from firmware.loan import forget

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.controller import Controller

_SLOT_S = 60
_QUIET_MS = 100


class Service:
    """All ports of the board."""

    sessions: "Any" = None  # firmware.charge_sessions.Sessions; None: nobody may be judged
    energy: "Any"

    def __init__(self, controller: "Controller") -> None:
        self._c = controller
        self._chooser = Chooser(controller)
        self.swipes = self._chooser.swipes
        if controller.access is None:
            import board

            board.safe_state()
            return
        sessions = self.sessions = self._chooser.sessions = Sessions(
            controller, self._chooser.chosen
        )
        self._settled = False  # what a power cut left of the sessions before it
        self._ms = self._seconds = 0
        from firmware.charge_setup import build

        forget("firmware.charge_setup")
        build(sessions, controller)
        self.energy = sessions.energy

    def turn(self, passed_ms: int) -> None:
        """Serve the ports once; called every 10 ms. What opens them comes first."""
        sessions = self.sessions
        if sessions is None:
            return
        sessions.safety.turn(passed_ms)
        try:
            self._serve(sessions, passed_ms)
        except (OSError, MemoryError) as error:  # nothing that opens a port; tried again
            self._chooser.swipes.failed(error)

    def _serve(self, sessions: "Any", passed_ms: int) -> None:
        if not self._settled:  # now there is a list, if there is one
            reserve.give()
            from firmware.charge_start import settle

            forget("firmware.charge_start")
            settle(sessions, self._c)
            self._settled = True
        sessions.turn(passed_ms)
        self._chooser.turn(passed_ms)
        self._ms += passed_ms
        if self._ms >= 1000:
            self._ms -= 1000
            self._second(sessions)

    def _second(self, sessions: Sessions) -> None:
        self._seconds += 1
        sessions.second()
        self._chooser.second()
        if self._seconds >= _SLOT_S:
            self._seconds = 0
            if sessions.is_busy():
                sessions.lists_seen = -1  # looked up each minute too, whatever was missed
                from firmware.charge_book import minute

                forget("firmware.charge_book")
                minute(sessions, self._c)
        elif self._c.pace.quiet_for(_QUIET_MS):
            supply = self._c.supply
            if supply is None or not supply.sags():
                sessions.energy.erase_ahead()

    # --- tickets and questions ------------------------------------------------------------

    def takes(self, action: int, point: int, argument: int) -> bool:
        """Whether a ticket may ask for this here; for nothing before a start has settled."""
        if self.sessions is None or not self._settled:
            return False
        from firmware.charge_card import takes

        forget("firmware.charge_card")
        return takes(self.sessions, action, point)

    def act(self, action: int, point: int, argument: int) -> None:
        """Start (argument: Wh << 10 | minutes, 0 for the ceiling) or stop by ticket."""
        from firmware.charge_card import act

        forget("firmware.charge_card")
        act(self.sessions, action, point, argument)

    def told(self) -> "list[Any]":
        """What get_ports answers (docs/protocol.cddl `ports`)."""
        from firmware.charge_told import told

        forget("firmware.charge_told")
        return told(self.sessions)

    def at_rest(self) -> bool:
        """Whether a restart would change nothing for anybody: what is latched stays so."""
        return self.sessions is None or not (
            self.sessions.is_busy() or self._chooser.mask or max(self.sessions.running)
        )

    is_shut = at_rest

    def relay_follows(self) -> bool:
        """Whether all outputs are what they should be."""
        from firmware.charge_told import follow

        forget("firmware.charge_told")
        return self.sessions is not None and follow(self.sessions)
