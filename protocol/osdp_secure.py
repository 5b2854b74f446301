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
from protocol.osdp_frame import copy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

_ECB = 1
_FILL = 0x80


def is_same(frame: bytearray, at: int, block: bytearray, count: int) -> bool:
    """Whether `count` bytes there are those of a block, found out in constant time."""
    wrong = 0
    for i in range(count):
        wrong |= block[i] ^ frame[at + i]
    return not wrong


class Secure:
    """One reader's session."""

    def __init__(self, aes: "Callable[..., Any]") -> None:
        self._aes = aes
        self._block = bytearray(KEY_BYTES)
        self.nonce = b""  # of CHLNG, 8 bytes, fresh each time
        self.ours = bytearray(KEY_BYTES)  # MAC of the last command; before: the panel's cryptogram
        self.theirs = bytearray(KEY_BYTES)  # MAC of the last reply; before: what RMAC_I must be

    def meet(self, key: bytes, frame: bytearray, at: int) -> bool:
        """Take CCRYPT's nonce (at + 8) and cryptogram (at + 16); whether they prove the key.

        `ours` then holds the cryptogram for SCRYPT, `theirs` the answer that it must have.
        """
        aes, block, ours, nonce = self._aes, self._block, self.ours, self.nonce
        root = aes(key, _ECB)
        self._enc = self._derived(root, 0x82)
        self._dec = aes(block, _ECB)
        self._mac1 = self._derived(root, 0x01)
        self._mac2 = self._derived(root, 0x02)
        for i in range(8):
            block[i] = ours[8 + i] = nonce[i]
            block[8 + i] = ours[i] = frame[at + 8 + i]
        self._enc.encrypt(block, block)
        proven = is_same(frame, at + 16, block, KEY_BYTES)
        self._enc.encrypt(ours, ours)
        self._mac1.encrypt(ours, block)
        self._mac2.encrypt(block, block)
        self._block, self.theirs = self.theirs, block
        return proven

    def _derived(self, root: "Any", label: int) -> "Any":
        block, nonce = self._block, self.nonce
        for i in range(KEY_BYTES):
            block[i] = nonce[i - 2] if 2 <= i < 8 else 0
        block[0] = 0x01
        block[1] = label
        root.encrypt(block, block)
        return self._aes(block, _ECB)

    def seal(self, frame: bytearray, data: int, end: int) -> int:
        """Hide a command's frame[data:end] and add the MAC. Returns the new end."""
        block = self._block
        if end > data:
            frame[end] = _FILL
            end += 1
            while (end - data) & 15:
                frame[end] = 0
                end += 1
            for i in range(KEY_BYTES):
                block[i] = self.theirs[i] ^ 0xFF
            while data < end:
                for i in range(KEY_BYTES):
                    block[i] ^= frame[data + i]
                self._enc.encrypt(block, block)
                data = copy(frame, data, block, 0, KEY_BYTES)
        frame[2] = end + MAC_BYTES + CRC_BYTES
        frame[3] = 0
        self._mac(frame, end, self.theirs)
        self.ours, self._block = block, self.ours
        return copy(frame, end, block, 0, MAC_BYTES)

    def open(self, frame: bytearray, data: int, end: int, hidden: bool) -> int:
        """Prove a reply whose MAC ends at `end` and reveal its data. Returns their end, or -1."""
        end -= MAC_BYTES
        if end < data or (hidden and (end == data or (end - data) & 15)):
            return -1
        self._mac(frame, end, self.ours)
        if not is_same(frame, end, self._block, MAC_BYTES):
            return -1
        self.theirs, self._block = self._block, self.theirs
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
        copy(block, 0, before, 0, KEY_BYTES)
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

    def _reveal(self, frame: bytearray, data: int, end: int) -> None:
        """From the last block to the first: what each is mixed with still stands before it."""
        block = self._block
        at = end
        while at > data:
            at -= KEY_BYTES
            copy(block, 0, frame, at, KEY_BYTES)
            self._dec.decrypt(block, block)
            for i in range(KEY_BYTES):
                before = frame[at - KEY_BYTES + i] if at > data else self.ours[i] ^ 0xFF
                frame[at + i] = block[i] ^ before
