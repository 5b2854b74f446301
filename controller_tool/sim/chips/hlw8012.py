"""An HLW8012 or BL0937: energy in, pulses at CF out (both)."""

_NOISE_HZ = 1000


class Hlw8012:
    """`pulses` counts on for ever; pulse_uj: the energy of one.

    Faults: `silent` (its wire is cut), `stuck` (it goes on as it was), `noisy` (1 kHz of a
    disturbance comes in).
    """

    def __init__(self, pulse_uj: int) -> None:
        self.milliwatts = 0
        self.pulses = 0
        self.silent = self.stuck = self.noisy = False
        self._pulse_uj = pulse_uj
        self._left_nj = 0
        self._shown = 0  # mW, while stuck
        self._left_noise = 0

    def well(self) -> None:
        """No fault any more."""
        self.silent = self.stuck = self.noisy = False

    def pass_us(self, microseconds: int) -> None:
        """Let time pass, in which `milliwatts` was drawn."""
        if not self.stuck:
            self._shown = self.milliwatts
        if self.silent:
            return
        self._left_nj += self._shown * microseconds
        came = self._left_nj // (1000 * self._pulse_uj)
        self._left_nj -= came * 1000 * self._pulse_uj
        if self.noisy:
            self._left_noise += microseconds * _NOISE_HZ
            came += self._left_noise // 1000000
            self._left_noise %= 1000000
        self.pulses += came
