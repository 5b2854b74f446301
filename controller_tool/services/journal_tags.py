"""The arithmetic of protocol/chain.py over many records, as fast as CPython goes (host, pure).

protocol/chain.py is the reference; a test proves that both say the same. HMAC is written out: its
two pads are byte translations of T. A key is a K from which all later ones follow, or a list of
the T of those numbers that a bundle discloses.
"""

from __future__ import annotations

from bisect import bisect_left
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from protocol.constants import CARD_KEY_BYTES, CHAIN_KEY_BYTES, RECORD_BODY_BYTES, TAG_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

T_BYTES = 32
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_INNER_REST, _OUTER_REST = b"\x36" * 32, b"\x5c" * 32
_TOOL = slice(RECORD_BODY_BYTES, RECORD_BODY_BYTES + TAG_BYTES)
_AUDIT = slice(RECORD_BODY_BYTES + TAG_BYTES, RECORD_BODY_BYTES + 2 * TAG_BYTES)
PLACES = {"tool": _TOOL, "audit": _AUDIT}  # of the tags in a record, by the key's name


class Key(Protocol):
    """T by number; asked for in ascending order of numbers."""

    def at(self, number: int) -> bytes | None:
        """T of that number; None where it is not known."""

    def of(self, first: int, count: int) -> list[bytes] | None:
        """T of so many numbers from ``first`` on; None where one is not known."""


class Evolving:
    """All T from K before the first record on, by evolving it."""

    def __init__(self, k: bytes) -> None:
        self._k = k
        self._number = 0

    def at(self, number: int) -> bytes | None:
        self._go_to(number)
        return sha256(b"\x02" + self._k).digest()

    def of(self, first: int, count: int) -> list[bytes] | None:
        self._go_to(first)
        k, made = self._k, []
        for _ in range(count):
            made.append(sha256(b"\x02" + k).digest())
            k = sha256(b"\x01" + k).digest()[:CHAIN_KEY_BYTES]
        self._k, self._number = k, first + count
        return made

    def _go_to(self, number: int) -> None:
        if number < self._number:
            raise ValueError("keys are one-way")
        k = self._k
        for _ in range(number - self._number):
            k = sha256(b"\x01" + k).digest()[:CHAIN_KEY_BYTES]
        self._k, self._number = k, number


class Disclosed:
    """The T of some numbers, ascending, 32 bytes each, as a bundle discloses them."""

    def __init__(self, numbers: Sequence[int], data: bytes) -> None:
        self._numbers = numbers[: len(data) // T_BYTES]
        self._data = data

    def at(self, number: int) -> bytes | None:
        found = self.of(number, 1)
        return found[0] if found else None

    def of(self, first: int, count: int) -> list[bytes] | None:
        index = bisect_left(self._numbers, first)
        row = self._numbers[index : index + count]
        if len(row) != count or (row[0], row[-1]) != (first, first + count - 1):
            return None
        start, end = index * T_BYTES, (index + count) * T_BYTES
        return [self._data[at : at + T_BYTES] for at in range(start, end, T_BYTES)]


def mac(t: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256 under T, 32 bytes."""
    inner = sha256(t.translate(_INNER) + _INNER_REST + message).digest()
    return sha256(t.translate(_OUTER) + _OUTER_REST + inner).digest()


def follow(
    c: bytes, records: Sequence[bytes], first: int, ts: dict[str, list[bytes]]
) -> tuple[int, bytes]:
    """Follow the chain from ``c`` over records[first:] as long as every tag fits.

    ts: T of each record, by the key's name. Returns the index of the first record that does not
    fit (the number of records when all do) and c before it.
    """
    if len(ts) == 1:
        [(name, only)] = ts.items()
        return _follow_one(c, records, first, only, PLACES[name])
    if not ts:
        return _link(c, records, first)
    return _follow_both(c, records, first, ts["tool"], ts["audit"])


def _follow_one(
    c: bytes, records: Sequence[bytes], first: int, ts: list[bytes], place: slice
) -> tuple[int, bytes]:
    sha, inner, outer, i_rest, o_rest = sha256, _INNER, _OUTER, _INNER_REST, _OUTER_REST
    for at in range(first, len(records)):
        record, t = records[at], ts[at]
        after = sha(c + record[:32]).digest()
        within = sha(t.translate(inner) + i_rest + after).digest()
        if sha(t.translate(outer) + o_rest + within).digest()[:8] != record[place]:
            return at, c
        c = after
    return len(records), c


def _follow_both(
    c: bytes, records: Sequence[bytes], first: int, tool: list[bytes], audit: list[bytes]
) -> tuple[int, bytes]:
    sha, inner, outer, i_rest, o_rest = sha256, _INNER, _OUTER, _INNER_REST, _OUTER_REST
    for at in range(first, len(records)):
        record, t, a = records[at], tool[at], audit[at]
        after = sha(c + record[:32]).digest()
        within = sha(t.translate(inner) + i_rest + after).digest()
        tag = sha(t.translate(outer) + o_rest + within).digest()[:8]
        within = sha(a.translate(inner) + i_rest + after).digest()
        tag += sha(a.translate(outer) + o_rest + within).digest()[:8]
        if tag != record[32:]:
            return at, c
        c = after
    return len(records), c


def _link(c: bytes, records: Sequence[bytes], first: int) -> tuple[int, bytes]:
    for at in range(first, len(records)):
        c = sha256(c + records[at][:RECORD_BODY_BYTES]).digest()
    return len(records), c


def links(c: bytes, record: bytes) -> bytes:
    """c after the record."""
    return sha256(c + record[:RECORD_BODY_BYTES]).digest()


def tags_fit(ts: dict[str, bytes], c: bytes, record: bytes) -> bool:
    """Whether each tag of a record, after which the chain value is c, is the one under its T."""
    return all(mac(t, c)[:TAG_BYTES] == record[PLACES[name]] for name, t in ts.items())


def disclose(k_tool: bytes, numbers: Sequence[int]) -> list[tuple[bytes, bytes]]:
    """(T, mask of the card key) of each number, ascending, from K_tool before the first record."""
    k, at, made = k_tool, 0, []
    for number in numbers:
        for _ in range(number - at):
            k = sha256(b"\x01" + k).digest()[:CHAIN_KEY_BYTES]
        at = number
        made.append((sha256(b"\x02" + k).digest(), sha256(b"\x03" + k).digest()[:CARD_KEY_BYTES]))
    return made
