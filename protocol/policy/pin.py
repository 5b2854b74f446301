"""What is typed at one reader: a PIN alone, or one after a card (both, pure).

Rules:

- a PIN has PIN_DIGITS_MIN to PIN_DIGITS_MAX digits and ends with KEY_ENTER; KEY_CLEAR empties it
- alone it is a credential of type CREDENTIAL_PIN; after a card that waits for one, of type
  CREDENTIAL_CARD_PIN, which holds card and digits
- another number of digits is a wrong attempt, told apart only in the journal
- a card waits for so many seconds as it is given; each key gives that time anew. When it is over,
  what was typed is forgotten and the card has been denied
- a card that leaves no room for the digits beside it cannot wait for a PIN
- digits are overwritten as soon as they have been judged or given up: no PIN stays
"""

from protocol.codes import CREDENTIAL_CARD_PIN, CREDENTIAL_PIN
from protocol.constants import CREDENTIAL_MAX_BYTES, PIN_DIGITS_MAX, PIN_DIGITS_MIN

KEY_CLEAR = 10
KEY_ENTER = 11

WAITS = 0
READY = 1  # a credential to judge
WRONG = 2  # too few digits or too many

_HEAD_BYTES = 2
_ZERO = 0x30


class Pad:
    """After READY: `kind` and credential(); `card_key` is that of the card, or empty."""

    def __init__(self) -> None:
        self._buffer = bytearray(CREDENTIAL_MAX_BYTES)
        self._begin = 0  # where the digits begin
        self._count = 0  # digits typed; more than fit are counted and not kept
        self._left_s = 0
        self.kind = CREDENTIAL_PIN
        self.card_key = b""

    def hold(self, kind: int, credential: "bytes | memoryview", key: bytes, wait_s: int) -> bool:
        """A card waits for its PIN; False when there is no room for both."""
        self.forget()
        begin = _HEAD_BYTES + len(credential)
        if begin + PIN_DIGITS_MAX > CREDENTIAL_MAX_BYTES:
            return False
        self._buffer[0] = kind
        self._buffer[1] = len(credential)
        self._buffer[_HEAD_BYTES:begin] = credential
        self._begin = begin
        self._left_s = wait_s
        self.kind = CREDENTIAL_CARD_PIN
        self.card_key = key
        return True

    def press(self, key: int, wait_s: int) -> int:
        """A key; returns WAITS, READY or WRONG. After the latter two: forget()."""
        self._left_s = wait_s
        if key == KEY_ENTER:
            if not self._count:
                return WAITS
            return READY if PIN_DIGITS_MIN <= self._count <= PIN_DIGITS_MAX else WRONG
        if key == KEY_CLEAR:
            self._count = 0
        elif 0 <= key <= 9:
            if self._count < PIN_DIGITS_MAX:
                self._buffer[self._begin + self._count] = _ZERO + key
            self._count += 1
        return WAITS

    def card(self) -> "tuple[int, memoryview]":
        """Type and bytes of the card that waits."""
        return self._buffer[0], memoryview(self._buffer)[_HEAD_BYTES : self._begin]

    def credential(self) -> memoryview:
        """What is to be judged; good until forget()."""
        return memoryview(self._buffer)[: self._begin + self._count]

    def second(self) -> bool:
        """A second has passed; True when a card has waited in vain. Then: forget()."""
        if self._left_s:
            self._left_s -= 1
            if not self._left_s:
                if self.card_key:
                    return True
                self.forget()
        return False

    @property
    def waits(self) -> bool:
        """Whether somebody is expected to type."""
        return self._left_s > 0

    def forget(self) -> None:
        """Nothing was typed, no card waits."""
        for at in range(CREDENTIAL_MAX_BYTES):
            self._buffer[at] = 0
        self._begin = self._count = self._left_s = 0
        self.kind = CREDENTIAL_PIN
        self.card_key = b""
