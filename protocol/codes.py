"""Wire errors, journal events, decision reasons, end codes and clock quality (both).

Numbers are part of the format: never reuse one, only add. protocol/names.py maps each to the
name that the tool prints.
"""

# --- wire errors: what a peer is told. Details stay in the journal. ----------------------
OK = 0
ERR_REFUSED = 1  # generic: the outside learns nothing more
ERR_MALFORMED = 2
ERR_UNKNOWN_OPERATION = 3
ERR_ROLE = 4
ERR_BUSY = 5
ERR_STATE = 6  # out of order: a chunk without begin, a commit without all chunks
ERR_BOUNDS = 7
ERR_SIGNATURE = 16
ERR_KEY_UNKNOWN = 17
ERR_OTHER_DEVICE = 18
ERR_OTHER_SITE = 19
ERR_VERSION_LOW = 20
ERR_VERSION_JUMP = 21
ERR_EPOCH = 22
ERR_DIGEST = 23
ERR_LENGTH = 24
ERR_CAPACITY = 25
ERR_ORDER = 26  # records unsorted or doubled
ERR_PROFILE = 27
ERR_DATE = 28
ERR_BASE = 29
ERR_NONCE = 30
ERR_TIME_REACH = 31
ERR_FLASH = 32
ERR_ARGUMENT = 33
# of these two the reply names the setting, for whoever signed it is known by then
ERR_SETTING = 40  # unknown here, of another type or out of its bounds
ERR_NOT_ON_BOARD = 41  # the board lacks what it is for

# --- clock quality ----------------------------------------------------------------------
CLOCK_UNSET = 0
CLOCK_HOLDOVER = 1
CLOCK_RTC = 2
CLOCK_SYNCED = 3

# --- journal events. 1-63 go to the access ring, 64-255 to the alarm/administrative ring. --
EVENT_GRANTED = 1
EVENT_DENIED = 2
EVENT_UNLOCKED = 3
EVENT_LOCKED = 4
EVENT_REX = 5
EVENT_DOOR_OPENED = 6
EVENT_DOOR_CLOSED = 7
EVENT_CHARGE_STARTED = 8  # extra = quota: minutes << 16 | Wh, 0 is none
EVENT_CHARGE_ENDED = 9  # reason = end code; extra = minutes << 16 | Wh
EVENT_READER_DOUBTFUL = 10
EVENT_OVERWRITTEN = 11  # either ring: extra = oldest number that stays when the ring goes on
EVENT_DOOR_MODE = 12  # a schedule, a time that is up or a start: reason = mode now in force
EVENT_CHARGE_CHOOSES = 13  # a card was accepted and no port chosen in time; extra = reader
EVENT_BOOT = 64
EVENT_CLOCK_SET = 65
EVENT_LIST_ACTIVATED = 66
EVENT_LIST_REFUSED = 67
EVENT_SESSION_OPENED = 68
EVENT_SESSION_CLOSED = 69
EVENT_REFUSED_ATTEMPTS = 70  # extra = how many since the last such record
EVENT_CONFIG_CHANGED = 71
EVENT_TICKET_EXECUTED = 72
EVENT_TICKET_REFUSED = 73
EVENT_TRUST_CHANGED = 74
EVENT_CHECKPOINT = 75
EVENT_ENROLLED = 76
EVENT_SELF_TEST = 77
EVENT_LIST_MERGED = 78  # extra = records of the new base
EVENT_TRUST_REFUSED = 79
EVENT_CHECKPOINT_REFUSED = 80  # reason = ring, extra = number of the checkpoint that does not fit
EVENT_MODE_CHANGED = 81  # by ticket: reason = mode, extra = minutes, 0 until further notice
EVENT_CONFIG_REFUSED = 82  # extra = the setting; at a start (digest): the version that stands in
EVENT_FIRMWARE_TAKEN = 83  # extra = version; it is on trial from the restart that follows
EVENT_FIRMWARE_CONFIRMED = 84  # extra = version: it has proven itself
EVENT_FIRMWARE_ROLLED_BACK = 85  # reason = ROLLBACK_…, extra = version of the one that failed
EVENT_FIRMWARE_REFUSED = 86
EVENT_REVOKED_CARD_PRESENTED = 96
EVENT_FORCED_OPEN = 97
EVENT_HELD_OPEN = 98
EVENT_TAMPER = 99
EVENT_FIRE = 100
EVENT_FIRE_CLEARED = 101
EVENT_RELAY_FAULT = 102
EVENT_FIRMWARE_FAULT = 103
EVENT_READER_LOST = 104  # reason = TROUBLE_ bits of firmware/readers/results.py
EVENT_READER_BACK = 105
EVENT_READER_TAMPER = 106
EVENT_READER_RESTARTED = 107  # by itself, or set up anew because it no longer worked
EVENT_DURESS = 108
EVENT_LOCK_OUT = 109  # extra = reader
EVENT_INPUT_FAULT = 110  # a supervised line: reason = LINE_…, extra = which input
EVENT_MAINS_LOST = 111
EVENT_MAINS_BACK = 112
EVENT_HELD_WARNING = 113
EVENT_SUPPLY_LOW = 114  # extra = mV
EVENT_READER_PAIRED = 115  # reason = PAIR_ of protocol/osdp_panel.py
# a charger's; point = port, NO_POINT for the station
EVENT_TEMPERATURE_WARNING = 116  # extra = tenths of a degree
EVENT_OVER_TEMPERATURE = 117  # extra = tenths of a degree
EVENT_LEAKAGE = 118  # the residual-current device has tripped
EVENT_EMERGENCY_STOP = 119
EVENT_RELAY_WELD = 120  # current though it was commanded open: extra = tenths of a watt
EVENT_METER_LOST = 121  # reason = METER_ bits of firmware/meters/results.py
EVENT_METER_BACK = 122
EVENT_OVER_POWER = 123  # extra = tenths of a watt
EVENT_CONTACTOR_TRIPPED = 124  # the station's contactor was opened: reason = end code
EVENT_STATION_LIMIT = 125  # a session was shed: extra = watts of the station
EVENT_RESET_ON_SITE = 126  # latched faults were let go by whoever stands there
EVENT_OUTPUT_LOST = 127  # the relays' expander does not do or say what it was told
EVENT_OUTPUT_BACK = 128
EVENT_ENERGY_LOST = 129  # the account of energy could not be read or written

