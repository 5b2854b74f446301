"""What both sides encode fits docs/protocol.cddl; what does not fit it, no parser takes (host)."""

import json
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import cbor, manifest, messages, receipt, trust
from protocol.codes import ERR_NOT_ON_BOARD, ERR_SETTING, OK
from protocol.names import OPERATION_NAMES
from tests import cddl
from tests.both.check_manifest import FIELDS

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
SITE, DEVICE, NONCE, DIGEST = b"s" * 8, b"d" * 8, b"n" * 16, b"h" * 32

PORT: list[Any] = [3, b"k" * 8, 5000, 482253, 3600, 315, 0, None]
EMPTY_PORT: list[Any] = [0, b"", 0, 0, 0, None, 15, 21]
STATION: list[Any] = [8700, 87000, 31, 2, -120]
CONFIG: dict[int, Any] = {
    1: SITE,
    2: DEVICE,
    3: "north door",
    4: DIGEST,
    5: DIGEST,
    6: DIGEST,
    7: None,
    8: 1,
    9: {},
}
INFO: dict[str, Any] = {
    "name": "north door",
    "site": SITE,
    "device": DEVICE,
    "board": "virtual_door",
    "kind": "door",
    "protocol": 1,
    "firmware": DIGEST,
    "slot": 0,
    "trial": False,
    "version": 256,
    "boot": 3,
    "reset_cause": 1,
    "uptime_s": 86400,
    "heap_free": 60000,
    "heap_used": 50000,
    "idf_largest": 90112,
    "longest_gap_ms": 40,
    "longest_handshake_step_ms": 698,
    "doors": bytes((0x30, 5)),
    "reader_trouble": bytes((0, 4)),
    "reader_pairing": bytes((2, 0)),
    "refused_attempts": 0,
    "fault": "",
    "capacity": 20000,
}
REPLIES: dict[str, Any] = {
    "get_info": INFO,
    "get_state": [1, 7, DIGEST, 300, 1, False, 3, 200000000, 12],
    "self_test": {"entropy": True, "clock": False},
    "get_time": [200000000, 999, 3, 0],
    "set_time": [200000000, 3],
    "set_signed_time": [200000000, 3],
    "list_begin": 0,
    "list_chunk": 2048,
    "list_commit": receipt.make(b"k" * 32, SITE, DEVICE, 1, 2, 3, DIGEST, 4, NONCE),
    "get_receipt": receipt.make(b"k" * 32, SITE, DEVICE, 1, 2, 3, DIGEST, 4, NONCE),
    "journal_head": [0, 5, DIGEST, 0, 3, b"m" * 16, b"a" * 16],
    "journal_read": bytes(96),
    "put_checkpoint": None,
    "journal_sectors": bytes(128),
    "get_audit_key": bytes(384),
    "enroll": [bytes(384), bytes(384), False],
    "get_nonce": NONCE,
    "do_ticket": None,
    "ping": None,
    "get_buckets": bytes(2048),
    "get_records": bytes(1920),
    "put_trust": 6144,
    "get_config": [1, 3, True, {2: 50, 3: [30, 40], 40: "network"}, [41]],
    "put_config": 16383,
    "get_credential": [2, 0, b"\x04\xa1\xb2\xc3", 0],
    "get_ports": [STATION, [PORT, EMPTY_PORT]],
    "read_energy": bytes(2016),
    "open_service": 30,
    "firmware_begin": 0,
    "firmware_chunk": 153600,
    "firmware_commit": None,
    "firmware_prove": {"link": True, "list": True, "journal": True, "decision": False},
}
WRONG: dict[str, list[Any]] = {
    "get_info": [{**INFO, "more": 1}, {**INFO, "kind": "window"}, {**INFO, "boot": 65536}, {}],
    "get_state": [[1, 7, DIGEST, 300, 1, 0, 3, 2, 0], [1, 7, b"", 300, 1, False, 3, 2, 0]],
    "self_test": [{}, {"entropy": 1}],
    "get_time": [[1, 1000, 3, 0], [1, 2, 4, 0], [1, 2, 3]],
    "set_time": [[1, 4], None],
    "set_signed_time": [[-1, 3]],
    "list_begin": [-1, 1048577],
    "list_chunk": [None],
    "list_commit": [b"", cbor.encode([b"", bytes(16)])],
    "get_receipt": [cbor.encode([cbor.encode([SITE]), bytes(16)]), 1],
    "journal_head": [[2, 5, DIGEST, 0, 3, b"m" * 16, b"a" * 16], [0, 5, DIGEST, 0, 3, b"m" * 16]],
    "journal_read": [bytes(1921), ""],
    "put_checkpoint": [0],
    "journal_sectors": [None, bytes(2112), "text"],
    "get_audit_key": [None, bytes(383), bytes(385)],
    "enroll": [[bytes(384), bytes(383), False], [bytes(384), bytes(384)]],
    "get_nonce": [bytes(15), bytes(17)],
    "do_ticket": [False],
    "ping": [1],
    "get_buckets": [None, bytes(2049)],
    "get_records": [None, bytes(1921)],
    "put_trust": [6145, None],
    "get_config": [
        [1, 3, True, {}],
        [1, 16384, True, {}, []],
        [1, 3, 1, {}, []],
        [1, 3, True, {2: [1, 2, 3, 4, 5]}, []],
        [1, 3, True, {2: b"x"}, []],
    ],
    "put_config": [0, 16384, None],
    "get_credential": [[2, 0, b"", 0], [2, 0, bytes(33), 0], [2, 0, b"x"]],
    "get_ports": [
        [],
        [STATION],
        [STATION, []],
        [STATION, [PORT] * 17],
        [[*STATION[:3], 3, None], [PORT]],
        [[*STATION[:2], 32, 0, None], [PORT]],
        [STATION, [[6, *PORT[1:]]]],
        [STATION, [[3, b"short", *PORT[2:]]]],
        [STATION, [[*PORT[:6], 16, None]]],
        [STATION, [PORT[:7]]],
    ],
    "read_energy": [None, bytes(2017), ""],
    "open_service": [0, 481, None],
    "firmware_begin": [-1, 153601, None],
    "firmware_chunk": [0, 153601],
    "firmware_commit": [0],
    "firmware_prove": [{}, None, {"list": 1}],
}


