"""A controller that lies about its journal ends a pull, and never keeps it for ever (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from controller_tool.client import Client
from controller_tool.errors import DeviceError
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


def test_after_an_empty_page_nothing_more_is_asked_for() -> None:
    asking, session = client(lambda *_: b"")
    assert b"".join(asking.records(0, [(0, _END)])) == b""
    assert len(session.asked) <= 3


@pytest.mark.parametrize("page", [bytes(41 * RECORD_BYTES), None, 7, "text"])
def test_a_page_of_a_wrong_size_or_kind_cannot_be_read(page: Any) -> None:
    asking, _ = client(lambda *_: page)
    with pytest.raises(DeviceError, match="cannot be read"):
        list(asking.records(0, [(0, 80)]))


def test_sector_headers_without_end_cannot_be_read() -> None:
    def endless(_: int, arguments: list[Any]) -> bytes:
        first = arguments[1]
        return b"".join(header(first + n) for n in range(SECTOR_HEADERS_A_PAGE))

    asking, session = client(endless)
    with pytest.raises(DeviceError, match="cannot be read"):
        list(asking.sector_headers(0, 0))
    assert len(session.asked) < 16


def test_a_ring_of_256_sectors_gives_all_its_headers() -> None:
    held = [header(84 * n) for n in range(256)]

    def answer(_: int, arguments: list[Any]) -> bytes:
        begin = arguments[1] // 84
        return b"".join(held[begin : begin + SECTOR_HEADERS_A_PAGE])

    asking, _ = client(answer)
    found = b"".join(asking.sector_headers(0, 0))
    assert {found[at : at + 64] for at in range(0, len(found), 64)} == set(held)


@pytest.mark.parametrize("sealed", [b"", bytes(383), None, 5])
def test_an_audit_key_of_another_shape_cannot_be_read(sealed: Any) -> None:
    asking, _ = client(lambda op, _: sealed if op == codes.OP_GET_AUDIT_KEY else None)
    with pytest.raises(DeviceError, match="cannot be read"):
        asking.audit_key(0)
