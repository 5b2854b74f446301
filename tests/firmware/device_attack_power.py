"""Attack: a board without a reset key, whose ring cannot be read at first (MicroPython)."""

from protocol import codes as c
from tests.firmware.charger_rig import HARD, World

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def test_smoke_that_came_after_the_power_is_not_told_as_reset_by_it() -> None:
    world = World()
    del world.wires["reset"]
    told: Any = world.journal
    whole = told.read
    world.journal.record(c.EVENT_BOOT)  # something to read
    world.restart(off_s=5)
    left = [20]

    def refuses(seq: int, out: memoryview) -> int:
        if left[0]:
            left[0] -= 1
            raise OSError(5)
        count: int = whole(seq, out)
        return count

    told.read = refuses
    world.wires["smoke"].level = 1
    world.wait(1)
    world.wires["smoke"].level = 0
    world.nvs.held.clear()  # NVS was lost
    world.restart(off_s=5, cause=HARD)
    world.wait(1)
    assert world.kind.sessions.station.latches == c.LATCH_SMOKE
