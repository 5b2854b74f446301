"""What every row of meters tells, and the one interface that all of them keep (device).

A module of this folder is a kind of meter; `board.meters()` says which the board has: rows of
kind, port and options. It has `drivers(port, options)`, which returns one Driver a row: sixteen
ports are sixteen places in its arrays, for an object each would cost ten times the heap. It has

- `count`: so many charging ports, in their order
- `poll(now_ms)`: a little of the row's work, without waiting; called at every turn (10 ms). Nothing
  is allocated in it. Each power is read about once a second, and nothing else

and of each port

- `power_dw`: tenths of a watt, with the gain applied; never below zero, 5 kW at most before it
- `readings`: of good ones, wraps at 256; `read_ms`: ticks_ms of the last of them
- `trouble`: 0, or METER_… bits that hold at the moment
- `gain`: in 1/10000, as `device calibrate` found it

A row of pulses has `pulse_mj`, the energy of one before the gain: between two of them it says at
most what one since the last would be, so that it takes a while to know that nothing is drawn.

now_ms comes from ticks_ms and wraps: compare by ticks_diff. What follows are functions and no class
to inherit from: a pack writes them where its one kind of meter calls them (ADR-0017).
"""

import time
from array import array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

METER_SILENT = 1  # no good reading three times in a row, a second apart
METER_BAD = 2  # three spoilt answers in a row
METER_STUCK = 4  # the same value, to the last bit, for two minutes

GAIN_ONE = 10000
MOST_DW = 50000  # more than any port may have; times the greatest gain it is a small int
PERIOD_MS = 1000


def begin(row: "Any", count: int) -> None:
    """What every row has, before anything was read."""
    row.count = count
    row.power_dw = array("i", [0] * count)
    row.readings = bytearray(count)
    row.read_ms = array("i", [time.ticks_ms()] * count)
    row.trouble = bytearray(count)
    row.gain = array("H", [GAIN_ONE] * count)


def took(row: "Any", number: int, dw: int, now_ms: int) -> None:
    """A good reading, before the gain; what its trouble is now the driver says."""
    row.power_dw[number] = min(dw, MOST_DW) * row.gain[number] // GAIN_ONE
    row.readings[number] = row.readings[number] + 1 & 0xFF
    row.read_ms[number] = now_ms
