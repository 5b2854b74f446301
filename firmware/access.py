"""From a credential to a decision: card key, list, profile, freshness, policy (device)."""

from protocol import cards
from protocol.codes import CLOCK_UNSET, CREDENTIAL_PIN, STALE_GRACE
from protocol.policy import schedule
from protocol.policy.decide import (
    ALWAYS,
    FRESH,
    INSIDE,
    NO_LIST,
    NO_PROFILE,
    NOT_LISTED,
    OUTSIDE,
    RULE_PIN,
    STALE,
    STALE_IN_GRACE,
    decide,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from firmware.clock import Clock
    from firmware.store import Nvs
    from firmware.whitelist import Whitelist
    from protocol.manifest import Manifest

_GRACE_BOOKED_MIN = 10  # powered minutes are booked so many at a time: NVS is flash too

NO_KEY = bytes(8)
_FLAGS_AT = 4  # in a profile
_NO_PROFILE: "tuple[int, ...]" = (0, NO_PROFILE, 0, 0, 0, 0, 0, 0, 0)


class Access:
    """Judges cards. After judge(): `key`, `flags`, `profile` of the card that was judged.

    rules: tells a door's own rules (RULE_…) of a point, asked when key and profile are known; None
    at a charger. kind, credential: what was judged last; the buffer is its reader's.
    """

    def __init__(self, whitelist: "Whitelist", clock: "Clock", card_key: bytes, nvs: "Nvs") -> None:
        self._whitelist = whitelist
        self._clock = clock
        self._card_key = card_key
        self._nvs = nvs
        self.lockdown = False
        self.rules: "Callable[[int], int] | None" = None
        self.kind = 0
        self.credential: "bytes | memoryview" = b""
        self.key = NO_KEY
        self.flags = NOT_LISTED
        self.profile = _NO_PROFILE
        self.grace_used_min = self._grace_booked_min = nvs.get("grace")

    def judge(
        self, kind: int, credential: "bytes | memoryview", point: int, fire: bool
    ) -> "tuple[bool, int]":
        """Decide about a credential at a point; returns (granted, reason)."""
        whitelist = self._whitelist
        clock = self._clock
        clock.tick()
        self.kind = kind
        self.credential = credential
        self.key = cards.card_key(self._card_key, kind, credential)
        self.profile = _NO_PROFILE
        if whitelist.prover is not None:
            whitelist.prover(self.key[0])
        held = whitelist.manifest
        if held is None:
            self.flags = NO_LIST
        elif whitelist.find(self.key):
            self.flags = whitelist.found_flags
            self.profile = self.profile_of(whitelist.found_profile)
        else:
            self.flags = NOT_LISTED
        rules = profile_flags = 0
        if self.rules is not None:
            rules = self.rules(point)
            profile_flags = self.profile[_FLAGS_AT]
        if kind >= CREDENTIAL_PIN:
            rules |= RULE_PIN
        return decide(
            self.flags,
            whitelist.found_from_min,
            whitelist.found_until_min,
            self.profile[1],
            self._schedule(held, self.profile[2]),
            point,
            clock.judged_min(),
            clock.quality,
            self.freshness(),
            self.lockdown,
            fire,
            rules,
            profile_flags,
        )

    def profile_of(self, number: int) -> "tuple[int, ...]":
        """That profile of the list in force; one that names nothing when it has none."""
        held = self._whitelist.manifest
        if held is not None:
            for profile in held.profiles:
                if profile[0] == number:
                    return profile
        return _NO_PROFILE

    def within(self, number: int) -> bool:
        """Whether the time lies in a schedule of the list; never without a clock or that schedule.

        A list that is too old to open by card opens by its hours no more.
        """
        if number == 0 or self._clock.quality == CLOCK_UNSET or self.freshness() == STALE:
            return False
        return self._schedule(self._whitelist.manifest, number) == INSIDE

    def _schedule(self, held: "Manifest | None", number: int) -> int:
        if number == 0 or held is None:
            return ALWAYS
        for entry in held.schedules:
            if entry[0] == number:
                minute = schedule.local_minute(held.utc_offsets, self._clock.time_s)
                return INSIDE if schedule.inside(entry[1:], held.holidays, minute) else OUTSIDE
        return OUTSIDE

    def freshness(self) -> int:
        """FRESH, STALE_IN_GRACE or STALE, by clock, refresh_by and what is left of the grace."""
        held = self._whitelist.manifest
        if held is None:
            return STALE
        if self._clock.quality != CLOCK_UNSET and self._clock.time_s < held.refresh_by_s:
            return FRESH
        stale_policy, grace_min = held.policy
        if stale_policy == STALE_GRACE and self.grace_used_min < grace_min:
            return STALE_IN_GRACE
        return STALE

    def minute(self) -> None:
        """A powered minute begins: it counts against the grace while the list is stale.

        What is booked ahead counts as used at the next start: cutting power wins nothing.
        """
        if self._whitelist.manifest is None or self.freshness() == FRESH:
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
