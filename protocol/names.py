"""Names of the codes, for people (host and tests; a controller never loads this).

Kept apart from protocol/codes.py because a name costs a controller heap that it needs.
"""

from protocol import codes as c
from protocol.constants import (
    PROFILE_DURESS,
    PROFILE_ESCORT,
    PROFILE_FIRST_CARD,
    PROFILE_IGNORES_PASSBACK,
    PROFILE_NEEDS_ESCORT,
    PROFILE_NEEDS_PIN,
    PROFILE_OPENS_CLOSED,
)
from protocol.osdp_panel import PAIR_DONE, PAIR_NONE, PAIR_REFUSED, PAIR_RUNS, PAIR_UNSURE

ERROR_NAMES = {
    c.OK: "ok",
    c.ERR_REFUSED: "refused",
    c.ERR_MALFORMED: "malformed",
    c.ERR_UNKNOWN_OPERATION: "unknown_operation",
    c.ERR_ROLE: "role_not_allowed",
    c.ERR_BUSY: "busy",
    c.ERR_STATE: "out_of_order",
    c.ERR_BOUNDS: "out_of_bounds",
    c.ERR_SIGNATURE: "bad_signature",
    c.ERR_KEY_UNKNOWN: "unknown_key",
    c.ERR_OTHER_DEVICE: "for_another_device",
    c.ERR_OTHER_SITE: "for_another_site",
    c.ERR_VERSION_LOW: "version_not_higher",
    c.ERR_VERSION_JUMP: "version_jump",
    c.ERR_EPOCH: "wrong_epoch",
    c.ERR_DIGEST: "digest_mismatch",
    c.ERR_LENGTH: "length_mismatch",
    c.ERR_CAPACITY: "over_capacity",
    c.ERR_ORDER: "records_out_of_order",
    c.ERR_PROFILE: "unknown_profile",
    c.ERR_DATE: "bad_date",
    c.ERR_BASE: "wrong_base",
    c.ERR_NONCE: "bad_nonce",
    c.ERR_TIME_REACH: "time_needs_signature",
    c.ERR_FLASH: "flash_failed",
    c.ERR_ARGUMENT: "bad_argument",
    c.ERR_SETTING: "setting_out_of_bounds",
    c.ERR_NOT_ON_BOARD: "not_on_this_board",
}

CLOCK_NAMES = {
    c.CLOCK_UNSET: "unset",
    c.CLOCK_HOLDOVER: "holdover",
    c.CLOCK_RTC: "rtc",
    c.CLOCK_SYNCED: "synced",
}

