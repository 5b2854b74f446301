"""Temperatures from a thermistor's voltage (both)."""

import math

from protocol.policy.thermistor import UNKNOWN, tenths_of_degree


def level_mv(celsius: float) -> int:
    """By the equation of the data sheet: R = 10 kOhm * exp(B * (1/T - 1/298.15 K))."""
    ohms = 10000 * math.exp(3950 * (1 / (celsius + 273.15) - 1 / 298.15))
    return int(3300 * ohms / (ohms + 10000) + 0.5)


def test_the_table_is_within_a_third_of_a_degree_of_the_equation() -> None:
    for tenths in range(-250, 1101):
        found = tenths_of_degree(level_mv(tenths / 10))
        # a millivolt is as much as it is at the ends of the range
        step = abs(level_mv(tenths / 10 + 0.5) - level_mv(tenths / 10 - 0.5))
        assert abs(found - tenths) <= 3 + 10 / step, (tenths, found)


def test_twenty_five_degrees_are_half_of_the_supply() -> None:
    assert tenths_of_degree(1650) == 250


def test_hotter_is_never_read_as_colder() -> None:
    before = -1000
    for level in range(3099, 60, -1):
        found = tenths_of_degree(level)
        assert found >= before, level
        before = found
    assert before > 1300, "a level above ground is hot, whatever the table's end is"


def test_the_limits_of_a_charger_are_met_to_the_degree() -> None:
    for celsius in (65, 75):
        assert tenths_of_degree(level_mv(celsius - 1)) < 10 * celsius
        assert tenths_of_degree(level_mv(celsius + 1)) > 10 * celsius


def test_a_broken_or_shorted_sensor_has_no_temperature() -> None:
    for level in (0, 60, 3100, 3300):
        assert tenths_of_degree(level) == UNKNOWN
