"""One port of a charger: its session from the card to the last record (both, pure).

It knows no clock, meter or relay: the caller says how much time has passed and what was measured,
and carries out what is returned. docs/charge-states.md shows every transition; it is made from
this code. Powers are tenths of a watt, energy is counted in thousandths of a watt-hour.

Rules, in the order in which they are applied (numbers: standards.md, settings 66 to 74):

- idle: current although the relay is open, at three readings in a row, is a welded relay. Readings
  that fall do not count: what a meter of pulses says while no more pulses come is no current
- authorised: the same check, and the relay may close after two readings without current
- closed: a load must be seen within load_wait_s, else it ends as unplugged
- a port whose meter, output or sensor has failed ends with the port's fault
- energy or minutes of its quota are used up: end by quota; the ceiling ends any session
- over the port's limit for three seconds: over-power. An overload is taken to have begun at the
  reading before the first that shows it
- below unplugged_w for unplugged_s: unplugged. A brief dip is none
- below full_power_w for full_min: full. The time starts anew only on a rise of more than 6 W above
  the least that was drawn in it; all such time of a session together is limited by trickle_min
- ended: the relay is open; two readings without current, and the session is over. Current after
  zero_ms is a welded relay: five seconds, or as long as a meter of pulses may take to know that
  there is none. With a meter that is silent the session is over then
"""

from protocol.codes import (
    END_FULL,
    END_OVER_POWER,
    END_PORT_FAULT,
    END_QUOTA,
    END_RELAY_WELD,
    END_TIME,
    END_UNPLUGGED,
    PORT_CHARGING,
    PORT_ENDING,
    PORT_HOT,
    PORT_IDLE,
    PORT_LOCKED,
    PORT_METER,
    PORT_STARTING,
    PORT_WAITS,
)

NO_END = -1
WELDED = -2  # current flows through an open relay: the port is locked
OVER = -3  # no current any more: `code` and `energy_mwh` are those of the session

CEILING_MIN = 600  # hard; the setting is 480 unless somebody says otherwise
NO_KEY = b"\0\0\0\0\0\0\0\0"
_MS_A_S = 1000
_DW_MS_A_MWH = 36000
_OVER_MS = 3000
_GAP_MAX_MS = 5000  # a meter that was silent for longer has measured nothing meanwhile
_RISE_DW = 60
_FLOWS = 3
_ZEROS = 2


class Rules:
    """What the settings say of all ports; powers in tenths of a watt. Defaults stand here."""

    ceiling_s = 28800
    full_dw = 200
    full_ms = 2700000
    trickle_ms = 7200000
    zero_dw = 30
    unplugged_ms = 300000
    load_wait_ms = 60000
    zero_ms = 5000


