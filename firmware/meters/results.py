"""What every meter driver tells, and the one interface that all of them keep (device).

A module of this folder is a kind of meter; `board.meters()` says which the board has: rows of
kind, port and options. It has `drivers(port, options)`, which returns one Driver a charging port,
in their order. A Driver has

- `poll(now_ms)`: a little of its work, without waiting; called at every turn (10 ms), for each
  driver. Nothing is allocated in it. It reads the power about once a second, and nothing else
- `power_dw`: tenths of a watt, with the gain applied; never below zero, 5 kW at most
- `readings`: of good ones, wraps at 0x3FFFFFFF; `read_ms`: ticks_ms of the last of them
- `trouble`: 0, or METER_… bits that hold at the moment
- `gain`: in 1/10000, as `device calibrate` found it

now_ms comes from ticks_ms and wraps: compare by ticks_diff.
"""

import time

METER_SILENT = 1  # no good reading for more than 3 s
METER_BAD = 2  # three spoilt answers in a row
METER_STUCK = 4  # the same value, to the last bit, for two minutes

GAIN_ONE = 10000
MOST_DW = 50000  # more than any port may have; times the greatest gain it is a small int
PERIOD_MS = 1000
_SILENT_MS = 3000
_BAD_IN_A_ROW = 3
_STUCK_READINGS = 120
_COUNT_MASK = 0x3FFFFFFF


class Meter:
    """What all drivers have in common; one says `took` or `spoilt`, and `quiet` at every turn."""

    def __init__(self) -> None:
        self.power_dw = 0
        self.readings = 0
        self.read_ms = time.ticks_ms()
        self.trouble = 0
        self.gain = GAIN_ONE
        self._spoilt = 0  # in a row
        self._raw = 0
        self._same = 0  # readings with that raw value, after the first

    def took(self, dw: int, now_ms: int) -> None:
        """A good reading, before the gain."""
        self.power_dw = min(dw, MOST_DW) * self.gain // GAIN_ONE
        self.readings = self.readings + 1 & _COUNT_MASK
        self.read_ms = now_ms
        self._spoilt = 0
        self.trouble &= METER_STUCK

    def moves(self, raw: int) -> None:
        """Look whether a chip whose last bits are noise still measures."""
        self._same = self._same + 1 if raw > 0 and raw == self._raw else 0
        self._raw = raw
        if self._same >= _STUCK_READINGS - 1:
            self.trouble |= METER_STUCK
        else:
            self.trouble &= ~METER_STUCK

    def spoilt(self) -> None:
        """An answer that is not beyond doubt: the power stays what it was."""
        self._spoilt += 1
        if self._spoilt >= _BAD_IN_A_ROW:
            self.trouble |= METER_BAD

    def quiet(self, now_ms: int) -> None:
        """Note it when nothing good has come for too long."""
        if not self.trouble & METER_SILENT and time.ticks_diff(now_ms, self.read_ms) > _SILENT_MS:
            self.trouble |= METER_SILENT