FIRST_ALARM_RING_EVENT = 64

# --- why a firmware did not stay (reason of firmware_rolled_back) ---------------------------------
ROLLBACK_BOOTS = 1  # three starts without having proven itself
ROLLBACK_PACK = 2  # its pack is not whole
ROLLBACK_TIME = 3  # nobody has called on it
ROLLBACK_TEST = 4  # it failed its own test

# --- decision reasons (journal field `reason` of granted/denied). For other events the field
# --- holds the wire error (list_refused), the reset cause (boot), the end code (charge_ended),
# --- the role (session_*), the mode (door_mode, mode_changed) or the line's state (input_fault).
REASON_NONE = 0
REASON_CARD = 1  # granted: listed, valid, in schedule
REASON_EMERGENCY_CARD = 2
REASON_REX = 3
REASON_TICKET = 4
REASON_FIRE = 5
REASON_DURESS = 6  # granted as any other, and never shown at the door
REASON_MODE = 7  # unlocked: the door is normally open
REASON_FIRST_CARD = 8  # granted, and the normally open hours begin with it
REASON_PASSBACK_SOFT = 9  # granted, though by what is remembered it cannot be on this side
REASON_UNKNOWN_CARD = 16
REASON_REVOKED = 17
REASON_NOT_YET_VALID = 18
REASON_EXPIRED = 19
REASON_POINT = 20  # the profile does not name this door or port
REASON_SCHEDULE = 21
REASON_STALE = 22
REASON_CLOCK_UNSET = 23
REASON_NO_LIST = 24
REASON_LOCKDOWN = 25
REASON_FIRE_LATCHED = 26
REASON_PORT_BUSY = 27
REASON_PROFILE_UNKNOWN = 28
REASON_QUOTA = 29
REASON_INTERLOCK = 30  # another door of the controller is open or unlocked
REASON_ANTI_PASSBACK = 31
REASON_ESCORT_MISSING = 32
REASON_FIRST_CARD_MISSING = 33
REASON_LOCKED_OUT = 34  # too many wrong attempts a while ago
REASON_PIN_WRONG = 35
REASON_PIN_MISSING = 36
REASON_NORMALLY_CLOSED = 37
REASON_STATION_LIMIT = 38  # no head room for another session
REASON_PORT_FAULT = 39  # the port, or all of them, are latched off
REASON_QUOTA_DAY = 40  # used up for today
REASON_RESUMED = 41  # charge_started: the session of before a short outage goes on

# --- operations of the request protocol (arguments and bounds: protocol/messages.py) --------
OP_GET_INFO = 1
OP_GET_STATE = 2
OP_SELF_TEST = 3
OP_GET_TIME = 4
OP_SET_TIME = 5
OP_SET_SIGNED_TIME = 6
OP_LIST_BEGIN = 7
OP_LIST_CHUNK = 8
OP_LIST_COMMIT = 9
OP_GET_RECEIPT = 10
OP_JOURNAL_HEAD = 11
OP_JOURNAL_READ = 12
OP_PUT_CHECKPOINT = 13
OP_ENROLL = 14
OP_GET_NONCE = 15
OP_DO_TICKET = 16
OP_PING = 17
OP_GET_BUCKETS = 18
OP_GET_RECORDS = 19
OP_PUT_TRUST = 20
OP_JOURNAL_SECTORS = 21
OP_GET_AUDIT_KEY = 22
OP_GET_CONFIG = 23
OP_PUT_CONFIG = 24
# 25 is reserved for pairing an OSDP reader
OP_GET_CREDENTIAL = 26
OP_GET_PORTS = 27  # these two of chargers alone
OP_READ_ENERGY = 28
OP_FIRMWARE_BEGIN = 29
OP_FIRMWARE_CHUNK = 30
OP_FIRMWARE_COMMIT = 31
OP_FIRMWARE_PROVE = 34

