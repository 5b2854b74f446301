"""Keys that no running controller keeps: root and firmware, from the trust object's file (device).

Loaded for one signature and let go: it stands in for firmware.signed.Keys in signed.payload().
"""

import os

from firmware.loan import forget
from firmware.signed import TRUST_PATH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.signed import Keys


class StoredKeys:
    """Of the trust object in force; threshold: of the role that was asked for last."""

    def __init__(self, keys: "Keys") -> None:
        self._speaks = len(keys.places) > 0  # else the object is older than one that was here
        self.threshold = 0

    def find(self, role: int, kid: bytes) -> "bytes | None":
        """The modulus that `kid` names in a role, or None; OSError when it cannot be read."""
        if not self._speaks:
            return None
        from protocol.trust import Stored, parse

        forget("protocol.trust")
        with open(TRUST_PATH, "rb") as file:
            held = parse(Stored(file, 0, os.stat(TRUST_PATH)[6]), True)
            for row in held.keys:
                if row[0] == role:
                    self.threshold = row[1]
            piece: "Any" = held.find_key(role, kid)
            return None if piece is None else piece.read()
