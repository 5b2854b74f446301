"""A serial port as raw bytes: USB adapters, COM ports and pseudo-terminals (host).

DTR and RTS stay asserted together, as the operating system leaves them on opening. A board's
auto-reset circuit acts only when the two differ, so a live door is not reset; to take both down
would be worse, for they fall one after the other (tests/unit/test_port_lines.py). For the same
reason they are not dropped on closing where the system lets us say so.
"""

from __future__ import annotations

import contextlib
import os
import select

import serial

from controller_tool.channel.stream import broken
from controller_tool.errors import LinkError
from controller_tool.messages import t

_WINDOWS_POLL_S = 0.005


class SerialPort:
    """Raw bytes of a port; no framing, nothing is checked at this layer."""

    def __init__(self, path: str, baud: int) -> None:
        self.sent_bytes = 0
        self.received_bytes = 0
        try:
            self._port = serial.Serial(
                path, baud, timeout=_WINDOWS_POLL_S, write_timeout=5.0, exclusive=_exclusive()
            )
        except (OSError, ValueError) as error:
            raise LinkError(
                t("Cannot open {port} ({detail})", port=path, detail=_reason(error)),
                t("Check the cable and that no other program holds the port"),
            ) from error
        _keep_lines_on_close(self._port)

    def read(self, timeout_s: float) -> bytes:
        """Whatever has arrived; b"" when the time is up; LinkError when the port is gone."""
        try:
            data = self._read_posix(timeout_s) if os.name == "posix" else self._read_any()
        except (OSError, ValueError, TypeError) as error:  # pyserial: TypeError on a closed port
            raise broken(_reason(error)) from error
        self.received_bytes += len(data)
        return data

    def write(self, data: bytes) -> None:
        """All of the data; LinkError when the port is gone or does not take it."""
        try:
            self._port.write(data)
        except (OSError, ValueError, TypeError) as error:
            raise broken(_reason(error)) from error
        self.sent_bytes += len(data)

    def close(self) -> None:
        """Gives the port back."""
        with contextlib.suppress(OSError):
            self._port.close()

    def _read_posix(self, timeout_s: float) -> bytes:
        number = self._port.fileno()
        readable, _, _ = select.select([number], [], [], max(0.0, timeout_s))
        if not readable:
            return b""
        data = os.read(number, 4096)
        if not data:
            raise broken(t("unplugged"))
        return data

    def _read_any(self) -> bytes:
        return bytes(self._port.read(self._port.in_waiting or 1))


def _exclusive() -> bool | None:
    return True if os.name == "posix" else None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _keep_lines_on_close(port: serial.Serial) -> None:
    """Clears HUPCL, so that the kernel leaves DTR and RTS alone when the port closes."""
    if os.name != "posix":
        return
    import termios  # noqa: PLC0415 - there is none on Windows

    with contextlib.suppress(termios.error):
        attributes = termios.tcgetattr(port.fileno())
        attributes[2] &= ~termios.HUPCL
        termios.tcsetattr(port.fileno(), termios.TCSANOW, attributes)
