"""Gives an OSDP reader the key that its configuration has for it (device); loaded for a ticket.

The key that it has until then is that of the configuration before, or the factory's when the ticket
says so: a key that is given under that one can be read by whoever listens.
"""

import time

from firmware.device_config import settings_before
from firmware.loan import forget
from protocol.osdp import SCBK_D
from protocol.settings import OSDP_KEYS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.controller import Controller


def keys_for(c: "Controller", number: int, first: bool) -> "tuple[bytes, bytes] | None":
    """The key that it has and the one that it is to get; None: no such reader, or none of these."""
    forget("firmware.device_config")
    readers = c.kind.swipes.readers
    if number >= len(readers) or not hasattr(readers[number].driver, "pair"):
        return None
    before = SCBK_D if first else _key_of(settings_before(), number)
    key = _key_of(c.config.settings, number)
    return (before, key) if before and key else None


def pair(c: "Controller", number: int, first: bool) -> None:
    """Begin; the reader's driver says what becomes of it, and Swipes puts it on record."""
    keys = keys_for(c, number, first)
    reader = c.kind.swipes.readers[number]
    if keys and reader.driver.pair(keys[1], keys[0], time.ticks_ms()):
        reader.pairs = True


def _key_of(settings: "dict[int, Any]", number: int) -> bytes:
    keys: "list[bytes]" = settings.get(OSDP_KEYS, [])
    return keys[number] if number < len(keys) else b""
