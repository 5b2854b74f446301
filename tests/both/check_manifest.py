"""The manifest: shape, bounds and the order of its checks (both)."""

from protocol import cbor, manifest
from protocol.codes import (
    CLOCK_HOLDOVER,
    CLOCK_SYNCED,
    CLOCK_UNSET,
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
    OK,
)
from tests.both.support import flipped, outcome, raises, refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SITE = b"s" * 8
DEVICE = b"d" * 8

FIELDS = {
    1: SITE,
    2: DEVICE,
    3: 1,
    4: 10,
    5: 0,
    6: 0,
    7: b"",
    8: b"r" * 32,
    9: 3,
    10: 48,
    11: b"h" * 32,
    12: 1000,
    13: 2000,
    14: [[1, 3, 0, 50, 0, 0, 0, 0, 0], [2, 1, 5, 30, 0, 1000, 600, 3000, 900]],
    15: [[5, 0x1F, 360, 1320, 0x60, 1320, 360]],
    16: [1, 720],
    17: 1,
    18: b"a" * 32,
    19: [0, 480],
    20: [100, 101],
}


def fields(**changes: "Any") -> "dict[int, Any]":
    """FIELDS with some changed: k5=1 changes key 5."""
    result = dict(FIELDS)
    for name, value in changes.items():
        result[int(name[1:])] = value
    return result


def parsed(**changes: "Any") -> manifest.Manifest:
    return manifest.parse(cbor.encode(fields(**changes)))


def check(
    m: manifest.Manifest, quality: int = CLOCK_SYNCED, now_s: int = 1500, floor_s: int = 0,
    floor: int = 9,
) -> None:  # fmt: skip
    manifest.check(m, SITE, DEVICE, 1, floor, now_s, quality, floor_s, 100)


def test_fields_arrive_under_their_names() -> None:
    m = parsed()
    assert (m.site, m.device, m.epoch, m.version, m.kind) == (SITE, DEVICE, 1, 10, 0)
    assert (m.count, m.payload_bytes, m.issued_at_s, m.refresh_by_s) == (3, 48, 1000, 2000)
    assert m.profiles == [(1, 3, 0, 50, 0, 0, 0, 0, 0), (2, 1, 5, 30, 0, 1000, 600, 3000, 900)]
    assert m.schedules == [[5, 0x1F, 360, 1320, 0x60, 1320, 360]]
    assert (m.stale_policy, m.grace_min, m.trust_version) == (1, 720, 1)
    assert (m.utc_offsets, m.holidays, m.audit_head) == ([0, 480], [100, 101], b"a" * 32)


def test_encode_gives_back_what_parse_took() -> None:
    data = cbor.encode(FIELDS)
    assert manifest.encode(manifest.parse(memoryview(data))) == data


def test_encode_refuses_what_no_controller_takes() -> None:
    m = parsed()
    m.version = 0
    refused(ERR_BOUNDS, manifest.encode, m)


def test_the_good_one_passes_every_check() -> None:
    check(parsed())


def test_missing_or_additional_keys_are_malformed() -> None:
    for key, value in FIELDS.items():
        without = fields()
        del without[key]
        refused(ERR_MALFORMED, manifest.parse, cbor.encode(without))
        without[key + 100] = value
        refused(ERR_MALFORMED, manifest.parse, cbor.encode(without))
    refused(ERR_MALFORMED, manifest.parse, cbor.encode(fields(k21=0)))
    refused(ERR_MALFORMED, manifest.parse, cbor.encode([1, 2]))
    refused(ERR_MALFORMED, manifest.parse, b"")


def test_no_key_takes_a_value_of_another_type() -> None:
    for key, right in FIELDS.items():
        for value in (None, True, "text", {1: 2}, 5, b"123", [None], ["x"], [[None]]):
            if type(value) is not type(right) or isinstance(value, list):
                wrong = fields(**{"k%d" % key: value})
                refused(ERR_MALFORMED, manifest.parse, cbor.encode(wrong))


def test_values_out_of_bounds_are_refused() -> None:
    for change in (
        {"k1": b"short"},
        {"k3": 0x10000},
        {"k3": -1},
        {"k4": 0},
        {"k4": 0x40000000},
        {"k5": 2},
        {"k7": b"x" * 31},
        {"k8": b""},
        {"k9": 65537},
        {"k10": 1048577},
        {"k12": 1006632901},
        {"k14": [[256, 1, 0, 0, 0, 0, 0, 0, 0]]},
        {"k14": [[1, 1, 9, 0, 0, 0, 0, 0, 0]]},
        {"k14": [[1, 1, 0, 36001, 0, 0, 0, 0, 0]]},
        {"k14": [[2, 1, 0, 0, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0, 0]]},
        {"k14": [[1, 1, 0, 0, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0, 0]]},
        {"k15": [[0, 1, 0, 1]]},
        {"k15": [[5]]},
        {"k15": [[5, 0, 0, 1]]},
        {"k15": [[5, 1, 0, 1441]]},
        {"k16": [2, 0]},
        {"k16": [0, 43201]},
        {"k19": [0, 841]},
        {"k19": [5, 0, 5, 60]},
        {"k20": [5, 5]},
        {"k20": [5, 4]},
        {"k20": [11651]},
    ):
        refused(ERR_BOUNDS, manifest.parse, cbor.encode(fields(**change)))


