"""OSDP's secure channel as a panel keeps it: AES-128, keys of a session, chained MACs (both).

- Both sides prove that they know the key before anything else is believed: the reader by its
  cryptogram (CCRYPT), and once more by the first MAC, which the panel knows beforehand (RMAC_I).
- Each MAC begins with the one before it from the other side. So a reply counts once, in its place,
  as the answer to the command that was sent; a replayed, left-out or altered one does not fit.
- Data are hidden by CBC from the complement of the same MAC, filled up with 0x80 and zeros.

`aes(key, 1)` is cryptolib's: an object with encrypt and decrypt of whole blocks (ECB). A session
makes four of them and what they need is allocated then; sealing and opening allocate nothing.
"""

from protocol.osdp import CRC_BYTES, KEY_BYTES, MAC_BYTES
from protocol.osdp_frame import put_length

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

_ECB = 1
_FILL = 0x80


class Secure:
    """One reader's session; `up` while both sides have proven themselves."""

    def __init__(self, aes: "Callable[..., Any]", random: "Callable[[int], bytes]") -> None:
        self._aes = aes
        self._random = random
        self.nonce = b""
        self._block = bytearray(KEY_BYTES)
        self._theirs = bytearray(KEY_BYTES)  # MAC of the last reply
        self.ours = bytearray(KEY_BYTES)  # MAC of the last command; before: the panel's cryptogram
        self._enc: "Any" = None
        self.up = False

    def begin(self) -> bytes:
        """A fresh nonce of 8 bytes for CHLNG."""
        self.up = False
        self.nonce = self._random(8)
        return self.nonce

    def meet(self, key: bytes, frame: bytearray, at: int) -> bool:
        """Take CCRYPT's nonce (at + 8) and cryptogram (at + 16); whether they prove the key.

        `ours` then holds the cryptogram for SCRYPT.
        """
        aes, block, ours, nonce = self._aes, self._block, self.ours, self.nonce
        root = aes(key, _ECB)
        self._derive(root, 0x82)
        self._enc = aes(block, _ECB)
        self._dec = aes(block, _ECB)
        self._derive(root, 0x01)
        self._mac1 = aes(block, _ECB)
        self._derive(root, 0x02)
        self._mac2 = aes(block, _ECB)
        for i in range(8):
            block[i] = ours[8 + i] = nonce[i]
            block[8 + i] = ours[i] = frame[at + 8 + i]
        self._enc.encrypt(block, block)
        proven = self._is_block(frame, at + 16, KEY_BYTES)
        self._enc.encrypt(ours, ours)
        self._mac1.encrypt(ours, block)
        self._mac2.encrypt(block, block)
        self._block, self._theirs = self._theirs, block
        return proven

    def _derive(self, root: "Any", label: int) -> None:
        block, nonce = self._block, self.nonce
        for i in range(KEY_BYTES):
            block[i] = nonce[i - 2] if 2 <= i < 8 else 0
        block[0] = 0x01
        block[1] = label
        root.encrypt(block, block)

    def settle(self, frame: bytearray, at: int) -> bool:
        """Take RMAC_I; whether it is the MAC that the key makes."""
        block = self._block
        for i in range(KEY_BYTES):
            block[i] = self._theirs[i]
        self.up = self._is_block(frame, at, KEY_BYTES)
        return self.up

    def _is_block(self, frame: bytearray, at: int, count: int) -> bool:
        """Whether `count` bytes there are those of the scratch block; in constant time."""
        wrong = 0
        for i in range(count):
            wrong |= self._block[i] ^ frame[at + i]
        return not wrong

    def seal(self, frame: bytearray, data: int, end: int) -> int:
        """Hide a command's frame[data:end] and add the MAC. Returns the new end."""
        if end > data:
            frame[end] = _FILL
            end += 1
            while (end - data) & 15:
                frame[end] = 0
                end += 1
            self._hide(frame, data, end)
        put_length(frame, end + MAC_BYTES + CRC_BYTES)
        self._mac(frame, end, self._theirs)
        block = self._block
        self.ours, self._block = block, self.ours
        for i in range(MAC_BYTES):
            frame[end + i] = block[i]
        return end + MAC_BYTES

    def open(self, frame: bytearray, data: int, end: int, hidden: bool) -> int:
        """Prove a reply whose MAC ends at `end` and reveal its data. Returns their end, or -1."""
        end -= MAC_BYTES
        if end < data or (hidden and (end == data or (end - data) & 15)):
            return -1
        self._mac(frame, end, self.ours)
        if not self._is_block(frame, end, MAC_BYTES):
            return -1
        self._theirs, self._block = self._block, self._theirs
        if not hidden:
            return end
        self._reveal(frame, data, end)
        end -= 1
        while end > data and not frame[end]:
            end -= 1
        return end if frame[end] == _FILL else -1

    def _mac(self, frame: bytearray, end: int, before: bytearray) -> None:
        """Into the scratch block: the MAC of frame[:end] that follows `before`."""
        block = self._block
        for i in range(KEY_BYTES):
            block[i] = before[i]
        at = 0
        while True:
            for i in range(KEY_BYTES):
                if at < end:
                    block[i] ^= frame[at]
                elif at == end:
                    block[i] ^= _FILL
                at += 1
            if at >= end:
                break
            self._mac1.encrypt(block, block)
        self._mac2.encrypt(block, block)

    def _hide(self, frame: bytearray, at: int, end: int) -> None:
        block = self._block
        for i in range(KEY_BYTES):
            block[i] = self._theirs[i] ^ 0xFF
        while at < end:
            for i in range(KEY_BYTES):
                block[i] ^= frame[at + i]
            self._enc.encrypt(block, block)
            for i in range(KEY_BYTES):
                frame[at + i] = block[i]
            at += KEY_BYTES

    def _reveal(self, frame: bytearray, data: int, end: int) -> None:
        """From the last block to the first: what each is mixed with still stands before it."""
        block = self._block
        at = end
        while at > data:
            at -= KEY_BYTES
            for i in range(KEY_BYTES):
                block[i] = frame[at + i]
            self._dec.decrypt(block, block)
            for i in range(KEY_BYTES):
                before = frame[at - KEY_BYTES + i] if at > data else self.ours[i] ^ 0xFF
                frame[at + i] = block[i] ^ before