# --- peer roles (what each may call: protocol/roles.py) -----------------------------------
ROLE_INSTALLER = 1
ROLE_DESK = 2
ROLE_TECHNICIAN = 3
ROLE_AUDITOR = 4
ROLE_HUB = 5

# --- key roles of the trust object ---------------------------------------------------------
KEY_ROOT = 0
KEY_WHITELIST = 1
KEY_FIRMWARE = 2
KEY_TICKET = 3
KEY_CHECKPOINT = 4
KEY_AUDIT = 5  # encryption: K_audit is sealed to it

# --- whitelist kinds and policies ----------------------------------------------------------
LIST_FULL = 0
LIST_DELTA = 1
STALE_DENY = 0
STALE_GRACE = 1

# --- ticket actions ------------------------------------------------------------------------
# how a door is, in the info: bits, and MODE_… above them
DOOR_UNLOCKED = 1
DOOR_LEAF_OPEN = 2
DOOR_FIRE = 4  # latched
DOOR_ALARM = 8  # forced, or open for too long
DOOR_MODE_SHIFT = 4

# how a charger's port is, in get_ports
PORT_IDLE = 0
PORT_WAITS = 1  # authorised; waits for its turn to close
PORT_STARTING = 2  # closed; no load yet
PORT_CHARGING = 3
PORT_ENDING = 4  # opened; its current must reach zero
PORT_LOCKED = 5
# what is wrong with one, bits
PORT_METER = 1
PORT_OUTPUT = 2
PORT_SENSOR = 4
PORT_HOT = 8
# what is latched, bits; a reset on site lets go of it
LATCH_SMOKE = 1
LATCH_LEAKAGE = 2
LATCH_ESTOP = 4
LATCH_TEMPERATURE = 8
LATCH_WELD = 16

TICKET_UNLOCK = 1
TICKET_DOOR_MODE = 2
TICKET_CHARGE_START = 3
TICKET_CHARGE_STOP = 4
TICKET_REBOOT = 5
TICKET_RETIRE = 6
TICKET_ENROL = 7  # point = reader or 255 for any, argument = seconds
TICKET_PAIR_READER = 8  # point = reader, argument = 1: it is as it left the factory

# --- charger end-of-session codes (0-11 as the market has them, standards.md) -------------
END_QUOTA = 0
END_UNPLUGGED = 1
END_FULL = 2
END_OVER_POWER = 3
END_REMOTE = 4
END_CARD = 5
END_OFFLINE = 6
END_BALANCE = 7
END_PORT_FAULT = 11
END_TEMPERATURE = 12
END_SMOKE = 13
END_TIME = 14
END_RELAY_WELD = 15
END_LEAKAGE = 16
END_POWER_LOSS = 17
END_REVOKED = 18
END_WATCHDOG = 19
END_EMERGENCY_STOP = 20
END_STATION_LIMIT = 21  # shed: the station took too much, and this was the newest

# --- credential types (first byte of what is hashed into a card key) ----------------------
CREDENTIAL_EM4100 = 1  # 5 bytes: version + 32-bit id, as RDM6300 sends them
CREDENTIAL_ISO14443A = 2  # UID, 4, 7 or 10 bytes, all cascade levels
CREDENTIAL_ISO14443B = 3  # 8-byte identifier
CREDENTIAL_WIEGAND26 = 4  # 3 bytes
CREDENTIAL_WIEGAND34 = 5  # 4 bytes
CREDENTIAL_WIEGAND37 = 6  # 5 bytes, 35 bits right-aligned
CREDENTIAL_OSDP_RAW = 7
CREDENTIAL_TEXT = 8  # UTF-8, for external terminals
CREDENTIAL_PIN = 9  # digits as ASCII, alone
CREDENTIAL_CARD_PIN = 10  # card type ‖ card length ‖ card bytes ‖ digits as ASCII

# --- door modes (ticket argument: mode << 13 | minutes, 0 minutes until further notice) -----
MODE_CONTROLLED = 0
MODE_OPEN = 1  # normally open: unlocked without a card
MODE_CLOSED = 2  # normally closed: cards of marked profiles alone
MODE_LOCKDOWN = 3  # emergency cards alone
MODE_SCHEDULE = 4  # as a command: ends what was commanded before

# --- states of a supervised line (reason of input_fault) -------------------------------------
LINE_OK = 0
LINE_ACTIVE = 1  # its contact has acted
LINE_SHORT = 2
LINE_OPEN = 3  # the wire is cut
