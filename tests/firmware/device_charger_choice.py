"""Which port a card means where no plug contact and no button tells it (MicroPython)."""

from protocol import codes as c
from tests.firmware.charger_rig import GRANTED, MINE, THEIRS, World, denied

TYPE_CHECKING = False


def asked(**how: object) -> World:
    """A card was held to a station of sixteen ports without contacts, and has to say which."""
    world = World(16, plugs=False, **how)  # type: ignore[arg-type]
    world.card(MINE)
    world.card(THEIRS)
    assert world.swipe(MINE) == GRANTED
    return world


def opened(world: World) -> "list[int]":
    """Ports whose relays are closed some seconds later, from 1."""
    world.wait(4)
    return [number + 1 for number, level in enumerate(world.levels()) if level]


# --- a tenant's own port ----------------------------------------------------------------------


def own(points: int, ports: int = 4, plugs: bool = False) -> World:
    """A card whose profile names these ports alone."""
    world = World(ports, plugs=plugs)
    world.whitelist.manifest.profiles = [world.row(1, points=points), world.row(2)]
    world.card(MINE)
    world.card(THEIRS, 2)
    return world


def test_a_tenants_own_port_is_no_question() -> None:
    world = own(0b0100)
    assert world.swipe(MINE) == GRANTED
    assert opened(world) == [3]
    assert world.told(c.EVENT_GRANTED)[0][:2] == (c.REASON_CARD, 2)
    assert world.told(c.EVENT_CHARGE_STARTED)[0][:2] == (c.REASON_CARD, 2)


def test_what_a_profile_names_beyond_the_station_is_of_no_concern() -> None:
    world = own(0b0100 | 1 << 9)
    world.swipe(MINE)
    assert opened(world) == [3]


def test_the_last_free_port_of_several_is_asked_for() -> None:
    world = own(0b0110)
    for text, keys, now in ((THEIRS, "2#", [2]), (MINE, "", [2])):
        assert world.swipe(text) == GRANTED
        world.type(keys)
        assert opened(world) == now


def test_an_own_port_that_is_taken_is_busy() -> None:
    world = own(0b0100)
    world.swipe(THEIRS)
    world.type("3#")
    world.plug(2, 200)
    assert opened(world) == [3]
    assert world.swipe(MINE) == denied(c.REASON_PORT_BUSY)


def test_an_own_port_with_a_plug_contact_waits_for_its_plug() -> None:
    world = own(0b0100, plugs=True)
    assert world.swipe(MINE) == GRANTED
    assert opened(world) == []
    world.plug(0, 200)
    assert opened(world) == [], "not their own"
    world.plug(2, 200)
    assert opened(world) == [3]


# --- typed at a reader ------------------------------------------------------------------------


def test_a_number_that_is_typed_is_the_port() -> None:
    for keys, port in (("3#", 3), ("16#", 16), ("03#", 3), ("5*7#", 7), ("#4#", 4)):
        world = asked()
        world.type(keys)
        assert opened(world) == [port], keys
        assert world.told(c.EVENT_CHARGE_STARTED)[0][:3] == (
            c.REASON_CARD,
            port - 1,
            world.card(MINE),
        )


def test_nothing_begins_before_it_is_ended() -> None:
    world = asked()
    world.type("3")
    assert opened(world) == []
    world.type("#")
    assert opened(world) == [3]


def test_a_wrong_number_does_nothing_and_is_typed_again() -> None:
    for keys in ("0#", "17#", "99#", "103#", "1234567890123456789012#", "3*#", "#"):
        world = asked()
        world.type(keys)
        assert opened(world) == [], keys
        world.type("12#")
        assert opened(world) == [12], keys


def test_a_port_that_the_profile_does_not_name_is_a_wrong_number() -> None:
    world = own(0b0110)
    world.swipe(MINE)
    world.type("1#")
    assert opened(world) == []
    world.type("2#")
    assert opened(world) == [2]


def test_keys_without_a_card_do_nothing_and_are_not_kept() -> None:
    world = World(16, plugs=False)
    world.card(MINE)
    world.type("3#")
    assert opened(world) == []
    world.type("1")
    world.swipe(MINE)
    world.type("2#")
    assert opened(world) == [2]
    world.type("4#")
    assert opened(world) == [2], "whoever chose has chosen"


def test_who_comes_next_types_anew() -> None:
    world = asked()
    world.type("1")
    assert world.swipe(THEIRS) == GRANTED
    world.type("2#")
    assert opened(world) == [2]
    assert world.told(c.EVENT_CHARGE_STARTED)[0][2] == world.card(THEIRS)


def test_digits_do_not_outlast_whoever_typed_them() -> None:
    world = asked()
    world.type("1", 31)
    assert len(world.told(c.EVENT_CHARGE_CHOOSES)) == 1
    world.type("2#")
    assert opened(world) == []
    world.swipe(MINE)
    world.type("1")
    world.press("button5")
    assert opened(world) == [5]
    world.swipe(THEIRS)
    world.type("2#")
    assert opened(world) == [2, 5]


def test_a_latch_takes_the_question_back() -> None:
    world = asked()
    world.wires["smoke"].level = 1
    world.wait(1)
    world.type("3#")
    assert opened(world) == []
