"""What a controller's answers must look like before anything is done with them (host, pure).

Bounds, so that a controller that lies can keep nobody busy for ever and spoil nobody's registry: a
ring has at most as many sectors as a key slot can name; no number is larger than a controller
writes in a century; a page holds what was asked for and nothing else.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

from protocol.constants import (
    CARD_KEY_BYTES,
    CARD_RECORD_BYTES,
    CHAIN_BYTES,
    LIST_PAYLOAD_MAX_BYTES,
    RECORD_BYTES,
    RECORDS_A_PAGE,
    RECORDS_PER_SECTOR,
)

SECTORS_MAX = 256  # a key slot names its sector in one byte
RING_RECORDS_MAX = SECTORS_MAX * RECORDS_PER_SECTOR
NUMBER_MAX = 1 << 26  # of a record: 90 years of 2000 a day
_HEAD_FIELDS = 7
_HEAD_MAC_BYTES = 16
_BOOT_END = 1 << 32


def is_head(value: object, ring: int) -> bool:
    """Whether this is `[ring, next, c, oldest, boot, tool mac, audit mac]` of that ring."""
    if not isinstance(value, list) or len(value) != _HEAD_FIELDS or value[0] != ring:
        return False
    numbers, sizes = (value[1], value[3], value[4]), (value[2], value[5], value[6])
    if any(type(number) is not int or number < 0 for number in numbers):
        return False
    if any(not isinstance(field, bytes) for field in sizes):
        return False
    if [len(field) for field in sizes] != [CHAIN_BYTES, _HEAD_MAC_BYTES, _HEAD_MAC_BYTES]:
        return False
    next_seq, oldest_seq, boot = numbers
    held = next_seq - oldest_seq
    return bool(next_seq <= NUMBER_MAX and 0 <= held <= RING_RECORDS_MAX and boot < _BOOT_END)


def is_page(page: bytes) -> bool:
    """Whether this is whole records, none with a number that no controller reaches."""
    starts = range(0, len(page), RECORD_BYTES)
    return len(page) % RECORD_BYTES == 0 and all(
        int.from_bytes(page[at : at + 4], "big") < NUMBER_MAX for at in starts
    )


def answering(page: bytes, seq: int, limit: int) -> bytes | None:
    """What of a page lies below ``limit``; None unless whole records ascend there from seq on.

    Between records without a gap, one whose own number is damaged is left out.
    """
    if len(page) % RECORD_BYTES:
        return None
    starts = range(0, len(page), RECORD_BYTES)
    numbers = [int.from_bytes(page[at : at + 4], "big") for at in starts]
    if not numbers:
        return page
    first = numbers[0]
    if numbers[-1] == first + len(numbers) - 1:
        expected = list(range(first, numbers[-1] + 1))
        if numbers != expected:
            fit = [at for at, n, want in zip(starts, numbers, expected, strict=True) if n == want]
            page = b"".join(page[at : at + RECORD_BYTES] for at in fit)
            numbers = [first + at // RECORD_BYTES for at in fit]
    if any(later <= number for number, later in pairwise([seq - 1, *numbers])):
        return None
    return page[: RECORD_BYTES * bisect_left(numbers, limit)]


def continues(found: bytes, page: bytes, bucket: int) -> bool:
    """Whether a page has whole records of that bucket, each behind the one before it."""
    if len(page) % CARD_RECORD_BYTES or len(page) > RECORDS_A_PAGE * CARD_RECORD_BYTES:
        return False
    if len(found) + len(page) > LIST_PAYLOAD_MAX_BYTES:
        return False
    records = found[-CARD_RECORD_BYTES:] + page
    starts = range(0, len(records), CARD_RECORD_BYTES)
    keys = [records[at : at + CARD_KEY_BYTES] for at in starts]
    return all(key[0] == bucket for key in keys) and all(a < b for a, b in pairwise(keys))