def arguments(specs: "tuple[messages.Bounds, ...]", *, greatest: bool) -> list[Any]:
    """The least or greatest arguments that an operation takes."""
    chosen = [(kind, most if greatest else least) for kind, least, most in specs]
    return [number if kind == messages.UINT else bytes(number) for kind, number in chosen]


def vector(file: str, name: str) -> bytes:
    return bytes.fromhex(json.loads((VECTORS / f"{file}.json").read_text(encoding="utf-8"))[name])


def fits(name: str, data: bytes) -> bool:
    return not cddl.problem(name, data)


@pytest.mark.parametrize("operation", messages.OPS)
@pytest.mark.parametrize("greatest", [False, True])
def test_requests_at_their_bounds_fit(operation: int, *, greatest: bool) -> None:
    framed = messages.request(
        65535, operation, *arguments(messages.arguments_of(operation), greatest=greatest)
    )
    assert cddl.problem(f"{OPERATION_NAMES[operation]}_request", framed[2:]) == ""
    assert cddl.problem("request", framed[2:]) == ""


@pytest.mark.parametrize("operation", messages.OPS)
def test_requests_beyond_their_bounds_fit_neither(operation: int) -> None:
    specs = messages.arguments_of(operation)
    good = arguments(specs, greatest=False)
    wrong = [[*good, 0], *(good[:at] for at in range(len(good)))]
    for at, (kind, least, most) in enumerate(specs):
        for number in (least - 1, most + 1):
            if kind == messages.UINT and number <= 0xFFFFFFFF:
                wrong.append([*good[:at], number, *good[at + 1 :]])
            elif kind == messages.BYTES and number >= 0:
                wrong.append([*good[:at], bytes(number), *good[at + 1 :]])
        wrong.append([*good[:at], None, *good[at + 1 :]])
    for values in wrong:
        assert not fits(
            f"{OPERATION_NAMES[operation]}_request", cbor.encode([1, operation, *values])
        )
        with pytest.raises(messages.Refused):
            messages.check_args(operation, values)


@pytest.mark.parametrize("name", OPERATION_NAMES.values())
def test_replies_fit_and_others_do_not(name: str) -> None:
    framed = messages.reply(1, OK, REPLIES[name])
    assert cddl.problem(f"{name}_reply", framed[2:]) == ""
    for value in WRONG[name]:
        assert not fits(f"{name}_reply", cbor.encode([1, 0, value])), value


def test_every_operation_has_both_types() -> None:
    expected = {
        f"{name}_{kind}" for name in OPERATION_NAMES.values() for kind in ("request", "reply")
    }
    found = {name for name in cddl.types() if name.endswith(("_request", "_reply"))}
    assert found == expected


def test_refusals_fit() -> None:
    assert fits("refusal", messages.reply(9, 33)[2:])
    assert not fits("refusal", cbor.encode([9, 0, None]))
    assert not fits("refusal", cbor.encode([9, 3, "why"]))
    for status in (ERR_SETTING, ERR_NOT_ON_BOARD):
        assert fits("refusal", messages.reply(9, status, 48)[2:])
    assert not fits("refusal", cbor.encode([9, 3, 48]))


