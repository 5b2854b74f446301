"""The chip's registers, as far as a loader's host reads and writes them (host).

One of them does something: the flash controller's command register sends what the others say to
the flash chip. Of the flash chip's commands there are those by which esptool finds out what it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.sim.rom.models import Model

_USER_COMMAND = 1 << 18
_READ_ID, _READ_SFDP, _READ_STATUS = 0x9F, 0x5A, (0x05, 0x35, 0x15)
_WINBOND, _WINBOND_Q = 0xEF, 0x40
_NOBODY = 0xFFFFFFFF  # what the bus reads where no flash chip is attached
_SFDP = b"SFDP\x06\x01\x00\xff"


class Registers:
    """A word by its address; what nobody set reads 0."""

    def __init__(self, model: Model, mac: bytes, flash_bytes: int, baud: Callable[[], int]) -> None:
        self._model = model
        self._words = model.identity(mac)
        self._flash_bytes = flash_bytes
        self._baud = baud
        self.attached = False

    def read(self, address: int) -> int:
        """The word at `address`."""
        if address == self._model.uart_divider:
            return self._model.divider(self._baud())
        return self._words.get(address, 0)

    def write(self, address: int, value: int, mask: int) -> None:
        """Set the bits of `mask`."""
        spi = self._model.spi
        if address == spi.base and value & _USER_COMMAND:
            self._words[spi.base + spi.data] = self._ask_flash()
            return  # it is over at once, so that the bit reads 0 again
        self._words[address] = (self._words.get(address, 0) & ~mask | value & mask) & _NOBODY

    def _ask_flash(self) -> int:
        spi = self._model.spi
        command = self.read(spi.base + spi.user2) & 0xFF
        wanted = (2 << self.read(spi.base + spi.miso_length)) - 1
        if not self.attached:
            return _NOBODY & wanted
        if command == _READ_ID:
            capacity = self._flash_bytes.bit_length() - 1
            return (_WINBOND | _WINBOND_Q << 8 | capacity << 16) & wanted
        if command == _READ_SFDP:
            at = self.read(spi.base + 4) >> (8 if spi.address_on_top else 0)
            return int.from_bytes((_SFDP[at : at + 4]).ljust(4, b"\xff"), "little") & wanted
        if command in _READ_STATUS:
            return 0
        return self.read(spi.base + spi.data)
