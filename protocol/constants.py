"""Sizes, limits and labels of the wire and of stored objects (both interpreters).

One place for every number that the controller and the tool must agree on; docs/protocol.md
explains them. Times are whole seconds (``_s``) or minutes (``_min``) since EPOCH_2020.
"""

PROTOCOL_VERSION = 1

# --- time -------------------------------------------------------------------------------
# Seconds since 2020-01-01T00:00:00Z stay a 31-bit small int on the device until 2054.
EPOCH_2020_UNIX_S = 1577836800
EPOCH_2020_Y2K_S = 631152000  # 2020-01-01 seen from 2000-01-01, the ESP32's own epoch
TIME_END_MIN = 0xFFFFFF  # end of the 24-bit minute format, November 2051
TIME_END_S = 1006632900  # the same in seconds
UNSIGNED_TIME_REACH_S = 86400  # an unsigned set-time reaches at most time floor + 24 h

# --- identifiers ------------------------------------------------------------------------
ID_BYTES = 8  # site, device, peer ids and key ids
NONCE_BYTES = 16
NONCE_LIFE_MS = 30000

# --- CBOR subset (RFC 8949) -------------------------------------------------------------
CBOR_MAX_DEPTH = 4
CBOR_MAX_ITEMS = 512

# --- signatures (RFC 8017, RFC 9052, RFC 8812) ------------------------------------------
ALG_RS256 = -257
RSA_BYTES = 384
RSA_EXPONENT_SQUARINGS = 16  # e = 65537 = 2**16 + 1
AAD_MANIFEST = b"whitelist-manifest"
AAD_TRUST = b"trust"
AAD_TIME = b"time"
AAD_TICKET = b"ticket"
AAD_CHECKPOINT = b"checkpoint"
AAD_CONFIG = b"device-config"
AAD_SERVICE = b"service"
AAD_FIRMWARE = b"firmware"
AAD_FIRMWARE_ROOT = b"firmware-root"  # root says over which versions it may be taken
ENVELOPE_MAX_BYTES = 2048
TRUST_MAX_BYTES = 6144
CONFIG_VERSION_MAX = 16383  # with the epoch before it, one small int on a controller
ENROL_MAX_S = 600
SERVICE_MAX_MIN = 480
SERVICE_DAYS_MAX = 30  # for so long a grant may be good
REVOKED_PEERS_MAX = 64  # a controller keeps their ids in its heap

# --- firmware -----------------------------------------------------------------------------
PACK_MAX_BYTES = 153600  # a slot
FIRMWARE_VERSION_MAX = 0xFFFFFF
FIRMWARE_TRIAL_S = 600  # who was not called on for so long goes back to the other slot

# --- whitelist --------------------------------------------------------------------------
CARD_RECORD_BYTES = 16
LIST_PAYLOAD_MAX_BYTES = 1048576  # 65 536 records
CARD_KEY_BYTES = 8
CREDENTIAL_MAX_BYTES = 32
BUCKETS = 256
VERSION_JUMP_MAX = 65536
FAR_FUTURE_S = 86400  # objects dated further ahead of a synced clock are refused

FLAG_REVOKED = 0x01  # a collected card that is still listed, so that its use is told apart
FLAG_EMERGENCY = 0x02  # fire and emergency cards: never stale, no schedule
FLAG_MASTER = 0x04  # cleaner, landlord: each use is flagged
FLAG_ABSENT = 0x80  # only in a delta: the card leaves the list; the record's other fields are 0

# flags of a profile; they speak of doors and mean nothing at a charger
PROFILE_NEEDS_PIN = 0x01  # the card alone does not do
PROFILE_DURESS = 0x02  # opens as any other and alarms silently
PROFILE_NEEDS_ESCORT = 0x04
PROFILE_ESCORT = 0x08
PROFILE_FIRST_CARD = 0x10  # normally open hours begin with such a card
PROFILE_IGNORES_PASSBACK = 0x20
PROFILE_OPENS_CLOSED = 0x40  # in normally closed, too
PROFILE_FLAGS = 0x7F  # all of them; a profile with another one is refused

PIN_DIGITS_MIN = 4
PIN_DIGITS_MAX = 8
MODE_MINUTES_MAX = 8191
# ticket argument of a charge: Wh << CHARGE_WH_SHIFT | minutes, 0 of either: no limit of that kind
CHARGE_WH_SHIFT = 10
CHARGE_MINUTES_MAX = 600
CHARGE_WH_MAX = 0xFFFF

OVERLAY_RECORDS_MAX = 500  # changes that a controller holds beside its base, absences included
BUCKETS_A_PAGE = 64  # bucket hashes in one reply
RECORDS_A_PAGE = 120

# --- journal ----------------------------------------------------------------------------
RECORD_BYTES = 48
RECORD_BODY_BYTES = 32
TAG_BYTES = 8
CHAIN_BYTES = 32
CHAIN_KEY_BYTES = 16
SECTOR_BYTES = 4096
SECTOR_HEADER_BYTES = 64
RECORDS_PER_SECTOR = 84
KEY_SLOT_BYTES = 84
KEY_SLOTS_PER_SECTOR = 48
RING_ACCESS = 0
RING_ALARM = 1

# --- message framing --------------------------------------------------------------------
MESSAGE_MAX_BYTES = 2304
CHUNK_BYTES = 2048
JOURNAL_PAGE_RECORDS = 40
ENERGY_SLOT_BYTES = 288  # one minute of all ports of a charger
ENERGY_PAGE_SLOTS = 7
SECTOR_HEADERS_A_PAGE = 32
REQUESTS_IN_FLIGHT = 2

# --- serial link ------------------------------------------------------------------------
LINK_SYNC = 0xC5
LINK_FRAME_MAX_BYTES = 96  # two frames fill the credit; one frame fits the 128-byte FIFO
LINK_HEADER_BYTES = 4
LINK_CRC_BYTES = 3
LINK_PAYLOAD_MAX_BYTES = LINK_FRAME_MAX_BYTES - LINK_HEADER_BYTES - LINK_CRC_BYTES
LINK_CREDIT_BYTES = 192  # towards the device: its input ring drops beyond 259, silently
LINK_FRAMES_MAX = 16  # kept for resending, either way; a power of two
LINK_RESEND_MS = 250
LINK_RESEND_MAX_MS = 1000
LINK_POLLS_MAX = 10  # unanswered ones, over some nine seconds: the session is over
LINK_BAUD = 115200

# --- sessions ---------------------------------------------------------------------------
TCP_PORT = 7443
PREFACE_MAGIC = b"CTL1"
PREFACE_ANSWER_MS = 2000
PREFACE_MAC_BYTES = 16
PREFACE_GREETING_BYTES = 20
PREFACE_ANSWER_BYTES = 45
PREFACE_VERDICT_BYTES = 22
PREFACES_WAITING_MAX = 3
HANDSHAKES_PER_MINUTE = 6
SESSION_IDLE_MS = 15000
SESSION_MAX_MS = 600000
HANDSHAKE_TIMEOUT_MS = 10000
