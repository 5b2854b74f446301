"""Lists that are signed and wrong in one thing: each is refused with its code (MicroPython).

Signed by the right key, so that nothing but the judgement of the field stands between the list and
the door. Every field of the manifest has its cases, for full lists and for deltas.
"""

import hashlib

from protocol import cbor, cose, deltas, manifest
from protocol.card_digest import digest
from protocol.codes import (
    CLOCK_SYNCED,
    ERR_BASE,
    ERR_BOUNDS,
    ERR_CAPACITY,
    ERR_DATE,
    ERR_DIGEST,
    ERR_EPOCH,
    ERR_KEY_UNKNOWN,
    ERR_LENGTH,
    ERR_MALFORMED,
    ERR_OTHER_DEVICE,
    ERR_OTHER_SITE,
    ERR_PROFILE,
    ERR_SIGNATURE,
    ERR_STATE,
    ERR_VERSION_JUMP,
    ERR_VERSION_LOW,
    LIST_DELTA,
    LIST_FULL,
    OK,
)
from protocol.constants import AAD_MANIFEST, AAD_TICKET, FLAG_REVOKED, TIME_END_S, VERSION_JUMP_MAX
from protocol.messages import Refused
from tests.firmware.list_rig import CAPACITY, DAY_S, ISSUED_S, KID, Rig, draft, records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Fields = dict[int, Any]
    Case = tuple[str, Any, int, int]

OLD = records(40)
NEW = OLD[:15] + bytes((OLD[15] | FLAG_REVOKED,)) + OLD[16:]
CHANGES = deltas.between(OLD, NEW)
NAMES = [field[0] for field in manifest._FIELDS]
OTHER, ROW = b"another-", (1, 1, 0, 50, 0, 0, 0, 0, 0)
FAR_S = ISSUED_S + 40 * DAY_S

