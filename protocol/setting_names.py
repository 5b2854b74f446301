"""Names, units, defaults and words of the settings, for people (host; a controller has none).

The rows belong to those of protocol/settings.py, number by number. A unit is how a person writes
the value, a factor is what one unit is in the number on the wire.
"""

# number: (name, unit, factor, default in the wire's number; None: what the board itself says)
NAMES: "dict[int, tuple[str, str, int, int | None]]" = {
    1: ("lock_type", "", 1, 0),
    2: ("unlock_time", "s", 10, 50),
    3: ("held_open_time", "s", 1, 30),
    4: ("relock", "", 1, 0),
    5: ("charge_ceiling", "min", 1, 480),
    6: ("held_warning_time", "s", 1, 15),
    7: ("exit_button", "", 1, 0),
    8: ("interlock", "", 1, 0),
    9: ("passback", "", 1, 0),
    10: ("passback_time", "min", 1, 0),
    11: ("wrong_attempts", "", 1, 5),
    12: ("lockout_time", "s", 1, 60),
    13: ("escort_time", "s", 1, 15),
    14: ("pin_time", "s", 1, 10),
    15: ("door_mode", "", 1, 0),
    16: ("mode_schedule", "", 1, 0),
    17: ("first_card", "", 1, 0),
    32: ("osdp_address", "", 1, 0),
    33: ("osdp_baud", "baud", 1, 9600),
    34: ("osdp_keys", "", 1, None),
    35: ("osdp_text", "", 1, 0),
    40: ("wifi_name", "", 1, None),
    41: ("wifi_password", "", 1, None),
    48: ("supply_low", "V", 1000, None),
    49: ("supply_hold", "V", 1000, None),
    50: ("mains_delay", "s", 1, 2),
    64: ("station_limit", "W", 1, None),
    65: ("station_start_limit", "W", 1, None),
    66: ("port_limit", "W", 1, 1000),
    67: ("full_power", "W", 1, 20),
    68: ("full_time", "min", 1, 45),
    69: ("trickle_ceiling", "min", 1, 120),
    70: ("unplugged_power", "W", 1, 3),
    71: ("unplugged_time", "s", 1, 300),
    72: ("temperature_warning", "C", 1, 65),
    73: ("temperature_cut", "C", 1, 75),
    74: ("load_wait", "s", 1, 60),
    75: ("stagger", "s", 1, 1),
    76: ("meter_gain", "", 10000, 10000),
}

# words instead of numbers, in the order of the numbers
WORDS: "dict[int, tuple[str, ...]]" = {
    1: ("fail_secure", "fail_safe"),
    4: ("timed", "on_open", "on_close"),
    7: ("button", "sensor"),
    8: ("off", "on"),
    9: ("off", "soft", "hard"),
    15: ("controlled", "open", "closed"),
    17: ("off", "hours", "all"),
    35: ("english", "chinese"),
}
