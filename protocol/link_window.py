"""What one end of the serial line has sent and not yet been acknowledged (both interpreters).

Slots hold frames as they lie on the line; numbers count modulo 64. Towards a controller
the frames in flight fill no more than its credit of raw bytes.
"""

from protocol.constants import (
    LINK_FRAME_MAX_BYTES,
    LINK_HEADER_BYTES,
    LINK_PAYLOAD_MAX_BYTES,
)
from protocol.link_frames import NUMBER, OVERHEAD_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview


class SendWindow:
    """Bytes go in by write() and come out as frames by take(), again after rewind().

    frames: that are kept for resending, a power of two and LINK_FRAMES_MAX at most.
    """

    def __init__(self, credit_bytes: int, frames: int) -> None:
        self.resent = 0
        self._credit_bytes = credit_bytes
        self._frames = frames
        self._slots = memoryview(bytearray(frames * LINK_FRAME_MAX_BYTES))
        self.reset()

    def reset(self) -> None:
        """Forget everything; the next frame is number 0."""
        self.oldest = 0  # first number that the other side has not acknowledged
        self.next = 0  # next number to send
        self._high = 0  # first number that was never sent
        self._last = 0  # number of the slot that write() fills
        self._fill = 0  # bytes in that slot

    @property
    def writable(self) -> int:
        """Bytes that write() would take now."""
        free = self._frames - ((self._last - self.oldest) & NUMBER)
        return free * LINK_PAYLOAD_MAX_BYTES - self._fill

    @property
    def idle(self) -> bool:
        """Whether everything written has been acknowledged."""
        return self.oldest == self._last and not self._fill

    @property
    def in_flight_bytes(self) -> int:
        """Raw bytes of the frames that were sent, from the oldest unacknowledged on."""
        total = 0
        number = self.oldest
        while number != self.next:
            total += self._slots[self._slot(number) + 1] + OVERHEAD_BYTES
            number = (number + 1) & NUMBER
        return total

    def write(self, data: "Buffer") -> int:
        """Take bytes to send; returns how many were taken."""
        taken = 0
        total = min(len(data), self.writable)
        while taken < total:
            fill = self._fill
            count = min(total - taken, LINK_PAYLOAD_MAX_BYTES - fill)
            at = self._slot(self._last) + LINK_HEADER_BYTES + fill
            self._slots[at : at + count] = data[taken : taken + count]
            self._fill = fill + count
            taken += count
            if self._fill == LINK_PAYLOAD_MAX_BYTES:
                self._close_slot()
        return taken

    def ready(self) -> bool:
        """Whether take() may be called: a frame is there, and the credit lets it go."""
        payload_bytes = self._fill
        if self.next != self._last:
            payload_bytes = self._slots[self._slot(self.next) + 1]
        elif not payload_bytes:
            return False
        return self.in_flight_bytes + payload_bytes + OVERHEAD_BYTES <= self._credit_bytes

    def take(self) -> memoryview:
        """The slot of frame `next`, which goes on: its length is set, the rest is to be sealed."""
        number = self.next
        if number == self._last:
            self._close_slot()
        self.next = (number + 1) & NUMBER
        if number == self._high:
            self._high = self.next
        else:
            self.resent += 1
        at = self._slot(number)
        return self._slots[at : at + LINK_FRAME_MAX_BYTES]

    def acknowledge(self, number: int) -> int:
        """The other side expects `number`: how many frames that frees; -1 for an old story."""
        gained = (number - self.oldest) & NUMBER
        if gained > (self._high - self.oldest) & NUMBER:
            return -1
        if (self.next - self.oldest) & NUMBER < gained:
            self.next = number
        self.oldest = number
        return gained

    def _slot(self, number: int) -> int:
        return (number & (self._frames - 1)) * LINK_FRAME_MAX_BYTES

    def _close_slot(self) -> None:
        self._slots[self._slot(self._last) + 1] = self._fill
        self._last = (self._last + 1) & NUMBER
        self._fill = 0
