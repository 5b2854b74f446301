"""The manifest of a card list: its fields as data, its bounds, its checks (both).

docs/protocol.md section 3 has the table and the order of the checks; protocol/cose.py has proven
the signature before parse() sees a byte.
"""

from protocol import cbor
from protocol.codes import (
    CLOCK_SYNCED,
    ERR_BASE,
    ERR_BOUNDS,
    ERR_CAPACITY,
    ERR_DATE,
    ERR_EPOCH,
    ERR_LENGTH,
    ERR_MALFORMED,
    ERR_OTHER_DEVICE,
    ERR_OTHER_SITE,
    ERR_VERSION_JUMP,
    ERR_VERSION_LOW,
    LIST_DELTA,
    LIST_FULL,
    STALE_GRACE,
)
from protocol.constants import (
    CARD_RECORD_BYTES,
    CHAIN_BYTES,
    FAR_FUTURE_S,
    ID_BYTES,
    LIST_PAYLOAD_MAX_BYTES,
    PROFILE_FLAGS,
    TIME_END_S,
    VERSION_JUMP_MAX,
)
from protocol.messages import Refused, decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    Bounds = tuple[int, int]

NUMBER_MAX = 0x3FFFFFFF  # what is a small int on a controller
_TIME = (0, TIME_END_S)
_SHORT = (0, 0xFFFF)

