"""A control panel's side of one OSDP reader: what to send, what of the answers to believe (both).

Rules, in the order in which they are applied to what came in time:

- the CRC was right (osdp_frame.py) and the address is this reader's, or nothing came
- BUSY: nothing came
- another sequence number than the command's: dropped, and all begins anew at sequence 0
- inside the secure channel: only what its MAC proves. Anything else is dropped and the channel is
  built anew; a plain NAK too, which is how a reader says that it has lost its session
- a reader that has a key says nothing before its channel is up that is believed: neither card nor
  key nor state. One that does not prove the key is refused
- a card or a key counts as an answer to POLL only

A command without an answer is sent again unchanged, under the same number: a reader that did hear
it repeats its answer. After three, everything begins anew at sequence 0 with ID, which asks a
reader for nothing that it could lose, and with POLL in turn.

Keys: a reader's key is changed by `pair` alone. KEYSET goes through a channel under the key that
it has (the factory's, SCBK-D, for a new one); the other counts once a channel is up under it.

Speed: until a reader was met at the speed that it is to have, a silent one is looked for there and
at the others in turn. One that is met at another is told (COMSET), whoever set it up.
"""

from protocol import osdp
from protocol.osdp import SCBK_D
from protocol.osdp_frame import copy, finish
from protocol.osdp_secure import Secure, is_same
from protocol.osdp_show import put

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

# where its session stands
GREETING = 0
CHALLENGE = 1
PROOF = 2
ONLINE = 3

# what is wrong with it: TROUBLE_… of the readers' interface
SILENT = 1
TAMPER = 2
POWER = 4
REFUSED = 8

# how far `pair` has come
PAIR_NONE = 0
PAIR_RUNS = 1
PAIR_DONE = 2
PAIR_REFUSED = 3  # the key before still counts
PAIR_UNSURE = 4  # it fell silent in between: either key may count; try the new one first

_SPEEDS = (9600, 57600, 115200, 38400, 19200, 230400)  # the factory's first
_SILENCE_MAX = 3
_BOOT_SILENCE = -12  # a reader may take ten seconds to start before it counts as lost
_IDENTITY_BYTES = 12
_STATUS_TURNS = 255  # one less than a power of two: about every ten seconds

# commands that wait, by bit; the lowest goes first
_WAITING = b"\x75\x6e\x62\x69\x6a\x6b\x64"  # KEYSET COMSET CAP LED BUZ TEXT LSTAT
_KEYSET = 1
_COMSET = 2
_CAP = 4
_LED = 8
_SHOW = 8 | 16 | 32
_LSTAT = 64


def is_key(key: bytes) -> bool:
    """Whether it can be a reader's own key: the factory's is everybody's."""
    return len(key) == osdp.KEY_BYTES and key != SCBK_D


