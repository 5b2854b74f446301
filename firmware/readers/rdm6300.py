"""RDM6300 (125 kHz EM4100) frames: 0x02, ten hex digits, two of checksum, 0x03 (device).

The checksum is the XOR of the five bytes. A frame with a wrong digit, checksum, length or end is
doubtful: reported as such, never guessed at.
"""

from firmware.readers.results import CARD, DOUBTFUL, NOTHING
from firmware.readers.serial_line import Line
from protocol.codes import CREDENTIAL_EM4100

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_START = 0x02
_END = 0x03
_DIGITS = 12
_BYTES = 6
_ID_BYTES = 5


def _digit(byte: int) -> int:
    if 0x30 <= byte <= 0x39:
        return byte - 0x30
    if 0x41 <= byte <= 0x46:
        return byte - 0x37
    return -1


class Driver(Line):
    """After CARD, `credential` holds the five bytes."""

    type = CREDENTIAL_EM4100

    def __init__(self, uart: "Any") -> None:
        super().__init__(uart)
        self._bytes = bytearray(_BYTES)
        self._at = -1  # digits seen; -1 outside a frame
        self._sound = True
        self.credential = memoryview(self._bytes)[:_ID_BYTES]

    def feed(self, byte: int) -> int:
        """Returns NOTHING, CARD or DOUBTFUL."""
        if byte == _START:
            broken = self._at >= 0
            self._at = 0
            self._sound = True
            return DOUBTFUL if broken else NOTHING
        if self._at < 0:
            return NOTHING
        if byte == _END:
            return self._finish()
        digit = _digit(byte)
        if digit < 0 or self._at >= _DIGITS:
            self._sound = False
        elif self._at & 1:
            self._bytes[self._at >> 1] |= digit
            self._at += 1
        else:
            self._bytes[self._at >> 1] = digit << 4
            self._at += 1
        return NOTHING

    def _finish(self) -> int:
        whole = self._sound and self._at == _DIGITS
        self._at = -1
        check = 0
        for byte in self._bytes:
            check ^= byte
        return CARD if whole and check == 0 else DOUBTFUL


def drivers(port: "Any", _options: "dict[str, Any]") -> "list[Driver]":
    """One reader; port: its UART at 9600 baud."""
    return [Driver(port)]
