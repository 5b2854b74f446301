"""The link layer of the serial line: a reliable byte stream of frames (both interpreters).

docs/protocol.md section 9 has the frame. Made for a controller whose input ring drops silently
beyond 259 bytes and is emptied by nobody while a handshake step computes:

- at most 192 raw bytes are unacknowledged towards it; nothing is resent on a timer alone: the
  timer sends a poll of 7 bytes, and only the answer, which proves that all before it was read,
  brings the missing frames again (go-back-N);
- an acknowledgement is held back while the reader's buffer has no room for a full credit.

No clock: every call gets the time as `now_ms`, from any counter that wraps at 2**30 or later.
Each turn: receive() what came (b"" too), then transmit() until it gives nothing.
"""

from protocol.constants import (
    LINK_CREDIT_BYTES,
    LINK_FRAME_MAX_BYTES,
    LINK_FRAMES_MAX,
    LINK_HEADER_BYTES,
    LINK_PAYLOAD_MAX_BYTES,
    LINK_POLLS_MAX,
    LINK_RESEND_MAX_MS,
    LINK_RESEND_MS,
)
from protocol.link_frames import (
    ACK_NAK,
    ACK_POLL,
    CLOCK_MASK,
    KIND,
    KIND_ACK,
    KIND_BYE,
    KIND_DATA,
    KIND_HELLO,
    NUMBER,
    OVERHEAD_BYTES,
    FrameReader,
    seal,
)
from protocol.link_window import SendWindow

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

_SESSION_BYTES = 4
_HOST_READ_BYTES = 4096
_HOST_ACK_MS = 10
_HOST_ACK_FRAMES = 2

_CLOSED = 0
_OPENING = 1
_OPEN = 2


