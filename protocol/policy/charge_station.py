"""What the ports of a charger share: power, order of closing, what is latched (both, pure).

Rules:

- a port closes when the station draws no more than start_limit_w, counting a port that has just
  closed and shows no load yet with all that it may draw; and not within stagger_s of another
- when the station draws more than limit_w the session that began last is shed, one each second,
  for a meter needs that long to see what the one before has changed
- smoke, leakage, emergency stop and a hot board open every port and are latched, in NVS too: a
  restart lets go of nothing. So is a welded relay where a contactor has been opened for it
- latches go when the reset on site is held for RESET_HOLD_MS while no input says the same any more.
  Each press counts once: not one that began before the latch was set, or while an input said so, or
  before the start. A key that is taped down lets go of nothing
"""

from protocol.codes import PORT_STARTING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from protocol.policy.charge_port import Port

RESET_HOLD_MS = 2000
NONE = -1
_SHED_MS = 1000
_LONG_MS = 60000  # longer than any stagger
_SPENT_MS = -1  # as time of a press: this one counts no more


class Station:
    """Limits are tenths of a watt, none at first; `latches`: LATCH_… bits."""

    limit_dw = start_limit_dw = latches = 0
    stagger_ms = 1000

    def __init__(self, ports: "Sequence[Port]") -> None:
        self.ports = ports
        self._closed_ms = _LONG_MS
        self._shed_ms = _SHED_MS
        self._count = 0
        self._reset_ms = _SPENT_MS

    def power_dw(self) -> int:
        """What all ports together draw."""
        power_dw = 0
        for port in self.ports:
            power_dw += port.power_dw
        return power_dw

    def has_room(self) -> bool:
        """Whether one more port may close, as far as power goes."""
        power_dw = 0
        for port in self.ports:
            power_dw += port.limit_dw if port.state == PORT_STARTING else port.power_dw
        return power_dw <= self.start_limit_dw

    def tick(self, passed_ms: int) -> None:
        """Let time pass."""
        self._closed_ms = min(self._closed_ms + passed_ms, _LONG_MS)
        self._shed_ms = min(self._shed_ms + passed_ms, _SHED_MS)

    def may_close(self) -> bool:
        """Whether a port that is ready may close now."""
        return not self.latches and self._closed_ms >= self.stagger_ms and self.has_room()

    def closed(self, number: int) -> None:
        """That port was closed."""
        self._closed_ms = 0
        self._count += 1
        self.ports[number].order = self._count

    def to_shed(self) -> int:
        """The port whose session is to end for the station's limit, or NONE."""
        if self._shed_ms < _SHED_MS or self.power_dw() <= self.limit_dw:
            return NONE
        newest = NONE
        for number in range(len(self.ports)):
            if self.ports[number].live and (
                newest == NONE or self.ports[number].order > self.ports[newest].order
            ):
                newest = number
        if newest != NONE:
            self._shed_ms = 0
        return newest

    def resets(self, held: bool, said: int, passed_ms: int) -> bool:
        """Whether the reset on site lets go of the latches now; said: LATCH_… of the inputs, or of
        what has just been found."""
        if not held:
            self._reset_ms = 0
        elif said:
            self._reset_ms = _SPENT_MS
        elif self._reset_ms >= 0:
            self._reset_ms += passed_ms
            if self._reset_ms >= RESET_HOLD_MS:
                self._reset_ms = _SPENT_MS
                return True
        return False
