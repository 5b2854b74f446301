"""Ways in which somebody once got more out of a charger than was his (MicroPython)."""

from protocol import codes as c
from tests.firmware.charger_rig import MINE, THEIRS, World, charging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def slot_is_fresh(world: World) -> World:
    """A slot of the account was written a moment ago: what runs may go on after an outage."""
    world.wait(60 - world.kind._seconds + 1)
    return world


def refuses(*_: "Any") -> None:
    """A flash."""
    raise OSError(5)


def test_a_lost_output_keeps_the_contactor_open_for_everybody() -> None:
    world = charging()
    world.outputs[0].lost = True
    world.wait(8)
    assert world.trip.level == 0
    world.plug(0, 0)
    assert world.swipe(THEIRS)[0] == c.EVENT_DENIED
    world.plug(2, 200)
    for _ in range(600):
        world.turn()
        assert not (world.outputs[0].level and world.trip.level), "live without a session"
    world.outputs[0].lost = False
    world.wait(1)
    world.plug(2, 0)
    world.wait(1)
    assert world.swipe(THEIRS)[0] == c.EVENT_GRANTED, "well again"


def test_what_was_ended_does_not_go_on_after_an_outage_in_that_very_moment() -> None:
    for ends in (
        lambda w: w.swipe(MINE),
        lambda w: w.kind.act(c.TICKET_CHARGE_STOP, 0, 0),
        lambda w: w.kind.sessions.stop(0, c.END_OVER_POWER),
    ):
        world = slot_is_fresh(charging())
        ends(world)
        assert world.levels()[0] == 0
        world.restart(off_s=3)
        world.wait(8)
        assert world.levels()[0] == 0
        assert len(world.ends()) == 1


def test_nothing_begins_without_the_account() -> None:
    world = charging()
    world.wait(5)
    kept: Any = world.account.readblocks
    broken: Any = world.account
    broken.readblocks = refuses
    world.restart(off_s=100)
    world.wait(3)
    world.plug(0, 0)
    world.wait(1)
    world.swipe(THEIRS)
    world.plug(1, 200)
    world.wait(6)
    assert sum(world.levels()) == 0
    broken.readblocks = kept
    world.restart(off_s=100)
    world.wait(5)
    assert world.starts() == len(world.ends())


def test_a_beginning_that_the_account_did_not_take_is_none() -> None:
    world = World()
    world.card(MINE)
    world.wait(2)
    broken: Any = world.account
    kept = broken.writeblocks
    broken.writeblocks = refuses
    world.swipe(MINE)
    world.plug(0, 200)
    world.wait(6)
    assert sum(world.levels()) == 0
    broken.writeblocks = kept
    world.restart(off_s=100)
    world.wait(5)
    assert world.starts() == len(world.ends()) == 0


def test_a_ticket_does_not_lend_its_quota_to_a_waiting_card() -> None:
    world = World()
    world.whitelist.manifest.profiles = [world.row(1, wh=5, day_wh=5)]
    world.card(MINE)
    world.wait(2)
    world.swipe(MINE)
    world.kind.act(c.TICKET_CHARGE_START, 3, 0)
    world.plug(0, 600)
    world.wait(6)
    assert [row[3] for row in world.told(c.EVENT_CHARGE_STARTED) if row[1] == 0] == [5]


def test_a_card_that_is_collected_while_it_chooses_begins_nothing() -> None:
    world = World()
    world.card(MINE)
    world.wait(2)
    world.swipe(MINE)
    world.card(MINE, flags=1)
    world.changes += 1
    world.wait(1)
    world.plug(2, 200)
    world.wait(20)
    assert sum(world.levels()) == 0


def test_the_button_that_was_pressed_last_is_nobody_s() -> None:
    world = World(plugs=False)
    world.card(MINE)
    world.card(THEIRS)
    world.wait(2)
    world.swipe(MINE)
    world.loads_w[1] = 200
    world.press("button2")
    world.wait(5)
    assert world.levels() == [0, 1, 0, 0]
    world.swipe(MINE)
    world.wait(30)
    world.swipe(THEIRS)
    world.wait(6)
    assert sum(world.levels()) == 0


def test_a_weld_that_shows_before_a_session_goes_on_is_its_end() -> None:
    world = slot_is_fresh(charging())
    world.outputs[0].welded = True
    world.restart(off_s=5)
    world.wait(12)
    assert world.ends() == [c.END_RELAY_WELD]


def test_a_session_whose_going_on_is_refused_has_its_end_whatever_else_begins() -> None:
    world = slot_is_fresh(charging())
    world.journal.refused = (c.EVENT_CHARGE_STARTED, c.EVENT_CHARGE_ENDED)
    world.restart(off_s=5)
    world.wait(8)
    assert sum(world.levels()) == 0
    world.journal.refused = (c.EVENT_CHARGE_ENDED,)
    world.plug(0, 0)
    world.wait(1)
    world.swipe(THEIRS)
    world.plug(2, 200)
    world.wait(6)
    assert world.levels() == [0, 0, 1, 0]
    world.journal.refused = ()
    world.restart(off_s=100)
    world.wait(5)
    assert world.ends() == [c.END_POWER_LOSS, c.END_POWER_LOSS]


def test_a_choice_made_before_smoke_does_not_outlive_the_reset() -> None:
    world = World()
    world.card(MINE)
    world.wait(2)
    world.swipe(MINE)
    world.press("smoke", 1)
    world.press("reset", 3)
    assert world.kind.sessions.station.latches == 0
    world.plug(2, 200)
    world.wait(6)
    assert sum(world.levels()) == 0


def test_what_was_reset_on_site_stays_so_through_a_restart() -> None:
    world = charging()
    world.press("smoke", 1)
    world.press("reset", 3)
    world.restart(off_s=100)
    world.wait(1)
    assert world.kind.sessions.station.latches == 0


def test_a_relay_for_which_there_is_no_room_keeps_no_other_closed() -> None:
    world = charging()
    broken: Any = world.outputs[0]
    kept = broken.value

    def no_room(level: "int | None" = None) -> int:
        if level == 0:
            raise MemoryError
        return int(kept(level))

    world.card(b"third")
    world.swipe(b"third")
    world.plug(2, 200)
    world.wait(6)
    broken.value = no_room
    world.wires["smoke"].level = 1
    world.wait(1)
    assert world.trip.level == 0
    assert world.levels()[2] == 0
    assert world.kind.sessions.station.latches == c.LATCH_SMOKE
