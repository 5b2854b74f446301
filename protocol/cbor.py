"""Deterministic CBOR, the subset of docs/protocol.md section 1 (both interpreters).

One value has exactly one encoding, and only that one is read: RFC 8949 section 4.2.1 without
tags, floats, indefinite lengths and anything that needs 64 bits.
"""

from protocol.constants import CBOR_MAX_DEPTH, CBOR_MAX_ITEMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Value = Any  # int | bytes | str | bool | None | list[Value] | dict[int | str, Value]

_LONG_BYTES = 128  # what is shorter finds room


class Malformed(ValueError):
    """Not the one encoding of a value of the subset."""


def encode(value: "Value") -> bytes:
    """Bytes of `value`; raises Malformed for what the subset cannot hold."""
    out = bytearray()
    if _encode_into(out, value, 0) > CBOR_MAX_ITEMS:
        raise Malformed("too many items")
    return bytes(out)


class Writer:
    """A fixed buffer to encode into: a controller has no room for copies of what it sends."""

    def __init__(self, buffer: memoryview) -> None:
        self._buffer = buffer
        self.at = 0

    def append(self, byte: int) -> None:
        """One byte; Malformed when the buffer is full, as extend() raises it."""
        if self.at >= len(self._buffer):
            raise Malformed("too long")
        self._buffer[self.at] = byte
        self.at += 1

    def extend(self, data: "bytes | bytearray | memoryview") -> None:
        end = self.at + len(data)
        if end > len(self._buffer):
            raise Malformed("too long")
        self._buffer[self.at : end] = data
        self.at = end


def encode_into(buffer: memoryview, value: "Value") -> int:
    """Encode `value` at the start of `buffer`; returns its length. Raises Malformed."""
    out = Writer(buffer)
    if _encode_into(out, value, 0) > CBOR_MAX_ITEMS:
        raise Malformed("too many items")
    return out.at


def head(major: int, number: int) -> bytes:
    """First bytes of an item (RFC 8949 section 3), in the shortest form."""
    if number < 24:
        return bytes((major << 5 | number,))
    if number < 0x100:
        return bytes((major << 5 | 24, number))
    if number < 0x10000:
        return bytes((major << 5 | 25, number >> 8, number & 0xFF))
    if number > 0xFFFFFFFF:
        raise Malformed("over 32 bits")
    return bytes((major << 5 | 26,)) + number.to_bytes(4, "big")


def _encode_into(out: "bytearray | Writer", value: "Value", depth: int) -> int:
    """Append `value`; returns how many items it consists of."""
    if value is None or value is True or value is False:
        out.append(0xF6 if value is None else 0xF4 + value)
    elif isinstance(value, int):
        out.extend(head(0, value) if value >= 0 else head(1, -1 - value))
    elif isinstance(value, (bytes, bytearray, memoryview)):
        out.extend(head(2, len(value)))
        out.extend(value)
    elif isinstance(value, str):
        raw = value.encode()
        out.extend(head(3, len(raw)))
        out.extend(raw)
    elif isinstance(value, (list, tuple, dict)):
        return _encode_container(out, value, depth + 1)
    else:
        raise Malformed("no such type in the subset")
    return 1


def _encode_container(out: "bytearray | Writer", value: "Value", depth: int) -> int:
    if depth > CBOR_MAX_DEPTH:
        raise Malformed("too deep")
    items = 1
    if not isinstance(value, dict):
        out.extend(head(4, len(value)))
        for item in value:
            items += _encode_into(out, item, depth)
        return items
    out.extend(head(5, len(value)))
    pairs = []
    for key in value:
        if isinstance(key, bool) or not isinstance(key, (int, str)):
            raise Malformed("map key")
        pairs.append((encode(key), key))
    pairs.sort(key=_first)
    for encoded, key in pairs:
        out.extend(encoded)
        items += 1 + _encode_into(out, value[key], depth)
    return items


def _first(pair: "tuple[bytes, Value]") -> bytes:
    return pair[0]


def decode(data: "bytes | bytearray | memoryview", views: bool = False) -> "Value":
    """The one value that `data` holds; raises Malformed for anything else.

    Byte strings come as copies, so the buffer may be used again; with `views` the long ones come
    as views of it, for a heap in which no room may be found for a copy.
    """
    reader = _Reader(data, views)
    value = reader.item(0)
    if reader.at != len(data):
        raise Malformed("trailing bytes")
    return value


class _Reader:
    def __init__(self, data: "bytes | bytearray | memoryview", views: bool) -> None:
        self.data = data
        self.views = views
        self.at = 0
        self.items = 0

    def take(self, count: int) -> bytes:
        start = self.at
        if count > len(self.data) - start:
            raise Malformed("truncated")
        self.at = start + count
        return bytes(self.data[start : start + count])

    def string(self, count: int) -> "bytes | memoryview":
        if not self.views or count < _LONG_BYTES:
            return self.take(count)
        start = self.at
        if count > len(self.data) - start:
            raise Malformed("truncated")
        self.at = start + count
        data = self.data  # or what cuts itself into pieces, as a file of protocol/trust.py
        if isinstance(data, (bytes, bytearray)):
            data = memoryview(data)
        return data[start : start + count]

    def argument(self, info: int) -> int:
        """The number after the initial byte, refused unless in its shortest form."""
        if info < 24:
            return info
        if info > 26:
            raise Malformed("64 bits, indefinite or reserved")
        number = int.from_bytes(self.take(1 << (info - 24)), "big")
        if number < (24, 0x100, 0x10000)[info - 24]:
            raise Malformed("not the shortest form")
        return number

    def item(self, depth: int) -> "Value":
        self.items += 1
        if self.items > CBOR_MAX_ITEMS:
            raise Malformed("too many items")
        initial = self.take(1)[0]
        if 0xF4 <= initial <= 0xF6:
            return (False, True, None)[initial - 0xF4]
        major = initial >> 5
        if major > 5:
            raise Malformed("tag, float or simple value")
        number = self.argument(initial & 31)
        if major < 2:
            return number if major == 0 else -1 - number
        if major < 4:
            return self.string(number) if major == 2 else _text(self.take(number))
        if depth >= CBOR_MAX_DEPTH:
            raise Malformed("too deep")
        if number > len(self.data) - self.at:
            raise Malformed("truncated")
        if major == 4:
            return [self.item(depth + 1) for _ in range(number)]
        return self.pairs(number, depth + 1)

    def pairs(self, count: int, depth: int) -> "dict[int | str, Value]":
        result: "dict[int | str, Value]" = {}
        last = b""
        for _ in range(count):
            start = self.at
            key = self.item(depth)
            if isinstance(key, bool) or not isinstance(key, (int, str)):
                raise Malformed("map key")
            encoded = bytes(self.data[start : self.at])
            if encoded <= last:
                raise Malformed("map keys unsorted or doubled")
            last = encoded
            result[key] = self.item(depth)
        return result


def _text(raw: bytes) -> str:
    """`raw` as text; MicroPython lets long forms and surrogates pass, so they are counted out."""
    try:
        text = str(raw, "utf-8")
    except ValueError as error:  # UnicodeError is one
        raise Malformed("not UTF-8") from error
    length = 0
    for character in text:
        code = ord(character)
        if 0xD800 <= code < 0xE000 or code > 0x10FFFF:
            raise Malformed("not UTF-8")
        length += 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
    if length != len(raw):
        raise Malformed("not UTF-8")
    return text
