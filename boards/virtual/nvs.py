"""Key-value store of the nvs partition: a log over two halves of raw NOR (virtual board).

- A record is header {magic, kind, name lengths, value length, CRC-32}, name, value; the last
  record of a name is the one in force, and a kind of its own says "erased".
- A change waits in RAM until `commit`, and reaches the flash by appending, so a power cut loses
  at most the record that was being written, which its CRC tells.
- A full or damaged half is left by copying what is in force into the other one; that half's own
  header is written last and its higher generation puts it in force.
"""

import binascii
import struct

_HALF_MAGIC = b"NVS1"
_HALF_HEADER = "<4sII"
_HALF_HEADER_BYTES = 16
_RECORD = "<BBBBHHI"
_RECORD_BYTES = 12
_MAGIC = 0x5A
KIND_ERASED = 0
KIND_I32 = 1
KIND_BLOB = 2
_SECTOR_BYTES = 4096
ERR_NOT_FOUND = -0x1102
ERR_NO_SPACE = -0x1105


def _padded(count: int) -> int:
    return (count + 3) & ~3


class NvsLog:
    """The store in one partition of an even number of halves; raises OSError when it is full."""

    def __init__(self, nor, offset: int, size_bytes: int) -> None:
        self._nor = nor
        self._half_bytes = size_bytes // 2 // _SECTOR_BYTES * _SECTOR_BYTES
        self._starts = (offset, offset + self._half_bytes)
        self._active = 0
        self._generation = 0
        self._end = 0  # where the next record goes; 0 = this half takes no more
        self._mount()

    def get(self, name: bytes) -> tuple:
        """(kind, value) in force; KIND_ERASED when there is none."""
        found = (KIND_ERASED, b"")
        for kind, at, name_bytes, value_bytes in self._records(self._active):
            if name_bytes == len(name) and self._bytes(at, name_bytes) == name:
                found = (kind, self._bytes(at + name_bytes, value_bytes))
        return found

    def put(self, kind: int, name: bytes, value: bytes) -> None:
        """Append one record, moving to the other half when this one is full or damaged."""
        size = _RECORD_BYTES + _padded(len(name) + len(value))
        if not self._end or self._end + size > self._half_bytes:
            self._move()
            if self._end + size > self._half_bytes:
                raise OSError(ERR_NO_SPACE)
        self._append(self._active, self._end, kind, name, value)
        self._end += size

    def _bytes(self, offset: int, count: int) -> bytes:
        buf = bytearray(count)
        self._nor.read(offset, buf)
        return bytes(buf)

    def _mount(self) -> None:
        best = -1
        for half in (0, 1):
            magic, generation, crc = struct.unpack(
                _HALF_HEADER, self._bytes(self._starts[half], struct.calcsize(_HALF_HEADER))
            )
            sound = magic == _HALF_MAGIC and crc == binascii.crc32(struct.pack("<I", generation))
            if sound and (best < 0 or generation > self._generation):
                best, self._generation = half, generation
        if best < 0:
            self._format(0)
            best = 0
        self._active = best
        for _ in self._records(best):
            pass

    def _format(self, half: int) -> None:
        self._erase(half)
        self._generation += 1
        self._head(half)

    def _erase(self, half: int) -> None:
        for sector in range(0, self._half_bytes, _SECTOR_BYTES):
            self._nor.erase(self._starts[half] + sector)

    def _head(self, half: int) -> None:
        crc = binascii.crc32(struct.pack("<I", self._generation))
        header = struct.pack(_HALF_HEADER, _HALF_MAGIC, self._generation, crc)
        self._nor.program(self._starts[half], header)

    def _records(self, half: int):
        """Each sound record as (kind, offset of its name, name bytes, value bytes)."""
        base = self._starts[half]
        at = _HALF_HEADER_BYTES
        while at + _RECORD_BYTES <= self._half_bytes:
            header = self._bytes(base + at, _RECORD_BYTES)
            if header == b"\xff" * _RECORD_BYTES:
                self._end = at
                return
            magic, kind, name_bytes, _, value_bytes, _, crc = struct.unpack(_RECORD, header)
            size = _RECORD_BYTES + _padded(name_bytes + value_bytes)
            if magic != _MAGIC or at + size > self._half_bytes:
                break
            body = self._bytes(base + at + _RECORD_BYTES, name_bytes + value_bytes)
            if crc != binascii.crc32(body, kind):
                break
            yield kind, base + at + _RECORD_BYTES, name_bytes, value_bytes
            at += size
        self._end = 0

    def _append(self, half: int, at: int, kind: int, name: bytes, value: bytes) -> None:
        body = name + value
        crc = binascii.crc32(body, kind)
        header = struct.pack(_RECORD, _MAGIC, kind, len(name), 0xFF, len(value), 0xFFFF, crc)
        record = header + body + b"\xff" * (_padded(len(body)) - len(body))
        self._nor.program(self._starts[half] + at, record)

    def _move(self) -> None:
        """Copy what is in force into the other half, then put that half in force."""
        last = {}
        for kind, at, name_bytes, value_bytes in self._records(self._active):
            last[self._bytes(at, name_bytes)] = (kind, at + name_bytes, value_bytes)
        other = 1 - self._active
        self._erase(other)
        end = _HALF_HEADER_BYTES
        for name, (kind, at, value_bytes) in last.items():
            if kind != KIND_ERASED:
                value = self._bytes(at, value_bytes)
                self._append(other, end, kind, name, value)
                end += _RECORD_BYTES + _padded(len(name) + value_bytes)
        self._generation += 1
        self._head(other)
        self._active = other
        self._end = end
