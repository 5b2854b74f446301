"""Deltas between lists: what leads from one to the other, and nothing more (both)."""

from hashlib import sha256

from protocol import card_digest, cards, deltas
from protocol.constants import FLAG_ABSENT, FLAG_REVOKED


def record(number: int, flags: int = 0) -> bytes:
    return cards.pack(bytes((number, 0, 0, 0, 0, 0, 0, number)), 0, 100, 1, flags)


def joined(*records: bytes) -> bytes:
    return b"".join(records)


OLD = joined(record(1), record(2), record(7), record(200))
NEW = joined(record(0), record(2, FLAG_REVOKED), record(7), record(9))


def test_a_delta_holds_what_comes_changes_and_leaves_sorted() -> None:
    gone = deltas.absent(record(1)[:8]), deltas.absent(record(200)[:8])
    wanted = joined(record(0), gone[0], record(2, FLAG_REVOKED), record(9), gone[1])
    assert deltas.between(OLD, NEW) == wanted
    assert cards.flags(gone[0]) == FLAG_ABSENT
    assert gone[0][8:15] == bytes(7)


def test_a_delta_leads_from_one_list_to_the_other() -> None:
    for old in (b"", OLD, NEW):
        for new in (b"", OLD, NEW):
            assert deltas.applied(old, deltas.between(old, new)) == new


def test_equal_lists_have_nothing_between_them() -> None:
    assert deltas.between(OLD, OLD) == b""


def test_what_was_absent_anyway_may_be_taken_off_again() -> None:
    assert deltas.applied(OLD, deltas.absent(record(3)[:8])) == OLD


def test_bucket_hashes_are_those_of_the_digest() -> None:
    whole, count = sha256(), 0
    for bucket in deltas.bucket_hashes(OLD):
        whole.update(bucket)
        count += 1
    assert (count, whole.digest()) == (256, card_digest.digest(OLD))
    assert all(bucket == sha256(b"").digest() for bucket in deltas.bucket_hashes(b""))
