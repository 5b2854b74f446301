"""What a decision about a card rests on: list, profile, freshness, and what came of it (device).

The decision itself is firmware/judging.py.
"""

from protocol.codes import CLOCK_UNSET, STALE_GRACE
from protocol.policy.decide import FRESH, NO_PROFILE, NOT_LISTED, STALE, STALE_IN_GRACE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from firmware.clock import Clock
    from firmware.store import Nvs
    from firmware.whitelist import Whitelist

_GRACE_BOOKED_MIN = 10  # powered minutes are booked so many at a time: NVS is flash too

NO_KEY = bytes(8)
NO_PROFILE_ROW: "tuple[int, ...]" = (0, NO_PROFILE, 0, 0, 0, 0, 0, 0, 0)


class Access:
    """After judge(): `key`, `flags`, `profile` of the card that was judged.

    rules: tells a door's own rules (RULE_…) of a point, asked when key and profile are known; None
    at a charger. kind, credential: what was judged last; the buffer is its reader's.
    """

    def __init__(self, whitelist: "Whitelist", clock: "Clock", card_key: bytes, nvs: "Nvs") -> None:
        self.whitelist = whitelist
        self.clock = clock
        self.card_key = card_key
        self._nvs = nvs
        self.lockdown = False
        self.rules: "Callable[[int], int] | None" = None
        self.kind = 0
        self.credential: "bytes | memoryview" = b""
        self.key = NO_KEY
        self.flags = NOT_LISTED
        self.profile = NO_PROFILE_ROW
        self.grace_used_min = self._grace_booked_min = nvs.get("grace")

    def profile_of(self, number: int) -> "tuple[int, ...]":
        """That profile of the list in force; one that names nothing when it has none."""
        held = self.whitelist.manifest
        if held is not None:
            for profile in held.profiles:
                if profile[0] == number:
                    return profile
        return NO_PROFILE_ROW

    def freshness(self) -> int:
        """FRESH, STALE_IN_GRACE or STALE, by clock, refresh_by and what is left of the grace."""
        held = self.whitelist.manifest
        if held is None:
            return STALE
        if self.clock.quality != CLOCK_UNSET and self.clock.time_s < held.refresh_by_s:
            return FRESH
        stale_policy, grace_min = held.policy
        if stale_policy == STALE_GRACE and self.grace_used_min < grace_min:
            return STALE_IN_GRACE
        return STALE

    def minute(self) -> None:
        """A powered minute begins: it counts against the grace while the list is stale.

        What is booked ahead counts as used at the next start: cutting power wins nothing.
        """
        if self.whitelist.manifest is None or self.freshness() == FRESH:
            return
        self.grace_used_min += 1
        if self.grace_used_min > self._grace_booked_min:
            self._grace_booked_min += _GRACE_BOOKED_MIN
            self._nvs.put("grace", self._grace_booked_min)

    def refill_grace(self) -> None:
        """A new list or a set clock refills the budget if it ends the staleness: nothing else."""
        if self._grace_booked_min and self.freshness() == FRESH:
            self.grace_used_min = self._grace_booked_min = 0
            self._nvs.put("grace", 0)
