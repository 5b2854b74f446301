"""Attack: something is always waiting on a meter's line, so it is never asked, and never silent."""

from firmware.meters import bl0942
from tests.firmware.charger_rig import GRANTED, MINE, Ticks, World, modules
from tests.firmware.meter_rig import PER_WATT, Bl0942, Line, Station, Wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOUR = (0, 1, 2, 3)


def test_a_line_that_is_never_quiet_is_silent_like_one_that_never_answers() -> None:
    station = Station(FOUR)
    for chip in station.chips:
        chip.milliwatts = 200000
    station.seconds(5)
    [meter.readings for meter in station.meters]
    len(station.wire.asked)
    for _ in range(60 * 100):  # a minute: one byte of noise a turn
        station.wire.held += b"\x55"
        station.turns(1)
    [meter.readings for meter in station.meters]
    assert all(meter.trouble for meter in station.meters)


class Clock(Ticks):
    @staticmethod
    def ticks_add(ticks: int, more: int) -> int:
        return ticks + more


class Rows:
    """A module of firmware/meters: the real driver on a line of two chips a row."""

    wires: "list[Wire]" = []  # noqa: RUF012
    chips: "list[tuple[int, Bl0942]]" = []  # noqa: RUF012

    @staticmethod
    def drivers(_world: World, options: "dict[str, Any]") -> "Any":
        chips = {at: Bl0942(PER_WATT, 3 + at) for at in range(options["count"])}
        wire = Wire([Line(chips)])
        Rows.wires.append(wire)
        Rows.chips += [(options["first"] + at, chips[at]) for at in chips]
        return bl0942.drivers(wire, {"lines": (tuple(range(options["count"])),)})


def go(world: World, seconds: int, noise: bytes = b"") -> None:
    for _ in range(seconds * 100):
        for number, chip in Rows.chips:
            chip.milliwatts = 100 * world.flows_dw(number)
        for wire in Rows.wires:
            wire.pass_turn()
            wire.held += noise
        world.turn()


def test_noise_on_the_meters_line_charges_nobody_past_the_quota() -> None:
    bl0942.time = modules["firmware.meters.results"].time = Clock  # type: ignore[attr-defined]
    modules["firmware.meters.world"] = Rows
    world = World()
    world.whitelist.manifest.profiles = [world.row(1, wh=5)]
    world.card(MINE)
    assert world.swipe(MINE) == GRANTED
    world.plug(0, 600)
    go(world, 15)
    assert world.levels()[0] == 1
    go(world, 5 * 60, b"\x55")
    world.kind.sessions.ports[0]
    assert world.true_mws[0] < 6 * 3600000
