"""The trust object: thresholds of both, distinct keys, versions that rise (both)."""

from binascii import unhexlify

from protocol import cbor, cose, trust
from protocol.codes import (
    ERR_BOUNDS,
    ERR_MALFORMED,
    ERR_SIGNATURE,
    KEY_FIRMWARE,
    KEY_ROOT,
    KEY_WHITELIST,
)
from tests.both.support import flipped, outcome, refused, vectors

VECTOR = vectors("trust")
FIRST = unhexlify(VECTOR["first"])
SUCCESSOR = unhexlify(VECTOR["successor"])
WHITELIST = unhexlify(VECTOR["whitelist_modulus"])


def with_payload(**changes: object) -> bytes:
    """The first object with some fields of its payload changed; its signature is no longer good."""
    payload, signatures = cbor.decode(FIRST)
    fields = cbor.decode(payload)
    for name, value in changes.items():
        fields[int(name[1:])] = value
    return cbor.encode([cbor.encode(fields), signatures])


def test_the_first_object_speaks_for_itself() -> None:
    first = trust.verify(memoryview(FIRST))
    assert (first.epoch, first.version, first.expiry_s) == (1, 1, 9999)
    assert len(first.moduli(KEY_ROOT)) == 1
    assert first.moduli(KEY_FIRMWARE) == []


def test_keys_are_found_in_their_role_alone() -> None:
    first = trust.parse(FIRST)
    kid = cose.key_id(WHITELIST)
    assert first.find_key(KEY_WHITELIST, kid) == WHITELIST
    assert first.find_key(KEY_ROOT, kid) is None
    assert first.find_key(KEY_FIRMWARE, kid) is None
    assert first.find_key(KEY_WHITELIST, bytes(8)) is None


def test_a_successor_signed_by_both_thresholds_is_taken() -> None:
    second = trust.verify(SUCCESSOR, trust.parse(FIRST))
    assert second.version == 2
    assert second.keys[0][:2] == (KEY_ROOT, 2)


def test_successors_that_must_not_be_are_refused() -> None:
    first = trust.parse(FIRST)
    for name, (data, code) in vectors("trust_refused")["refused"].items():
        assert outcome(trust.verify, unhexlify(data), first) == code, name


def test_going_back_is_refused() -> None:
    refused(ERR_SIGNATURE, trust.verify, FIRST, trust.parse(SUCCESSOR))


def test_changed_objects_are_refused() -> None:
    for bit in range(0, 8 * len(FIRST), 331):
        assert outcome(trust.verify, flipped(FIRST, bit)), bit
    for length in range(0, len(FIRST), 97):
        refused(ERR_MALFORMED, trust.verify, FIRST[:length])
    refused(ERR_BOUNDS, trust.verify, bytes(6145))


def test_payloads_of_another_shape_are_refused() -> None:
    for changes, code in (
        ({"k1": b"short"}, ERR_MALFORMED),
        ({"k2": 0x10000}, ERR_MALFORMED),
        ({"k3": -1}, ERR_MALFORMED),
        ({"k3": True}, ERR_MALFORMED),
        ({"k4": []}, ERR_BOUNDS),
        ({"k4": [[1, 1, WHITELIST]]}, ERR_BOUNDS),
        ({"k4": [[0, 1, WHITELIST], [0, 1, WHITELIST]]}, ERR_BOUNDS),
        ({"k4": [[0, 2, WHITELIST]]}, ERR_BOUNDS),
        ({"k4": [[0, 0, WHITELIST]]}, ERR_BOUNDS),
        ({"k4": [[0, 2, WHITELIST, WHITELIST]]}, ERR_BOUNDS),
        ({"k4": [[0, 1, WHITELIST[1:]]]}, ERR_MALFORMED),
        ({"k4": [[0, 1]]}, ERR_MALFORMED),
        ({"k4": [[9, 1, WHITELIST]]}, ERR_MALFORMED),
        ({"k4": 5}, ERR_MALFORMED),
        ({"k5": [b"short"]}, ERR_MALFORMED),
        ({"k6": None}, ERR_MALFORMED),
        ({"k7": 1}, ERR_MALFORMED),
    ):
        assert outcome(trust.parse, with_payload(**changes)) == code, changes


def test_outer_shapes_are_held() -> None:
    payload, signatures = cbor.decode(FIRST)
    for outer, code in (
        ([payload], ERR_MALFORMED),
        ([payload, []], ERR_BOUNDS),
        ([payload, signatures * 9], ERR_BOUNDS),
        ([payload, [signatures[0][:1]]], ERR_MALFORMED),
        ([payload, [[signatures[0][0], b"short"]]], ERR_MALFORMED),
        ([1, signatures], ERR_MALFORMED),
        ({1: payload}, ERR_MALFORMED),
    ):
        assert outcome(trust.parse, cbor.encode(outer)) == code


def test_encode_and_assemble_give_back_what_was_parsed() -> None:
    _, signatures = cbor.decode(FIRST)
    assert trust.assemble(trust.encode(trust.parse(FIRST)), signatures) == FIRST
