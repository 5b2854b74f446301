"""Fifty cards one after another at one reader: each is taken, in order (MicroPython)."""

from firmware.pace import Pace
from firmware.swipes import Swipes
from protocol.codes import CREDENTIAL_EM4100

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.reading import Reader

CARDS = 50
RING_BYTES = 1024  # of a reader's UART, boards/*/board.py
BUFFER_BYTES = 64  # a frame that begins at the end of a driver's buffer is done a turn later


class Uart:
    """What has come and was not read yet; what does not fit would be lost."""

    def __init__(self) -> None:
        self.waiting = b""

    def send(self, data: bytes) -> None:
        self.waiting += data
        assert len(self.waiting) <= RING_BYTES

    def any(self) -> int:
        return len(self.waiting)

    def readinto(self, buffer: bytearray) -> int:
        count = min(len(buffer), len(self.waiting))
        buffer[:count] = self.waiting[:count]
        self.waiting = self.waiting[count:]
        return count


class Gate:
    """As much of a controller as its readers need; `seen` is what came through."""

    def __init__(self) -> None:
        self.uart = Uart()
        self.board = self.journal = self.config = self
        self.settings: dict[int, Any] = {}
        self.enrolment = None
        self.pace = Pace()
        self.seen: list[bytes] = []
        self.lost = self.doubtful = 0
        self._swipes: Any = Swipes(self, self.take)

    def readers(self) -> "list[tuple[str, Uart, dict[str, Any]]]":
        return [("rdm6300", self.uart, {})]

    def take(self, reader: "Reader") -> None:
        assert reader.driver.type == CREDENTIAL_EM4100
        self.seen.append(bytes(reader.driver.credential))

    def note(self, *_: "Any", **__: "Any") -> None:
        self.doubtful += 1

    def turn(self) -> None:
        self._swipes.poll()


def card(number: int) -> bytes:
    return bytes((1, 2, 3, 4, number))


def frame(credential: bytes) -> bytes:
    check = 0
    for byte in credential:
        check ^= byte
    digits = "".join(["%02X" % byte for byte in credential + bytes((check,))])  # noqa: UP031
    return b"\x02" + digits.encode() + b"\x03"


def test_fifty_cards_that_came_while_nobody_looked_are_all_taken_in_order() -> None:
    gate = Gate()
    for number in range(CARDS):
        gate.uart.send(frame(card(number)))
    for _ in range(CARDS + RING_BYTES // BUFFER_BYTES):
        gate.turn()
    assert gate.seen == [card(number) for number in range(CARDS)]
    assert not gate.doubtful


def test_a_turn_of_the_door_takes_one_card_and_lets_the_others_wait() -> None:
    gate = Gate()
    for number in range(3):
        gate.uart.send(frame(card(number)))
    for taken in (1, 2, 3, 3):
        gate.turn()
        assert len(gate.seen) == taken


def test_noise_holds_no_card_up() -> None:
    gate = Gate()
    for number in range(10):
        gate.uart.send(b"\x02\x02" + frame(card(number)))
    for _ in range(10):
        gate.turn()
    assert gate.seen == [card(number) for number in range(10)]
    assert gate.doubtful == 20
