"""One door: lock, REX, door contact, fire, tamper, as a state machine (both, pure).

It knows no clock: the caller says how many milliseconds have passed. It performs nothing: each
call returns a mask of the actions below, which the firmware carries out in ascending bit order
(journal records and alarms first, the relay last, so that an unlock is written before the lock
moves).

Rules, in the order in which they are applied:

- fire active: released at once, latched; stays released after the input has cleared
- a latched fire is reset on site only: REX held for FIRE_RESET_HOLD_MS while the input is clear
- an unlock (card, ticket or REX) releases the lock for its duration; a longer one that is
  running is never shortened
- REX unlocks always, in lockdown too: leaving is free
- when the time is up the lock locks; with `relock_on_open`, RELOCK_DELAY_MS after the leaf opens
- the leaf opens while the lock is locked and no REX is pressed: forced open, once per opening
- the leaf stays open longer than held_open_s after the lock has locked: held open, once
- tamper: reported at its rising edge
"""

ACT_REX = 1
ACT_FIRE = 2
ACT_FIRE_CLEARED = 4
ACT_TAMPER = 8
ACT_DOOR_OPENED = 16
ACT_FORCED_OPEN = 32
ACT_HELD_OPEN = 64
ACT_DOOR_CLOSED = 128
ACT_UNLOCK = 256
ACT_LOCK = 512

FIRE_RESET_HOLD_MS = 5000
RELOCK_DELAY_MS = 300
_DS_MS = 100


class Door:
    """The state of one door; times are counted down by tick()."""

    def __init__(
        self, unlock_ds: int = 50, held_open_s: int = 30, relock_on_open: bool = False
    ) -> None:
        self.unlock_ds = unlock_ds
        self.held_open_s = held_open_s
        self.relock_on_open = relock_on_open
        self.unlocked = False
        self.fire = False  # latched
        self.leaf_open = False
        self._fire_input = False
        self._rex = False
        self._tamper = False
        self._held_reported = False
        self._left_ms = 0
        self._open_ms = 0
        self._rex_ms = 0

    def unlock(self, duration_ds: int = 0) -> int:
        """Release the lock for duration_ds tenths of a second (0: the door's own duration)."""
        left_ms = (duration_ds or self.unlock_ds) * _DS_MS
        self._left_ms = max(self._left_ms, left_ms)
        if self.unlocked:
            return 0
        self.unlocked = True
        return ACT_UNLOCK

    def inputs(self, rex: bool, leaf_open: bool, fire: bool, tamper: bool) -> int:
        """Take the debounced levels (True: pressed, open, burning, opened); returns actions."""
        actions = 0
        if fire and not self._fire_input and not self.fire:
            actions |= ACT_FIRE
            if not self.unlocked:
                actions |= ACT_UNLOCK
            self.fire = self.unlocked = True
        self._fire_input = fire
        if tamper and not self._tamper:
            actions |= ACT_TAMPER
        self._tamper = tamper
        if rex and not self._rex:
            actions |= ACT_REX | self.unlock()
            self._rex_ms = 0
        self._rex = rex
        if leaf_open != self.leaf_open:
            actions |= self._leaf(leaf_open)
        return actions

    def _leaf(self, leaf_open: bool) -> int:
        self.leaf_open = leaf_open
        self._open_ms = 0
        self._held_reported = False
        if not leaf_open:
            return ACT_DOOR_CLOSED
        if not self.unlocked and not self._rex:
            return ACT_DOOR_OPENED | ACT_FORCED_OPEN
        if self.relock_on_open and not self.fire:
            self._left_ms = min(self._left_ms, RELOCK_DELAY_MS)
        return ACT_DOOR_OPENED

    def tick(self, elapsed_ms: int) -> int:
        """Let elapsed_ms pass; returns actions."""
        actions = 0
        if self.fire:
            actions |= self._reset_fire(elapsed_ms)
        if self.unlocked and not self.fire:
            self._left_ms -= elapsed_ms
            if self._left_ms <= 0:
                self._left_ms = 0
                self.unlocked = False
                actions |= ACT_LOCK
        if self.leaf_open and not self.unlocked and not self._held_reported:
            self._open_ms += elapsed_ms
            if self._open_ms >= self.held_open_s * 1000:
                self._held_reported = True
                actions |= ACT_HELD_OPEN
        return actions

    def _reset_fire(self, elapsed_ms: int) -> int:
        self._rex_ms = self._rex_ms + elapsed_ms if self._rex and not self._fire_input else 0
        if self._rex_ms < FIRE_RESET_HOLD_MS:
            return 0
        self.fire = False
        self._left_ms = 0
        return ACT_FIRE_CLEARED
