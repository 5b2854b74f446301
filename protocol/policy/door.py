"""One door: lock, REX, door contact, fire, tamper, mode, as a state machine (both, pure).

It knows no clock: the caller says how many milliseconds have passed. It performs nothing: each
call returns a mask of the actions below, which the firmware carries out in ascending bit order
(journal records and alarms first, the relay last, so that an unlock is written before the lock
moves). docs/door-states.md shows every transition; it is made from this code.

Rules, in the order in which they are applied:

- fire active: released at once, latched; stays released after the input has cleared, in every mode
- a latched fire is reset on site only: a REX button held for FIRE_RESET_HOLD_MS while the input is
  clear; where REX is a sensor, which nobody holds on purpose, by a restart on site
- an unlock (card, ticket or REX) releases the lock for its duration; a longer one that is
  running is never shortened by another unlock
- REX unlocks always, in lockdown too: leaving is free. A REX sensor (rex_sensor) unlocks nothing,
  for doors that open by their handle: it shunts the forced-open alarm while it sees somebody and
  REX_SHUNT_MS longer
- mode open: released until the mode ends; then the lock locks, unless an unlock is still running
- mode closed or lockdown: a running unlock ends, unless REX is pressed
- when the time is up the lock locks; RELOCK_ON_OPEN: at the latest RELOCK_DELAY_MS after the leaf
  has opened; RELOCK_ON_CLOSE: at the latest so long after it has closed again
- the leaf opens while the lock is locked and no REX is active: forced open, once per opening
- the leaf stays open after the lock has locked: for held_warning_s (0: never) a warning, for
  held_open_s held open, each once per opening
- tamper: reported at its rising edge
"""

from protocol.codes import MODE_CLOSED, MODE_CONTROLLED, MODE_OPEN

ACT_REX = 1
ACT_FIRE = 2
ACT_FIRE_CLEARED = 4
ACT_TAMPER = 8
ACT_DOOR_OPENED = 16
ACT_FORCED_OPEN = 32
ACT_HELD_WARNING = 64
ACT_HELD_OPEN = 128
ACT_DOOR_CLOSED = 256
ACT_UNLOCK = 512
ACT_LOCK = 1024

RELOCK_TIMED = 0
RELOCK_ON_OPEN = 1
RELOCK_ON_CLOSE = 2

FIRE_RESET_HOLD_MS = 5000
RELOCK_DELAY_MS = 300
REX_SHUNT_MS = 5000
_DS_MS = 100


class Door:
    """The state of one door; times are counted down by tick().

    forced: the leaf that is open was forced; held: 0, ACT_HELD_WARNING or ACT_HELD_OPEN, what was
    said of it last.
    """

    def __init__(
        self,
        unlock_ds: int = 50,
        held_open_s: int = 30,
        relock: int = RELOCK_TIMED,
        held_warning_s: int = 0,
        rex_sensor: bool = False,
    ) -> None:
        self.unlock_ds = unlock_ds
        self._held_open_ms = held_open_s * 1000
        self._warning_ms = held_warning_s * 1000
        self._relock = relock
        self._sensor = rex_sensor
        self.mode = MODE_CONTROLLED
        self.unlocked = False
        self.fire = False  # latched
        self.leaf_open = False
        self.forced = False
        self.held = 0
        self._fire_input = False
        self._rex = False
        self._tamper = False
        self._left_ms = 0
        self._open_ms = 0
        self._rex_ms = 0
        self._shunt_ms = 0

    def unlock(self, duration_ds: int = 0) -> int:
        """Release the lock for duration_ds tenths of a second (0: the door's own duration)."""
        self._left_ms = max(self._left_ms, (duration_ds or self.unlock_ds) * _DS_MS)
        return self._release()

    def set_mode(self, mode: int) -> int:
        """MODE_… comes into force; MODE_OPEN releases the lock, the end of it is left to tick()."""
        self.mode = mode
        if mode == MODE_OPEN:
            return self._release()
        if mode >= MODE_CLOSED and not self._rex:
            self._left_ms = 0
        return 0

    def _release(self) -> int:
        if self.unlocked:
            return 0
        self.unlocked = True
        return ACT_UNLOCK

    def inputs(self, rex: bool, leaf_open: bool, fire: bool, tamper: bool) -> int:
        """Take the debounced levels (True: pressed, open, burning, opened); returns actions."""
        actions = 0
        if fire and not self._fire_input and not self.fire:
            self.fire = True
            actions = ACT_FIRE | self._release()
        self._fire_input = fire
        if tamper and not self._tamper:
            actions |= ACT_TAMPER
        self._tamper = tamper
        if rex:
            if not self._rex:
                self._rex_ms = 0
                actions |= ACT_REX if self._sensor else ACT_REX | self.unlock()
            self._shunt_ms = REX_SHUNT_MS
        self._rex = rex
        if leaf_open != self.leaf_open:
            actions |= self._leaf(leaf_open)
        return actions

    def _leaf(self, leaf_open: bool) -> int:
        self.leaf_open = leaf_open
        self._open_ms = self.held = 0
        self.forced = False
        if self._relock == (RELOCK_ON_OPEN if leaf_open else RELOCK_ON_CLOSE):
            self._left_ms = min(self._left_ms, RELOCK_DELAY_MS)
        if not leaf_open:
            return ACT_DOOR_CLOSED
        if self.unlocked or self._rex or (self._sensor and self._shunt_ms):
            return ACT_DOOR_OPENED
        self.forced = True
        return ACT_DOOR_OPENED | ACT_FORCED_OPEN

    def tick(self, elapsed_ms: int) -> int:
        """Let elapsed_ms pass; returns actions."""
        actions = self._reset_fire(elapsed_ms) if self.fire else 0
        self._left_ms = max(0, self._left_ms - elapsed_ms)
        if not self._rex:
            self._shunt_ms = max(0, self._shunt_ms - elapsed_ms)
        if self.unlocked and not (self._left_ms or self.fire or self.mode == MODE_OPEN):
            self.unlocked = False
            actions |= ACT_LOCK
        if self.leaf_open and not self.unlocked:
            self._open_ms += elapsed_ms
            if self.held != ACT_HELD_OPEN and self._open_ms >= self._held_open_ms:
                self.held = ACT_HELD_OPEN
                actions |= ACT_HELD_OPEN
            elif not self.held and 0 < self._warning_ms <= self._open_ms:
                self.held = ACT_HELD_WARNING
                actions |= ACT_HELD_WARNING
        return actions

    def _reset_fire(self, elapsed_ms: int) -> int:
        may = self._rex and not (self._fire_input or self._sensor)
        self._rex_ms = self._rex_ms + elapsed_ms if may else 0
        if self._rex_ms < FIRE_RESET_HOLD_MS:
            return 0
        self.fire = False
        self._left_ms = 0
        return ACT_FIRE_CLEARED
