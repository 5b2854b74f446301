"""A PN532 on its high-speed UART, as UM0701-02 describes it (both).

Bytes go in by `receive`, `send()` gives what comes out. It sleeps until it hears 0x55 and stays in
its low-battery mode until SAMConfiguration (7.2.10); confirms each frame (6.2.1); answers a wrong
one with nothing, an unknown command with the syntax error frame. `field` holds the cards.

A card in ISO-DEP or of type B answers one activation for as long as the field is on, which makes a
driver that never turns it off read a card once.
"""

ACK = b"\x00\x00\xff\x00\xff\x00"
SYNTAX_ERROR = b"\x00\x00\xff\x01\xff\x7f\x81\x00"
TYPE_A, TYPE_B = 2, 3
_TO_CHIP, _FROM_CHIP = 0xD4, 0xD5
_ATS = b"\x06\x75\x77\x81\x02\x80"
_ID_CARD_ATQB = b"\x50\x00\x00\x00\x00\xd1\x03\x86\x0c\x00\x80\x80"
_TIMEOUT_STATUS = 0x01
_ATTRIB = b"\x1d\x00\x00\x00\x00\x00\x08\x01\x08"


class Card:
    """kind: TYPE_A or TYPE_B; number: its UID or the ID card's identifier; sak: of type A."""

    def __init__(self, kind: int, number: bytes, sak: int = 0x08, is_id_card: bool = True) -> None:
        self.kind = kind
        self.number = number
        self.sak = sak
        self.is_id_card = is_id_card
        self.state = 0  # of type B: 0 idle, 1 requested, 2 attributed; of ISO-DEP: 2 activated


class Pn532:
    """Faults: `silent` (no supply), `flip` (a bit of the next answer), `cut` (bytes of it)."""

    def __init__(self) -> None:
        self.field: "list[Card]" = []
        self.silent = False
        self.flip = -1
        self.cut = 0
        self.commands: "list[int]" = []
        self.version = b"\x32\x01\x06\x07"
        self._out = bytearray()
        self._in = bytearray()
        self.reset()

    def reset(self) -> None:
        """As after its supply came."""
        self._awake = False
        self._set_up = False
        self._field_on = False
        self._retries = 0xFF
        self._type_b = False
        self._in = bytearray()

    def hold(self, *cards: Card) -> None:
        """These cards are in the field now, and no other."""
        self.field = list(cards)

    def receive(self, data: bytes) -> None:
        """Bytes from the host."""
        if self.silent:
            return
        for byte in data:
            if not self._awake:
                self._awake = byte == 0x55
            self._in.append(byte)
        while self._step():
            pass

    def send(self) -> bytes:
        """Bytes to the host since the last call."""
        sent = bytes(self._out)
        self._out = bytearray()
        return sent

    def _step(self) -> bool:
        """Take one frame from what has come in."""
        data = bytes(self._in)
        at = data.find(b"\x00\xff")
        if at < 0 or len(data) < at + 4:
            return False
        length, check = data[at + 2], data[at + 3]
        if length == 0 and check == 0xFF:  # the host gives up what is under way
            self._in = bytearray(data[at + 4 :])
            return True
        if length + check & 0xFF:
            self._in = bytearray(data[at + 2 :])
            return True
        end = at + 4 + length
        if len(data) < end + 1:
            return False
        body = data[at + 4 : end]
        self._in = bytearray(data[end + 1 :])
        if self._awake and not sum(body) + data[end] & 0xFF and body[0] == _TO_CHIP:
            self._out.extend(ACK)
            self._answer(body[1], body[2:])
        return True

    def _answer(self, command: int, data: bytes) -> None:
        self.commands.append(command)
        if command == 0x14:
            self._set_up = True
        if not self._set_up:
            return
        found = self._result(command, data)
        if found is None:
            self._out.extend(SYNTAX_ERROR)
            return
        body = bytes((_FROM_CHIP, command + 1)) + found
        frame = bytearray(b"\x00\x00\xff" + bytes((len(body), -len(body) & 0xFF)) + body)
        frame.extend(bytes((-sum(body) & 0xFF, 0)))
        if self.flip >= 0:
            frame[self.flip >> 3] ^= 1 << (self.flip & 7)
            self.flip = -1
        if self.cut:
            frame = frame[: -self.cut]
            self.cut = 0
        self._out.extend(frame)

    def _result(self, command: int, data: bytes) -> "bytes | None":
        if command == 0x14:
            return b""
        if command == 0x02:
            return self.version
        if command == 0x32:
            return self._configure(data)
        if command == 0x4A:
            return self._list(data[0], data[1])
        if command == 0x42:
            return self._through(data)
        return None

    def _configure(self, data: bytes) -> bytes:
        if data[0] == 0x01:
            self._turn_field(bool(data[1] & 1))
        elif data[0] == 0x05:
            self._retries = data[3]
        return b""

    def _turn_field(self, on: bool) -> None:
        if on != self._field_on:
            self._field_on = on
            for card in self.field:
                card.state = 0

    def _list(self, most: int, modulation: int) -> "bytes | None":
        self._turn_field(True)
        self._type_b = modulation == 0x03
        if modulation == 0x00:
            found = [self._type_a(c) for c in self.field if c.kind == TYPE_A and c.state != 2]
        elif modulation == 0x03:
            found = [self._type_b_of(c) for c in self.field if c.kind == TYPE_B and not c.state]
        else:
            return None
        found = found[:most]
        if not found and self._retries == 0xFF:
            return None  # it would look for ever
        answer = bytes((len(found),))
        for number, target in enumerate(found):
            answer += bytes((number + 1,)) + target
        return answer

    @staticmethod
    def _type_a(card: Card) -> bytes:
        atqa = b"\x00\x04" if len(card.number) == 4 else b"\x00\x44"
        found = atqa + bytes((card.sak, len(card.number))) + card.number
        if card.sak & 0x20:
            card.state = 2
            found += _ATS
        return found

    @staticmethod
    def _type_b_of(card: Card) -> bytes:
        card.state = 2
        return _ID_CARD_ATQB + b"\x01\x01"

    def _through(self, data: bytes) -> bytes:
        """Raw bytes to the one card of type B; status 1 when nobody answers in time."""
        cards = [card for card in self.field if card.kind == TYPE_B]
        if not self._field_on or not self._type_b or len(cards) != 1:
            return bytes((_TIMEOUT_STATUS,))
        card = cards[0]
        if data == b"\x05\x00\x00" and card.state == 0:
            card.state = 1
            return b"\x00" + _ID_CARD_ATQB
        if data == _ATTRIB and card.state == 1:
            card.state = 2
            return b"\x00\x08"
        if data == b"\x00\x36\x00\x00\x08" and card.state == 2 and card.is_id_card:
            return b"\x00" + card.number + b"\x90\x00"
        return bytes((_TIMEOUT_STATUS,))
