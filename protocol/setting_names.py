"""Names, units, defaults and words of the settings, for people (host; a controller has none).

The rows belong to those of protocol/settings.py, number by number. A unit is how a person writes
the value, a factor is what one unit is in the number on the wire.
"""

# number: (name, unit, factor, default in the wire's number; None: what the board itself says)
NAMES: "dict[int, tuple[str, str, int, int | None]]" = {
    1: ("lock_type", "", 1, 0),
    2: ("unlock_time", "s", 10, 50),
    3: ("held_open_time", "s", 1, 30),
    4: ("relock_on_open", "", 1, 0),
    5: ("charge_ceiling", "min", 1, 480),
    40: ("wifi_name", "", 1, None),
    41: ("wifi_password", "", 1, None),
    48: ("supply_low", "V", 1000, None),
    49: ("supply_hold", "V", 1000, None),
    50: ("mains_delay", "s", 1, 2),
}

# words instead of numbers, in the order of the numbers
WORDS: "dict[int, tuple[str, ...]]" = {
    1: ("fail_secure", "fail_safe"),
    4: ("no", "yes"),
}