# name, least, greatest in the order of the keys 1, 2, 3 …; a negative least: a byte string of
# exactly `greatest` bytes, or (-2) of none or `greatest`; both 0: a list that has rows of its own
_FIELDS = (
    ("site", -1, ID_BYTES),
    ("device", -1, ID_BYTES),
    ("epoch", 0, 0xFFFF),
    ("version", 1, NUMBER_MAX),
    ("kind", LIST_FULL, LIST_DELTA),
    ("base_version", 0, NUMBER_MAX),
    ("base_digest", -2, 32),
    ("result_digest", -1, 32),
    ("count", 0, LIST_PAYLOAD_MAX_BYTES // CARD_RECORD_BYTES),
    ("payload_bytes", 0, LIST_PAYLOAD_MAX_BYTES),
    ("payload_sha256", -1, 32),
    ("issued_at_s", 0, TIME_END_S),
    ("refresh_by_s", 0, TIME_END_S),
    ("profiles", 0, 0),
    ("schedules", 0, 0),
    ("policy", 0, 0),
    ("trust_version", 0, 0xFFFF),
    ("audit_head", -1, CHAIN_BYTES),
    ("utc_offsets", 0, 0),
    ("holidays", 0, 0),
)
# id, points mask, schedule, unlock_ds, flags, quota_wh, quota_min, day_wh, day_min
_PROFILE = (
    (0, 0xFF), (0, NUMBER_MAX), (0, 0xFF), (0, 36000), (0, PROFILE_FLAGS),
    _SHORT, _SHORT, _SHORT, _SHORT,
)  # fmt: skip
_WINDOW = ((1, 0xFF), (0, 1440), (0, 1440))  # weekday mask, from_min, to_min
_POLICY = ((0, STALE_GRACE), (0, 43200))  # stale policy, grace_min
_OFFSET = (_TIME, (-840, 840))
_HOLIDAY = ((0, TIME_END_S // 86400),)


class Manifest:
    """One manifest. `profiles` and `policy` hold tuples of numbers, the rest what CBOR holds."""

    site: bytes
    device: bytes
    epoch: int
    version: int
    kind: int
    base_version: int
    base_digest: bytes
    result_digest: bytes
    count: int
    payload_bytes: int
    payload_sha256: bytes
    issued_at_s: int
    refresh_by_s: int
    profiles: "list[tuple[int, ...]]"
    schedules: "list[list[int]]"
    policy: "tuple[int, int]"
    trust_version: int
    audit_head: bytes
    utc_offsets: "list[int]"
    holidays: "list[int]"

    @property
    def stale_policy(self) -> int:
        """STALE_DENY or STALE_GRACE."""
        return self.policy[0]

    @property
    def grace_min(self) -> int:
        """Powered minutes of grace."""
        return self.policy[1]


def encode(m: Manifest) -> bytes:
    """Host only. The payload to sign; raises Refused for what no controller would take."""
    payload = cbor.encode({i + 1: getattr(m, field[0]) for i, field in enumerate(_FIELDS)})
    parse(payload)
    return payload


def parse(data: "bytes | memoryview") -> Manifest:
    """The manifest in a verified payload. Raises Refused(ERR_MALFORMED or ERR_BOUNDS)."""
    fields = decode(data)
    if not isinstance(fields, dict) or len(fields) != len(_FIELDS):
        raise Refused(ERR_MALFORMED)
    m = Manifest()
    for key in range(1, len(_FIELDS) + 1):
        name, least, greatest = _FIELDS[key - 1]
        if key not in fields:
            raise Refused(ERR_MALFORMED)
        value = fields[key]
        if least < 0:
            _bytes(value, greatest, least == -2)
        elif greatest:
            _number(value, (least, greatest))
        elif not isinstance(value, list):
            raise Refused(ERR_MALFORMED)
        setattr(m, name, value)
    _rows(m)
    return m


def _bytes(value: "cbor.Value", size: int, may_be_empty: bool) -> None:
    if not isinstance(value, bytes):
        raise Refused(ERR_MALFORMED)
    if len(value) != size and not (may_be_empty and not value):
        raise Refused(ERR_BOUNDS)


def _number(value: "cbor.Value", bounds: "Bounds") -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(ERR_MALFORMED)
    if not bounds[0] <= value <= bounds[1]:
        raise Refused(ERR_BOUNDS)


def _flat(values: "cbor.Value", bounds: "tuple[Bounds, ...]", start: int = 0) -> None:
    """Numbers in rows of len(bounds), one after another, from `start` on."""
    if not isinstance(values, list) or (len(values) - start) % len(bounds):
        raise Refused(ERR_MALFORMED)
    for i in range(start, len(values)):
        _number(values[i], bounds[(i - start) % len(bounds)])


def _ascending(values: "list[int]") -> None:
    for i in range(1, len(values)):
        if values[i - 1] >= values[i]:
            raise Refused(ERR_BOUNDS)


def _rows(m: Manifest) -> None:
    """Check the lists, row by row; turn profiles and policy into tuples."""
    _flat(m.policy, _POLICY)
    _flat(m.utc_offsets, _OFFSET)
    _flat(m.holidays, _HOLIDAY)
    if len(m.policy) != len(_POLICY):
        raise Refused(ERR_MALFORMED)
    m.policy = (m.policy[0], m.policy[1])
    _ascending(m.utc_offsets[::2])
    _ascending(m.holidays)
    known = [0]
    for row in m.schedules:
        _flat(row, _WINDOW, 1)
        _number(row[0], (1, 0xFF))
        if len(row) == 1:  # it says nothing, and two hundred of them fill a controller's heap
            raise Refused(ERR_BOUNDS)
        known.append(row[0])
    _ascending(known)
    for profile in m.profiles:
        _flat(profile, _PROFILE)
        if len(profile) != len(_PROFILE):
            raise Refused(ERR_MALFORMED)
        if profile[2] not in known:
            raise Refused(ERR_BOUNDS)
    _ascending([profile[0] for profile in m.profiles])
    m.profiles = [tuple(profile) for profile in m.profiles]


def check(
    m: Manifest,
    site: bytes,
    device: bytes,
    epoch: int,
    version_floor: int,
    now_s: int,
    clock_quality: int,
    floor_s: int,
    capacity: int,
    held_version: int = 0,
    held_digest: bytes = b"",
) -> None:
    """Whether this controller may take that list now; raises Refused, in the documented order.

    capacity: records that fit. held_version and held_digest: the list in force, for a delta; a
    controller that takes full lists only leaves them out.
    """
    if m.site != site:
        raise Refused(ERR_OTHER_SITE)
    if m.device != device:
        raise Refused(ERR_OTHER_DEVICE)
    if m.epoch != epoch:
        raise Refused(ERR_EPOCH)
    if m.version <= version_floor:
        raise Refused(ERR_VERSION_LOW)
    # numbers go on over epochs and changes of boards: the first list has whatever comes next
    if version_floor and m.version - version_floor > VERSION_JUMP_MAX:
        raise Refused(ERR_VERSION_JUMP)
    # a floor ahead of the clock is a signed date too, and the better one
    latest_s = max(now_s, floor_s) + FAR_FUTURE_S
    if m.refresh_by_s <= m.issued_at_s or (
        clock_quality == CLOCK_SYNCED and m.issued_at_s > latest_s
    ):
        raise Refused(ERR_DATE)
    _check_base(m, held_version, held_digest)
    if m.count > capacity:
        raise Refused(ERR_CAPACITY)
    if m.payload_bytes % CARD_RECORD_BYTES or (
        m.kind == LIST_FULL and m.payload_bytes != m.count * CARD_RECORD_BYTES
    ):
        raise Refused(ERR_LENGTH)


def _check_base(m: Manifest, held_version: int, held_digest: bytes) -> None:
    if m.kind == LIST_FULL:
        if m.base_version or m.base_digest:
            raise Refused(ERR_BASE)
    elif not m.base_version or m.base_version != held_version or m.base_digest != held_digest:
        raise Refused(ERR_BASE)
