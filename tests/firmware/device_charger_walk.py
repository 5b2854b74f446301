"""Chargers to which anything happens in any order (MicroPython)."""

from protocol import codes as c
from protocol import energy_slot
from protocol.policy.charge_station import NONE, Station
from tests.firmware.charger_walk import TEXTS, TURN_MS, Walk, walk
from tests.firmware.door_rig import modules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SEEDS = 24
STEPS = 120
MUST_HAPPEN = (
    c.END_CARD, c.END_QUOTA, c.END_UNPLUGGED, c.END_OVER_POWER, c.END_REMOTE, c.END_PORT_FAULT,
    c.END_TEMPERATURE, c.END_SMOKE, c.END_LEAKAGE, c.END_POWER_LOSS, c.END_REVOKED,
    c.END_WATCHDOG, c.END_EMERGENCY_STOP, c.END_STATION_LIMIT,
)  # fmt: skip


def test_whatever_happens_no_port_is_closed_without_a_session_that_ends_once() -> None:
    ends: dict[int, int] = {}
    sessions = cuts = resumed = 0
    for seed in range(SEEDS):
        one = walk(seed, STEPS)
        sessions, cuts, resumed = sessions + one.sessions, cuts + one.cuts, resumed + one.resumed
        for code, count in one.ends.items():
            ends[code] = ends.get(code, 0) + count
    assert sum(ends.values()) == sessions, (ends, sessions, cuts, resumed)
    assert sessions > 150, (ends, sessions, cuts, resumed)
    assert cuts > 30
    assert resumed > 3
    for code in MUST_HAPPEN:
        assert ends.get(code), (code, ends)


def noticed(seeds: int = SEEDS) -> bool:
    try:
        for seed in range(seeds):
            walk(seed, STEPS)
    except AssertionError:
        return True
    return False


def test_a_charger_that_forgets_what_ran_before_a_cut_is_noticed() -> None:
    """Negative control."""
    module: Any = __import__("firmware.charge_start", None, None, ("settle",))
    whole = module.settle
    restored: Any = __import__("firmware.energy_restore", None, None, ("restore",))
    module.settle = lambda sessions, _: restored.restore(sessions.energy)
    try:
        assert noticed()
    finally:
        module.settle = whole


def test_a_charger_whose_sessions_go_on_again_and_again_is_noticed() -> None:
    """Negative control."""
    slots: Any = energy_slot
    whole = energy_slot.ENERGY_RESUMED
    slots.ENERGY_RESUMED = 0
    try:
        assert noticed()
    finally:
        slots.ENERGY_RESUMED = whole


def test_a_charger_that_closes_before_it_writes_is_noticed() -> None:
    """Negative control."""
    changed: Any = modules["firmware.charge_sessions"].Sessions
    whole = changed._begin

    def early(self: "Any", number: int) -> None:
        self.safety.drive(number, 1)
        self.ports[number].close()

    changed._begin = early
    try:
        assert noticed()
    finally:
        changed._begin = whole


def test_a_station_that_sheds_nobody_is_noticed() -> None:
    """Negative control."""
    changed: Any = Station
    whole = Station.to_shed
    changed.to_shed = lambda _: NONE
    try:
        overload()
        seen = False
    except AssertionError:
        seen = True
    finally:
        changed.to_shed = whole
    assert seen
    overload()


def overload() -> None:
    """Two sessions whose loads grow until the station draws too much."""
    one = Walk(1)
    for number in (0, 1):
        one.world.swipe(TEXTS[2 * number])
        one.world.plug(number, 300)
        one.world.press("button" + ("2" if number else ""))
        one.world.wait(5)
    one.world.loads_w[:2] = [900, 900]
    for _ in range(300):
        one.world.turn(TURN_MS)
        one.check()
    assert one.sessions == 2, one.world.states()
