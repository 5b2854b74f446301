"""The serial loader of an ESP32's ROM, command by command, and the stub's that follows it (host).

`hear(data, baud)` takes what came over the wire at the host's speed and returns what goes back.
Commands, answers and error codes: esptool's documentation, "Serial Protocol".

- the speed is learned from the first sync; at any other nothing is understood until a reset, but
  for the one that a command changes to
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller_tool.sim.rom.flash import OutsideFlash
from controller_tool.sim.rom.flash_commands import (
    BAD_CHECKSUM,
    BAD_DEFLATE,
    FAILED,
    INVALID,
    WRITE_FAILED,
    FlashCommands,
    Refused,
    block_of,
)
from controller_tool.sim.rom.registers import Registers
from controller_tool.sim.rom.slip import Decoder, encode

if TYPE_CHECKING:
    from controller_tool.sim.rom.flash import RomFlash
    from controller_tool.sim.rom.models import Model
    from controller_tool.sim.rom.stubs import Stub

_SYNC = b"\x07\x07\x12\x20" + 32 * b"\x55"
_SYNC_ANSWERS = 8
_SYNC_COMMAND = 0x08
_BLOCKS = (0x03, 0x11)  # of flash
_CHECKED = (0x03, 0x07, 0x11)  # commands that carry a block
_SYNC_VALUE = 0x20120707
_CHECKSUM = 0xEF
_ROM_BAUD = 115200
_STUB_CODES = {
    INVALID: 0xFF, FAILED: 0xC6, BAD_CHECKSUM: 0xC1, WRITE_FAILED: 0xC4, BAD_DEFLATE: 0xC7,
}  # fmt: skip


@dataclass
class Loader(FlashCommands):
    """From reset to the moment in which the firmware is started (`left`).

    silent: it hears and never answers; stubs: programs that it can go on as.
    """

    model: Model
    flash: RomFlash
    mac: bytes
    stubs: tuple[Stub, ...] = ()
    silent: bool = False
    left: bool = False
    is_stub: bool = False
    answers_first: bool = False  # what it heard last is answered before it is done
    baud: int = 0  # 0: not learned yet
    registers: Registers = field(init=False)

    def __post_init__(self) -> None:
        self.registers = Registers(
            self.model, self.mac, self.flash.size_bytes, lambda: self.baud or _ROM_BAUD
        )
        self._decoder = Decoder()
        self._memory: dict[int, bytearray] = {}
        self._by_stub = False
        self._segment = bytearray()
        super().__init__(self.flash)
        self._rom = {
            0x02: self._begin, 0x03: self._data, 0x04: self._end,
            0x05: self._memory_begin, 0x06: self._memory_end, 0x07: self._memory_data,
            0x08: self._sync, 0x09: self._write_register, 0x0A: self._read_register,
            0x0B: self._set_parameters, 0x0D: self._attach, 0x0E: self._read_slowly,
            0x0F: self._change_baud, 0x10: self._begin_deflated, 0x11: self._data,
            0x12: self._end, 0x13: self._md5, 0x14: self._security_info,
        }  # fmt: skip
        self._stub = {
            0xD0: self._erase_all, 0xD1: self._erase_region, 0xD2: self._read_fast,
            0xD3: self._run,
        }  # fmt: skip
        self._next_baud = 0

    def close(self) -> None:
        """Give the flash file back."""
        self.flash.close()

    def hear(self, data: bytes, baud: int) -> bytes:
        """What is answered to bytes that the host sent at its `baud`; 0: any."""
        if self.baud and baud and baud != self.baud:
            return b""
        for frame in self._decoder.feed(data):
            if self._reading is not None:
                self._confirm(frame)
            elif len(frame) >= 8 and frame[0] == 0:
                self._command(frame, baud)
        out, self._out = bytes(self._out), bytearray()
        if self._next_baud:
            self.baud, self._next_baud = self._next_baud, 0
        return b"" if self.silent else out

    # --- frames -----------------------------------------------------------------------

    def _command(self, frame: bytes, baud: int) -> None:
        _, code, length, checksum = struct.unpack_from("<BBHI", frame)
        data = frame[8:]
        if not self.baud and code != _SYNC_COMMAND:
            return  # before the sync the speed is not known
        self.answers_first = self.is_stub and code in _BLOCKS
        self._by_stub = self.is_stub  # who answers, even when that ends him
        handler = self._rom.get(code) or (self._stub.get(code) if self.is_stub else None)
        if handler is None or length != len(data):
            self._answer(code, 0, b"", INVALID)
            return
        if code in _CHECKED and _xor(data[16:]) != checksum & 0xFF:
            self._answer(code, 0, b"", BAD_CHECKSUM)
            return
        try:
            value, more = handler(data)
        except Refused as refused:
            self._answer(code, 0, b"", refused.code)
        except (struct.error, OutsideFlash):
            self._answer(code, 0, b"", WRITE_FAILED if self._write else FAILED)
        else:
            if code == _SYNC_COMMAND:
                self.baud = self.baud or baud or _ROM_BAUD
            for _ in range(_SYNC_ANSWERS if code == _SYNC_COMMAND else 1):
                self._answer(code, value, more)
            self._afterwards(code, data)

    def _answer(self, code: int, value: int, data: bytes, error: int = 0) -> None:
        told = _STUB_CODES.get(error, error) if self._by_stub else error
        status = bytes((error > 0, told)) + (b"" if self._by_stub else b"\0\0")
        body = data + status
        self._out += encode(struct.pack("<BBHI", 1, code, len(body), value) + body)

    def _afterwards(self, code: int, data: bytes) -> None:
        """What an answer is given before."""
        if code == 0x06:
            self._jump(*struct.unpack("<II", data))
        elif code == 0xD2:
            self._send_blocks()
        elif self.answers_first:
            try:
                self._store(data[16:])
            except Refused as refused:
                self._late = refused.code
            except OutsideFlash:
                self._late = WRITE_FAILED

    # --- memory and speed -------------------------------------------------------------

    def _sync(self, data: bytes) -> tuple[int, bytes]:
        if data != _SYNC:
            raise Refused(INVALID)
        return 0 if self.is_stub else _SYNC_VALUE, b""

    def _memory_begin(self, data: bytes) -> tuple[int, bytes]:
        _, _, _, offset = struct.unpack("<IIII", data)
        self._segment = self._memory[offset] = bytearray()
        return 0, b""

    def _memory_data(self, data: bytes) -> tuple[int, bytes]:
        self._segment += block_of(data)
        return 0, b""

    def _memory_end(self, data: bytes) -> tuple[int, bytes]:
        struct.unpack("<II", data)
        return 0, b""

    def _jump(self, stay: int, entry: int) -> None:
        if stay and not entry:
            return
        for stub in self.stubs:
            if stub.entry == entry and all(
                bytes(self._memory.get(at, b"")) == segment for at, segment in stub.segments.items()
            ):
                self.is_stub = self.registers.attached = True
                self._out += encode(b"OHAI")
                return
        self.silent = True  # it runs into what nobody knows

    def _write_register(self, data: bytes) -> tuple[int, bytes]:
        if not data or len(data) % 16:
            raise Refused(INVALID)
        for at in range(0, len(data), 16):
            address, value, mask, _ = struct.unpack_from("<IIII", data, at)
            self.registers.write(address, value, mask)
        return 0, b""

    def _read_register(self, data: bytes) -> tuple[int, bytes]:
        return self.registers.read(struct.unpack("<I", data)[0]), b""

    def _change_baud(self, data: bytes) -> tuple[int, bytes]:
        self._next_baud = struct.unpack("<II", data)[0]
        return 0, b""

    def _security_info(self, data: bytes) -> tuple[int, bytes]:
        if self.model.chip_id is None or data:
            raise Refused(INVALID)
        return 0, struct.pack("<IB7xII", 0, 0, self.model.chip_id, 0)


def _xor(data: bytes) -> int:
    """The checksum of a block."""
    state = _CHECKSUM
    # halves of halves: byte by byte costs a second for each megabyte
    whole, bits = int.from_bytes(data, "little"), 8
    while bits < len(data) * 8:
        bits *= 2
    while bits > 8:
        bits //= 2
        whole = (whole >> bits) ^ (whole & ((1 << bits) - 1))
    return state ^ whole
