"""Decisions at four doors, by the hundred thousand: what is left of the heap (MicroPython).

    micropython soak_door.py DECISIONS

Prints one line a setting: how many decisions, bytes of heap used before and after.
"""

import gc
import sys

from firmware import journal as _early  # noqa: F401  nested imports cost stack
from tests.firmware.door_walk import SETTINGS, Walk, soaked, walked

WARM_UP_STEPS = 6000


def main(decisions: int) -> None:
    """Each of the settings gets its share."""
    for number in range(len(SETTINGS)):
        walk: Walk = walked(number, 7 + number, WARM_UP_STEPS, checked=False)
        gc.collect()
        before = gc.mem_alloc()
        growth = soaked(walk, decisions // len(SETTINGS))
        print("setting", number, "before", before, "growth", growth, "free", gc.mem_free())
        del walk


main(int(sys.argv[1]))
