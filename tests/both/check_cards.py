"""Card keys, records and list digests (both)."""

from binascii import unhexlify

from protocol import card_digest, cards
from protocol.codes import (
    CREDENTIAL_ISO14443A,
    ERR_BOUNDS,
    ERR_DATE,
    ERR_LENGTH,
    ERR_ORDER,
    ERR_PROFILE,
)
from protocol.constants import CARD_RECORD_BYTES, FLAG_EMERGENCY, FLAG_REVOKED, TIME_END_MIN
from tests.both.support import raises, refused, vectors

SESSION = vectors("session")
LISTS = vectors("lists")["lists"]


def record(first: int, last: int = 0, profile: int = 1) -> bytes:
    key = bytes((first, 0, 0, 0, 0, 0, 0, last))
    return cards.pack(key, 100, TIME_END_MIN, profile, 0)


def test_card_key_of_the_vector() -> None:
    key = unhexlify(SESSION["key"])
    credential = unhexlify(SESSION["credential"])
    made = cards.card_key(key, CREDENTIAL_ISO14443A, memoryview(credential))
    assert made == unhexlify(SESSION["card_key"])


def test_type_and_length_are_part_of_the_card_key() -> None:
    keys = [
        cards.card_key(b"k" * 32, kind, credential)
        for kind, credential in ((1, b"abcd"), (2, b"abcd"), (1, b"abcd\x00"), (1, b"abc"))
    ]
    assert len(set(keys)) == 4


def test_credentials_out_of_bounds_have_no_key() -> None:
    raises(ValueError, cards.card_key, b"k" * 32, 1, b"")
    raises(ValueError, cards.card_key, b"k" * 32, 1, bytes(33))


def test_fields_are_read_where_they_are_packed() -> None:
    packed = cards.pack(b"12345678", 0x010203, 0xFFFEFD, 7, FLAG_REVOKED | FLAG_EMERGENCY)
    assert packed == b"12345678\x01\x02\x03\xff\xfe\xfd\x07\x03"
    shifted = memoryview(b"??" + packed)
    assert cards.from_min(shifted, 2) == 0x010203
    assert cards.until_min(shifted, 2) == 0xFFFEFD
    assert cards.profile(shifted, 2) == 7
    assert cards.flags(packed) == 3


def test_records_no_controller_takes_are_not_packed() -> None:
    for fields in (
        (b"1234567", 0, 1, 0, 0),
        (b"12345678", 1, 1, 0, 0),
        (b"12345678", 2, 1, 0, 0),
        (b"12345678", -1, 1, 0, 0),
        (b"12345678", 0, TIME_END_MIN + 1, 0, 0),
        (b"12345678", 0, 1, 256, 0),
        (b"12345678", 0, 1, 0, 8),
    ):
        raises(ValueError, cards.pack, *fields)


def test_digests_of_the_vectors() -> None:
    for vector in LISTS:
        assert card_digest.digest(unhexlify(vector["records"])) == unhexlify(vector["digest"])


def test_digest_does_not_depend_on_the_chunks() -> None:
    records = unhexlify(LISTS[-1]["records"])
    for size in (16, 48, 128, 1600):
        digest = card_digest.Digest((1,))
        for at in range(0, len(records), size):
            digest.update(memoryview(records)[at : at + size])
        assert digest.count == 100
        assert digest.digest() == unhexlify(LISTS[-1]["digest"])


def test_unsorted_and_doubled_records_are_refused_across_chunks_too() -> None:
    refused(ERR_ORDER, card_digest.digest, record(2) + record(1))
    refused(ERR_ORDER, card_digest.digest, record(1) + record(1))
    refused(ERR_ORDER, card_digest.digest, record(1, 2) + record(1, 1))
    digest = card_digest.Digest()
    digest.update(record(3))
    refused(ERR_ORDER, digest.update, record(3))


def test_half_a_record_is_refused() -> None:
    refused(ERR_LENGTH, card_digest.digest, record(1)[: CARD_RECORD_BYTES - 1])


def test_unknown_profiles_are_refused_where_profiles_are_given() -> None:
    digest = card_digest.Digest((1, 3))
    digest.update(record(1, profile=3))
    refused(ERR_PROFILE, digest.update, record(2, profile=2))
    assert len(card_digest.digest(record(2, profile=2))) == 32


def test_empty_spans_and_unknown_flags_are_refused() -> None:
    good = record(1)
    refused(ERR_DATE, card_digest.digest, good[:8] + b"\x00\x00\x05\x00\x00\x05" + good[14:])
    refused(ERR_DATE, card_digest.digest, good[:8] + b"\xff\xff\xff\xff\xff\xff" + good[14:])
    refused(ERR_BOUNDS, card_digest.digest, good[:15] + b"\x08")


def test_every_byte_of_a_list_counts_in_its_digest() -> None:
    records = record(1) + record(200)
    digests = {card_digest.digest(records)}
    for at in (0, 7, 10, 14, 15, 16, 23):
        changed = bytearray(records)
        changed[at] ^= 1
        digests.add(card_digest.digest(changed))
    assert len(digests) == 8
