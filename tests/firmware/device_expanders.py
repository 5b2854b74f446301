"""Relays on expanders: what is said is so, whatever the bus does in between (MicroPython)."""

from tests.both.support import raises
from tests.firmware.expander_rig import CLOCKS, ENABLE, SCL, SDA, on_i2c, on_spi, wires

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KINDS = (("mcp23017", 1), ("pcf8574", 2))


def powered(models: "list[Any]") -> int:
    """Bit by relay; a PCF8574's act on low."""
    found = 0
    for place, model in enumerate(models):
        low = model.PINS == 8
        levels = ~model.levels() & 0xFF if low else model.levels()
        found |= levels << model.PINS * place
    return found


def each_kind() -> "Any":
    for kind, chips in KINDS:
        bus, models, relays = on_i2c(kind, chips)
        assert bus.safe()
        yield bus, models, relays


def test_each_relay_is_one_bit_and_is_read_back() -> None:
    for _, models, relays in each_kind():
        for number, relay in enumerate(relays):
            relay.value(1)
            assert powered(models) == 1 << number
            assert [one.value() for one in relays] == [int(one is relay) for one in relays]
            relay.value(0)
        assert powered(models) == 0


def test_one_object_is_every_relay_in_turn_and_a_loop_gives_what_can_be_kept() -> None:
    bus, _, relays = on_i2c("mcp23017")
    row = type(relays[0])(bus.chips, 16, 16)
    assert len(row) == 16
    row[3].value(1)
    assert [row[3].value(), row[4].value(), row[3].value()] == [1, 0, 1]
    assert row[3] is row[4], "no object for each"
    kept = list(row)
    assert [one.value() for one in kept] == [0, 0, 0, 1] + [0] * 12
    for number in (-1, 16):
        raises(IndexError, row.__getitem__, number)


def test_a_start_makes_safe_what_the_chips_kept() -> None:
    for kind, chips in KINDS:
        _, models, relays = on_i2c(kind, chips)
        held = dict(wires.chips)
        for relay in relays[::3]:
            relay.value(1)
        assert powered(models)
        bus, _, again = on_i2c(kind, chips)  # the controller starts anew, its chips do not
        wires.chips = held
        assert bus.safe()
        assert powered(models) == 0
        again[1].value(1)
        assert powered(models) == 2, "what was powered before stays off"


def test_a_new_mcp23017_drives_no_pin_before_its_latches_are_known() -> None:
    bus, models, _ = on_i2c("mcp23017")
    chip = models[0]
    chip.write(b"\x14\xff\xff")  # latches that hold anything
    assert chip.levels() == 0, "inputs still"
    seen = []
    write = chip.write

    def watched(data: bytes) -> None:
        write(data)
        seen.append(chip.levels())

    chip.write = watched
    assert bus.safe()
    assert seen
    assert not any(seen)


def test_a_wrong_bank_bit_is_mended() -> None:
    bus, models, relays = on_i2c("mcp23017")
    assert bus.safe()
    for relay in relays:
        relay.value(1)
    models[0].write(b"\x0a\x80")  # IOCON: BANK
    assert bus.safe()
    assert powered(models) == 0
    relays[9].value(1)
    assert powered(models) == 1 << 9
    assert relays[9].value() == 1


def test_a_pin_that_is_shorted_is_not_what_was_written() -> None:
    _, models, relays = on_i2c("mcp23017")
    relays[4].value(1)
    true = models[0].levels
    models[0].levels = lambda: true() & ~(1 << 4)
    assert relays[4].value() == 0


def test_a_transfer_that_fails_once_is_made_good_at_once() -> None:
    for bus, models, relays in each_kind():
        relays[0].value(1)
        wires.fails = 1
        relays[2].value(1)
        assert powered(models) == 0b101
        assert bus.recoveries == 0, "it was said again, and heard"
        wires.fails = 1
        assert relays[2].value() == 1


def test_a_chip_that_holds_sda_is_clocked_out_with_nine_clocks_and_a_stop() -> None:
    for bus, models, relays in each_kind():
        relays[0].value(1)
        wires.held = CLOCKS
        wires.steps.clear()
        before = wires.transfers
        relays[0].value(0)
        assert powered(models) == 0
        assert bus.recoveries == 1
        clocks = [level for pin, level in wires.steps if pin == SCL]
        assert clocks[: 2 * CLOCKS] == [0, 1] * CLOCKS
        # the STOP: SDA rises while SCL is high
        assert wires.steps[-3:] == [(SDA, 0), (SCL, 1), (SDA, 1)]
        assert wires.transfers - before < 12


def test_all_that_was_said_is_said_again_after_a_recovery() -> None:
    for _, models, relays in each_kind():
        for relay in relays[:5]:
            relay.value(1)
        for model in models:  # they lost their supply, which is what wedged the bus
            model._memory[0] = 0
        wires.held = 3
        relays[7].value(1)
        assert powered(models) == 0b10011111


def test_a_bus_that_is_stuck_is_an_error_and_left_alone_for_a_moment() -> None:
    for bus, models, relays in each_kind():
        relays[0].value(1)
        relays[1].value(1)
        wires.stuck = True
        raises(OSError, relays[0].value, 0)
        tries = bus.recoveries
        for relay in relays:
            raises(OSError, relay.value, 0)
            raises(OSError, relay.value)
        assert bus.recoveries == tries, "fifty milliseconds are not over"
        assert powered(models) == 0b11
        wires.stuck = False
        bus._failed_ms -= 60
        assert relays[3].value() == 0
        assert powered(models) == 0, "what could not be said then is said now"


def test_without_a_chip_there_is_an_error_and_no_end_of_the_start() -> None:
    for kind, chips in KINDS:
        bus, _, relays = on_i2c(kind, chips)
        wires.chips.clear()
        assert not bus.safe()
        bus._failed_ms -= 60
        raises(OSError, relays[0].value, 1)


def test_one_of_two_chips_that_is_gone_keeps_nobody_from_opening_the_other_s() -> None:
    bus, models, relays = on_i2c("pcf8574", 2)
    assert bus.safe()
    relays[0].value(1)
    relays[9].value(1)
    del wires.chips[0x20]
    relays[9].value(0)
    assert powered(models[1:]) == 0
    raises(OSError, relays[0].value, 0)
    relays[9].value(1)
    assert powered(models[1:]) == 2
    bus._failed_ms -= 60
    raises(OSError, relays[0].value)
    relays[9].value(0)
    assert powered(models[1:]) == 0
    wires.chips[0x20] = models[0]
    bus._failed_ms -= 60
    assert relays[0].value() == 0, "told as soon as it is back"


def test_a_shift_register_shows_nothing_before_it_is_known() -> None:
    driver, model, relays = on_spi()
    assert model.levels(), "after power-up it holds anything: else it was no test"
    assert wires.levels[ENABLE] == 1
    driver.safe()
    assert model.levels() == 0
    assert wires.levels[ENABLE] == 0
    for number, relay in enumerate(relays):
        relay.value(1)
        assert model.levels() == 1 << number
        assert relay.value() == 1
        relay.value(0)
    assert model.levels() == 0