# field, what it says instead, the code for a full list, the code for a delta
CASES: "list[Case]" = [
    ("site", OTHER, ERR_OTHER_SITE, ERR_OTHER_SITE),
    ("site", OTHER[1:], ERR_BOUNDS, ERR_BOUNDS),
    ("site", 7, ERR_MALFORMED, ERR_MALFORMED),
    ("device", OTHER, ERR_OTHER_DEVICE, ERR_OTHER_DEVICE),
    ("device", b"", ERR_BOUNDS, ERR_BOUNDS),
    ("epoch", 0, ERR_EPOCH, ERR_EPOCH),
    ("epoch", 2, ERR_EPOCH, ERR_EPOCH),
    ("epoch", 0x10000, ERR_BOUNDS, ERR_BOUNDS),
    ("version", 1, ERR_VERSION_LOW, ERR_VERSION_LOW),
    ("version", 0, ERR_BOUNDS, ERR_BOUNDS),
    ("version", 2 + VERSION_JUMP_MAX, ERR_VERSION_JUMP, ERR_VERSION_JUMP),
    ("version", 0x40000000, ERR_BOUNDS, ERR_BOUNDS),
    ("version", True, ERR_MALFORMED, ERR_MALFORMED),
    ("version", b"2", ERR_MALFORMED, ERR_MALFORMED),
    ("kind", 2, ERR_BOUNDS, ERR_BOUNDS),
    ("kind", "the other", ERR_BASE, ERR_BASE),
    ("base_version", 2, ERR_BASE, ERR_BASE),
    ("base_version", 0x40000000, ERR_BOUNDS, ERR_BOUNDS),
    ("base_digest", bytes(32), ERR_BASE, ERR_BASE),
    ("base_digest", bytes(31), ERR_BOUNDS, ERR_BOUNDS),
    ("result_digest", bytes(32), ERR_DIGEST, ERR_DIGEST),
    ("result_digest", bytes(33), ERR_BOUNDS, ERR_BOUNDS),
    ("count", 41, ERR_LENGTH, ERR_DIGEST),
    ("count", 0, ERR_LENGTH, ERR_DIGEST),
    ("count", CAPACITY + 1, ERR_CAPACITY, ERR_CAPACITY),
    ("count", 0x3FFFFFFF, ERR_BOUNDS, ERR_BOUNDS),
    ("payload_bytes", 0, ERR_LENGTH, ERR_LENGTH),
    ("payload_bytes", 1, ERR_LENGTH, ERR_LENGTH),
    ("payload_bytes", len(OLD) + 16, ERR_LENGTH, ERR_STATE),
    ("payload_bytes", 501 * 16, ERR_LENGTH, ERR_CAPACITY),
    ("payload_bytes", 0x3FFFFFFF, ERR_BOUNDS, ERR_BOUNDS),
    ("payload_sha256", bytes(32), ERR_DIGEST, ERR_DIGEST),
    ("payload_sha256", b"", ERR_BOUNDS, ERR_BOUNDS),
    ("issued_at_s", ISSUED_S + 30 * DAY_S, ERR_DATE, ERR_DATE),
    ("issued_at_s", (FAR_S, FAR_S + DAY_S), ERR_DATE, ERR_DATE),
    ("issued_at_s", (TIME_END_S - 1, TIME_END_S), ERR_DATE, ERR_DATE),
    ("issued_at_s", TIME_END_S + 1, ERR_BOUNDS, ERR_BOUNDS),
    ("refresh_by_s", ISSUED_S + 2, ERR_DATE, ERR_DATE),
    ("refresh_by_s", 0, ERR_DATE, ERR_DATE),
    ("refresh_by_s", TIME_END_S + 1, ERR_BOUNDS, ERR_BOUNDS),
    ("profiles", [], ERR_PROFILE, ERR_PROFILE),
    ("profiles", [ROW, ROW], ERR_BOUNDS, ERR_BOUNDS),
    ("profiles", [ROW[:7]], ERR_MALFORMED, ERR_MALFORMED),
    ("profiles", [(1, 1, 9, 50, 0, 0, 0, 0, 0)], ERR_BOUNDS, ERR_BOUNDS),
    ("profiles", [(1, 1, 0, 36001, 0, 0, 0, 0, 0)], ERR_BOUNDS, ERR_BOUNDS),
    ("profiles", 1, ERR_MALFORMED, ERR_MALFORMED),
    ("schedules", [[1]], ERR_BOUNDS, ERR_BOUNDS),
    ("schedules", [[]], ERR_MALFORMED, ERR_MALFORMED),
    ("schedules", [[1, 1, 0]], ERR_MALFORMED, ERR_MALFORMED),
    ("schedules", [[0, 1, 0, 60]], ERR_BOUNDS, ERR_BOUNDS),
    ("schedules", [[1, 1, 0, 1441]], ERR_BOUNDS, ERR_BOUNDS),
    ("schedules", [[2, 1, 0, 60], [1, 1, 0, 60]], ERR_BOUNDS, ERR_BOUNDS),
    ("policy", (9, 0), ERR_BOUNDS, ERR_BOUNDS),
    ("policy", (0,), ERR_MALFORMED, ERR_MALFORMED),
    ("policy", (0, 43201), ERR_BOUNDS, ERR_BOUNDS),
    ("trust_version", 0x10000, ERR_BOUNDS, ERR_BOUNDS),
    ("trust_version", "1", ERR_MALFORMED, ERR_MALFORMED),
    ("audit_head", bytes(31), ERR_BOUNDS, ERR_BOUNDS),
    ("utc_offsets", [1], ERR_MALFORMED, ERR_MALFORMED),
    ("utc_offsets", [5, 0, 5, 0], ERR_BOUNDS, ERR_BOUNDS),
    ("utc_offsets", [5, 841], ERR_BOUNDS, ERR_BOUNDS),
    ("holidays", [2, 1], ERR_BOUNDS, ERR_BOUNDS),
    ("holidays", [[1]], ERR_MALFORMED, ERR_MALFORMED),
]


def fields_of(kind: int) -> "tuple[Fields, bytes]":
    """The good manifest of version 2, ready to be spoilt, and its payload."""
    payload = NEW if kind == LIST_FULL else CHANGES
    m = draft(2, NEW, payload)
    if kind == LIST_DELTA:
        m.kind, m.base_version, m.base_digest = LIST_DELTA, 1, digest(OLD)
    return {i + 1: getattr(m, name) for i, name in enumerate(NAMES)}, payload


def sealed(said: bytes, kid: bytes = KID, aad: bytes = AAD_MANIFEST) -> bytes:
    """Signed as by the right key, whatever it says."""
    return cose.build(kid, said, aad, lambda data: hashlib.sha256(data).digest() * 12)


