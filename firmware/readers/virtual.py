"""The virtual board's reader: 0x56, type, length, credential, XOR of all before (device).

It carries credentials of every type, and a key of its keypad as type 0; a frame with a wrong length
or check is doubtful.
"""

from firmware.readers.results import CARD, DOUBTFUL, KEY, KEY_ENTER, NOTHING
from firmware.readers.serial_line import Line
from protocol.constants import CREDENTIAL_MAX_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_START = 0x56
_HEADER_BYTES = 3


class Driver(Line):
    """After CARD, `type` and `credential` hold what was read; after KEY, `key` which one."""

    def __init__(self, uart: "Any") -> None:
        super().__init__(uart)
        self._bytes = memoryview(bytearray(CREDENTIAL_MAX_BYTES))
        self._at = 0  # bytes of the frame seen
        self._length = 0
        self._check = 0
        self.type = self.key = 0
        self.credential = self._bytes[:0]

    def feed(self, byte: int) -> int:
        """Returns NOTHING, CARD, KEY or DOUBTFUL."""
        at = self._at
        if at == 0:
            if byte == _START:
                self._at = 1
                self._check = byte
            return NOTHING
        if at == _HEADER_BYTES + self._length:
            self._at = self._length = 0
            if byte != self._check:
                return DOUBTFUL
            if self.type:
                return CARD
            self.key = self._bytes[0]
            return KEY if self.key <= KEY_ENTER else DOUBTFUL
        self._check ^= byte
        self._at += 1
        if at == 1:
            self.type = byte
        elif at == 2:
            if not 0 < byte <= CREDENTIAL_MAX_BYTES:
                self._at = self._length = 0
                return DOUBTFUL
            self._length = byte
            if len(self.credential) != byte:
                self.credential = self._bytes[:byte]
        else:
            self._bytes[at - _HEADER_BYTES] = byte
        return NOTHING


def drivers(port: "Any", _options: "dict[str, Any]") -> "list[Driver]":
    """One reader; port: its UART."""
    return [Driver(port)]
