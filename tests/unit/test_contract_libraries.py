"""Our encodings against cbor2, pycose and cryptography (host)."""

import os
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st
from pycose.headers import KID, Algorithm
from pycose.keys.rsa import RSAKey
from pycose.messages.sign1message import Sign1Message

from controller_tool.keys.certificates import certificate_der, issue_ca, issue_peer_certificate
from controller_tool.keys.files import peer_id
from controller_tool.keys.signing import Signer
from protocol import cbor, cose, der, oaep
from protocol import rsa as our_rsa
from protocol.constants import AAD_TICKET, AAD_TIME
from protocol.hmac import hmac_sha256

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 32), (1 << 32) - 1),
    st.binary(max_size=300),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=80),
)
KEYS = st.one_of(st.integers(-(1 << 32), (1 << 32) - 1), st.text(max_size=30))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


def depth(value: Any) -> int:
    if isinstance(value, list):
        return 1 + max((depth(item) for item in value), default=0)
    if isinstance(value, dict):
        return 1 + max((depth(item) for item in value.values()), default=0)
    return 0


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=3072)


@given(VALUES.filter(lambda value: depth(value) <= 4))
def test_encoding_is_cbor2s_canonical_one(value: Any) -> None:
    ours = cbor.encode(value)
    assert ours == _core_deterministic(value)
    assert cbor2.loads(ours) == value
    assert cbor.decode(ours) == value


def _core_deterministic(value: Any) -> bytes:
    """RFC 8949 section 4.2.1 by cbor2, whose own `canonical` is the older length-first order."""
    return cbor2.dumps(_ordered(value))


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value, key=cbor2.dumps)}
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    return value


@given(st.binary(max_size=60))
def test_what_we_decode_cbor2_decodes_to_the_same_value_and_bytes(data: bytes) -> None:
    try:
        value = cbor.decode(data)
    except cbor.Malformed:
        return
    assert cbor2.loads(data) == value
    assert cbor.encode(value) == data == _core_deterministic(value)


def test_pycose_verifies_our_envelopes(key: rsa.RSAPrivateKey) -> None:
    signer = Signer.of(key)
    envelope = signer.envelope(AAD_TICKET, b"payload")
    message: Any = Sign1Message.decode(cose.tagged(envelope))
    public = key.public_key().public_numbers()
    message.key = RSAKey(signer.modulus, public.e.to_bytes(3, "big"))
    message.external_aad = AAD_TICKET
    assert message.phdr[Algorithm].identifier == -257
    assert message.phdr[KID] == signer.kid
    assert message.payload == b"payload"
    assert message.verify_signature()
    message.external_aad = AAD_TIME
    assert not message.verify_signature()


def test_we_verify_what_cryptography_signs_and_the_reverse(key: rsa.RSAPrivateKey) -> None:
    signer = Signer.of(key)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(b"text")
    signature = key.sign(b"text", padding.PKCS1v15(), hashes.SHA256())
    assert our_rsa.verify(signer.modulus, signature, digest.finalize())
    envelope = signer.envelope(AAD_TICKET, b"payload")
    assert bytes(cose.verify(envelope, AAD_TICKET, [signer.modulus])) == b"payload"
    to_be_signed = cose.to_be_signed(signer.kid, b"payload", AAD_TICKET)
    key.public_key().verify(envelope[-384:], to_be_signed, padding.PKCS1v15(), hashes.SHA256())


@given(message=st.binary(max_size=318))
def test_cryptography_opens_what_we_seal(message: bytes) -> None:
    sealed = oaep.seal(_MODULUS, message, os.urandom)
    scheme = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    assert _OAEP_KEY.decrypt(sealed, scheme) == message


_OAEP_KEY = rsa.generate_private_key(public_exponent=65537, key_size=3072)
_MODULUS = _OAEP_KEY.public_key().public_numbers().n.to_bytes(384, "big")


@given(secret=st.binary(max_size=130), message=st.binary(max_size=300), cut=st.integers(0, 300))
def test_hmac_is_cryptographys(secret: bytes, message: bytes, cut: int) -> None:
    theirs = hmac.HMAC(secret, hashes.SHA256())
    theirs.update(message)
    assert hmac_sha256(secret, message[:cut], message[cut:]) == theirs.finalize()


@pytest.mark.parametrize("role", [1, 2, 3, 4, 5, 255])
def test_the_walk_finds_what_the_tool_issues(role: int) -> None:
    ca_key, ca = issue_ca("a CA with a name")
    _, certificate = issue_peer_certificate(ca_key, ca, role)
    identity = peer_id(certificate.public_key())  # type: ignore[arg-type]  # always P-256 here
    assert der.peer_extension(certificate_der(certificate)) == (role, identity)