def spoilt(fields: "Fields", name: str, value: "Any") -> "Fields":
    wrong = dict(fields)
    if value == "the other":
        value = LIST_FULL + LIST_DELTA - fields[5]
    if name == "issued_at_s" and isinstance(value, tuple):
        value, wrong[13] = value
    wrong[NAMES.index(name) + 1] = value
    return wrong


def code_of(rig: Rig, envelope: bytes, payload: bytes) -> int:
    try:
        rig.push(envelope, payload)
    except Refused as refused:
        return refused.code
    return OK


def with_old() -> Rig:
    """Version 1 in force, a clock that is synced."""
    rig = Rig(100)
    rig.full(1, OLD)
    rig.clock.set_signed(ISSUED_S + 60)
    rig.clock.quality = CLOCK_SYNCED
    return rig


def is_old(rig: Rig) -> bool:
    w = rig.whitelist
    held = (w.version, w.digest, w.count, rig.journal.version_floor)
    if held != (1, digest(OLD), 40, 1) or rig.numbers["floor_version"] != 1:
        return False
    return rig.has(OLD[:16]) and rig.has(OLD[-16:])


def surprises(rig: Rig, kind: int) -> "list[Any]":
    """Cases that came out as the table does not say, up to the first that was taken."""
    fields, payload = fields_of(kind)
    found: list[Any] = []
    for name, value, *codes in CASES:
        code = code_of(rig, sealed(cbor.encode(spoilt(fields, name, value))), payload)
        if code != codes[kind - LIST_FULL]:
            found.append((name, value, code))
        if code == OK:
            return found
        assert is_old(rig), (name, value)
    return found


def test_one_field_is_wrong() -> None:
    for kind in (LIST_FULL, LIST_DELTA):
        rig = with_old()
        assert surprises(rig, kind) == []
        fields, payload = fields_of(kind)
        assert code_of(rig, sealed(cbor.encode(fields)), payload) == OK, "nothing stands in its way"
        assert (rig.whitelist.version, rig.whitelist.digest) == (2, digest(NEW))


def test_a_controller_that_takes_one_of_them_would_be_noticed() -> None:
    for kind in (LIST_FULL, LIST_DELTA):
        rig = with_old()
        rig.config.site = OTHER
        assert surprises(rig, kind) == [("site", OTHER, OK)]


def test_every_field_has_its_cases() -> None:
    assert {case[0] for case in CASES} == set(NAMES)


def test_fields_are_missing_or_too_many_or_in_another_form() -> None:
    for kind in (LIST_FULL, LIST_DELTA):
        rig = with_old()
        fields, payload = fields_of(kind)
        good = cbor.encode(fields)
        wrong = [cbor.encode({k: v for k, v in fields.items() if k != gone}) for gone in fields]
        wrong.append(cbor.encode(dict(list(fields.items()) + [(21, 0)])))  # noqa: RUF005
        wrong.append(cbor.encode({k + 1: v for k, v in fields.items()}))
        wrong += [good + b"\0", good[:-1], b"", b"\x80", cbor.encode(list(fields.values()))]
        # epoch 1 in two bytes; version before epoch
        assert good.count(b"\x03\x01\x04\x02") == 1
        wrong.append(good.replace(b"\x03\x01\x04\x02", b"\x03\x18\x01\x04\x02"))
        wrong.append(good.replace(b"\x03\x01\x04\x02", b"\x04\x02\x03\x01"))
        for said in wrong:
            assert code_of(rig, sealed(said), payload) == ERR_MALFORMED, said
            assert is_old(rig)


def test_the_envelope_is_wrong() -> None:
    for kind in (LIST_FULL, LIST_DELTA):
        rig = with_old()
        fields, payload = fields_of(kind)
        said = cbor.encode(fields)
        good = sealed(said)
        flipped = good[:-1] + bytes((good[-1] ^ 1,))
        for code, envelope in (
            (ERR_KEY_UNKNOWN, sealed(said, kid=bytes(8))),
            (ERR_SIGNATURE, sealed(said, aad=AAD_TICKET)),
            (ERR_SIGNATURE, flipped),
            (ERR_MALFORMED, good[:-1]),
            (ERR_MALFORMED, good + b"\0"),
            (ERR_MALFORMED, b""),
            (ERR_MALFORMED, said),
        ):
            assert code_of(rig, envelope, payload) == code
            assert is_old(rig)
