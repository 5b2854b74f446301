"""Lists on a real LittleFS over a NOR chip, for the firmware's search (MicroPython)."""

import hashlib

from protocol import sector_header as _early  # noqa: F401  nested imports cost stack
from protocol.constants import TIME_END_MIN
from tests.firmware.list_rig import ISSUED_S, Rig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.whitelist import Whitelist
    from tests.firmware.flash import Chip

__all__ = ("ISSUED_S", "POINT")

POINT = 0


def keys(count: int) -> "list[bytes]":
    """So many uniform card keys, sorted, the same each time."""
    return sorted(hashlib.sha256(b"%d" % n).digest()[:8] for n in range(count))


def record(key: bytes) -> bytes:
    """A card without end on profile 1; its first minute tells records apart."""
    return key + b"\0" + key[:2] + TIME_END_MIN.to_bytes(3, "big") + b"\x01\x00"


def held_list(card_keys: "list[bytes]") -> "tuple[Whitelist, Chip]":
    """A whitelist in force with these cards, and the chip that it lies on."""
    rig = Rig(len(card_keys))
    rig.full(1, b"".join([record(key) for key in card_keys]))
    return rig.whitelist, rig.chip