@pytest.mark.parametrize(
    ("name", "file", "key"),
    [
        ("cose_sign1", "cose", "envelope"),
        ("signed_time", "cose", "payload"),
        ("trust_object", "trust", "first"),
        ("trust_object", "trust", "successor"),
        ("receipt", "session", "receipt"),
    ],
)
def test_golden_vectors_fit_and_truncated_ones_do_not(name: str, file: str, key: str) -> None:
    data = vector(file, key)
    assert cddl.problem(name, data) == ""
    assert not fits(name, data[:-1])


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("ticket", [SITE, DEVICE, NONCE, 1, 255, 65535], [SITE, DEVICE, NONCE, 9, 0, 0]),
        ("ticket", [SITE, DEVICE, NONCE, 3, 0, 0x3FFFFFF], [SITE, DEVICE, NONCE, 3, 0, 0x4000000]),
        ("ticket", [SITE, DEVICE, NONCE, 4, 0, 0], [SITE, DEVICE, NONCE, 4, 0, 0x10000]),
        ("device_config", [SITE, DEVICE, 1, 1, {2: 50}], [SITE, DEVICE, 1, 0, {2: 50}]),
        ("device_config", [SITE, DEVICE, 1, 16383, {40: "n", 2: [5]}], [SITE, DEVICE, 1, 1, [5]]),
        ("info", {**INFO, "drift_ms_a_day": -1200}, {**INFO, "drift_ms_a_day": "much"}),
        ("signed_time", [SITE, DEVICE, NONCE, 0], [SITE, DEVICE, NONCE, -1]),
        ("checkpoint", [SITE, DEVICE, 1, DIGEST, 2, DIGEST], [SITE, DEVICE, 1, DIGEST]),
        ("service_grant", [SITE, DEVICE, SITE, 9, 480], [SITE, DEVICE, SITE, 9, 481]),
        ("wipe_receipt_body", [SITE, DEVICE, 1, 9, 127, NONCE], [SITE, DEVICE, 1, 9, 128, NONCE]),
        ("config", CONFIG, {**CONFIG, 7: ["network without a password"]}),
        ("config", {**CONFIG, 7: ["network", "password"]}, {**CONFIG, 8: 65536}),
        ("config", {**CONFIG, 9: {1: 1, 2: 50, 3: 30, 4: 0, 5: 480}}, {**CONFIG, 9: {99: 1}}),
        ("config", {**CONFIG, 9: {2: [50, 30], 15: 1, 16: 0x101}}, {**CONFIG, 9: {2: []}}),
        ("config", {**CONFIG, 9: {17: [0, 1, 2, 0]}}, {**CONFIG, 9: {7: [0, 0, 0, 0, 0]}}),
    ],
)
def test_payloads_fit(name: str, good: Any, bad: Any) -> None:
    assert cddl.problem(name, cbor.encode(good)) == ""
    assert not fits(name, cbor.encode(bad))


def test_manifest_fits() -> None:
    assert cddl.problem("manifest", cbor.encode(FIELDS)) == ""
    parsed = manifest.parse(cbor.encode(FIELDS))
    assert cddl.problem("manifest", manifest.encode(parsed)) == ""


ANY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 31), (1 << 31) - 1),
    st.binary(max_size=40),
    st.text(max_size=5),
    st.lists(st.integers(-2, 2000), max_size=8),
    st.lists(st.lists(st.integers(-2, 2000), max_size=8), max_size=3),
)


def _accepted(function: Any, data: bytes) -> bool:
    try:
        function(data)
    except messages.Refused:
        return False
    return True


@given(key=st.integers(0, 22), value=ANY)
def test_what_the_manifest_parser_takes_fits_the_cddl(key: int, value: Any) -> None:
    data = cbor.encode({**FIELDS, key: value})
    if _accepted(manifest.parse, data):
        assert cddl.problem("manifest", data) == ""


@given(key=st.integers(0, 8), value=ANY)
def test_what_the_trust_parser_takes_fits_the_cddl(key: int, value: Any) -> None:
    payload, signatures = cbor2.loads(vector("trust", "first"))
    data = cbor.encode([cbor.encode({**cbor2.loads(payload), key: value}), signatures])
    if _accepted(trust.parse, data):
        assert cddl.problem("trust_object", data) == ""


def test_negative_control_another_type_does_not_fit() -> None:
    assert not fits("manifest", vector("cose", "envelope"))
    assert not fits("cose_sign1", cbor.encode(FIELDS))
