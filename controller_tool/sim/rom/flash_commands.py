"""What the ROM loader and the stub do with the flash, command by command (host).

- a command of the ROM before the flash is attached fails; the stub attaches it by itself
- the ROM erases when a write begins, the stub as it goes; the stub answers before it writes, so
  that an error comes with the next answer
- neither checks the number of a block
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.sim.rom.flash import SECTOR_BYTES, OutsideFlash
from controller_tool.sim.rom.slip import encode

if TYPE_CHECKING:
    from controller_tool.sim.rom.flash import RomFlash
    from controller_tool.sim.rom.models import Model
    from controller_tool.sim.rom.registers import Registers

INVALID, FAILED, BAD_CHECKSUM, WRITE_FAILED, BAD_DEFLATE = 0x05, 0x06, 0x07, 0x08, 0x0B
_NOT_ENOUGH = 0xC8  # the stub's own
_ROM_FLASH_BYTES = 0x400000  # what the ROM takes the chip for until it is told
_SLOW_READ_BYTES = 64


class Refused(Exception):
    """A command that is answered with an error code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Write:
    """A write that goes on. size: what it is to come to; end: of the space erased so far."""

    offset: int
    size: int
    end: int
    inflate: zlib._Decompress | None
    written: int = 0


@dataclass
class Reading:
    """A read of the stub's that goes on, in blocks that the host confirms."""

    offset: int
    count: int
    block: int
    ahead: int
    sent: int = 0
    confirmed: int = 0


class FlashCommands:
    """One loader's view of its flash; the commands' names are those of esptool's documentation."""

    model: Model
    registers: Registers
    is_stub: bool
    left: bool
    baud: int

    def __init__(self, flash: RomFlash) -> None:
        self.flash = flash
        self._told_bytes = _ROM_FLASH_BYTES
        self._write: Write | None = None
        self._late: int | None = None
        self._reading: Reading | None = None
        self._memory: dict[int, bytearray] = {}
        self._out = bytearray()

    def _attach(self, data: bytes) -> tuple[int, bytes]:
        if len(data) != (4 if self.is_stub else 8):
            raise Refused(INVALID)
        self.registers.attached = True
        return 0, b""

    def _set_parameters(self, data: bytes) -> tuple[int, bytes]:
        self._told_bytes = struct.unpack("<IIIIII", data)[1]
        return 0, b""

    def _begin(self, data: bytes) -> tuple[int, bytes]:
        return self._begin_write(data, None)

    def _begin_deflated(self, data: bytes) -> tuple[int, bytes]:
        return self._begin_write(data, zlib.decompressobj())

    def _begin_write(self, data: bytes, inflate: zlib._Decompress | None) -> tuple[int, bytes]:
        has_more = self.is_stub or self.model.chip_id is not None
        size, _, _, offset = struct.unpack("<IIII", data[: 16 if has_more else len(data)])
        self._write = self._late = None
        self._check(offset, size)
        if not self.is_stub:
            self.flash.erase(offset, size) if size else None
        end = offset - offset % SECTOR_BYTES if self.is_stub else offset + size
        self._write = Write(offset, size, end, inflate)
        return 0, b""

    def _data(self, data: bytes) -> tuple[int, bytes]:
        block = block_of(data)
        if self._write is None:
            raise Refused(FAILED)
        if self._late is not None:
            raise Refused(self._late)
        if not self.is_stub:  # a stub stores it when it has answered
            self._store(block)
        return 0, b""

    def _store(self, block: bytes) -> None:
        assert self._write is not None  # noqa: S101 - for the type checker
        write = self._write
        if write.inflate is not None:
            try:
                block = write.inflate.decompress(block)
            except zlib.error as error:
                raise Refused(BAD_DEFLATE) from error
        if self.is_stub:  # the padding of the last block
            block = block[: write.size - write.written]
        if not block:
            return
        at = write.offset + write.written
        self._check(at, len(block))
        if self.is_stub and at + len(block) > write.end:
            self.flash.erase(write.end, at + len(block) - write.end)
            write.end = -(-(at + len(block)) // SECTOR_BYTES) * SECTOR_BYTES
        self.flash.program(at, block)
        write.written += len(block)

    def _end(self, data: bytes) -> tuple[int, bytes]:
        run = struct.unpack("<I", data)[0]
        write, late, self._write, self._late = self._write, self._late, None, None
        if late is not None:
            raise Refused(late)
        if self.is_stub and (write is None or write.written < write.size):
            raise Refused(FAILED if write is None else _NOT_ENOUGH)
        if not self.is_stub:
            self.left = True  # to the firmware, whatever was asked: so do the ROMs
        elif not run:
            self._restart()
        return 0, b""

    def _restart(self) -> None:
        """The stub resets the chip, which finds its pins as they were: in the ROM's loader."""
        self.is_stub = self.registers.attached = False
        self.baud = 0
        self._memory = {}
        self._told_bytes = _ROM_FLASH_BYTES

    def _md5(self, data: bytes) -> tuple[int, bytes]:
        offset, count, _, _ = struct.unpack("<IIII", data)
        self._check(offset, count)
        digest = hashlib.md5(self.flash.read(offset, count), usedforsecurity=False)
        return 0, digest.digest() if self.is_stub else digest.hexdigest().encode()

    def _read_slowly(self, data: bytes) -> tuple[int, bytes]:
        offset, count = struct.unpack("<II", data)
        if self.is_stub or count > _SLOW_READ_BYTES:
            raise Refused(INVALID)
        self._check(offset, count)
        return 0, self.flash.read(offset, count).ljust(_SLOW_READ_BYTES, b"\0")

    def _erase_all(self, _: bytes) -> tuple[int, bytes]:
        self.flash.erase(0, self.flash.size_bytes)
        return 0, b""

    def _erase_region(self, data: bytes) -> tuple[int, bytes]:
        offset, count = struct.unpack("<II", data)
        if offset % SECTOR_BYTES or count % SECTOR_BYTES:
            raise Refused(INVALID)
        self.flash.erase(offset, count)
        return 0, b""

    def _read_fast(self, data: bytes) -> tuple[int, bytes]:
        offset, count, block, ahead = struct.unpack("<IIII", data)
        self.flash.read(offset, count)
        self._reading = Reading(offset, count, block, ahead)
        return 0, b""

    def _confirm(self, frame: bytes) -> None:
        if self._reading is None or len(frame) != 4:
            return
        self._reading.confirmed = struct.unpack("<I", frame)[0]
        self._send_blocks()

    def _send_blocks(self) -> None:
        reading = self._reading
        if reading is None:
            return
        while (
            reading.sent < reading.count
            and reading.sent - reading.confirmed < reading.ahead * reading.block
        ):
            count = min(reading.block, reading.count - reading.sent)
            self._out += encode(self.flash.read(reading.offset + reading.sent, count))
            reading.sent += count
        if reading.confirmed >= reading.count:
            whole = self.flash.read(reading.offset, reading.count)
            self._out += encode(hashlib.md5(whole, usedforsecurity=False).digest())
            self._reading = None

    def _run(self, _: bytes) -> tuple[int, bytes]:
        self.left = True
        return 0, b""

    def _check(self, offset: int, count: int) -> None:
        """Flash that is attached, and a place that the loader believes in."""
        if not self.registers.attached:
            raise Refused(FAILED)
        if offset + count > self._told_bytes:
            raise OutsideFlash


def block_of(data: bytes) -> bytes:
    """What a block carries, whose header says how long it is."""
    length = struct.unpack_from("<IIII", data)[0]
    if length != len(data) - 16:
        raise Refused(INVALID)
    return data[16:]
