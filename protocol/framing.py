"""Messages on a byte stream: two bytes of length, then CBOR (both interpreters)."""

from protocol import cbor
from protocol.constants import MESSAGE_MAX_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview


class BadLength(ValueError):
    """A length that no message has: the stream cannot be followed any further."""


def encode(value: "cbor.Value") -> bytes:
    """`value` as one framed message; raises ValueError when it is over the bound."""
    body = cbor.encode(value)
    if len(body) > MESSAGE_MAX_BYTES:
        raise BadLength("message too long")
    return len(body).to_bytes(2, "big") + body


def encode_into(buffer: memoryview, value: "cbor.Value") -> memoryview:
    """The same in a buffer of MESSAGE_MAX_BYTES + 2; a view of it that holds the message."""
    size = cbor.encode_into(buffer[2:], value)
    buffer[0] = size >> 8
    buffer[1] = size & 0xFF
    return buffer[: 2 + size]


class Parser:
    """Cuts a stream into messages in one buffer of max_bytes + 2.

    Bytes enter by feed(), or without a copy by space() and filled(); next() gives them out.
    """

    def __init__(self, max_bytes: int = MESSAGE_MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._buffer = memoryview(bytearray(max_bytes + 2))
        self._start = 0
        self._end = 0

    def space(self) -> memoryview:
        """Where the next bytes of the stream go; empty only while next() has a message to give."""
        if self._start:
            rest = self._end - self._start
            self._buffer[:rest] = self._buffer[self._start : self._end]
            self._start = 0
            self._end = rest
        return self._buffer[self._end :]

    def clear(self) -> None:
        """Forget everything: the next bytes belong to another stream."""
        self._start = 0
        self._end = 0

    def filled(self, count: int) -> None:
        """Tell that `count` bytes were written to the start of space()."""
        self._end += count

    def feed(self, data: "Buffer") -> None:
        """Host only. Append all of `data`; the buffer grows when it must."""
        room = self.space()
        if len(data) > len(room):
            grown = memoryview(bytearray(self._end + len(data)))
            grown[: self._end] = self._buffer[: self._end]
            self._buffer = grown
        self._buffer[self._end : self._end + len(data)] = data
        self._end += len(data)

    def next(self) -> "memoryview | None":
        """The next whole message, or None; a view that is good until the next call of anything.

        Raises BadLength for a length of zero or over the bound; the stream is then lost.
        """
        start = self._start
        if self._end - start < 2:
            return None
        length = self._buffer[start] << 8 | self._buffer[start + 1]
        if not 0 < length <= self._max_bytes:
            raise BadLength("message length")
        if self._end - start < 2 + length:
            return None
        self._start = start + 2 + length
        return self._buffer[start + 2 : self._start]
