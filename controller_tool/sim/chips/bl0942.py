"""BL0942 meters on one UART line, as the chip's data sheet describes its UART (both).

A read is 0x58 | address and a register; the answer is three bytes, the lowest first, and the
complement of the sum of all five. A write (0xA8 | address, register, three bytes, check) reaches
the registers that are not read-only once the write protection is off. The last bits of WATT are
noise, also around zero.
"""

READ, WRITE = 0x58, 0xA8
WATT, MODE, PROTECTION = 0x06, 0x19, 0x1D
_FREE = 0x55  # in PROTECTION
_NOISE = 40  # of WATT's last bits, 0.06 W with the usual parts
_MASK = 0xFFFFFF


def check_of(data: bytes) -> int:
    """The complement of the sum."""
    return ~sum(data) & 0xFF


class Bl0942:
    """One chip; per_watt: what WATT is of a watt.

    Faults: `silent` (no supply), `spoils` (a wrong check), `stuck` (WATT stays what it was),
    `backwards` (its shunt is the wrong way round), `chatters` (a stray byte before its answers).
    """

    def __init__(self, per_watt: float, seed: int = 1) -> None:
        self.milliwatts = 0
        self.silent = self.spoils = self.stuck = self.backwards = self.chatters = False
        self.registers = {MODE: 0x87, PROTECTION: 0}
        self.reads = 0
        self._per_watt = per_watt
        self._seed = seed
        self._watt = 0

    def well(self) -> None:
        """No fault any more."""
        self.silent = self.spoils = self.stuck = self.backwards = self.chatters = False

    def _measure(self) -> int:
        if not self.stuck:
            self._seed = self._seed * 1103 + 12345 & 0x7FFF
            noise = self._seed % (2 * _NOISE + 1) - _NOISE
            self._watt = int(self.milliwatts * self._per_watt / 1000) + noise
        return -self._watt if self.backwards else self._watt

    def answer(self, command: bytes) -> bytes:
        """To a read of two bytes, command and register."""
        if self.silent:
            return b""
        self.reads += 1
        register = command[1]
        value = self._measure() if register == WATT else self.registers.get(register, 0)
        value &= _MASK
        data = bytes((value & 0xFF, value >> 8 & 0xFF, value >> 16))
        check = check_of(command + data) ^ (0x10 if self.spoils else 0)
        return (b"\x00" if self.chatters else b"") + data + bytes((check,))

    def write(self, register: int, value: int) -> None:
        """A frame with a right check."""
        if register == PROTECTION or self.registers[PROTECTION] == _FREE:
            self.registers[register] = value


class Line:
    """The chips of a line by their address."""

    def __init__(self, chips: "dict[int, Bl0942]") -> None:
        self.chips = chips
        self._held = b""

    def receive(self, data: bytes) -> bytes:
        """Bytes from the host; returns what is answered to those that were a whole frame."""
        self._held += data
        out = b""
        while self._held:
            kind, address = self._held[0] & 0xFC, self._held[0] & 3
            length = 2 if kind == READ else 6
            if kind not in (READ, WRITE):
                self._held = self._held[1:]
                continue
            if len(self._held) < length:
                break
            frame, self._held = self._held[:length], self._held[length:]
            chip = self.chips.get(address)
            if chip is None:
                continue
            if kind == READ:
                out += chip.answer(frame)
            elif check_of(frame[:5]) == frame[5]:
                chip.write(frame[1], frame[2] | frame[3] << 8 | frame[4] << 16)
        return out
