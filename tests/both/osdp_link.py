"""A panel and the model of a reader, with nothing but a hand between them (both)."""

from protocol.osdp import REPLY_RAW
from protocol.osdp_frame import Receiver
from protocol.osdp_panel import ONLINE, Panel
from tests.both.block_cipher import aes
from tests.both.osdp_reader import Reader

KEY = bytes(range(1, 17))
OTHER = bytes(range(17, 33))
BITS = "00110011100011110000111111"  # 26, both parities right


class Wire:
    """A panel and a reader; every answer passes through `change`."""

    def __init__(self, key: "bytes | None", reader: Reader) -> None:
        self.nonces = 0
        self.panel = Panel(5, key, 9600, False, aes, self.random)
        self.reader = reader
        self.sent = b""
        self.answers: "list[bytes]" = []
        self._receiver = Receiver()
        self._out = bytearray(128)

    def random(self, count: int) -> bytes:
        self.nonces += 1
        return bytes((0x80 + self.nonces,)) * count

    def exchange(self, change=None) -> "tuple[int, bytes]":
        """(reply to believe, its data) of one command."""
        self.sent = bytes(self._out[: self.panel.compose(self._out)])
        answer = self.reader.hear(self.sent)
        self.answers.append(answer)
        if change is not None:
            answer = change(answer)
        self._receiver.clear()
        length = self._receiver.take(answer, len(answer))
        frame = self._receiver.frame
        if length <= 0:
            self.panel.unanswered()
            return 0, b""
        reply = self.panel.receive(frame, length)
        return reply, bytes(frame[self.panel.data_at : self.panel.data_end]) if reply else b""

    def run(self, turns: int = 12) -> "list[tuple[int, bytes]]":
        """What there was to believe in so many exchanges."""
        replies = [self.exchange() for _ in range(turns)]
        return [reply for reply in replies if reply[0]]


def online(key: "bytes | None" = KEY) -> Wire:
    wire = Wire(key, Reader(5, key))
    wire.run()
    assert (wire.panel.state, wire.panel.trouble) == (ONLINE, 0)
    return wire


def dropped(wire: Wire) -> bool:
    """Whether the panel has ended the session."""
    return wire.panel.state != ONLINE


def repaired(wire: Wire) -> bool:
    """Whether a card is believed again, in a session of its own."""
    wire.reader.events = []
    wire.run()
    wire.reader.swipe_card(BITS)
    return wire.panel.trouble == 0 and [reply for reply, _ in wire.run(3)] == [REPLY_RAW]


def nothing(_: bytes) -> bytes:
    return b""
