"""The supply: mains lost and back, a voltage that falls, and what waits while it sags (device).

Loaded on boards that have `supply()` (mV of what feeds the board, by an ADC1 pin) or an input
`mains`. Rules:

- mains: lost or back once it has been so for `mains_s` (setting 50)
- low: below `supply_low_mv` (48, else the board's SUPPLY_LOW_MV), once, until it is 5 % above it
- sag: below `supply_hold_mv` (49, else the board's SUPPLY_HOLD_MV), until it is 5 % above it.
  Meanwhile merges, proofs and erases ahead of need wait, and list, trust and configuration requests
  are answered with busy. Records, of decisions too, are tried all the same: a program of 48 bytes
  takes a tenth of a millisecond, and is finished or a hole after the next start
- a reading at which the board could not run is a broken wire, not a sag: it holds nothing
"""

from protocol.codes import EVENT_MAINS_BACK, EVENT_MAINS_LOST, EVENT_SUPPLY_LOW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Controller

_BROKEN_MV = 3000
_SUPPLY_LOW_MV = 48  # protocol/settings.py
_SUPPLY_HOLD_MV = 49
_MAINS_S = 50
_MAINS_DEFAULT_S = 2


class Supply:
    """turn() now and then; sags() whenever somebody is about to write much."""

    def __init__(self, controller: "Controller") -> None:
        self._c = controller
        board = controller.board
        self._read = getattr(board, "supply", None)
        self._mains = board.inputs().get("mains")
        self._low_mv = getattr(board, "SUPPLY_LOW_MV", 0)
        self._hold_mv = getattr(board, "SUPPLY_HOLD_MV", 0)
        self._has_mains = True
        self._differs_ms = 0
        self._is_low = False
        self._holds = False
        self.mv = 0

    def turn(self, passed_ms: int) -> bool:
        """Look, and journal what changed; whether flash writes are to wait."""
        self._watch_mains(passed_ms)
        holds = self.sags()
        low_mv = self._c.config.settings.get(_SUPPLY_LOW_MV, self._low_mv)
        was_low = self._is_low
        self._is_low = self._below(low_mv, was_low)
        if self._is_low and not was_low:
            self._c.journal.note(EVENT_SUPPLY_LOW, extra=self.mv)
        return holds

    def _watch_mains(self, passed_ms: int) -> None:
        if self._mains is None:
            return
        has = self._mains.value() == 1
        self._differs_ms = 0 if has == self._has_mains else self._differs_ms + passed_ms
        mains_s = self._c.config.settings.get(_MAINS_S, _MAINS_DEFAULT_S)
        if self._differs_ms and self._differs_ms >= 1000 * mains_s:
            self._has_mains = has
            self._differs_ms = 0
            self._c.journal.note(EVENT_MAINS_BACK if has else EVENT_MAINS_LOST)

    def sags(self) -> bool:
        """Whether the voltage is, now, too low to begin a large write."""
        if self._read is None:
            return False
        self.mv = self._read()
        hold_mv = self._c.config.settings.get(_SUPPLY_HOLD_MV, self._hold_mv)
        self._holds = self._below(hold_mv, self._holds)
        return self._holds

    def _below(self, limit_mv: int, is_below: bool) -> bool:
        if self.mv < _BROKEN_MV:
            return False
        return self.mv < (limit_mv + limit_mv // 20 if is_below else limit_mv)
