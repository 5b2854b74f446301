"""A supervised line: what its voltage says, with hysteresis (both, pure).

A loop with two resistors (the usual double end-of-line: 10 kOhm to 3.3 V, 4.7 kOhm at the contact
and 10 kOhm more when it acts) has four bands: short, at rest, acted, cut. Bands overlap by
HYSTERESIS_MV: a level is left only when it is left for good.
"""

from protocol.codes import LINE_ACTIVE, LINE_OK, LINE_OPEN, LINE_SHORT

HYSTERESIS_MV = 100
_SHORT_MV = 400
_REST_MV = 1500
_ACTED_MV = 2500
# from below to above: state, its upper edge
_BANDS = (
    (LINE_SHORT, _SHORT_MV), (LINE_OK, _REST_MV), (LINE_ACTIVE, _ACTED_MV), (LINE_OPEN, 1 << 20),
)  # fmt: skip


def state(level_mv: int, before: int) -> int:
    """LINE_… of a level, when it was `before` until now."""
    lower = -HYSTERESIS_MV
    for band, upper in _BANDS:
        if band == before and lower - HYSTERESIS_MV <= level_mv < upper + HYSTERESIS_MV:
            return before
        lower = upper
    for band, upper in _BANDS:
        if level_mv < upper:
            return band
    return LINE_OPEN
