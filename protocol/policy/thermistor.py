"""A thermistor's temperature from the voltage of its divider (both, pure).

An NTC of 10 kOhm at 25 degrees with B 3950 to ground, 10 kOhm to 3.3 V: it falls with the heat, and
near 75 degrees 10 mV are a degree. Levels stand in a table, five degrees apart, for a controller
has no room to work with logarithms each second; a straight line between them is a third of a degree
off at most from -25 to 110.

A sensor that is cut off reads as the supply, one that is shorted as ground: neither is a
temperature. What an ESP32 can measure ends near 3.1 V, at 27 degrees of frost, so that counts as
cut off too: a charger that has to work in greater cold needs another divider.
"""

UNKNOWN = -32768  # as a temperature: the sensor is broken or shorted

_CUT_MV = 3100
_SHORT_MV = 60
_FIRST_DC = -300
_STEP_DC = 50
# mV, two bytes each: -30, -25 ... 130 degrees
_TABLE = (
    b"\x0c\x47\x0c\x0e\x0b\xc6\x0b\x6d\x0b\x00\x0a\x81\x09\xef\x09\x4d"
    b"\x08\x9e\x07\xe7\x07\x2c\x06\x72\x05\xbe\x05\x15\x04\x77\x03\xe8"
    b"\x03\x67\x02\xf5\x02\x91\x02\x3a\x01\xee\x01\xac\x01\x74\x01\x43"
    b"\x01\x1a\x00\xf6\x00\xd7\x00\xbd\x00\xa6\x00\x92\x00\x81\x00\x72"
    b"\x00\x65"
)
_ROWS = 33


def tenths_of_degree(millivolts: int) -> int:
    """Celsius in tenths, or UNKNOWN; beyond the table's end it goes on as its last step does."""
    if not _SHORT_MV < millivolts < _CUT_MV:
        return UNKNOWN
    row = 1
    while row < _ROWS - 1 and _level(row) > millivolts:
        row += 1
    above, below = _level(row - 1), _level(row)
    return _FIRST_DC + _STEP_DC * (row - 1) + _STEP_DC * (above - millivolts) // (above - below)


def _level(row: int) -> int:
    return _TABLE[2 * row] << 8 | _TABLE[2 * row + 1]
