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

now_ms comes from ticks_ms and wraps: compare by ticks_diff. What follows are functions and no class
to inherit from: a pack writes them where its one kind of meter calls them (ADR-0017).
"""

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

METER_SILENT = 1  # no good reading for more than 3 s
METER_BAD = 2  # three spoilt answers in a row
METER_STUCK = 4  # the same value, to the last bit, for two minutes

GAIN_ONE = 10000
MOST_DW = 50000  # more than any port may have; times the greatest gain it is a small int
PERIOD_MS = 1000
_SILENT_MS = 3000
_COUNT_MASK = 0x3FFFFFFF


def took(meter: "Any", dw: int, now_ms: int) -> None:
    """A good reading, before the gain; what its trouble is now the driver says."""
    meter.power_dw = min(dw, MOST_DW) * meter.gain // GAIN_ONE
    meter.readings = meter.readings + 1 & _COUNT_MASK
    meter.read_ms = now_ms


def quiet(meter: "Any", now_ms: int) -> None:
    """Note it when nothing good has come for too long; said at every turn."""
    if time.ticks_diff(now_ms, meter.read_ms) > _SILENT_MS:
        meter.trouble |= METER_SILENT