EVENT_NAMES = {
    c.EVENT_GRANTED: "granted",
    c.EVENT_DENIED: "denied",
    c.EVENT_UNLOCKED: "unlocked",
    c.EVENT_LOCKED: "locked",
    c.EVENT_REX: "request_to_exit",
    c.EVENT_DOOR_OPENED: "door_opened",
    c.EVENT_DOOR_CLOSED: "door_closed",
    c.EVENT_CHARGE_STARTED: "charge_started",
    c.EVENT_CHARGE_ENDED: "charge_ended",
    c.EVENT_READER_DOUBTFUL: "reader_doubtful",
    c.EVENT_OVERWRITTEN: "overwritten",
    c.EVENT_DOOR_MODE: "door_mode",
    c.EVENT_CHARGE_CHOOSES: "charge_chooses",
    c.EVENT_MODE_CHANGED: "mode_changed",
    c.EVENT_BOOT: "boot",
    c.EVENT_CLOCK_SET: "clock_set",
    c.EVENT_LIST_ACTIVATED: "list_activated",
    c.EVENT_LIST_REFUSED: "list_refused",
    c.EVENT_SESSION_OPENED: "session_opened",
    c.EVENT_SESSION_CLOSED: "session_closed",
    c.EVENT_REFUSED_ATTEMPTS: "refused_attempts",
    c.EVENT_CONFIG_CHANGED: "config_changed",
    c.EVENT_TICKET_EXECUTED: "ticket_executed",
    c.EVENT_TICKET_REFUSED: "ticket_refused",
    c.EVENT_TRUST_CHANGED: "trust_changed",
    c.EVENT_CHECKPOINT: "checkpoint",
    c.EVENT_ENROLLED: "enrolled",
    c.EVENT_SELF_TEST: "self_test",
    c.EVENT_LIST_MERGED: "list_merged",
    c.EVENT_TRUST_REFUSED: "trust_refused",
    c.EVENT_CHECKPOINT_REFUSED: "checkpoint_refused",
    c.EVENT_CONFIG_REFUSED: "config_refused",
    c.EVENT_FIRMWARE_TAKEN: "firmware_taken",
    c.EVENT_FIRMWARE_CONFIRMED: "firmware_confirmed",
    c.EVENT_FIRMWARE_ROLLED_BACK: "firmware_rolled_back",
    c.EVENT_FIRMWARE_REFUSED: "firmware_refused",
    c.EVENT_REVOKED_CARD_PRESENTED: "revoked_card_presented",
    c.EVENT_FORCED_OPEN: "forced_open",
    c.EVENT_HELD_OPEN: "held_open",
    c.EVENT_TAMPER: "tamper",
    c.EVENT_FIRE: "fire",
    c.EVENT_FIRE_CLEARED: "fire_cleared",
    c.EVENT_RELAY_FAULT: "relay_fault",
    c.EVENT_FIRMWARE_FAULT: "firmware_fault",
    c.EVENT_READER_LOST: "reader_lost",
    c.EVENT_READER_BACK: "reader_back",
    c.EVENT_READER_TAMPER: "reader_tamper",
    c.EVENT_READER_RESTARTED: "reader_restarted",
    c.EVENT_DURESS: "duress",
    c.EVENT_LOCK_OUT: "lock_out",
    c.EVENT_INPUT_FAULT: "input_fault",
    c.EVENT_MAINS_LOST: "mains_lost",
    c.EVENT_MAINS_BACK: "mains_back",
    c.EVENT_HELD_WARNING: "held_warning",
    c.EVENT_SUPPLY_LOW: "supply_low",
    c.EVENT_READER_PAIRED: "reader_paired",
    c.EVENT_TEMPERATURE_WARNING: "temperature_warning",
    c.EVENT_OVER_TEMPERATURE: "over_temperature",
    c.EVENT_LEAKAGE: "leakage",
    c.EVENT_EMERGENCY_STOP: "emergency_stop",
    c.EVENT_RELAY_WELD: "relay_weld",
    c.EVENT_METER_LOST: "meter_lost",
    c.EVENT_METER_BACK: "meter_back",
    c.EVENT_OVER_POWER: "over_power",
    c.EVENT_CONTACTOR_TRIPPED: "contactor_tripped",
    c.EVENT_STATION_LIMIT: "station_limit",
    c.EVENT_RESET_ON_SITE: "reset_on_site",
    c.EVENT_OUTPUT_LOST: "output_lost",
    c.EVENT_OUTPUT_BACK: "output_back",
    c.EVENT_ENERGY_LOST: "energy_lost",
}

REASON_NAMES = {
    c.REASON_NONE: "none",
    c.REASON_CARD: "card",
    c.REASON_EMERGENCY_CARD: "emergency_card",
    c.REASON_REX: "request_to_exit",
    c.REASON_TICKET: "ticket",
    c.REASON_FIRE: "fire",
    c.REASON_DURESS: "duress",
    c.REASON_MODE: "mode",
    c.REASON_FIRST_CARD: "first_card",
    c.REASON_PASSBACK_SOFT: "passback_soft",
    c.REASON_UNKNOWN_CARD: "unknown_card",
    c.REASON_REVOKED: "revoked",
    c.REASON_NOT_YET_VALID: "not_yet_valid",
    c.REASON_EXPIRED: "expired",
    c.REASON_POINT: "not_for_this_point",
    c.REASON_SCHEDULE: "outside_schedule",
    c.REASON_STALE: "list_stale",
    c.REASON_CLOCK_UNSET: "clock_unset",
    c.REASON_NO_LIST: "no_list",
    c.REASON_LOCKDOWN: "lockdown",
    c.REASON_FIRE_LATCHED: "fire_latched",
    c.REASON_PORT_BUSY: "port_busy",
    c.REASON_PROFILE_UNKNOWN: "profile_unknown",
    c.REASON_QUOTA: "quota",
    c.REASON_INTERLOCK: "interlock",
    c.REASON_ANTI_PASSBACK: "anti_passback",
    c.REASON_ESCORT_MISSING: "escort_missing",
    c.REASON_FIRST_CARD_MISSING: "first_card_missing",
    c.REASON_LOCKED_OUT: "locked_out",
    c.REASON_PIN_WRONG: "pin_wrong",
    c.REASON_PIN_MISSING: "pin_missing",
    c.REASON_NORMALLY_CLOSED: "normally_closed",
    c.REASON_STATION_LIMIT: "station_limit",
    c.REASON_PORT_FAULT: "port_fault",
    c.REASON_QUOTA_DAY: "quota_day",
    c.REASON_RESUMED: "resumed",
}

