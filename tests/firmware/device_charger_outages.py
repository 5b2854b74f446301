"""What of a charger's sessions outlives an outage, and what an outage is worth (MicroPython)."""

from protocol import codes as c
from protocol.constants import ENERGY_SLOT_BYTES
from protocol.energy_slot import (
    ENERGY_BY_TICKET,
    ENERGY_ENDED,
    ENERGY_LIVE,
    ENERGY_RESUMED,
    SLOTS,
    flags,
    is_whole,
)
from tests.firmware.charger_rig import GRANTED, MINE, THEIRS, World, begin, charging, denied

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

CUT_EVERY_S = 55


def slot_is_fresh(world: World) -> World:
    """A slot of the account was written a moment ago: what runs may go on after an outage."""
    world.wait(60 - world.kind._seconds + 1)
    return world


def refuses(*_: "Any") -> None:
    """A flash."""
    raise OSError(5)


def flag(world: World) -> int:
    """Of the first port, as the newest slot has it."""
    return flags(world.kind.sessions.energy.slot, 0)


# --- once, and then not before a minute is accounted ------------------------------------------


def test_who_cuts_the_mains_again_and_again_has_his_session_ended() -> None:
    world = charging(600)
    for _ in range(4):
        world.wait(CUT_EVERY_S)
        world.restart(off_s=2)
    world.wait(5)
    assert world.starts() == 2, "it began and went on once"
    assert world.ends() == [c.END_POWER_LOSS]
    assert sum(world.levels()) == 0


def test_the_quota_of_minutes_is_reached_whoever_cuts_the_mains() -> None:
    """The worst that can be done: each time just before the third slot, for one minute in three."""
    world = World(1)
    world.whitelist.manifest.profiles = [world.row(1, minutes=10)]
    world.card(MINE)
    begin(world, MINE, 0, 600)
    for _ in range(5):
        world.wait(173)
        world.restart(off_s=1)
        world.wait(5)
    assert world.ends() == [c.END_QUOTA]
    assert world.starts() > 3
    assert world.true_mws[0] < 600 * 1000 * 60 * 16


def test_a_session_that_went_on_says_so_until_a_minute_of_it_is_accounted() -> None:
    world = slot_is_fresh(charging())
    assert flag(world) == ENERGY_LIVE
    world.restart(off_s=5)
    world.wait(6)
    assert flag(world) == ENERGY_LIVE | ENERGY_RESUMED
    begin(world, THEIRS, 2)
    world.wait(60 - world.kind._seconds + 1)
    assert flag(world) == ENERGY_LIVE | ENERGY_RESUMED, "no whole minute yet, in two slots"
    world.wait(60)
    assert flag(world) == ENERGY_LIVE
    world.restart(off_s=5)
    world.wait(8)
    assert world.ends() == []
    assert world.levels() == [1, 0, 1, 0]


def test_a_second_outage_before_it_has_gone_on_at_all_is_no_second_time() -> None:
    world = slot_is_fresh(charging())
    world.restart(off_s=5)
    world.turn()
    assert world.starts() == 1
    world.restart(off_s=5)
    world.wait(6)
    assert world.starts() == 2
    assert world.levels()[0] == 1


def test_whoever_comes_after_it_at_that_port_is_a_session_of_its_own() -> None:
    world = slot_is_fresh(charging())
    world.restart(off_s=5)
    world.wait(6)
    world.swipe(MINE)
    world.plug(0, 0)
    world.wait(5)
    begin(world, MINE, 0)
    slot_is_fresh(world)
    assert flag(world) == ENERGY_LIVE
    world.restart(off_s=5)
    world.wait(6)
    assert world.levels()[0] == 1


def test_what_a_card_began_is_not_told_as_a_ticket_s_when_it_may_not_go_on() -> None:
    world = slot_is_fresh(charging())
    world.restart(off_s=5)
    world.wait(6)
    world.restart(off_s=5)
    world.wait(6)
    assert world.ends() == [c.END_POWER_LOSS]
    data = world.account.data
    told = []
    for at in range(0, SLOTS * ENERGY_SLOT_BYTES, ENERGY_SLOT_BYTES):
        slot = data[at : at + ENERGY_SLOT_BYTES]
        if is_whole(slot):
            told.append(flags(slot, 0))
    assert told[-1] == ENERGY_ENDED
    assert not [one for one in told if one & ENERGY_BY_TICKET]


# --- as if the card came now ------------------------------------------------------------------


def other_ports(world: World) -> None:
    world.whitelist.manifest.profiles = [world.row(1, points=0b1110)]


def no_profile(world: World) -> None:
    world.whitelist.manifest.profiles = [world.row(2)]


def not_yet(world: World) -> None:
    world.whitelist.found_from_min = world.clock.time_s // 60 + 10


def expired(world: World) -> None:
    world.whitelist.found_until_min = world.clock.time_s // 60


def out_of_hours(world: World) -> None:
    world.whitelist.manifest.profiles = [(1, 0xFFFF, 1, 0, 0, 0, 0, 0, 0)]
    world.whitelist.manifest.schedules = [[1, 0xFF, 0, 1]]


def stale(world: World) -> None:
    world.whitelist.manifest.refresh_by_s = world.clock.time_s


def lockdown(world: World) -> None:
    world.access.lockdown = True


