"""A model of an OSDP reader, written from the standard and without the panel's own code (both).

It answers commands as `hear(frame)`; what it was told to do stands in `done`. Slow and plain: every
step of its cryptography makes new bytes. That it agrees with libosdp is what the vectors show.
"""

from tests.both.block_cipher import aes

SCBK_D = bytes(range(0x30, 0x40))
IDENTITY = bytes(range(12))
CAPABILITIES = b"\x04\x01\x01\x05\x01\x01\x06\x01\x01\x09\x01\x01"


def crc(data: bytes) -> int:
    """Bit by bit."""
    value = 0x1D0F
    for byte in data:
        for bit in range(8):
            top = value >> 15 ^ byte >> 7 - bit & 1
            value = (value << 1 ^ (0x1021 if top else 0)) & 0xFFFF
    return value


def with_crc(body: bytes) -> bytes:
    """`body` with its length set and its CRC behind it."""
    length = len(body) + 2
    body = body[:2] + bytes((length & 0xFF, length >> 8)) + body[4:]
    return body + crc(body).to_bytes(2, "little")


def block(key: bytes, data: bytes, back: bool = False) -> bytes:
    out = bytearray(16)
    cipher = aes(key, 1)
    (cipher.decrypt if back else cipher.encrypt)(data, out)
    return bytes(out)


def mix(a: bytes, b: bytes) -> bytes:
    return bytes([x ^ y for x, y in zip(a, b)])  # noqa: B905


def inverted(data: bytes) -> bytes:
    return bytes([byte ^ 0xFF for byte in data])


class Session:
    """Keys of one secure channel, and the MACs of both sides."""

    def __init__(self, key: bytes, panel_nonce: bytes, reader_nonce: bytes) -> None:
        def derived(a: int) -> bytes:
            return block(key, bytes((1, a)) + panel_nonce[:6] + bytes(8))

        self.enc, self.mac1, self.mac2 = derived(0x82), derived(0x01), derived(0x02)
        self.reader_cryptogram = block(self.enc, panel_nonce + reader_nonce)
        self.panel_cryptogram = block(self.enc, reader_nonce + panel_nonce)
        self.reply_mac = block(self.mac2, block(self.mac1, self.panel_cryptogram))
        self.command_mac = bytes(16)

    def mac(self, data: bytes, before: bytes) -> bytes:
        if len(data) % 16:
            data += b"\x80" + bytes(-(len(data) + 1) % 16)
        value = before
        for at in range(0, len(data), 16):
            last = at + 16 == len(data)
            value = block(self.mac2 if last else self.mac1, mix(value, data[at : at + 16]))
        return value

    def hide(self, data: bytes, before: bytes) -> bytes:
        data += b"\x80" + bytes(-(len(data) + 1) % 16)
        value, out = inverted(before), b""
        for at in range(0, len(data), 16):
            value = block(self.enc, mix(value, data[at : at + 16]))
            out += value
        return out

    def reveal(self, data: bytes, before: bytes) -> bytes:
        value, out = inverted(before), b""
        for at in range(0, len(data), 16):
            out += mix(value, block(self.enc, data[at : at + 16], True))
            value = data[at : at + 16]
        return out.rstrip(b"\x00")[:-1]