class Link:
    """One end. The host opens sessions; the controller follows, and answers what it does not
    know with bye. A session that ends shows as `connected` False, a new one as another `session`.
    frames: that this end keeps for resending, as SendWindow has it.
    """

    def __init__(
        self, is_device: bool, read_bytes: int = 512, frames: int = LINK_FRAMES_MAX
    ) -> None:
        self.is_device = is_device
        self.session = b""
        self._state = _CLOSED
        # room that must be left before an acknowledgement invites the other side to send on
        self._spare_bytes = 2 * LINK_PAYLOAD_MAX_BYTES
        credit_bytes = frames * LINK_FRAME_MAX_BYTES  # a controller's is its slots
        if not is_device:
            self._spare_bytes = LINK_FRAMES_MAX * LINK_PAYLOAD_MAX_BYTES
            read_bytes = max(read_bytes, _HOST_READ_BYTES)
            credit_bytes = LINK_CREDIT_BYTES
        self._read = memoryview(bytearray(read_bytes))
        self._line = FrameReader(self._frame)
        self._window = SendWindow(credit_bytes, frames)
        self._small = memoryview(bytearray(OVERHEAD_BYTES + _SESSION_BYTES))
        self._control = -1  # hello or bye that waits to be sent
        self._reset()

    def _reset(self) -> None:
        self._window.reset()
        self._read_start = 0
        self._read_end = 0
        self._expected = 0  # next number from the other side
        self._released = 0  # number up to which it may know that we have received
        self._owed = 0  # frames received and not acknowledged
        self._owed_ms = 0
        self._answer = False  # a poll waits for its answer
        self._nak = False  # a gap waits to be told
        self._gap = False  # it was told once: enough until the missing frame comes
        self._rewound = -1  # number of the last nak that was obeyed
        self._polls = 0  # polls without an answer
        self._timer_ms = 0
        self._wait_ms = LINK_RESEND_MS

    # --- the stream ---------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether a session is open; what it delivered can be read after it has ended too."""
        return self._state == _OPEN

    @property
    def available(self) -> int:
        """Bytes that read_into() can give now."""
        return self._read_end - self._read_start

    @property
    def writable(self) -> int:
        """Bytes that write() would take now."""
        return self._window.writable if self._state == _OPEN else 0

    @property
    def idle(self) -> bool:
        """Whether everything written has been acknowledged."""
        return self._window.idle

    @property
    def resent(self) -> int:
        """Frames that were sent more than once."""
        return self._window.resent

    def read_into(self, buffer: "bytearray | memoryview") -> int:
        """Move received bytes into `buffer`; returns how many, 0 when there are none."""
        start = self._read_start
        count = min(len(buffer), self._read_end - start)
        buffer[:count] = self._read[start : start + count]
        self._read_start = start + count
        return count

    def write(self, data: "Buffer") -> int:
        """Take bytes to send; returns how many were taken, 0 when full or not connected."""
        return self._window.write(data) if self._state == _OPEN else 0

    def open(self, session_id: bytes) -> None:
        """Host: begin a session under a fresh random id of 4 bytes; drops what there was."""
        self._reset()
        self.session = bytes(session_id)
        self._state = _OPENING
        self._control = KIND_HELLO

    def close(self) -> None:
        """End the session; the next transmit() gives the bye."""
        if self._state != _CLOSED:
            self._state = _CLOSED
            self._control = KIND_BYE

    # --- from the line ------------------------------------------------------------------

    def receive(self, data: "Buffer", now_ms: int) -> None:
        """Take raw bytes from the line, any number, b"" when there are none."""
        self._line.feed(data, now_ms)

    def _frame(self, head: int, ack: int, payload: memoryview) -> None:
        kind = head & KIND
        if kind == KIND_HELLO:
            self._on_hello(bytes(payload))
        elif kind == KIND_BYE:
            if self._state == _OPEN and (not len(payload) or bytes(payload) == self.session):
                self._state = _CLOSED
        elif self._state == _OPEN:
            if kind == KIND_DATA:
                self._on_data(head & NUMBER, payload)
            self._on_ack(ack)
        elif self.is_device:
            self._control = KIND_BYE

    def _on_hello(self, session: bytes) -> None:
        if len(session) != _SESSION_BYTES:
            return
        if self.is_device:
            # the same hello again means only that its answer was lost
            if self._state != _OPEN or session != self.session:
                self._reset()
                self.session = session
                self._state = _OPEN
            self._control = KIND_HELLO
        elif self._state == _OPENING and session == self.session:
            self._state = _OPEN
            self._control = -1

    def _on_data(self, number: int, payload: memoryview) -> None:
        ahead = (number - self._expected) & NUMBER
        if ahead > LINK_FRAMES_MAX:
            self._owe()  # sent again although it had come: the acknowledgement was lost
        elif ahead:
            if not self._gap:
                self._gap = self._nak = True
        elif self._store(payload):
            self._expected = (number + 1) & NUMBER
            self._gap = self._nak = False
            self._owe()

    def _store(self, payload: memoryview) -> bool:
        count = len(payload)
        if len(self._read) - self._read_end < count:
            rest = self._read_end - self._read_start
            if len(self._read) - rest < count:
                return False  # only a peer that overdraws its credit gets here
            self._read[:rest] = self._read[self._read_start : self._read_end]
            self._read_start = 0
            self._read_end = rest
        self._read[self._read_end : self._read_end + count] = payload
        self._read_end += count
        return True

    def _owe(self) -> None:
        if not self._owed:
            self._owed_ms = self._line.heard_ms
        self._owed += 1

    def _on_ack(self, ack: int) -> None:
        if ack & ACK_POLL:
            self._answer = True
        number = ack & NUMBER
        gained = self._window.acknowledge(number)
        if gained < 0:
            return
        if gained:
            self._rewound = -1
        if ack & ACK_NAK and (self._polls or number != self._rewound):
            self._window.next = self._rewound = number
        if gained or self._polls or ack & ACK_NAK:
            self._polls = 0
            self._timer_ms = self._line.heard_ms
            self._wait_ms = LINK_RESEND_MS

    # --- to the line --------------------------------------------------------------------

    def transmit(self, now_ms: int) -> "Buffer":
        """At most one frame to put on the wire now, b"" when there is none.

        A view of the link's own memory: write it out before the next call.
        """
        if self._state == _OPENING and self._expired(now_ms):
            self._control = KIND_HELLO
        if self._control >= 0:
            return self._send_control(now_ms)
        if self._state != _OPEN:
            return b""
        if len(self._read) - self.available >= self._spare_bytes:
            self._released = self._expected
        window = self._window
        if not self._polls and window.ready():
            if window.next == window.oldest:
                self._timer_ms = now_ms
                self._wait_ms = LINK_RESEND_MS
            number = window.next
            return seal(window.take(), number, self._ack())
        if self._answer or (self._released == self._expected and self._ack_due(now_ms)):
            return self._send_small(KIND_ACK, self._ack())
        if window.next != window.oldest and self._expired(now_ms):
            return self._send_poll(now_ms)
        return b""

    def _expired(self, now_ms: int) -> bool:
        return (now_ms - self._timer_ms) & CLOCK_MASK >= self._wait_ms

    def _ack_due(self, now_ms: int) -> bool:
        if self._nak:
            return True
        if self.is_device or self._owed >= _HOST_ACK_FRAMES:
            return self._owed > 0
        return self._owed > 0 and (now_ms - self._owed_ms) & CLOCK_MASK >= _HOST_ACK_MS

    def _ack(self) -> int:
        """The ack byte as of now; what it tells is no longer owed."""
        ack = self._released
        if self._released == self._expected:
            if self._nak or self._answer:
                ack |= ACK_NAK
            self._nak = False
            self._owed = 0
        self._answer = False
        return ack

    def _send_poll(self, now_ms: int) -> "Buffer":
        if self._polls >= LINK_POLLS_MAX:
            self._state = _CLOSED
            return b""
        self._polls += 1
        self._back_off(now_ms)
        return self._send_small(KIND_ACK, self._ack() | ACK_POLL)

    def _send_control(self, now_ms: int) -> memoryview:
        kind = self._control
        self._control = -1
        if self._state == _OPENING:
            self._back_off(now_ms)
        return self._send_small(kind, 0, self.session)

    def _back_off(self, now_ms: int) -> None:
        self._timer_ms = now_ms
        self._wait_ms = min(2 * self._wait_ms, LINK_RESEND_MAX_MS)

    def _send_small(self, kind: int, ack: int, payload: bytes = b"") -> memoryview:
        self._small[1] = len(payload)
        self._small[LINK_HEADER_BYTES : LINK_HEADER_BYTES + len(payload)] = payload
        return seal(self._small, kind, ack)
