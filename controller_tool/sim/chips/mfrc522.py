"""An MFRC522 on SPI, register by register, as its data sheet describes it (both).

`transfer(bytes)` is one transaction under chip select: an address byte, then data (8.1.2). The
cards of `field` have the states of ISO 14443-3: idle, ready at a level, active, halted; switching
the field off makes all of them idle. What an exchange leads to is there at once: receive or timer
interrupt.
"""

_COMMAND, _COM_IRQ, _ERROR, _STATUS2, _FIFO_DATA, _FIFO_LEVEL = 0x01, 0x04, 0x06, 0x08, 0x09, 0x0A
_BIT_FRAMING, _COLL, _TX_CONTROL, _TX_ASK, _VERSION = 0x0D, 0x0E, 0x14, 0x15, 0x37
_TRANSCEIVE, _SOFT_RESET = 0x0C, 0x0F
_FIFO_BYTES = 64
_IDLE, _ACTIVE, _HALTED = 0, 4, 5  # 1 to 3: ready at that level
_LEVELS = (0x93, 0x95, 0x97)

FAULT_SILENT = 1  # no supply: all zeros
FAULT_CRYPTO = 2  # its cipher is on, as after an authentication that went wrong
FAULT_TRANSMITTER = 4  # its field has gone off by itself


def crc_a(data: bytes) -> bytes:
    """CRC_A of ISO 14443-3, bit by bit as its annex B describes the register."""
    crc = 0x6363
    for byte in data:
        for place in range(8):
            bit = (byte >> place ^ crc) & 1
            crc = crc >> 1 ^ (0x8408 if bit else 0)
    return bytes((crc & 0xFF, crc >> 8))


class Card:
    """A card of type A with a UID of 4, 7 or 10 bytes."""

    def __init__(self, uid: bytes, sak: int = 0x08) -> None:
        self.uid = uid
        self.sak = sak
        self.state = _IDLE
        parts = [uid] if len(uid) == 4 else [b"\x88" + uid[:3], uid[3:]]
        if len(uid) == 10:
            parts = [b"\x88" + uid[:3], b"\x88" + uid[3:6], uid[6:]]
        self.parts = [p + bytes((p[0] ^ p[1] ^ p[2] ^ p[3],)) for p in parts]

    def hear(self, data: bytes, bits: int) -> bytes:
        """What it answers to an exchange; nothing to what is not meant for it."""
        if bits == 7:
            if data == b"\x52" or (data == b"\x26" and self.state != _HALTED):
                self.state = 1
                return b"\x04\x00" if len(self.uid) == 4 else b"\x44\x00"
            return b""
        level = self.state
        if not 1 <= level <= len(self.parts) or data[0] != _LEVELS[level - 1]:
            self.state = _IDLE
            return b""
        part = self.parts[level - 1]
        if data[1:] == b"\x20":
            return part
        if data == data[:2] + part + crc_a(data[:7]) and data[1] == 0x70:
            last = level == len(self.parts)
            self.state = _ACTIVE if last else level + 1
            sak = bytes((self.sak if last else 0x04,))
            return sak + crc_a(sak)
        self.state = _IDLE
        return b""


class Mfrc522:
    """flips: bits to turn over in the next answer of a card; spi_flips: in the next FIFO reads."""

    def __init__(self) -> None:
        self.field: "list[Card]" = []
        self.faults = 0
        self.flips: "list[int]" = []
        self.spi_flips: "list[int]" = []
        self.exchanges = 0
        self.version = 0x92
        self._reset()

    def _reset(self) -> None:
        self.registers = bytearray(64)
        self.registers[_VERSION] = self.version
        self.registers[_TX_CONTROL] = 0x80
        self.registers[_COM_IRQ] = 0x14
        self._fifo = bytearray()
        self._forget()

    def _forget(self) -> None:
        for card in self.field:
            card.state = _IDLE

    def hold(self, *cards: Card) -> None:
        """These cards are in the field now, and no other."""
        self.field = list(cards)

    def transfer(self, sent: bytes) -> bytes:
        """One transaction; returns as many bytes as were sent."""
        if self.faults & FAULT_SILENT:
            self._reset()
            return bytes(len(sent))
        register = sent[0] >> 1 & 0x3F
        found = bytearray(len(sent))
        for at in range(1, len(sent)):
            if sent[0] & 0x80:
                found[at] = self._look(register)
            else:
                self._set(register, sent[at])
        return bytes(found)

    def _look(self, register: int) -> int:
        if register == _FIFO_DATA:
            byte = self._fifo[0] if self._fifo else 0
            self._fifo = self._fifo[1:]
            return byte ^ (self.spi_flips.pop(0) if self.spi_flips else 0)
        if register == _FIFO_LEVEL:
            return len(self._fifo)
        if register == _STATUS2 and self.faults & FAULT_CRYPTO:
            return self.registers[register] | 0x08
        return self.registers[register]

    def _set(self, register: int, value: int) -> None:
        registers = self.registers
        if register == _FIFO_DATA:
            if len(self._fifo) < _FIFO_BYTES:
                self._fifo.append(value)
        elif register == _FIFO_LEVEL:
            if value & 0x80:
                self._fifo = bytearray()
        elif register == _COM_IRQ:
            if value & 0x80:
                registers[register] |= value & 0x7F
            else:
                registers[register] &= ~value & 0xFF
        elif register == _COMMAND and value & 0x0F == _SOFT_RESET:
            self.faults &= ~(FAULT_CRYPTO | FAULT_TRANSMITTER)
            self._reset()
        elif register != _VERSION:
            registers[register] = value
            if register == _TX_CONTROL and value & 3 != 3:
                self._forget()
            if register == _BIT_FRAMING and value & 0x80:
                self._send(value & 7)
        if self.faults & FAULT_TRANSMITTER:
            registers[_TX_CONTROL] &= 0xFC

    def _send(self, last_bits: int) -> None:
        registers = self.registers
        if registers[_COMMAND] & 0x0F != _TRANSCEIVE:
            return
        self.exchanges += 1
        data = bytes(self._fifo)
        self._fifo = bytearray()
        registers[_ERROR] = 0
        answers = []
        # without 100 % ASK no card of type A hears anything
        if registers[_TX_CONTROL] & 3 == 3 and registers[_TX_ASK] & 0x40:
            answers = [answer for answer in (c.hear(data, last_bits) for c in self.field) if answer]
        if not answers:
            registers[_COM_IRQ] |= 0x01
            return
        registers[_COM_IRQ] |= 0x30
        merged = bytearray(answers[0])
        for answer in answers[1:]:
            if answer != answers[0]:
                registers[_ERROR] |= 0x08
            for at, byte in enumerate(answer):
                if at < len(merged):
                    merged[at] |= byte
        for flip in self.flips:
            if flip >> 3 < len(merged):
                merged[flip >> 3] ^= 1 << (flip & 7)
        self.flips = []
        self._fifo = merged