END_NAMES = {
    c.END_QUOTA: "quota",
    c.END_UNPLUGGED: "unplugged",
    c.END_FULL: "full",
    c.END_OVER_POWER: "over_power",
    c.END_REMOTE: "remote",
    c.END_CARD: "card",
    c.END_OFFLINE: "offline",
    c.END_BALANCE: "balance",
    c.END_PORT_FAULT: "port_fault",
    c.END_TEMPERATURE: "temperature",
    c.END_SMOKE: "smoke",
    c.END_TIME: "time",
    c.END_RELAY_WELD: "relay_weld",
    c.END_LEAKAGE: "leakage",
    c.END_POWER_LOSS: "power_loss",
    c.END_REVOKED: "revoked",
    c.END_WATCHDOG: "watchdog",
    c.END_EMERGENCY_STOP: "emergency_stop",
    c.END_STATION_LIMIT: "station_limit",
}

CREDENTIAL_NAMES = {
    c.CREDENTIAL_EM4100: "em4100",
    c.CREDENTIAL_ISO14443A: "iso14443a",
    c.CREDENTIAL_ISO14443B: "iso14443b",
    c.CREDENTIAL_WIEGAND26: "wiegand26",
    c.CREDENTIAL_WIEGAND34: "wiegand34",
    c.CREDENTIAL_WIEGAND37: "wiegand37",
    c.CREDENTIAL_OSDP_RAW: "osdp_raw",
    c.CREDENTIAL_TEXT: "text",
    c.CREDENTIAL_PIN: "pin",
    c.CREDENTIAL_CARD_PIN: "card_pin",
}

MODE_NAMES = {
    c.MODE_CONTROLLED: "controlled",
    c.MODE_OPEN: "open",
    c.MODE_CLOSED: "closed",
    c.MODE_LOCKDOWN: "lockdown",
    c.MODE_SCHEDULE: "schedule",
}

# which input a record of a fault speaks of; 0 is a door's contact, and nothing in old records
INPUT_NAMES = {
    1: "rex_line",
    2: "fire_line",
    3: "tamper_line",
    4: "thermistor",
    5: "emergency_stop_line",
    6: "leakage_line",
}

LINE_NAMES = {
    c.LINE_OK: "mended",
    c.LINE_SHORT: "shorted",
    c.LINE_OPEN: "cut",
}

PROFILE_FLAG_NAMES = {
    PROFILE_NEEDS_PIN: "needs-pin",
    PROFILE_DURESS: "duress",
    PROFILE_NEEDS_ESCORT: "needs-escort",
    PROFILE_ESCORT: "escort",
    PROFILE_FIRST_CARD: "first-card",
    PROFILE_IGNORES_PASSBACK: "ignores-passback",
    PROFILE_OPENS_CLOSED: "opens-closed",
}

