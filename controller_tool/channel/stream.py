"""What every wire looks like to the layers above it: a stream of bytes (host).

All times are seconds of the monotonic clock. A stream is used by one thread at a time.
"""

from __future__ import annotations

import time
from typing import Protocol

from controller_tool.errors import LinkError
from controller_tool.messages import t


class ByteStream(Protocol):
    """Bytes in both directions, in order; counts what it put on the wire and took from it."""

    @property
    def sent_bytes(self) -> int: ...
    @property
    def received_bytes(self) -> int: ...

    def read(self, timeout_s: float) -> bytes:
        """Whatever has arrived, at least one byte; b"" when the time is up.

        Raises LinkError when the other side has closed or the wire is gone.
        """
        ...

    def write(self, data: bytes) -> None:
        """All of the data, however long the wire takes; LinkError when it does not move."""
        ...

    def close(self) -> None:
        """Lets the wire go; closing twice is harmless."""
        ...


class Deadline:
    """A moment that waiting must not pass."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left_s(self) -> float:
        return max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        return self.left_s <= 0


class Reader:
    """Reads exact counts from a stream and keeps what came too early."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._held = bytearray()

    def exactly(self, count: int, deadline: Deadline, waiting_for: str) -> bytes:
        """``count`` bytes; LinkError when the deadline passes before they are there."""
        while len(self._held) < count:
            if deadline.passed:
                raise LinkError(
                    t("No answer from the controller ({waiting_for})", waiting_for=waiting_for),
                    t("Check power, cable and address, then run the command again"),
                )
            self._held += self._stream.read(deadline.left_s)
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken

    def surplus(self) -> bytes:
        """What was read beyond what was asked for; the reader is empty afterwards."""
        rest = bytes(self._held)
        self._held.clear()
        return rest


def broken(detail: str) -> LinkError:
    """The one line that a person sees when a wire breaks."""
    return LinkError(
        t("The connection to the controller broke ({detail})", detail=detail),
        t("Check power and cable, then run the command again: it goes on where it stopped"),
    )