class Port:
    """`state` is PORT_…; `code` the end of its last session; `trouble` PORT_… bits, the caller's.

    seconds, energy_mwh and quotas belong to the session that runs or ran last; order: the highest
    began last. Calls return an end code (the relay is to open at once), WELDED, OVER or NO_END.
    """

    def __init__(self, rules: Rules, limit_w: int = 1000) -> None:
        self._rules = rules
        self.limit_dw = limit_w * 10
        self.trouble = self.power_dw = self.order = self._least_dw = 0
        self.code = NO_END
        self.authorise(NO_KEY, 0, 0)
        self.state = PORT_IDLE

    @property
    def live(self) -> bool:
        """Whether its relay is to be closed."""
        return PORT_STARTING <= self.state <= PORT_CHARGING

    @property
    def ready(self) -> bool:
        """Whether it is authorised, and no current was seen since."""
        return self.state == PORT_WAITS and self._zeros >= _ZEROS and not self.trouble

    def owns(self, key: bytes) -> bool:
        """Whether this card's session, or what is to become one, is here."""
        return PORT_WAITS <= self.state <= PORT_CHARGING and self.key == key

    def authorise(
        self, key: bytes, quota_wh: int, quota_min: int, energy_mwh: int = 0, seconds: int = 0
    ) -> None:
        """An idle port is to serve this card; a quota of 0 is none. What a resumed one had so far.

        Everything else about it begins anew.
        """
        self.state = PORT_WAITS
        self.key = key
        self.energy_mwh, self.seconds = energy_mwh, seconds
        self.quota_wh, self.quota_min = quota_wh, quota_min
        self._ms = self._rest = self._state_ms = self._zeros = self._flows = 0
        self._over_ms = self._low_ms = self._full_ms = self._trickle_ms = 0

    def cancel(self) -> None:
        """What was authorised does not begin."""
        self.state = PORT_IDLE
        self._flows = 0

    def close(self) -> None:
        """The relay closes now: the session begins."""
        self.state = PORT_STARTING
        self._state_ms = 0

    def end(self, code: int) -> int:
        """End the session with that code: the relay opens now. Returns it; NO_END if none runs."""
        if not self.live:
            return NO_END
        self.state = PORT_ENDING
        self.code = code
        self._state_ms = self._zeros = 0
        return code

    def pulled_out(self) -> int:
        """Its plug is out for some seconds; an end only if nothing is drawn either."""
        flows = self.power_dw >= self._rules.zero_dw
        return self.end(END_UNPLUGGED) if self.state == PORT_CHARGING and not flows else NO_END

    def release(self) -> bool:
        """Whoever stands there has reset it: a locked port is idle again. Whether it was locked."""
        if self.state != PORT_LOCKED:
            return False
        self.state = PORT_IDLE
        self._flows = 0
        return True

    def tick(self, passed_ms: int) -> int:
        """Let time pass."""
        self._state_ms += passed_ms
        if self.state == PORT_ENDING and self._state_ms >= self._rules.zero_ms:
            if self.trouble & PORT_METER or self.power_dw < self._rules.zero_dw:
                return self._over()
            return self._welded()
        if not self.live:
            return NO_END
        self._ms += passed_ms
        while self._ms >= _MS_A_S:
            self._ms -= _MS_A_S
            self.seconds += 1
        return self._due()

    def _due(self) -> int:
        if self.trouble & ~PORT_HOT:
            return self.end(END_PORT_FAULT)
        if self.quota_min and self.seconds >= self.quota_min * 60:
            return self.end(END_QUOTA)
        if self.seconds >= self._rules.ceiling_s:
            return self.end(END_TIME)
        if self.state == PORT_STARTING and self._state_ms >= self._rules.load_wait_ms:
            return self.end(END_UNPLUGGED)
        return NO_END

    def read(self, power_dw: int, since_ms: int) -> int:
        """The meter gave a power; since_ms: how long after the reading before."""
        falls = 16 * power_dw < 15 * self.power_dw
        self.power_dw = power_dw
        since_ms = min(since_ms, _GAP_MAX_MS)
        flows = power_dw >= self._rules.zero_dw
        self._zeros = 0 if flows else self._zeros + 1
        if self.live or self.state == PORT_ENDING:
            self._count(power_dw, since_ms)
            if self.live:
                return self._judge(power_dw, since_ms, flows)
            return self._over() if self._zeros >= _ZEROS else NO_END
        if self.state == PORT_LOCKED:
            return NO_END
        if not flows:
            self._flows = 0
        elif not falls:
            self._flows += 1
        return self._welded() if self._flows >= _FLOWS else NO_END

    def _count(self, power_dw: int, since_ms: int) -> None:
        self._rest += power_dw * since_ms
        self.energy_mwh += self._rest // _DW_MS_A_MWH
        self._rest %= _DW_MS_A_MWH

    def _judge(self, power_dw: int, since_ms: int, flows: bool) -> int:
        if flows and self.state == PORT_STARTING:
            self.state = PORT_CHARGING
        if self.quota_wh and self.energy_mwh >= self.quota_wh * 1000:
            return self.end(END_QUOTA)
        self._over_ms = self._over_ms + since_ms if power_dw > self.limit_dw else 0
        if self._over_ms >= _OVER_MS:
            return self.end(END_OVER_POWER)
        if self.state == PORT_STARTING:  # nothing was plugged in yet
            return NO_END
        self._low_ms = 0 if flows else self._low_ms + since_ms
        if self._low_ms >= self._rules.unplugged_ms:
            return self.end(END_UNPLUGGED)
        return self.end(END_FULL) if self._is_full(power_dw, since_ms) else NO_END

    def _is_full(self, power_dw: int, since_ms: int) -> bool:
        rules = self._rules
        trickles = power_dw < rules.full_dw
        if trickles:
            self._trickle_ms += since_ms
        if not self._full_ms or power_dw > self._least_dw + _RISE_DW:
            self._full_ms = 1 if trickles else 0
            self._least_dw = power_dw
        else:
            self._full_ms += since_ms
            self._least_dw = min(self._least_dw, power_dw)
        return self._full_ms >= rules.full_ms or self._trickle_ms >= rules.trickle_ms

    def _over(self) -> int:
        if self.trouble & PORT_METER:  # the last that it said is no power of now
            self.power_dw = 0
        self.state = PORT_IDLE
        self._flows = 0
        return OVER

    def _welded(self) -> int:
        self.code = END_RELAY_WELD
        self.state = PORT_LOCKED
        return WELDED
