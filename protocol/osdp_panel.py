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
reader for nothing that it could lose.

Keys: a reader's key is changed by `give_key` alone. KEYSET goes through a channel under the key before
(the factory's, SCBK-D, when `first`); the new key counts once a channel is up under it.
"""

from protocol import osdp
from protocol.osdp_frame import finish
from protocol.osdp_secure import Secure
from protocol.osdp_show import put

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

SCBK_D = b"0123456789:;<=>?"  # every reader's at the factory: proves nothing

# where its session stands
GREETING = 0
CHALLENGE = 1
PROOF = 2
ONLINE = 3

# what is wrong with it
SILENT = 1
TAMPER = 2
POWER = 4
REFUSED = 8

# how far `give_key` has come
PAIR_NONE = 0
PAIR_RUNS = 1
PAIR_DONE = 2
PAIR_REFUSED = 3  # the key before still counts
PAIR_UNSURE = 4  # it fell silent in between: either key may count; try the new one first

_SILENCE_MAX = 3
_BOOT_SILENCE = -12  # a reader may take ten seconds to start before it counts as lost
_IDENTITY_BYTES = 12
_STATUS_TURNS = 255  # one less than a power of two: about every ten seconds

# commands that wait, by bit: the lowest goes first
_WAITING = b"\x75\x6e\x62\x69\x6a\x6b\x64"  # KEYSET COMSET CAP LED BUZ TEXT LSTAT
_KEYSET = 1
_COMSET = 2
_CAP = 4
_LED = 8
_BUZ = 16
_TEXT = 32
_LSTAT = 64
_SHOW = _LED | _BUZ | _TEXT


def is_key(key: bytes) -> bool:
    """Whether it can be a reader's own key: the factory's is everybody's."""
    return len(key) == osdp.KEY_BYTES and key != SCBK_D


class Panel:
    """State and frames of one reader; knows no clock and no wire."""

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
        self.data_at = self.data_end = 0  # of a card or key in the frame just received
        self._chinese = chinese
        self._secure = Secure(aes, random)
        self._key = key
        self._use = key  # in the handshake: while it is paired, another
        self._other_key = b""
        self._other_baud = 0  # where the reader may be too, after COMSET
        self._sequence = 0
        self._command = 0
        self._again = False
        self._can = _SHOW
        self._waiting = 0
        self._pattern = self._shown = 0
        self._turns = 0

    def is_busy(self) -> bool:
        """Whether something other than POLL is due."""
        return self._waiting != 0 or 0 < self.state < ONLINE

    def present(self, pattern: int) -> None:
        """Show one of SHOW_… from the next command on."""
        self._pattern = pattern
        self._waiting |= _SHOW & self._can

    def give_key(self, new_key: bytes, first: bool) -> bool:
        """Begin to give it a key; False where it has none yet and `first` does not say so."""
        if not is_key(new_key) or not (first or self._key):
            return False
        self._use = SCBK_D if first else self._key
        self._other_key = new_key
        self.pairing = PAIR_RUNS
        self.silences = 0
        self._begin_anew()
        return True

    def change_baud(self, baud: int) -> None:
        """Ask it to go on at another speed; `baud` follows when it has said so."""
        self._other_baud = baud
        self._waiting |= _COMSET

    # --- what is sent -------------------------------------------------------------------

    def compose(self, frame: bytearray) -> int:
        """Write the command that is due, or the one before again. Returns its length in bytes."""
        if not self._again:
            self._choose()
            self._again = True
        command = self._command
        secured = self.state == ONLINE and self._use is not None
        frame[0] = osdp.SOM
        frame[1] = self.address
        control = self._sequence | osdp.CONTROL_CRC
        at = osdp.AT_BLOCK
        if secured:
            frame[at] = 2
            at += 2
        elif command == osdp.CMD_CHLNG or command == osdp.CMD_SCRYPT:
            frame[at] = 3
            frame[at + 1] = osdp.BLOCK_CHLNG if command == osdp.CMD_CHLNG else osdp.BLOCK_SCRYPT
            frame[at + 2] = self._kind_of_key()
            at += 3
        if at > osdp.AT_BLOCK:
            control |= osdp.CONTROL_SECURE
        frame[osdp.AT_CONTROL] = control
        frame[at] = command
        at += 1
        end = self._put_data(frame, at, command)
        if secured:
            frame[osdp.AT_BLOCK_TYPE] = (
                osdp.BLOCK_COMMAND_HIDDEN if end > at else osdp.BLOCK_COMMAND
            )
            end = self._secure.seal(frame, at, end)
        return finish(frame, end)

    def _kind_of_key(self) -> int:
        return 0 if self._use == SCBK_D else 1

    def _choose(self) -> None:
        if self.state == GREETING:
            self._command = osdp.CMD_ID
        elif self.state == CHALLENGE:
            self._secure.begin()
            self._command = osdp.CMD_CHLNG
        elif self.state == PROOF:
            self._command = osdp.CMD_SCRYPT
        else:
            self._command = osdp.CMD_POLL
            self._turns = self._turns + 1 & _STATUS_TURNS
            if not self._turns:
                self._waiting |= _LSTAT  # it tells of changes by itself, and that may get lost
            for i in range(7):
                if self._waiting & 1 << i:
                    self._command = _WAITING[i]
                    self._waiting &= ~(1 << i)
                    break
            self._shown = self._pattern

    def _put_data(self, frame: bytearray, at: int, command: int) -> int:
        if command == osdp.CMD_ID or command == osdp.CMD_CAP:
            frame[at] = 0
            return at + 1
        if command == osdp.CMD_CHLNG:
            return _copy(frame, at, self._secure.nonce)
        if command == osdp.CMD_SCRYPT:
            return _copy(frame, at, self._secure.ours)
        if command == osdp.CMD_KEYSET:
            frame[at] = 1  # SCBK
            frame[at + 1] = osdp.KEY_BYTES
            return _copy(frame, at + 2, self._other_key)
        if command == osdp.CMD_COMSET:
            frame[at] = self.address
            for i in range(4):
                frame[at + 1 + i] = self._other_baud >> 8 * i & 0xFF
            return at + 5
        if command == osdp.CMD_POLL or command == osdp.CMD_LSTAT:
            return at
        return put(frame, at, command, self._shown, self._chinese)

    # --- what becomes of it -------------------------------------------------------------

    def unanswered(self) -> None:
        """Nothing came in time, or nothing that was an answer."""
        if not self._again:
            return  # to a command that nobody waits for any more
        self.silences += 1
        if self._command == osdp.CMD_KEYSET and self.state == ONLINE:
            self._prove_new_key()  # it may have heard it
        elif self.silences >= _SILENCE_MAX:
            self.trouble |= SILENT
            if self._other_baud:
                self.baud, self._other_baud = self._other_baud, self.baud
            if self.pairing == PAIR_RUNS:
                self._end_pairing(PAIR_REFUSED if self._use is not self._other_key else PAIR_UNSURE)
            self._begin_anew()

    def receive(self, frame: bytearray, length: int) -> int:
        """Judge a sound frame of this address. Returns REPLY_RAW or REPLY_KEYPAD, whose data are
        frame[data_at:data_end], or 0 for all else."""
        if not self._again:
            return 0  # all began anew in between
        at = osdp.AT_BLOCK
        end = length - osdp.CRC_BYTES
        control = frame[osdp.AT_CONTROL]
        block = 0
        if control & osdp.CONTROL_SECURE:
            block = frame[osdp.AT_BLOCK_TYPE]
            at += frame[osdp.AT_BLOCK]
            if frame[osdp.AT_BLOCK] < 2 or at >= end:
                return self._distrust()
        elif frame[at] == osdp.REPLY_BUSY:
            self.unanswered()
            return 0
        if control & osdp.CONTROL_SEQUENCE != self._sequence:
            return self._distrust()
        if self.state == ONLINE and self._use is not None:
            if not osdp.BLOCK_REPLY <= block <= osdp.BLOCK_REPLY_HIDDEN or block & 1:
                if not block and frame[at] == osdp.REPLY_NAK:
                    return self._lost_session()
                return self._distrust()
            end = self._secure.open(frame, at + 1, end, block == osdp.BLOCK_REPLY_HIDDEN)
            if end < 0:
                return self._distrust()
        elif block >= osdp.BLOCK_COMMAND:
            return self._distrust()
        self.silences = 0
        self.trouble &= ~SILENT
        self._sequence = self._sequence % 3 + 1
        self._again = False
        self.data_at, self.data_end = at + 1, end
        if self.state == ONLINE:
            return self._answered(frame, frame[at])
        self._shake_hands(frame, frame[at], block)
        return 0

    def _shake_hands(self, frame: bytearray, reply: int, block: int) -> None:
        at = self.data_at
        size = self.data_end - at
        if self.state == GREETING:
            if reply == osdp.REPLY_PDID and size == _IDENTITY_BYTES:
                for i in range(_IDENTITY_BYTES):
                    self.identity[i] = frame[at + i]
            if self._use is not None:
                self.state = CHALLENGE
            else:
                self._go_online()
        elif self.state == CHALLENGE:
            kind = frame[osdp.AT_BLOCK_DATA]
            if (
                reply == osdp.REPLY_CCRYPT
                and block == osdp.BLOCK_CCRYPT
                and size == 2 * osdp.KEY_BYTES
                and kind == self._kind_of_key()
                and self._secure.meet(self._use, frame, at)
            ):
                self.state = PROOF
            else:
                self._refuse()
        elif (
            reply == osdp.REPLY_RMAC_I
            and block == osdp.BLOCK_RMAC_I
            and size == osdp.KEY_BYTES
            and self._secure.settle(frame, at)
        ):
            self._go_online()
        else:
            self._refuse()

    def _go_online(self) -> None:
        self.state = ONLINE
        if self.pairing == PAIR_RUNS:
            if self._use is not self._other_key:
                self._waiting = _KEYSET  # and nothing else: it is no one's reader yet
                return
            self._key = self._other_key
            self.pairing = PAIR_DONE
        if not self._waiting & _COMSET:
            self._other_baud = 0
        self._waiting = self._waiting & _COMSET | _CAP | _LSTAT | _SHOW

    def _answered(self, frame: bytearray, reply: int) -> int:
        at, end, command = self.data_at, self.data_end, self._command
        if command == osdp.CMD_KEYSET:
            if reply == osdp.REPLY_ACK:
                self._prove_new_key()
            else:
                self._refuse()
        elif reply == osdp.REPLY_NAK:
            code = frame[at] if end > at else 0
            if code == osdp.NAK_UNSUPPORTED or code == osdp.NAK_CONDITION:
                self._refuse()  # it wants a secure channel, and nobody gave us its key
            elif code == osdp.NAK_SEQUENCE:
                self._begin_anew()
        elif reply == osdp.REPLY_LSTATR and end - at == 2:
            self.trouble &= ~(TAMPER | POWER)
            if frame[at]:
                self.trouble |= TAMPER
            if frame[at + 1]:
                self.trouble |= POWER
        elif command == osdp.CMD_POLL:
            self.trouble &= ~REFUSED  # what it gives away to anybody proves nothing
            if reply == osdp.REPLY_RAW or reply == osdp.REPLY_KEYPAD:
                return reply
        elif command == osdp.CMD_CAP and reply == osdp.REPLY_PDCAP:
            self._learn(frame, at, end)
        elif command == osdp.CMD_COMSET and reply == osdp.REPLY_COM and end - at == 5:
            said = frame[at + 1] | frame[at + 2] << 8 | frame[at + 3] << 16
            if said == self._other_baud and frame[at] == self.address and not frame[at + 4]:
                self.baud, self._other_baud = self._other_baud, self.baud
        return 0

    def _learn(self, frame: bytearray, at: int, end: int) -> None:
        """What it can show, of triples of function, level and number."""
        can = 0
        while at + 3 <= end:
            if frame[at + 1] and osdp.CAP_LED <= frame[at] <= osdp.CAP_TEXT:
                can |= _LED << frame[at] - osdp.CAP_LED
            at += 3
        self._can = can
        self._waiting &= ~_SHOW | can

    # --- what ends a session ------------------------------------------------------------

    def _begin_anew(self) -> None:
        self.state = GREETING
        self._sequence = 0
        self._again = False

    def _lost_session(self) -> int:
        """It says that it has no session, as after a start of its own."""
        if self._command == osdp.CMD_KEYSET:
            self._prove_new_key()  # some drop the session before they say so
        else:
            self._begin_anew()
        return 0

    def _distrust(self) -> int:
        """What came is not believed, and with it goes all that there was to believe."""
        self.trouble |= REFUSED
        self._begin_anew()
        return 0

    def _refuse(self) -> None:
        self.trouble |= REFUSED
        self.rests = True
        if self.pairing == PAIR_RUNS:
            self._end_pairing(PAIR_REFUSED)
        self._begin_anew()

    def _prove_new_key(self) -> None:
        self._use = self._other_key
        self._begin_anew()

    def _end_pairing(self, how: int) -> None:
        self.pairing = how
        self._use = self._key


def _copy(frame: bytearray, at: int, source: "bytes | bytearray") -> int:
    for i in range(len(source)):
        frame[at + i] = source[i]
    return at + len(source)