class Reader:
    """One reader at `address`. key None: it knows no secure channel; `factory`: SCBK-D too."""

    def __init__(self, address: int, key: "bytes | None" = None, factory: bool = False) -> None:
        self.address = address
        self.key = key
        self.factory = factory
        self.baud = 9600
        self.done: "list[tuple[int, bytes]]" = []
        self.events: "list[bytes]" = []  # replies to POLL that wait
        self.session: "Session | None" = None
        self.open = False
        self.sequence = -1
        self.last = b""
        self.status = bytes(2)
        self._next_baud = 0
        self._nonces = 0

    def swipe_card(self, bits: str, format_code: int = 1) -> None:
        """Bits as a text of 0 and 1."""
        data = bits + "0" * (-len(bits) % 8)
        packed = bytes([int(data[at : at + 8], 2) for at in range(0, len(data), 8)])
        self.events.append(bytes((0x50, 0, format_code, len(bits) & 0xFF, len(bits) >> 8)) + packed)

    def press_keys(self, keys: bytes) -> None:
        self.events.append(bytes((0x53, 0, len(keys))) + keys)

    def report_status(self, tamper: int, power: int) -> None:
        self.status = bytes((tamper, power))
        self.events.append(b"\x48" + self.status)

    def restart(self) -> None:
        """Its power came back."""
        self.session = None
        self.open = False
        self.sequence = -1

    def hear(self, frame: bytes) -> bytes:
        """What it answers; nothing when that is not for it."""
        if frame[0] != 0x53 or frame[1] != self.address or frame != with_crc(frame[:-2]):
            return b""
        sequence = frame[4] & 3
        if sequence and sequence == self.sequence:
            return self.last  # it did answer, and was not heard
        if sequence == 0:
            self.restart()
        elif sequence != self.sequence % 3 + 1:
            return self._plain(sequence, b"\x41\x04")
        self.sequence = sequence
        self.last = self._judge(frame, sequence)
        if self._next_baud:
            self.baud, self._next_baud = self._next_baud, 0
        return self.last

    def _judge(self, frame: bytes, sequence: int) -> bytes:
        secured = frame[4] & 8
        at = 5 + (frame[5] if secured else 0)
        kind = frame[6] if secured else 0
        command, data = frame[at], frame[at + 1 : -2]
        if kind in (0x11, 0x13):
            return self._shake_hands(sequence, command, frame[7], data)
        if not self.open:
            if self.key is not None and command not in (0x61, 0x62):
                return self._plain(sequence, b"\x41\x06")
            return self._plain(sequence, self._do(command, data))
        session = self.session
        assert session is not None
        mac = session.mac(frame[:-6], session.reply_mac)
        if not secured or mac[:4] != frame[-6:-2]:
            self.restart()
            return self._plain(sequence, b"\x41\x06")
        data = data[:-4]
        if kind == 0x17:
            data = session.reveal(data, session.reply_mac)
        session.command_mac = mac
        reply = self._do(command, data)
        return self._sealed(sequence, reply)

    def _plain(self, sequence: int, reply: bytes, security: bytes = b"") -> bytes:
        control = sequence | 4 | (8 if security else 0)
        return with_crc(bytes((0x53, self.address | 0x80, 0, 0, control)) + security + reply)

    def _sealed(self, sequence: int, reply: bytes) -> bytes:
        session = self.session
        assert session is not None
        data = reply[1:]
        if data:
            data = session.hide(data, session.command_mac)
        head = bytes((0x53, self.address | 0x80, 0, 0, sequence | 12, 2, 0x18 if data else 0x16))
        body = head + reply[:1] + data
        body = body[:2] + bytes((len(body) + 6, 0)) + body[4:]
        session.reply_mac = session.mac(body, session.command_mac)
        if reply[0] == 0x40 and self.done and self.done[-1][0] == 0x75:
            self.open = False  # a new key ends the session under the old one
        return with_crc(body + session.reply_mac[:4])

    def _shake_hands(self, sequence: int, command: int, kind: int, data: bytes) -> bytes:
        key = SCBK_D if kind == 0 and self.factory else self.key
        if key is None:
            return self._plain(sequence, b"\x41\x05")
        if command == 0x76:
            self._nonces += 1
            nonce = bytes((self._nonces,)) * 8
            self.session = Session(key, data, nonce)
            reply = b"\x76" + bytes(8) + nonce + self.session.reader_cryptogram
            return self._plain(sequence, reply, bytes((3, 0x12, kind)))
        if self.session is None or data != self.session.panel_cryptogram:
            return self._plain(sequence, b"\x41\x05")
        self.open = True
        return self._plain(sequence, b"\x78" + self.session.reply_mac, b"\x03\x14\x01")

    def _do(self, command: int, data: bytes) -> bytes:
        if command == 0x60:
            return self.events.pop(0) if self.events else b"\x40"
        self.done.append((command, data))
        if command == 0x61:
            return b"\x45" + IDENTITY
        if command == 0x62:
            return b"\x46" + CAPABILITIES
        if command == 0x64:
            return b"\x48" + self.status
        if command == 0x6E:
            self._next_baud = int.from_bytes(data[1:5], "little")
            return b"\x54" + data
        if command == 0x75:
            self.key, self.factory = data[2:], False
        return b"\x40"