def no_list(world: World) -> None:
    world.whitelist.manifest = None  # type: ignore[assignment]


def collected(world: World) -> None:
    world.card(MINE, flags=1)


def used_up(world: World) -> None:
    """Of the day, by this card at another port before: the ledger says so."""
    world.whitelist.manifest.profiles = [world.row(1, day_min=1)]
    energy = world.kind.sessions.energy
    energy.spend(world.card(MINE), 0, 60)
    energy.spent, energy.owing = False, True
    for _ in range(2):
        energy.erase_ahead()


CHANGES: "tuple[Callable[[World], None], ...]" = (
    other_ports, no_profile, not_yet, expired, out_of_hours, stale, lockdown, no_list, collected,
    used_up,
)  # fmt: skip


def test_a_session_goes_on_only_where_its_card_would_be_let_charge_now() -> None:
    for change in CHANGES:
        world = slot_is_fresh(charging())
        change(world)
        world.restart(off_s=5)
        world.wait(6)
        assert sum(world.levels()) == 0, change.__name__
        assert world.ends() == [c.END_POWER_LOSS], change.__name__
        assert world.starts() == 1, change.__name__


def test_a_list_that_still_names_its_port_and_hour_lets_it_go_on() -> None:
    world = slot_is_fresh(charging(number=2))
    world.whitelist.manifest.profiles = [(1, 0b0100, 1, 0, 0, 0, 0, 0, 0)]
    world.whitelist.manifest.schedules = [[1, 0xFF, 0, 1440]]
    world.whitelist.found_until_min = world.clock.time_s // 60 + 10
    world.restart(off_s=5)
    world.wait(6)
    assert world.levels() == [0, 0, 1, 0]


def test_each_session_is_judged_by_its_own_card() -> None:
    world = charging()
    begin(world, THEIRS, 2)
    slot_is_fresh(world)
    collected(world)
    world.restart(off_s=5)
    world.wait(8)
    assert world.levels() == [0, 0, 1, 0]
    assert world.ends() == [c.END_POWER_LOSS]


# --- what is short ----------------------------------------------------------------------------


def test_sessions_that_are_short_count_each_minute_that_they_began() -> None:
    world = World(1)
    world.whitelist.manifest.profiles = [world.row(1, day_min=4)]
    key = world.card(MINE)
    for count in range(4):
        assert world.kind.sessions.energy.used(key) == (count, count)
        begin(world, MINE, 0, 100)
        world.wait(8)
        world.swipe(MINE)
        world.plug(0, 0)
        world.wait(4)
    assert world.swipe(MINE) == denied(c.REASON_QUOTA_DAY)


# --- days -------------------------------------------------------------------------------------


def test_a_clock_that_goes_a_day_ahead_and_back_brings_one_day_and_no_more() -> None:
    world = World(1)
    world.whitelist.manifest.profiles = [world.row(1, minutes=3, day_min=3)]
    world.card(MINE)

    def uses_it_up() -> None:
        begin(world, MINE, 0)
        world.wait(180)
        world.plug(0, 0)
        world.wait(1)
        assert world.swipe(MINE) == denied(c.REASON_QUOTA_DAY)

    uses_it_up()
    world.clock.time_s += 86400
    uses_it_up()
    for _ in range(2):  # each way, with and without a restart
        world.clock.time_s -= 86400
        assert world.swipe(MINE) == denied(c.REASON_QUOTA_DAY)
        world.clock.time_s += 86400
        assert world.swipe(MINE) == denied(c.REASON_QUOTA_DAY)
        world.restart(3600)
        world.wait(1)
    world.clock.time_s += 86400
    assert world.swipe(MINE) == GRANTED


# --- a journal that cannot be read at the start -------------------------------------------------


def test_while_the_journal_cannot_be_read_nothing_begins_and_nothing_is_lost() -> None:
    for off_s, goes_on in ((100, False), (5, True)):
        world = slot_is_fresh(charging(600))
        kept = world.journal.read
        broken: Any = world.journal
        broken.read = refuses
        lost = world.journal.lost
        world.restart(off_s)
        world.card(b"third")
        for _ in range(20):
            world.turn()
            for port in (0, 1):
                assert not world.kind.takes(c.TICKET_CHARGE_START, port, 0)
        world.wait(2)
        assert sum(world.levels()) == 0
        assert (world.starts(), world.ends()) == (1, []), "nothing is said before it is known"
        assert world.journal.lost > lost
        broken.read = kept
        world.wait(1)
        assert world.kind.takes(c.TICKET_CHARGE_START, 1, 0)
        world.kind.act(c.TICKET_CHARGE_START, 1, 0)
        world.plug(1, 100)
        world.wait(8)
        assert world.levels() == [int(goes_on), 1, 0, 0]
        if goes_on:
            world.swipe(MINE)
            world.wait(5)
        assert world.ends() == [c.END_CARD if goes_on else c.END_POWER_LOSS]
        used = world.kind.sessions.energy.used(world.card(MINE))
        world.restart(3600)
        world.wait(1)
        assert world.kind.sessions.energy.used(world.card(MINE)) == used
        minutes = world.told(c.EVENT_CHARGE_ENDED)[0][3] >> 16
        assert used[1] == minutes + 1
        assert world.ends()[1:] == [c.END_POWER_LOSS], "of the ticket"
