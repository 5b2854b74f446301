"""The link layer of the serial line: a reliable byte stream of frames (both interpreters).

docs/protocol.md section 9 has the frame. Made for a controller whose input ring drops silently
beyond 259 bytes and is emptied by nobody while a handshake step computes:

- at most 192 raw bytes are unacknowledged towards it; nothing is resent on a timer alone: the
  timer sends a poll of 7 bytes, and only the answer, which proves that all before it was read,
  brings the missing frames again (go-back-N);
- an acknowledgement is held back while the reader's buffer has no room for a full credit.

No clock: every call gets the time as `now_ms`, from any counter that wraps no earlier than 2**30.
Each turn: receive() what came (b"" too), then transmit() until it gives nothing.
"""

from binascii import crc32

from protocol.constants import (
    LINK_CRC_BYTES,
    LINK_CREDIT_BYTES,
    LINK_FRAME_MAX_BYTES,
    LINK_FRAMES_MAX,
    LINK_HEADER_BYTES,
    LINK_PAYLOAD_MAX_BYTES,
    LINK_POLLS_MAX,
    LINK_RESEND_MAX_MS,
    LINK_RESEND_MS,
    LINK_SYNC,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

_DATA = 0x00
_ACK = 0x40
_HELLO = 0x80
_BYE = 0xC0
_KIND = 0xC0
_SEQ = 0x3F
_NAK = 0x40  # in the ack byte: send again from this number
_POLL = 0x80  # in the ack byte: answer with an acknowledgement at once

_OVERHEAD_BYTES = LINK_HEADER_BYTES + LINK_CRC_BYTES
_STALE_MS = 60  # a frame that stands still for so long was never one
_HOST_ACK_MS = 10
_HOST_ACK_FRAMES = 3
_CLOCK_MASK = 0x3FFFFFFF
_SYNC = bytes((LINK_SYNC,))

_CLOSED = 0
_OPENING = 1
_OPEN = 2


class Link:
    """One end. The host opens sessions; the controller follows, and answers what it does not
    know with bye. A session that ends shows as `connected` False, a new one as another `session`.
    """

    def __init__(self, is_device: bool, read_bytes: int = 512) -> None:
        self.is_device = is_device
        self.frames = 0
        self.resent = 0
        self.crc_errors = 0
        self.session = b""
        self._state = _CLOSED
        # room that must be left before an acknowledgement invites the other side to send on
        self._spare_bytes = 2 * LINK_PAYLOAD_MAX_BYTES
        if not is_device:
            self._spare_bytes = LINK_FRAMES_MAX * LINK_PAYLOAD_MAX_BYTES
            read_bytes = max(read_bytes, 4096)
        self._read = memoryview(bytearray(read_bytes))
        self._raw_array = bytearray(4 * LINK_FRAME_MAX_BYTES)
        self._raw = memoryview(self._raw_array)
        self._raw_end = 0
        self._slots = memoryview(bytearray(LINK_FRAMES_MAX * LINK_FRAME_MAX_BYTES))
        self._small = memoryview(bytearray(_OVERHEAD_BYTES + 4))
        self._control = -1  # hello or bye that waits to be sent
        self._heard_ms = 0
        self._reset()

    def _reset(self) -> None:
        self._read_start = 0
        self._read_end = 0
        self._expected = 0  # next number from the other side
        self._released = 0  # number up to which it may know that we have received
        self._owed = 0  # frames received and not acknowledged
        self._owed_ms = 0
        self._answer = False  # a poll waits for its answer
        self._nak = False  # a gap waits to be told
        self._gap = False  # it was told once: enough until the missing frame comes
        self._oldest = 0  # first number that the other side has not acknowledged
        self._next = 0  # next number to send
        self._high = 0  # first number that was never sent
        self._last = 0  # number of the slot that write() fills
        self._fill = 0  # bytes in that slot
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
        if self._state != _OPEN:
            return 0
        free = LINK_FRAMES_MAX - ((self._last - self._oldest) & _SEQ)
        return free * LINK_PAYLOAD_MAX_BYTES - self._fill

    @property
    def idle(self) -> bool:
        """Whether everything written has been acknowledged."""
        return self._oldest == self._last and not self._fill

    def read_into(self, buffer: "bytearray | memoryview") -> int:
        """Move received bytes into `buffer`; returns how many, 0 when there are none."""
        start = self._read_start
        count = min(len(buffer), self._read_end - start)
        buffer[:count] = self._read[start : start + count]
        self._read_start = start + count
        return count

    def write(self, data: "Buffer") -> int:
        """Take bytes to send; returns how many were taken, 0 when full or not connected."""
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

    def open(self, session_id: bytes) -> None:
        """Host: begin a session under a fresh random id of 4 bytes; drops what there was."""
        self._reset()
        self.session = bytes(session_id)
        self._state = _OPENING
        self._control = _HELLO

    def close(self) -> None:
        """End the session; the next transmit() gives the bye."""
        if self._state != _CLOSED:
            self._state = _CLOSED
            self._control = _BYE

    @staticmethod
    def _slot(number: int) -> int:
        return (number & (LINK_FRAMES_MAX - 1)) * LINK_FRAME_MAX_BYTES

    def _close_slot(self) -> None:
        self._slots[self._slot(self._last) + 1] = self._fill
        self._last = (self._last + 1) & _SEQ
        self._fill = 0

    # --- from the line ------------------------------------------------------------------

    def receive(self, data: "Buffer", now_ms: int) -> None:
        """Take raw bytes from the line, any number, b"" when there are none."""
        if not data:
            if self._raw_end and (now_ms - self._heard_ms) & _CLOCK_MASK > _STALE_MS:
                self._parse(1)
            return
        self._heard_ms = now_ms
        at = 0
        while at < len(data):
            end = self._raw_end
            count = min(len(data) - at, len(self._raw) - end)
            self._raw[end : end + count] = data[at : at + count]
            self._raw_end = end + count
            at += count
            self._parse(0)

    def _parse(self, start: int) -> None:
        """Take all whole frames from `start` on, keep what may be the start of another."""
        raw = self._raw
        end = self._raw_end
        while start < end:
            if raw[start] != LINK_SYNC:
                start = self._raw_array.find(_SYNC, start, end)
                if start < 0:
                    start = end
                    break
            if end - start < 2:
                break
            stop = start + raw[start + 1] + _OVERHEAD_BYTES
            if stop - start <= LINK_FRAME_MAX_BYTES:
                if stop > end:
                    break
                if self._good(start, stop - LINK_CRC_BYTES):
                    self._frame(start, stop - LINK_CRC_BYTES)
                    start = stop
                    continue
            self.crc_errors += 1
            start += 1  # the true frame may begin inside what only looked like one
        rest = end - start
        if start and rest:
            raw[:rest] = raw[start:end]
        self._raw_end = rest

    def _good(self, start: int, crc_at: int) -> bool:
        raw = self._raw
        given = raw[crc_at] << 16 | raw[crc_at + 1] << 8 | raw[crc_at + 2]
        return crc32(raw[start + 1 : crc_at]) & 0xFFFFFF == given

    def _frame(self, start: int, stop: int) -> None:
        kind = self._raw[start + 2] & _KIND
        payload = self._raw[start + LINK_HEADER_BYTES : stop]
        if kind == _HELLO:
            self._on_hello(bytes(payload))
        elif kind == _BYE:
            if self._state == _OPEN and (not len(payload) or bytes(payload) == self.session):
                self._state = _CLOSED
        elif self._state == _OPEN:
            self.frames += 1
            if kind == _DATA:
                self._on_data(self._raw[start + 2] & _SEQ, payload)
            self._on_ack(self._raw[start + 3])
        elif self.is_device:
            self._control = _BYE

    def _on_hello(self, session: bytes) -> None:
        if len(session) != 4:
            return
        if self.is_device:
            # the same hello again means only that its answer was lost
            if self._state != _OPEN or session != self.session:
                self._reset()
                self.session = session
                self._state = _OPEN
            self._control = _HELLO
        elif self._state == _OPENING and session == self.session:
            self._state = _OPEN
            self._control = -1

    def _on_data(self, number: int, payload: memoryview) -> None:
        ahead = (number - self._expected) & _SEQ
        if ahead > LINK_FRAMES_MAX:
            self._owe()  # sent again although it had come: the acknowledgement was lost
        elif ahead:
            if not self._gap:
                self._gap = self._nak = True
        elif self._store(payload):
            self._expected = (number + 1) & _SEQ
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
            self._owed_ms = self._heard_ms
        self._owed += 1

    def _on_ack(self, ack: int) -> None:
        number = ack & _SEQ
        gained = (number - self._oldest) & _SEQ
        if ack & _POLL:
            self._answer = True
        if gained > (self._high - self._oldest) & _SEQ:
            return  # older than one that we have seen
        polled = self._polls > 0
        if gained:
            if (self._next - self._oldest) & _SEQ < gained:
                self._next = number
            self._oldest = number
            self._rewound = -1
        if ack & _NAK and (polled or number != self._rewound):
            self._next = self._rewound = number
        if gained or polled or ack & _NAK:
            self._polls = 0
            self._timer_ms = self._heard_ms
            self._wait_ms = LINK_RESEND_MS

    # --- to the line --------------------------------------------------------------------

    def transmit(self, now_ms: int) -> "Buffer":
        """At most one frame to put on the wire now, b"" when there is none.

        A view of the link's own memory: write it out before the next call.
        """
        if self._state == _OPENING and self._expired(now_ms):
            self._control = _HELLO
        if self._control >= 0:
            return self._send_control(now_ms)
        if self._state != _OPEN:
            return b""
        if len(self._read) - self.available >= self._spare_bytes:
            self._released = self._expected
        if self._may_send():
            return self._send_data(now_ms)
        if self._answer or (self._released == self._expected and self._ack_due(now_ms)):
            return self._send_small(_ACK, self._ack())
        if self._next != self._oldest and self._expired(now_ms):
            return self._send_poll(now_ms)
        return b""

    def _expired(self, now_ms: int) -> bool:
        return (now_ms - self._timer_ms) & _CLOCK_MASK >= self._wait_ms

    def _ack_due(self, now_ms: int) -> bool:
        if self._nak:
            return True
        if self.is_device or self._owed >= _HOST_ACK_FRAMES:
            return self._owed > 0
        return self._owed > 0 and (now_ms - self._owed_ms) & _CLOCK_MASK >= _HOST_ACK_MS

    def _may_send(self) -> bool:
        if self._polls:
            return False
        if self._next == self._last:
            if not self._fill:
                return False
            raw_bytes = self._fill + _OVERHEAD_BYTES
        else:
            raw_bytes = self._slots[self._slot(self._next) + 1] + _OVERHEAD_BYTES
        if self.is_device:
            return True  # its credit is its slots
        number = self._oldest
        while number != self._next:
            raw_bytes += self._slots[self._slot(number) + 1] + _OVERHEAD_BYTES
            number = (number + 1) & _SEQ
        return raw_bytes <= LINK_CREDIT_BYTES

    def _send_data(self, now_ms: int) -> memoryview:
        number = self._next
        if number == self._last:
            self._close_slot()
        if number == self._oldest:
            self._timer_ms = now_ms
            self._wait_ms = LINK_RESEND_MS
        self._next = (number + 1) & _SEQ
        if number == self._high:
            self._high = self._next
        else:
            self.resent += 1
        at = self._slot(number)
        return self._seal(self._slots[at : at + LINK_FRAME_MAX_BYTES], number, self._ack())

    def _ack(self) -> int:
        """The ack byte as of now; what it tells is no longer owed."""
        ack = self._released
        if (self._nak or self._answer) and self._released == self._expected:
            ack |= _NAK
            self._nak = False
        if self._released == self._expected:
            self._owed = 0
        self._answer = False
        return ack

    def _send_poll(self, now_ms: int) -> "Buffer":
        if self._polls >= LINK_POLLS_MAX:
            self._state = _CLOSED
            return b""
        self._polls += 1
        self._back_off(now_ms)
        return self._send_small(_ACK, self._ack() | _POLL)

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
        return self._seal(self._small, kind, ack)

    def _seal(self, frame: memoryview, kind: int, ack: int) -> memoryview:
        """Fill in the header around the length, and the CRC; returns the frame alone."""
        crc_at = frame[1] + LINK_HEADER_BYTES
        frame[0] = LINK_SYNC
        frame[2] = kind
        frame[3] = ack
        frame[crc_at : crc_at + LINK_CRC_BYTES] = (crc32(frame[1:crc_at]) & 0xFFFFFF).to_bytes(
            LINK_CRC_BYTES, "big"
        )
        return frame[: crc_at + LINK_CRC_BYTES]
