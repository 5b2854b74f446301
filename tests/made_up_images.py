"""Images that an ESP32's tools take for a vendor's, with no program in them (host).

There is no MicroPython image for an ESP32 on this machine. These have its shape (bootloader, a
vendor's table at 0x8000, program at 0x10000), headers, checksums and digests, its size, and about
its compressibility: what is sent for them is what would be sent for a real one.
"""

import hashlib
import random
import struct

from controller_tool.flashing import partition_table
from controller_tool.flashing.layout import CHIPS

PROGRAM_BYTES = 0x198710  # of the stock image for ESP32 1.26.1
_BOOTLOADER_BYTES = 0x6000
_ENTRY, _LOAD_AT = {"esp32": 0x40080000, "esp32s3": 0x40378000}, 0x3FFF0000
_NOISE_OF_64 = 40  # bytes of noise in 64: zlib makes 0.65 of it, as of a real one


def program(chip: str, size: int, seed: int = 1) -> bytes:
    """One segment of `size` bytes in a whole image: header, checksum, SHA-256."""
    noise = random.Random(seed)
    data = b"".join(noise.randbytes(_NOISE_OF_64).ljust(64, b"\0") for _ in range(size // 64))
    header = struct.pack("<BBBBI", 0xE9, 1, 2, 0x20, _ENTRY[chip])
    header += struct.pack("<BBBBHBHH4xB", 0xEE, 0, 0, 0, CHIPS[chip].image_id, 0, 0, 0xFFFF, 1)
    body = header + struct.pack("<II", _LOAD_AT, len(data)) + data
    checksum = 0xEF
    for word in struct.unpack(f"<{len(data) // 8}Q", data):
        checksum ^= word
    folded = 0
    for byte in checksum.to_bytes(8, "little"):
        folded ^= byte
    body = body.ljust(-(-(len(body) + 1) // 16) * 16 - 1, b"\0") + bytes((folded,))
    return body + hashlib.sha256(body).digest()


def image(chip: str = "esp32", size: int = PROGRAM_BYTES, seed: int = 1) -> bytes:
    """From the bootloader to the end of a program of about `size` bytes."""
    start = CHIPS[chip].bootloader_offset
    vendor = [
        {"label": "nvs", "type": 1, "subtype": 2, "offset": 0x9000, "size": 0x6000},
        {"label": "factory", "type": 0, "subtype": 0, "offset": 0x10000, "size": 0x1F0000},
        {"label": "vfs", "type": 1, "subtype": 0x81, "offset": 0x200000, "size": 0x200000},
    ]
    whole = program(chip, _BOOTLOADER_BYTES, seed + 1).ljust(0x8000 - start, b"\xff")
    whole += partition_table.build(vendor, 0x400000)
    return whole.ljust(0x10000 - start, b"\xff") + program(chip, size - 160, seed)
