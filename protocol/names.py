"""Names of the codes, for people (host and tests; a controller never loads this).

Kept apart from protocol/codes.py because a name costs a controller heap that it needs.
"""

from protocol import codes as c

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
    c.EVENT_REVOKED_CARD_PRESENTED: "revoked_card_presented",
    c.EVENT_FORCED_OPEN: "forced_open",
    c.EVENT_HELD_OPEN: "held_open",
    c.EVENT_TAMPER: "tamper",
    c.EVENT_FIRE: "fire",
    c.EVENT_FIRE_CLEARED: "fire_cleared",
    c.EVENT_RELAY_FAULT: "relay_fault",
    c.EVENT_FIRMWARE_FAULT: "firmware_fault",
}

REASON_NAMES = {
    c.REASON_NONE: "none",
    c.REASON_CARD: "card",
    c.REASON_EMERGENCY_CARD: "emergency_card",
    c.REASON_REX: "request_to_exit",
    c.REASON_TICKET: "ticket",
    c.REASON_FIRE: "fire",
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
