"""A controller that lies about its journal ends a pull, and never keeps it for ever (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from controller_tool.client import Client
from controller_tool.errors import DeviceError
from controller_tool.wire_shapes import NUMBER_MAX, RING_RECORDS_MAX
from protocol import codes, sector_header
from protocol.constants import RECORD_BYTES, SECTOR_HEADERS_A_PAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_K = bytes(16)
_END = 0xFFFFFFFF


class Session:
    """Answers each request with what `answer` makes of it, two under way as a real one has."""

    device_name = "door-1"

    def __init__(self, answer: Callable[[int, list[Any]], Any]) -> None:
        self.answer = answer
        self.asked: list[list[Any]] = []

    def call(self, op: int, *arguments: Any, **_: Any) -> Any:
        self.asked.append(list(arguments))
        return self.answer(op, list(arguments))

    def pipeline(self, requests: Iterable[tuple[int, list[Any]]]) -> Iterator[tuple[int, Any]]:
        waiting: list[tuple[int, Any]] = []
        for op, arguments in requests:
            if len(waiting) == 2:
                yield waiting.pop(0)
            waiting.append((op, self.call(op, *arguments)))
        yield from waiting


def client(answer: Callable[[int, list[Any]], Any]) -> tuple[Client, Session]:
    session: Any = Session(answer)
    return Client(session), session


def header(first_seq: int) -> bytes:
    return sector_header.pack(0, 1, 0, first_seq, bytes(32), _K, _K)


def records_of(first: int, count: int) -> bytes:
    return b"".join((first + n).to_bytes(4, "big") + bytes(RECORD_BYTES - 4) for n in range(count))


def head(**other: Any) -> list[Any]:
    """A head of ring 0 as it should be, with other fields in place of these."""
    fields = {"ring": 0, "next": 500, "c": bytes(32), "oldest": 0, "boot": 1}
    return [*(fields | other).values(), *other.get("macs", [bytes(16), bytes(16)])][:7]


def test_an_empty_page_says_nothing_of_the_pages_behind_it() -> None:
    """One damaged number among 2001 records costs that record and no other."""

    def answer(_: int, arguments: list[Any]) -> bytes:
        _, seq, count = arguments
        return b"" if seq <= 361 < seq + count else records_of(seq, count)

    asking, _ = client(answer)
    got = b"".join(asking.records(0, [(0, 2001)]))
    assert len(got) == (2001 - 40) * RECORD_BYTES


def test_a_ring_of_lies_is_not_read_for_ever() -> None:
    asking, session = client(lambda *_: head(next=_END))
    with pytest.raises(DeviceError, match="cannot be read"):
        asking.head(0)
    assert len(session.asked) == 1


@pytest.mark.parametrize(
    "value",
    [
        None, 7, [], [0], head(ring=1), head(ring="0"), head(next=-1), head(next=None),
        head(next=True), head(next="500"), head(next=NUMBER_MAX + 1, oldest=NUMBER_MAX),
        head(next=RING_RECORDS_MAX + 1), head(oldest=501), head(oldest=-1), head(boot=-1),
        head(c=bytes(31)), head(c=None), head(macs=[bytes(16), bytes(15)]), head(macs=[bytes(16)]),
        head(macs=[bytes(16), 0]), {"ring": 0},
    ],
)  # fmt: skip
def test_a_head_of_another_shape_cannot_be_read(value: Any) -> None:
    asking, _ = client(lambda *_: value)
    with pytest.raises(DeviceError, match="cannot be read"):
        asking.head(0)


def test_a_head_as_it_should_be_is_taken() -> None:
    for value in (head(), head(next=NUMBER_MAX, oldest=NUMBER_MAX), head(next=RING_RECORDS_MAX)):
        asking, _ = client(lambda *_, value=value: value)
        assert asking.head(0).value == value


@pytest.mark.parametrize(
    "page", [bytes(41 * RECORD_BYTES), records_of(100, 41), None, 7, "text", bytes(47), bytes(49)]
)
def test_a_page_of_a_wrong_size_or_kind_cannot_be_read(page: Any) -> None:
    asking, _ = client(lambda *_: page)
    with pytest.raises(DeviceError, match="cannot be read"):
        list(asking.records(0, [(100, 180)]))


@pytest.mark.parametrize(
    "page",
    [
        b"\xff" * RECORD_BYTES, records_of(7, 2), records_of(180, 9), records_of(150, 1),
        records_of(120, 1) + records_of(110, 1) + records_of(130, 1),
    ],
)  # fmt: skip
def test_records_that_nobody_asked_for_are_left_out(page: bytes) -> None:
    asking, _ = client(lambda *_: page)
    assert b"".join(asking.records(0, [(100, 180)])) == b""


def test_damaged_numbers_cost_their_own_records_only() -> None:
    """Each single and each pair of places of a page, whatever their numbers became."""
    right = [records_of(100 + n, 1) for n in range(40)]
    for first in range(40):
        for second in range(first, 40):
            for spoilt in (0x40, 0x01):
                page = list(right)
                for at in (first, second):
                    page[at] = bytes((spoilt,)) + page[at][1:]
                asking, _ = client(lambda *_, page=page: b"".join(page))
                got = b"".join(asking.records(0, [(100, 140)]))
                lost = {first, second}
                # one that is left without a neighbour cannot be told from a damaged one
                lost |= {n for n in range(1, 39) if {n - 1, n + 1} <= {first, second}}
                assert got == b"".join(right[n] for n in range(40) if n not in lost)


def test_what_came_after_the_head_is_left_for_the_next_pull() -> None:
    asking, _ = client(lambda _, arguments: records_of(arguments[1] + 5, arguments[2]))
    assert b"".join(asking.records(0, [(100, 140)])) == records_of(105, 35)


def test_sector_headers_without_end_cannot_be_read() -> None:
    def endless(_: int, arguments: list[Any]) -> bytes:
        first = arguments[1]
        return b"".join(header(first + n) for n in range(SECTOR_HEADERS_A_PAGE))

    asking, session = client(endless)
    with pytest.raises(DeviceError, match="cannot be read"):
        list(asking.sector_headers(0, 0, NUMBER_MAX))
    assert len(session.asked) < 16


def test_a_ring_of_256_sectors_gives_all_its_headers() -> None:
    held = [header(84 * n) for n in range(256)]

    def answer(_: int, arguments: list[Any]) -> bytes:
        begin = arguments[1] // 84
        return b"".join(held[begin : begin + SECTOR_HEADERS_A_PAGE])

    asking, _ = client(answer)
    found = b"".join(asking.sector_headers(0, 0, NUMBER_MAX))
    assert {found[at : at + 64] for at in range(0, len(found), 64)} == set(held)


def test_a_damaged_header_hides_none_of_the_others() -> None:
    held = [header(84 * n) for n in range(40)]
    held[15] = b"XX" + held[15][2:]
    held[23] = header(0xFFFFFFF0)

    def answer(_: int, arguments: list[Any]) -> bytes:
        begin = arguments[1] // 84
        return b"".join(held[begin : begin + SECTOR_HEADERS_A_PAGE])

    asking, _ = client(answer)
    found = b"".join(asking.sector_headers(0, 0, 84 * 40))
    got = {found[at : at + 64] for at in range(0, len(found), 64)}
    assert got == set(held) - {held[15], held[23]}


@pytest.mark.parametrize("sealed", [b"", bytes(383), None, 5])
def test_an_audit_key_of_another_shape_cannot_be_read(sealed: Any) -> None:
    asking, _ = client(lambda op, _: sealed if op == codes.OP_GET_AUDIT_KEY else None)
    with pytest.raises(DeviceError, match="cannot be read"):
        asking.audit_key(0)
