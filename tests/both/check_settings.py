"""The table of settings: bounds, shapes, and what a board must have (both)."""

from protocol import setting_names
from protocol.codes import (
    ERR_NOT_ON_BOARD,
    ERR_SETTING,
    MODE_CLOSED,
    MODE_CONTROLLED,
    MODE_LOCKDOWN,
    MODE_OPEN,
)
from protocol.settings import (
    CHOICE,
    DOOR_MODE,
    EACH,
    KEYS,
    MODE_SCHEDULE,
    SECRETS,
    SETTINGS,
    TEXT,
    first_problem,
    problem,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ALL: "dict[str, Any]" = {
    name: 4 if name in ("points", "readers") else True
    for name in ("points", "readers", "osdp", "wifi", "supply", "mains", "charger", "door")
}

WRONG = (None, True, b"bytes", {}, [], [None], [True], ["text"], -1)  # type: tuple[Any, ...]


def of(number: int, value: "Any") -> int:
    return problem(number, value, "", ALL)


def fitting(number: int) -> "tuple[Any, Any]":
    """The least and greatest value."""
    shape, least, greatest, _ = SETTINGS[number]
    return shaped(shape, least), shaped(shape, greatest)


def shaped(shape: int, size: int) -> "Any":
    """A value, a text or a reader's key of that size."""
    if shape == TEXT:
        return "x" * size
    return [b"k" * size] if shape == KEYS else size


def test_every_setting_takes_its_bounds_and_nothing_beyond() -> None:
    for number in SETTINGS:
        shape, least, greatest, _ = SETTINGS[number]
        for value in fitting(number):
            assert of(number, value) == 0, number
        for wrong in (least - 1, greatest + 1):
            if wrong >= 0 or shape not in (TEXT, KEYS):
                assert of(number, shaped(shape, wrong)) == ERR_SETTING, number


def test_values_of_another_shape_are_refused() -> None:
    for number in SETTINGS:
        shape, least = SETTINGS[number][:2]
        for wrong in WRONG:
            assert of(number, wrong) == ERR_SETTING, (number, wrong)
        assert of(number, least if shape == TEXT else "text") == ERR_SETTING, number
        if shape != EACH:
            assert of(number, [least]) == ERR_SETTING, number


def test_each_door_has_its_own_value_up_to_the_doors_there_are() -> None:
    assert of(2, [50, 60, 70, 80]) == 0
    assert of(2, [50] * 17) == ERR_SETTING
    assert of(2, [50] * 5) == ERR_NOT_ON_BOARD
    assert problem(2, [50, 60], "door", {"points": 1}) == ERR_NOT_ON_BOARD
    assert problem(2, [50], "door", {"points": 1}) == 0


def test_each_reader_has_a_key_of_its_own_or_none_and_never_the_factory_s() -> None:
    two = {"readers": 2, "osdp": True}
    assert problem(34, [bytes(16), b""], "door", two) == 0
    assert problem(34, [bytes(16)] * 3, "door", two) == ERR_NOT_ON_BOARD
    for wrong in (b"0123456789:;<=>?", bytes(15), bytes(17), "x" * 16, 0):
        assert problem(34, [wrong], "door", two) == ERR_SETTING


def test_two_readers_have_two_addresses() -> None:
    two = {"readers": 2, "osdp": True}
    assert first_problem({32: [3, 0]}, "door", two) == (0, 0)
    for wrong in ([3, 3], [3], 3):
        assert first_problem({32: wrong}, "door", two) == (ERR_SETTING, 32)
    assert first_problem({32: 3}, "door", {"readers": 1, "osdp": True}) == (0, 0)


def test_length_is_that_of_the_bytes_on_the_wire() -> None:
    assert of(40, "楼" * 10) == 0
    assert of(40, "楼" * 11) == ERR_SETTING


def test_a_baud_is_one_of_a_few() -> None:
    assert SETTINGS[33][0] == CHOICE
    assert of(33, 19200) == 0
    assert of(33, 19201) == ERR_SETTING


def test_what_the_board_lacks_cannot_be_set() -> None:
    bare = {"points": 1}
    for number in SETTINGS:
        value = fitting(number)[0]
        needs = SETTINGS[number][3]
        assert problem(number, value, "", bare) == ERR_NOT_ON_BOARD, number
        assert problem(number, value, "", {needs: True, "points": 1}) == 0, number
        assert problem(number, value, "", {needs: False, "points": 1}) == ERR_NOT_ON_BOARD
    assert problem(5, 60, "door", ALL if not ALL.pop("charger") else bare) == ERR_NOT_ON_BOARD
    ALL["charger"] = True


def test_unknown_numbers_are_refused() -> None:
    for number in (0, 18, 31, 63, 77, 255):
        assert of(number, 1) == ERR_SETTING


def test_the_lowest_wrong_setting_is_named() -> None:
    assert first_problem({}, "door", {}) == (0, 0)
    assert first_problem({48: 70000, 4: 3, 2: 50}, "door", ALL) == (ERR_SETTING, 4)
    assert first_problem({2: 50, 40: "n"}, "door", {"points": 1}) == (ERR_NOT_ON_BOARD, 40)


def test_a_network_comes_with_its_password() -> None:
    assert first_problem({40: "n", 41: "password"}, "door", ALL) == (0, 0)
    assert first_problem({40: "n"}, "door", ALL) == (ERR_SETTING, 41)
    assert first_problem({41: "password"}, "door", ALL) == (ERR_SETTING, 40)


def test_writes_are_not_held_before_the_supply_is_called_low() -> None:
    assert first_problem({48: 11000, 49: 10000}, "door", ALL) == (0, 0)
    assert first_problem({48: 10000, 49: 11000}, "door", ALL) == (ERR_SETTING, 49)
    assert first_problem({48: 10000, 49: 10000}, "door", ALL) == (0, 0)
    assert first_problem({48: 0, 49: 10000}, "door", ALL) == (0, 0), "it is never called low"


def test_hours_open_or_close_a_door_and_lock_nobody_out_for_good() -> None:
    for mode in (MODE_CONTROLLED, MODE_OPEN, MODE_CLOSED):
        assert of(MODE_SCHEDULE, mode << 8 | 255) == 0
    assert of(MODE_SCHEDULE, MODE_LOCKDOWN << 8 | 1) == ERR_SETTING
    assert of(DOOR_MODE, MODE_LOCKDOWN) == ERR_SETTING


def test_every_setting_has_a_name_of_its_own_and_a_default_that_it_takes() -> None:
    assert sorted(setting_names.NAMES) == sorted(SETTINGS)
    names = [row[0] for row in setting_names.NAMES.values()]
    assert len(set(names)) == len(names)
    for number in setting_names.NAMES:
        default = setting_names.NAMES[number][3]
        assert default is None or of(number, default) == 0, number
    for number in setting_names.WORDS:
        assert len(setting_names.WORDS[number]) == SETTINGS[number][2] + 1
    assert set(SECRETS) <= set(SETTINGS)


def test_nothing_begins_above_what_a_station_may_draw() -> None:
    for start, wanted in ((6600, (0, 0)), (6601, (ERR_SETTING, 65))):
        assert first_problem({64: 6600, 65: start}, "charger", {}) == wanted