class Panel:
    """State and frames of one reader; knows no wire, and no clock of its own."""

    def __init__(
        self,
        address: int,
        key: "bytes | None",
        baud: int,
        chinese: bool,
        aes: "Callable[..., Any]",
        random: "Callable[[int], bytes]",
    ) -> None:
        self.address = address
        self.baud = baud
        self.trouble = 0
        self.state = GREETING
        self.identity = bytearray(_IDENTITY_BYTES)  # vendor, model, version, serial, firmware
        self.pairing = PAIR_NONE
        self.silences = _BOOT_SILENCE
        self.rests = False  # refused: not at once again
        self.waiting = 0  # commands, by bit
        self.due_ms = 0  # when it is to be asked again
        self.data_at = self.data_end = 0  # of a card or key in the frame just received
        self._chinese = chinese
        self._random = random
        self._secure = Secure(aes)
        self._key = key
        self._use: "bytes | None" = key  # in the handshake: while it is paired, another
        self._other_key = b""
        self._baud = baud  # that it is to have
        self._seeks = True  # it was not met at that speed
        self._speed = 0  # which other one is tried next
        self._sequence = 0
        self._command = 0
        self._again = False  # a command is under way; without an answer it is sent again
        self._can = _SHOW
        self._pattern = self._shown = 0
        self._turns = 0

    def show(self, pattern: int, now_ms: int) -> None:
        """Show one of SHOW_… from the next command on."""
        self.due_ms = now_ms
        self._pattern = pattern
        self.waiting |= _SHOW & self._can

    def pair(self, key: bytes, before: bytes, now_ms: int) -> bool:
        """Begin to give the reader this key; `pairing` says what becomes of it.

        before: the key that it has; SCBK_D for one as it left the factory, if this is the moment
        that was chosen for it. False: not a key of its own, or none under which it could be given.
        """
        if not is_key(key) or len(before) != osdp.KEY_BYTES:
            return False
        self.due_ms = now_ms
        self._use = before
        self._other_key = key
        self.pairing = PAIR_RUNS
        self.silences = 0
        self._begin_anew(0)
        return True

    def change_baud(self, baud: int) -> None:
        """Ask it to go on at another speed; `baud` follows when it has said so."""
        self._baud = baud
        self._seeks = True
        self.waiting |= _COMSET

    # --- what is sent -------------------------------------------------------------------

    def compose(self, frame: bytearray) -> int:
        """Write the command that is due, or the one before again. Returns its length in bytes."""
        if not self._again:
            self._choose()
            self._again = True
        command = self._command
        secured = self.state == ONLINE and self._use is not None
        frame[0] = osdp.START
        frame[1] = self.address
        frame[osdp.AT_CONTROL] = self._sequence | osdp.CONTROL_CRC
        at = osdp.AT_BLOCK
        if secured or command >= osdp.CMD_CHLNG:
            frame[osdp.AT_CONTROL] |= osdp.CONTROL_SECURE
            frame[osdp.AT_BLOCK_TYPE] = osdp.BLOCK_CHLNG + 2 * (command & 1)
            frame[osdp.AT_BLOCK_DATA] = self._use != SCBK_D
            frame[at] = 2 if secured else 3
            at += frame[at]
        frame[at] = command
        at += 1
        end = self._put_data(frame, at, command)
        if secured:
            frame[osdp.AT_BLOCK_TYPE] = osdp.BLOCK_COMMAND + 2 * (end > at)
            end = self._secure.seal(frame, at, end)
        return finish(frame, end)

    def _choose(self) -> None:
        if self.state == GREETING:
            # some answer nothing before a POLL; it costs a card that was held there meanwhile
            self._command = osdp.CMD_POLL if self.silences & 1 else osdp.CMD_ID
        elif self.state == CHALLENGE:
            self._secure.nonce = self._random(8)
            self._command = osdp.CMD_CHLNG
        elif self.state == PROOF:
            self._command = osdp.CMD_SCRYPT
        else:
            self._command = osdp.CMD_POLL
            self._turns = self._turns + 1 & _STATUS_TURNS
            if not self._turns:
                self.waiting |= _LSTAT  # it tells of changes by itself, and that may get lost
            for i in range(7):
                if self.waiting & 1 << i:
                    self._command = _WAITING[i]
                    self.waiting &= ~(1 << i)
                    break
            self._shown = self._pattern

    def _put_data(self, frame: bytearray, at: int, command: int) -> int:
        if osdp.CMD_LED <= command <= osdp.CMD_TEXT:
            return put(frame, at, command, self._shown, self._chinese)
        if command == osdp.CMD_CHLNG:
            return copy(frame, at, self._secure.nonce, 0, 8)
        if command == osdp.CMD_SCRYPT:
            return copy(frame, at, self._secure.ours, 0, osdp.KEY_BYTES)
        if command == osdp.CMD_KEYSET:
            frame[at] = 1  # SCBK
            frame[at + 1] = osdp.KEY_BYTES
            return copy(frame, at + 2, self._other_key, 0, osdp.KEY_BYTES)
        if command == osdp.CMD_COMSET:
            frame[at] = self.address
            for i in range(4):
                frame[at + 1 + i] = self._baud >> 8 * i & 0xFF
            return at + 5
        frame[at] = 0
        return at + (osdp.CMD_ID <= command <= osdp.CMD_CAP)

    # --- what becomes of it -------------------------------------------------------------

    def unanswered(self) -> None:
        """Nothing came in time, or nothing that was an answer."""
        if not self._again:
            return  # to a command that nobody waits for any more
        self.silences += 1
        if self._command == osdp.CMD_KEYSET:
            self._prove_new_key()  # it may have heard it
        elif self.silences >= _SILENCE_MAX:
            self.trouble |= SILENT
            if self._seeks:
                self._try_speed()
            if self.pairing == PAIR_RUNS:
                self.pairing = PAIR_UNSURE if self._use is self._other_key else PAIR_REFUSED
                self._use = self._key
            self._begin_anew(0)
        elif self.state == GREETING:
            self._begin_anew(0)

    def receive(self, frame: bytearray, length: int) -> int:
        """Judge a sound frame of this address. Returns REPLY_RAW or REPLY_KEYPAD, whose data are
        frame[data_at:data_end], or 0 for all else."""
        if not self._again:
            return 0  # all began anew in between
        at = osdp.AT_BLOCK
        block = 0
        if frame[osdp.AT_CONTROL] & osdp.CONTROL_SECURE:
            block = frame[osdp.AT_BLOCK_TYPE]
            at += frame[osdp.AT_BLOCK]
        elif frame[at] == osdp.REPLY_BUSY:
            self.unanswered()
            return 0
        end = self._proven(frame, at, length - osdp.CRC_BYTES, block)
        if end < 0:
            return 0
        reply = frame[at]
        self.data_at, self.data_end = at + 1, end
        self.silences = 0
        self.trouble &= ~SILENT
        self._sequence = self._sequence % 3 + 1
        self._again = False
        if self.state == ONLINE:
            return self._answered(frame, reply)
        self._shake_hands(frame, reply, block)
        return 0

    def _shake_hands(self, frame: bytearray, reply: int, block: int) -> None:
        at, end = self.data_at, self.data_end
        if self.state == GREETING:
            if reply == osdp.REPLY_PDID and end - at == _IDENTITY_BYTES:
                copy(self.identity, 0, frame, at, _IDENTITY_BYTES)
            self.state = CHALLENGE
            if self._use is None:
                self._go_online()
        elif not self._is_proof(frame, reply, block):
            self._refuse()
        elif self.state == CHALLENGE:
            self.state = PROOF
        else:
            self._go_online()

    def _proven(self, frame: bytearray, at: int, end: int, block: int) -> int:
        """Where the data of an answer end that is to be believed as such; else -1."""
        number = frame[osdp.AT_CONTROL] & osdp.CONTROL_SEQUENCE
        if number == self._sequence and at < end and (not block or at > osdp.AT_BLOCK_TYPE):
            if self.state != ONLINE or self._use is None:
                if block < osdp.BLOCK_COMMAND:
                    return end
            elif osdp.BLOCK_REPLY <= block <= osdp.BLOCK_REPLY_HIDDEN and not block & 1:
                end = self._secure.open(frame, at + 1, end, block != osdp.BLOCK_REPLY)
                if end >= 0:
                    return end
            elif not block and frame[at] == osdp.REPLY_NAK:
                self._begin_anew(0)  # it has no session, as after a start of its own
                return -1
            elif self._command == osdp.CMD_KEYSET and not block and frame[at] == osdp.REPLY_ACK:
                self._prove_new_key()  # some drop the session before they say so
                return -1
        self._begin_anew(REFUSED)
        return -1

    def _is_proof(self, frame: bytearray, reply: int, block: int) -> bool:
        """Of the key, in a handshake."""
        at = self.data_at
        size = self.data_end - at
        if self.state == CHALLENGE:
            return (
                reply == osdp.REPLY_CCRYPT
                and block == osdp.BLOCK_CCRYPT
                and size == 2 * osdp.KEY_BYTES
                and frame[osdp.AT_BLOCK_DATA] == (self._use != SCBK_D)
                and self._secure.meet(self._use or b"", frame, at)
            )
        return (
            reply == osdp.REPLY_RMAC_I
            and block == osdp.BLOCK_RMAC_I
            and size == osdp.KEY_BYTES
            and is_same(frame, at, self._secure.theirs, size)
        )

    def _go_online(self) -> None:
        self.state = ONLINE
        if self.pairing == PAIR_RUNS:
            if self._use is not self._other_key:
                self.waiting = _KEYSET  # and nothing else: it is no one's reader yet
                return
            self._key = self._other_key
            self.pairing = PAIR_DONE
        self._seeks = self.baud != self._baud
        self.waiting = _COMSET | _CAP | _LSTAT | _SHOW if self._seeks else _CAP | _LSTAT | _SHOW

    def _answered(self, frame: bytearray, reply: int) -> int:
        at, command = self.data_at, self._command
        size = self.data_end - at
        if command == osdp.CMD_KEYSET:
            if reply == osdp.REPLY_ACK:
                self._prove_new_key()
            else:
                self._refuse()
        elif reply == osdp.REPLY_NAK:
            self._heed(frame[at] if size else 0)
        elif reply == osdp.REPLY_LSTATR and size == 2:
            self.trouble &= ~(TAMPER | POWER)
            if frame[at]:
                self.trouble |= TAMPER
            if frame[at + 1]:
                self.trouble |= POWER
        elif command == osdp.CMD_POLL:
            self.trouble &= ~REFUSED  # what it gives away to anybody proves nothing
            # `in (…)` would make a tuple each time
            if reply == osdp.REPLY_RAW or reply == osdp.REPLY_KEYPAD:  # noqa: PLR1714
                return reply
        else:
            self._learn(frame, at, reply)
        return 0

    def _heed(self, code: int) -> None:
        """A NAK. Of a command that it does not know: that is all there is to it."""
        if code == osdp.NAK_SEQUENCE:
            self._begin_anew(0)
        elif osdp.NAK_UNSUPPORTED <= code <= osdp.NAK_CONDITION:
            self._refuse()  # it wants a secure channel, and nobody gave us its key

    def _learn(self, frame: bytearray, at: int, reply: int) -> None:
        """What it can show, in triples of function, level and number; or its new speed."""
        if reply == osdp.REPLY_PDCAP:
            self._can = 0
            while at + 3 <= self.data_end:
                if frame[at + 1] and osdp.CAP_LED <= frame[at] <= osdp.CAP_TEXT:
                    self._can |= _LED << frame[at] - osdp.CAP_LED
                at += 3
            self.waiting &= ~_SHOW | self._can
        elif reply == osdp.REPLY_COM and self.data_end - at == 5 and frame[at] == self.address:
            said = frame[at + 1] | frame[at + 2] << 8 | frame[at + 3] << 16
            if said == self._baud:
                self.baud = said

    def _try_speed(self) -> None:
        if self.baud != self._baud:
            self.baud = self._baud
            return
        self.baud = _SPEEDS[self._speed]
        self._speed = (self._speed + 1) % len(_SPEEDS)

    # --- what ends a session ------------------------------------------------------------

    def _begin_anew(self, trouble: int) -> None:
        self.trouble |= trouble
        self.state = GREETING
        self._sequence = 0
        self._command = 0
        self._again = False

    def _refuse(self) -> None:
        self.rests = True
        if self.pairing == PAIR_RUNS:
            self.pairing = PAIR_REFUSED
            self._use = self._key
        self._begin_anew(REFUSED)

    def _prove_new_key(self) -> None:
        self._use = self._other_key
        self._begin_anew(0)
