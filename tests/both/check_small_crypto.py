"""HMAC against RFC 4231, OAEP's shape (both)."""

from binascii import unhexlify
from hashlib import sha256

from protocol import oaep
from protocol.hmac import equal, hmac_sha256
from tests.both.support import raises, vectors

# RFC 4231 sections 4.2 to 4.8 (4.6 is truncated there): key, data, HMAC-SHA-256
RFC_4231 = (
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (
        b"\xaa" * 20,
        b"\xdd" * 50,
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    ),
    (
        bytes(range(1, 26)),
        b"\xcd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
)


def test_hmac_of_rfc_4231() -> None:
    for key, data, expected in RFC_4231:
        assert hmac_sha256(key, data) == unhexlify(expected)


def test_hmac_joins_its_parts() -> None:
    whole = hmac_sha256(b"k", b"abcdef")
    assert hmac_sha256(b"k", b"ab", b"", memoryview(b"cd"), bytearray(b"ef")) == whole
    assert hmac_sha256(memoryview(b"k"), b"abcdef") == whole


def test_equal_compares_all_bytes() -> None:
    assert equal(b"abc", bytearray(b"abc"))
    assert equal(b"", b"")
    for other in (b"abe", b"bbc", b"ab", b"abcd", b""):
        assert not equal(b"abc", other)


def test_oaep_block_is_a_number_below_the_modulus_and_random() -> None:
    modulus = unhexlify(vectors("rsa")["modulus"])
    first = oaep.seal(modulus, b"k" * 16, lambda n: b"\x01" * n)
    again = oaep.seal(modulus, b"k" * 16, lambda n: b"\x01" * n)
    other = oaep.seal(modulus, b"k" * 16, lambda n: b"\x02" * n)
    assert first == again
    assert first != other
    assert len(first) == 384
    assert first < modulus


def test_oaep_refuses_what_does_not_fit() -> None:
    modulus = unhexlify(vectors("rsa")["modulus"])
    raises(ValueError, oaep.seal, modulus, bytes(319), bytes)
    raises(ValueError, oaep.seal, modulus[1:], b"k", bytes)
    assert len(oaep.seal(modulus, bytes(318), bytes)) == 384


def test_sha256_takes_views() -> None:
    assert sha256(memoryview(b"xabcx")[1:4]).digest() == sha256(b"abc").digest()