OPERATION_NAMES = {
    c.OP_GET_INFO: "get_info",
    c.OP_GET_STATE: "get_state",
    c.OP_SELF_TEST: "self_test",
    c.OP_GET_TIME: "get_time",
    c.OP_SET_TIME: "set_time",
    c.OP_SET_SIGNED_TIME: "set_signed_time",
    c.OP_LIST_BEGIN: "list_begin",
    c.OP_LIST_CHUNK: "list_chunk",
    c.OP_LIST_COMMIT: "list_commit",
    c.OP_GET_RECEIPT: "get_receipt",
    c.OP_JOURNAL_HEAD: "journal_head",
    c.OP_JOURNAL_READ: "journal_read",
    c.OP_PUT_CHECKPOINT: "put_checkpoint",
    c.OP_ENROLL: "enroll",
    c.OP_GET_NONCE: "get_nonce",
    c.OP_DO_TICKET: "do_ticket",
    c.OP_PING: "ping",
    c.OP_GET_BUCKETS: "get_buckets",
    c.OP_GET_RECORDS: "get_records",
    c.OP_PUT_TRUST: "put_trust",
    c.OP_JOURNAL_SECTORS: "journal_sectors",
    c.OP_GET_AUDIT_KEY: "get_audit_key",
    c.OP_GET_CONFIG: "get_config",
    c.OP_PUT_CONFIG: "put_config",
    c.OP_GET_CREDENTIAL: "get_credential",
    c.OP_GET_PORTS: "get_ports",
    c.OP_READ_ENERGY: "read_energy",
    c.OP_FIRMWARE_BEGIN: "firmware_begin",
    c.OP_FIRMWARE_CHUNK: "firmware_chunk",
    c.OP_FIRMWARE_COMMIT: "firmware_commit",
    c.OP_FIRMWARE_PROVE: "firmware_prove",
}

ROLLBACK_NAMES = {
    c.ROLLBACK_BOOTS: "three_starts",
    c.ROLLBACK_PACK: "not_whole",
    c.ROLLBACK_TIME: "not_called_on",
    c.ROLLBACK_TEST: "failed_its_test",
}

TICKET_NAMES = {
    c.TICKET_UNLOCK: "unlock",
    c.TICKET_DOOR_MODE: "door_mode",
    c.TICKET_CHARGE_START: "charge_start",
    c.TICKET_CHARGE_STOP: "charge_stop",
    c.TICKET_REBOOT: "reboot",
    c.TICKET_RETIRE: "retire",
    c.TICKET_ENROL: "enrol",
    c.TICKET_PAIR_READER: "pair_reader",
}

# by bit; what is not set has a name too
DOOR_STATE_NAMES = {
    c.DOOR_UNLOCKED: ("locked", "unlocked"),
    c.DOOR_LEAF_OPEN: ("leaf_closed", "leaf_open"),
    c.DOOR_FIRE: ("", "fire_latched"),
    c.DOOR_ALARM: ("", "forced_or_held"),
}

# by bit, firmware/readers/results.py
READER_TROUBLE_NAMES = {1: "lost", 2: "tamper", 4: "power", 8: "refused"}

# by bit, firmware/meters/results.py
METER_TROUBLE_NAMES = {1: "silent", 2: "bad_checksum", 4: "stuck"}

PORT_STATE_NAMES = {
    c.PORT_IDLE: "idle",
    c.PORT_WAITS: "waits",
    c.PORT_STARTING: "starting",
    c.PORT_CHARGING: "charging",
    c.PORT_ENDING: "ending",
    c.PORT_LOCKED: "locked_off",
}

# by bit
PORT_TROUBLE_NAMES = {
    c.PORT_METER: "meter",
    c.PORT_OUTPUT: "output",
    c.PORT_SENSOR: "sensor",
    c.PORT_HOT: "hot",
}

# by bit
LATCH_NAMES = {
    c.LATCH_SMOKE: "smoke",
    c.LATCH_LEAKAGE: "leakage",
    c.LATCH_ESTOP: "emergency_stop",
    c.LATCH_TEMPERATURE: "temperature",
    c.LATCH_WELD: "relay_weld",
}

CONTACTOR_NAMES = ("open", "closed", "none")

PAIRING_NAMES = {
    PAIR_NONE: "",
    PAIR_RUNS: "runs",
    PAIR_DONE: "done",
    PAIR_REFUSED: "refused",
    PAIR_UNSURE: "unsure",
}

ROLE_NAMES = {
    c.ROLE_INSTALLER: "installer",
    c.ROLE_DESK: "desk",
    c.ROLE_TECHNICIAN: "technician",
    c.ROLE_AUDITOR: "auditor",
    c.ROLE_HUB: "hub",
}

KEY_ROLE_NAMES = {
    c.KEY_ROOT: "root",
    c.KEY_WHITELIST: "whitelist",
    c.KEY_FIRMWARE: "firmware",
    c.KEY_TICKET: "ticket",
    c.KEY_CHECKPOINT: "checkpoint",
    c.KEY_AUDIT: "audit",
}
