"""Signatures: RSA by encode-and-compare, the one COSE template (both)."""

from binascii import unhexlify
from hashlib import sha256

from protocol import cose, rsa
from protocol.cbor import Malformed
from protocol.constants import ENVELOPE_MAX_BYTES
from tests.both.support import flipped, raises, vectors

RSA = vectors("rsa")
MODULUS = unhexlify(RSA["modulus"])
DIGEST = unhexlify(RSA["digest"])
GOOD = unhexlify(RSA["good"])

COSE = vectors("cose")
ENVELOPE = unhexlify(COSE["envelope"])
AAD = unhexlify(COSE["aad"])
KEY = unhexlify(COSE["modulus"])


def test_good_signature_is_taken() -> None:
    assert rsa.verify(MODULUS, GOOD, DIGEST)
    assert rsa.verify(memoryview(MODULUS), bytearray(GOOD), memoryview(DIGEST))


def test_no_flipped_bit_of_a_signature_is_taken() -> None:
    for bit in range(0, 8 * len(GOOD), 61):
        assert not rsa.verify(MODULUS, flipped(GOOD, bit), DIGEST), bit


def test_no_flipped_bit_of_digest_or_modulus_is_taken() -> None:
    for bit in range(0, 256, 23):
        assert not rsa.verify(MODULUS, GOOD, flipped(DIGEST, bit)), bit
    for bit in range(0, 8 * len(MODULUS), 311):
        assert not rsa.verify(flipped(MODULUS, bit), GOOD, DIGEST), bit


def test_other_encodings_of_the_right_digest_are_refused() -> None:
    for name, signature in RSA["bad"].items():
        assert not rsa.verify(MODULUS, unhexlify(signature), DIGEST), name


def test_wrong_lengths_are_refused_without_a_step() -> None:
    for modulus, signature, digest in (
        (MODULUS[1:], GOOD, DIGEST),
        (MODULUS, GOOD[1:], DIGEST),
        (MODULUS, b"\x00" + GOOD, DIGEST),
        (MODULUS, GOOD, DIGEST[1:]),
        (bytes(384), GOOD, DIGEST),
    ):
        verification = rsa.Verification(modulus, signature, digest)
        assert not verification.step()
        assert not verification.ok


def test_a_signature_takes_seventeen_steps_and_is_good_after_the_last_alone() -> None:
    verification = rsa.Verification(MODULUS, GOOD, DIGEST)
    steps = 1
    while verification.step():
        assert not verification.ok
        steps += 1
    assert (steps, verification.ok) == (17, True)


def test_envelope_made_by_another_library_verifies() -> None:
    assert cose.key_id(KEY) == unhexlify(COSE["kid"])
    payload = cose.verify(memoryview(ENVELOPE), AAD, (MODULUS, KEY))
    assert bytes(payload) == unhexlify(COSE["payload"])


def test_build_makes_the_same_envelope() -> None:
    payload = unhexlify(COSE["payload"])
    made = cose.build(unhexlify(COSE["kid"]), payload, AAD, lambda _: ENVELOPE[-384:])
    assert made == ENVELOPE
    assert cose.tagged(made) == b"\xd2" + ENVELOPE


def test_another_purpose_or_key_is_refused() -> None:
    raises(cose.BadSignature, cose.verify, ENVELOPE, b"ticket", (KEY,))
    raises(cose.UnknownKey, cose.verify, ENVELOPE, AAD, (MODULUS,))
    raises(cose.UnknownKey, cose.verify, ENVELOPE, AAD, ())


def test_every_flipped_bit_before_the_signature_is_refused() -> None:
    for bit in range(8 * (len(ENVELOPE) - 384)):
        raises(
            (Malformed, cose.UnknownKey, cose.BadSignature),
            cose.verify,
            flipped(ENVELOPE, bit),
            AAD,
            (KEY,),
        )


def test_truncated_or_lengthened_envelopes_are_refused() -> None:
    for length in range(0, len(ENVELOPE), 7):
        raises(Malformed, cose.open_envelope, ENVELOPE[:length])
    raises(Malformed, cose.open_envelope, ENVELOPE + b"\x00")
    raises(Malformed, cose.open_envelope, b"\xd2" + ENVELOPE)
    raises(Malformed, cose.open_envelope, ENVELOPE[:-384] + bytes(ENVELOPE_MAX_BYTES))


def test_payload_length_has_one_form_only() -> None:
    def sign(_: bytes) -> bytes:
        return bytes(384)

    for length in (0, 1, 23, 24, 255, 256, 1600):
        payload = b"p" * length
        envelope = cose.build(b"k" * 8, payload, AAD, sign)
        assert bytes(cose.open_envelope(envelope).payload) == payload
    short = cose.build(b"k" * 8, b"p", AAD, sign)
    at = short.index(b"\xa0") + 1
    raises(Malformed, cose.open_envelope, short[:at] + b"\x58\x01" + short[at + 1 :])
    raises(Malformed, cose.open_envelope, short[:at] + b"\x61" + short[at + 1 :])


def test_rfc_9052_example_has_another_template_and_the_same_sig_structure() -> None:
    example = COSE["rfc9052"]
    message = unhexlify(example["message"])
    raises(Malformed, cose.open_envelope, message)
    raises(Malformed, cose.open_envelope, message[1:])
    digest = cose.sig_structure_digest(
        unhexlify(example["protected"]), b"", unhexlify(example["payload"])
    )
    assert digest == sha256(unhexlify(example["sig_structure"])).digest()


def test_too_long_a_payload_is_not_built() -> None:
    raises(ValueError, cose.build, b"k" * 8, bytes(ENVELOPE_MAX_BYTES), AAD, lambda _: bytes(384))
