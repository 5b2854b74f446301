"""The readers of an OSDP line as board and settings name them; loaded once, at a start (device)."""

from firmware.readers.osdp import Driver, Line
from protocol.osdp_panel import is_key
from protocol.settings import OSDP_ADDRESS, OSDP_BAUD, OSDP_KEYS, OSDP_TEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def made(port: "Any", options: "dict[str, Any]") -> "list[Driver]":
    """As `drivers` of firmware/readers/osdp.py."""
    settings = options.get("settings") or {}
    first = options.get("first", 0)
    baud = settings.get(OSDP_BAUD) or options.get("baud", 9600)
    chinese = settings.get(OSDP_TEXT, options.get("chinese", 0)) == 1
    addresses = settings.get(OSDP_ADDRESS, ())
    keys = settings.get(OSDP_KEYS)
    line = Line(port, options.get("direction"), baud)
    for i, by_board in enumerate(options["addresses"]):
        address = by_board
        if isinstance(addresses, int):
            address = addresses
        elif first + i < len(addresses):
            address = addresses[first + i]
        # none of the board's own key where others were set: each reader has that of its row
        known, at = (options.get("keys") or (), i) if keys is None else (keys, first + i)
        key = known[at] or None if at < len(known) else None
        if not 0 <= address <= 126 or (key is not None and not is_key(key)):
            raise ValueError("reader's address or key")
        line.drivers.append(Driver(line, address, key, baud, chinese))
    return line.drivers
