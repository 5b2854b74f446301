"""A serial line in simulated time, as unkind as the real one, with two links on it (both).

115 200 baud both ways, one step a millisecond. The controller's input ring holds 259 bytes and
drops what does not fit, without a word; while the controller computes, nobody empties it.
"""

import gc

from protocol.constants import LINK_CRC_BYTES, LINK_CREDIT_BYTES, LINK_HEADER_BYTES
from protocol.link import Link
from protocol.link_frames import CLOCK_MASK, KIND, KIND_DATA, NUMBER, FrameReader

RING_BYTES = 259
BYTES_PER_MS = 11


class Faults:
    """Spoils one byte in `every` (0: none): drops, changes or doubles it, by a fixed sequence."""

    def __init__(self, every: int, seed: int = 1, kinds: str = "dcx") -> None:
        self.every = every
        self.kinds = kinds
        self._state = seed * 0x9E37 + 1 & 0x3FFFFFFF

    def _random(self, below: int) -> int:
        self._state = (self._state * 0x5E4D + 0x3A2B) & 0x3FFFFFFF
        return (self._state >> 11) % below

    def spoil(self, byte: int) -> bytes:
        if not self.every or self._random(self.every):
            return bytes((byte,))
        kind = self.kinds[self._random(len(self.kinds))]
        if kind == "d":
            return b""
        if kind == "c":
            return bytes((byte ^ 1 << self._random(8),))
        return bytes((byte, byte))


class CreditWatch:
    """Counts, from what passes on the wire, the host's raw bytes that no answer has covered."""

    def __init__(self) -> None:
        self.most_bytes = 0
        self._sizes = {}  # type: dict[int, int]
        self._sent = FrameReader(self._on_sent)
        self._heard = FrameReader(self._on_heard)

    def sent(self, frame: bytes, now_ms: int) -> None:
        self._sent.feed(frame, now_ms)

    def heard(self, data: bytes, now_ms: int) -> None:
        self._heard.feed(data, now_ms)

    def restart(self) -> None:
        self._sizes.clear()

    def _on_sent(self, head: int, _ack: int, payload: memoryview) -> None:
        if head & KIND == KIND_DATA:
            self._sizes[head & NUMBER] = len(payload) + LINK_HEADER_BYTES + LINK_CRC_BYTES
            self.most_bytes = max(self.most_bytes, sum(self._sizes.values()))

    def _on_heard(self, head: int, ack: int, _payload: memoryview) -> None:
        if head & KIND < 0x80:
            expected = ack & NUMBER
            for number in list(self._sizes):
                if (expected - 1 - number) & NUMBER < NUMBER // 2:
                    del self._sizes[number]


class Line:
    """Both ends and what lies between; step() is a millisecond."""

    def __init__(
        self, faults: "Faults | None" = None, noise: bytes = b"", start_ticks: int = 0
    ) -> None:
        self.host = Link(False)
        self.device = Link(True)
        self.faults = faults or Faults(0)
        self.now_ms = 0
        self.ticks = start_ticks  # what the links take for the time: it wraps
        self.computes_until_ms = 0
        self.dropped = 0  # bytes that found the ring full
        self.most_in_ring = 0
        self.to_device_bytes = 0
        self.watch = CreditWatch()
        self._to_device = bytearray()
        self._to_host = bytearray(noise)
        self._ring = bytearray()

    def step(self) -> None:
        self.now_ms += 1
        self.ticks = (self.ticks + 1) & CLOCK_MASK
        self._carry_to_device()
        if self.now_ms >= self.computes_until_ms:
            self._device_turn()
        self._host_turn()

    def _carry_to_device(self) -> None:
        for byte in self._to_device[:BYTES_PER_MS]:
            spoilt = self.faults.spoil(byte)
            if len(self._ring) + len(spoilt) > RING_BYTES:
                self.dropped += 1
            else:
                self._ring += spoilt
        self._to_device = self._to_device[BYTES_PER_MS:]
        self.most_in_ring = max(self.most_in_ring, len(self._ring))

    def _device_turn(self) -> None:
        data = bytes(self._ring)
        self._ring = bytearray()
        self.device.receive(data, self.ticks)
        # it blocks while the FIFO of 128 bytes is full: a frame goes when there is room
        while len(self._to_host) < 32:
            frame = bytes(self.device.transmit(self.ticks))
            if not frame:
                return
            self._to_host += frame

    def _host_turn(self) -> None:
        arrived = b""
        for byte in self._to_host[:BYTES_PER_MS]:
            arrived += self.faults.spoil(byte)
        self._to_host = self._to_host[BYTES_PER_MS:]
        self.watch.heard(arrived, self.ticks)
        self.host.receive(arrived, self.ticks)
        while True:
            frame = bytes(self.host.transmit(self.ticks))
            if not frame:
                return
            self.watch.sent(frame, self.ticks)
            self.to_device_bytes += len(frame)
            self._to_device += frame

    def connect(self, session: bytes = b"abcd", within_ms: int = 20000) -> None:
        """Open a session from the host."""
        self.host.open(session)
        self.watch.restart()
        end_ms = self.now_ms + within_ms
        while not self.host.connected or self.device.session != session:
            assert self.now_ms < end_ms, "no session after %d ms" % within_ms
            self.step()

    def carry(
        self,
        to_device: bytes,
        to_host: bytes = b"",
        pauses: "tuple[tuple[int, int], ...]" = (),
        within_ms: int = 120000,
    ) -> "tuple[bytes | memoryview, bytes | memoryview]":
        """Send both ways at once until all has arrived; what arrived at the device and the host.

        pauses: (after so many ms, the device computes for so many ms).
        """
        gc.collect()  # two ends and their line share one controller's heap
        start_ms = self.now_ms
        written = [0, 0]
        got = [_Arrivals(len(to_device)), _Arrivals(len(to_host))]
        down, up = memoryview(to_device), memoryview(to_host)
        while got[0].missing or got[1].missing:
            assert self.now_ms - start_ms < within_ms, "not through after %d ms" % within_ms
            assert self.host.connected, "the host lost its session"
            assert self.device.connected, "the controller lost its session"
            for after_ms, for_ms in pauses:
                if self.now_ms - start_ms == after_ms:
                    self.computes_until_ms = self.now_ms + for_ms
            written[0] += self.host.write(down[written[0] : written[0] + 400])
            written[1] += self.device.write(up[written[1] : written[1] + 400])
            self.step()
            if self.now_ms >= self.computes_until_ms:
                got[0].take(self.device)
            got[1].take(self.host)
        assert self.watch.most_bytes <= LINK_CREDIT_BYTES, self.watch.most_bytes
        return got[0].whole(), got[1].whole()


class _Arrivals:
    """What one end has received, in memory that was there before; a byte too many shows."""

    def __init__(self, expected: int) -> None:
        self.data = bytearray(expected + 1)
        self.missing = expected

    def take(self, link: Link) -> None:
        count = 1
        while count:
            at = len(self.data) - 1 - self.missing
            count = link.read_into(memoryview(self.data)[at:])
            self.missing -= count
            assert self.missing >= 0, "more arrived than was sent"

    def whole(self) -> memoryview:
        """All of it, where it lies: the heap has no room for another."""
        return memoryview(self.data)[:-1]


def pattern(length: int, seed: int = 0) -> bytes:
    """Bytes that show a loss, a doubling or a swap, full of sync bytes."""
    return bytes((0xC5 if i % 5 == 0 else (i * 7 + i // 251 + seed) & 0xFF) for i in range(length))