def test_rows_of_another_length_are_malformed() -> None:
    changes: "tuple[dict[str, Any], ...]" = (
        {"k14": [[1, 1, 0, 0, 0, 0, 0]]},
        {"k14": [[]]},
        {"k14": [[1, 1, 0, 0, 0, 0, 0, 0, 0] * 2]},
        {"k15": [[5, 1, 0]]},
        {"k15": [[]]},
        {"k16": []},
        {"k16": [0, 0, 0, 0]},
        {"k19": [0]},
    )
    for change in changes:
        refused(ERR_MALFORMED, manifest.parse, cbor.encode(fields(**change)))


def test_no_flipped_bit_raises_anything_else() -> None:
    data = cbor.encode(FIELDS)
    for bit in range(8 * len(data)):
        assert outcome(manifest.parse, flipped(data, bit)) in (OK, ERR_MALFORMED, ERR_BOUNDS)


def test_each_check_has_its_code() -> None:
    for change, code in (
        ({"k1": DEVICE}, ERR_OTHER_SITE),
        ({"k2": SITE}, ERR_OTHER_DEVICE),
        ({"k3": 2}, ERR_EPOCH),
        ({"k4": 9}, ERR_VERSION_LOW),
        ({"k4": 9 + 65537}, ERR_VERSION_JUMP),
        ({"k13": 1000}, ERR_DATE),
        ({"k12": 1500 + 86401, "k13": 200000}, ERR_DATE),
        ({"k6": 1}, ERR_BASE),
        ({"k7": b"b" * 32}, ERR_BASE),
        ({"k5": 1, "k6": 9, "k7": b"b" * 32}, ERR_BASE),
        ({"k9": 101, "k10": 1616}, ERR_CAPACITY),
        ({"k10": 47}, ERR_LENGTH),
        ({"k10": 64}, ERR_LENGTH),
    ):
        refused(code, check, parsed(**change))


def test_the_largest_jump_is_taken() -> None:
    check(parsed(k4=9 + 65536))


def test_a_controller_without_a_floor_takes_any_version() -> None:
    for version in (1, 65536, 65537, 0x3FFFFFFF):
        check(parsed(k4=version), floor=0)
    refused(ERR_VERSION_JUMP, check, parsed(k4=1 + 65537), CLOCK_SYNCED, 1500, 0, 1)


def test_checks_come_in_the_documented_order() -> None:
    changes = {"k1": DEVICE, "k2": SITE, "k3": 2, "k4": 9, "k13": 1000, "k6": 1, "k9": 101}
    for key, code in (
        ("k1", ERR_OTHER_SITE),
        ("k2", ERR_OTHER_DEVICE),
        ("k3", ERR_EPOCH),
        ("k4", ERR_VERSION_LOW),
        ("k13", ERR_DATE),
        ("k6", ERR_BASE),
        ("k9", ERR_CAPACITY),
    ):
        refused(code, check, parsed(**changes))
        del changes[key]
    refused(ERR_LENGTH, check, parsed(k10=16))


def test_far_dates_are_refused_by_a_synced_clock_alone() -> None:
    far = parsed(k12=1500 + 86401, k13=200000)
    refused(ERR_DATE, check, far)
    check(far, CLOCK_UNSET)
    check(far, CLOCK_HOLDOVER)
    check(far, CLOCK_SYNCED, 1500, 1501)
    check(parsed(k12=1500 + 86400, k13=200000))


def test_a_delta_fits_the_list_that_it_names_alone() -> None:
    delta = parsed(k5=1, k6=9, k7=b"b" * 32, k10=16)
    held = (SITE, DEVICE, 1, 9, 1500, CLOCK_SYNCED, 0, 100)
    manifest.check(delta, *held, 9, b"b" * 32)
    for version, digest in ((8, b"b" * 32), (9, b"c" * 32), (0, b"")):
        refused(ERR_BASE, manifest.check, delta, *held, version, digest)
    refused(ERR_BASE, manifest.check, parsed(k5=1), *held, 0, b"")


def test_negative_control_the_checks_are_run() -> None:
    raises(AssertionError, refused, ERR_DATE, check, parsed())
