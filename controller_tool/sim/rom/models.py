"""What esptool can tell one chip from another by: registers, eFuses, identity (host).

Addresses and bits as esptool's esp32.py and esp32s3.py read them, which cite the technical
reference manuals; the revisions are ones that are sold.
"""

from __future__ import annotations

from dataclasses import dataclass

MAGIC_REGISTER = 0x40001000
_CRYSTAL_HZ = 40_000_000
# what the ROM measured of its 8 MHz clock, and the divider: together they say 40 MHz
_CK8M, _CALIBRATION = 128, 800


@dataclass(frozen=True)
class Spi:
    """Where a flash controller has its registers, and whether an address stands at the top."""

    base: int
    user: int
    user1: int
    user2: int
    miso_length: int
    data: int
    address_on_top: bool


@dataclass(frozen=True)
class Model:
    """One kind of chip.

    chip_id: as security info tells it, None where the ROM does not know that command;
    image_id: what an image's header must say; uart_divider: the register of UART0's divider;
    registers: values that a reset leaves.
    """

    name: str
    chip_id: int | None
    image_id: int
    bootloader_offset: int
    uart_divider: int
    spi: Spi
    registers: dict[int, int]

    def identity(self, mac: bytes) -> dict[int, int]:
        """All registers that hold something, the MAC address among them."""
        low, high = int.from_bytes(mac[2:6], "big"), int.from_bytes(mac[:2], "big")
        at_low, at_high = _MAC[self.name]
        return {**self.registers, at_low: low, at_high: high}

    @staticmethod
    def divider(baud: int) -> int:
        """What stands in the divider's register at that speed."""
        return _CRYSTAL_HZ // max(1, baud)


_EFUSE, _EFUSE_S3 = 0x3FF5A000, 0x60007000
_MAC = {
    "esp32": (_EFUSE + 4, _EFUSE + 8),
    "esp32s3": (_EFUSE_S3 + 0x44, _EFUSE_S3 + 0x48),
}

MODELS = {
    model.name: model
    for model in (
        Model(
            "esp32", None, 0, 0x1000, 0x3FF40014,
            Spi(0x3FF42000, 0x1C, 0x20, 0x24, 0x2C, 0x80, True),
            {
                MAGIC_REGISTER: 0x00F01D83,
                _EFUSE + 0x0C: 1 << 15 | 1 << 9,  # revision bit 0, package 1: ESP32-D0WD
                _EFUSE + 0x10: _CK8M,
                _EFUSE + 0x14: 1 << 24 | 1 << 20,  # minor revision 1, revision bit 1
                0x3FF6607C: 1 << 31,  # revision bit 2: with the others v3
                0x3FF5F06C: _CALIBRATION << 7,
            },
        ),
        Model(
            "esp32s3", 9, 9, 0, 0x60000014,
            Spi(0x60002000, 0x18, 0x1C, 0x20, 0x28, 0x58, False),
            {
                MAGIC_REGISTER: 0x00000009,
                _EFUSE_S3 + 0x44 + 12: 2 << 18,  # revision v0.2
            },
        ),
    )
}  # fmt: skip
