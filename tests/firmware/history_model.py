"""What a controller's list engine must do in any history, as plain dicts (host).

- exactly one signed version is in force: after a step that was refused or whose session broke the
  one before; after one that power cut the one before or the new one; else the new one
- every card is found as that version says; the version floor is that version, the clock's floor
  never falls
- a card that an acknowledged version ended opens nothing until a list issues it anew
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from hashlib import sha256
from typing import Any

from protocol import cards
from protocol import codes as c
from protocol.card_digest import digest
from protocol.constants import FAR_FUTURE_S, FLAG_REVOKED, TIME_END_MIN
from protocol.deltas import by_key
from tests.firmware.history_board import PROFILES, HistoryBoard, Offered

PEOPLE = 8
CROWD = 130  # more than waits an hour for its merge; two are less than fills an overlay
CROWDS = 2
CHUNKS = (2048, 4096, 1000, 16)
_STAFF = 180  # there from the first list on
_WEEK_S = 7 * 86400
_NOTHING = Offered(0, b"", b"", b"")

# at which change, how many quarters of it are done, whether those of the bases do not count, and at
# which change of the start after it power goes again (0: it does not)
Cut = tuple[int, int, bool, int] | None


def key(number: int) -> bytes:
    return sha256(b"%d" % number).digest()[:8]


def record(number: int, profile: int = 1, flags: int = 0) -> bytes:
    return cards.pack(key(number), 0, TIME_END_MIN, profile, flags)


def is_live(found: bytes) -> bool:
    return bool(found) and not cards.flags(found) & FLAG_REVOKED


class History:
    """One controller and the office that signs for it. do() takes a step, check() follows it."""

    def __init__(self, board: HistoryBoard, spoil: str | None = None) -> None:
        self.board = board
        self.wanted = {key(n): record(n) for n in range(1000, 1000 + _STAFF)}
        self.crowds = 0
        self.held = _NOTHING
        self.past: list[Offered] = []  # all that were ever in force
        self.broken: Offered | None = None  # came in part
        self.ended: set[bytes] = set()  # live once, and ended by a list in force since
        self.clock_floor_s = 0
        self.now_s = 0
        self.is_synced = False
        asked = [*range(PEOPLE), *range(1000, 1000 + _STAFF, 11)]
        asked += [2000 + CROWD * crowd + n for crowd in range(CROWDS) for n in range(0, CROWD, 9)]
        self.asked = [key(n) for n in asked]
        self.ask = [k.hex() for k in self.asked]
        self.tally: Counter[str] = Counter()
        self.seen = board.do("new", self.ask, spoil=spoil, rsa=board.rsa)
        self.check(_NOTHING)

    def do(self, step: tuple[Any, ...]) -> None:
        self.now_s += 60
        getattr(self, step[0])(*step[1:])

    # --- the office ---------------------------------------------------------------------------

    def issue(self, person: int, profile: int) -> None:
        """Also a change of profile, when the card is out already."""
        self.wanted[key(person)] = record(person, profile)

    def collect(self, person: int, is_removed: bool) -> None:
        if is_removed:
            self.wanted.pop(key(person), None)
        elif key(person) in self.wanted:
            self.wanted[key(person)] = record(person, flags=FLAG_REVOKED)

    def crowd(self) -> None:
        if self.crowds < CROWDS:
            first = 2000 + CROWD * self.crowds
            self.wanted |= {key(n): record(n, PROFILES[1]) for n in range(first, first + CROWD)}
            self.crowds += 1

    def listed(self) -> bytes:
        return b"".join(self.wanted[k] for k in sorted(self.wanted))

    def next(self, is_full: bool, **changed: Any) -> Offered:
        """The next list for this controller; changed: fields of an otherwise honest manifest."""
        records, version = self.listed(), self.held.version + 1
        if is_full or not self.held.version:
            payload = records
            m = self.board.draft(version, records, payload, self.now_s)
        else:
            m, payload = self.board.delta(
                version, self.held.version, self.held.records, records, self.now_s
            )
        for name, value in changed.items():
            setattr(m, name, value)
        return self.board.signed(m, payload, records)

    # --- what reaches the controller ----------------------------------------------------------

    def push(self, is_full: bool, chunk: int, cut: Cut) -> None:
        self._push(self.next(is_full), chunk, cut)

    def postdated(self, is_full: bool, chunk: int, cut: Cut) -> None:
        """A list of next week is refused by a controller that knows the time."""
        issued_s = self.next(True).issued_at_s
        dated_s = issued_s + _WEEK_S
        offered = self.next(is_full, issued_at_s=dated_s, refresh_by_s=dated_s + 1)
        is_early = self.is_synced and dated_s > max(issued_s, self.clock_floor_s) + FAR_FUTURE_S
        self._push(offered, chunk, cut, c.ERR_DATE if is_early else 0)

    def stop(self, is_full: bool, chunk: int, cut: Cut, eighths: int) -> None:
        """The session ends in the middle of a list."""
        offered = self.broken = self.next(is_full)
        upto = len(offered.payload) * eighths // 8 // 16 * 16
        self._send(offered, chunk, cut, 0, upto)
        self.check(self.held)

    def resume(self, chunk: int, cut: Cut) -> None:
        """The list whose session ended comes again; perhaps another one came between."""
        if self.broken is not None:
            is_late = self.broken.version <= self.held.version
            self._push(self.broken, chunk, cut, c.ERR_VERSION_LOW if is_late else 0)

    def refuse(self, what: str, is_full: bool, chunk: int, cut: Cut) -> None:
        made = self._bad(what, is_full)
        if made is not None:
            self._push(made[0], chunk, cut, made[1])

    def _bad(self, what: str, is_full: bool) -> tuple[Offered, int] | None:
        version = self.held.version
        if what == "stranger":
            m = self.board.draft(version + 1, b"", b"", self.now_s)
            return self.board.signed(m, b"", b"", self.board.stranger), c.ERR_KEY_UNKNOWN
        if what == "unsigned":
            good = self.next(is_full)
            spoilt = good.envelope[:-1] + bytes((good.envelope[-1] ^ 1,))
            return replace(good, envelope=spoilt), c.ERR_SIGNATURE
        if what == "lie":
            return self.next(is_full, result_digest=bytes(32)), c.ERR_DIGEST
        return self._of_another_past(what) if self.past else None

    def _of_another_past(self, what: str) -> tuple[Offered, int] | None:
        version = self.held.version
        if what == "fork":
            return self.next(False, base_digest=digest(self.held.records[16:])), c.ERR_BASE
        if what == "stale" and version > 1:
            return self.next(False, base_version=version - 1), c.ERR_BASE
        return self.past[self.now_s // 60 % len(self.past)], c.ERR_VERSION_LOW

    def _push(self, offered: Offered, chunk: int, cut: Cut, refusal: int = 0) -> None:
        self._send(offered, chunk, cut, refusal)
        if refusal:
            self.check(self.held)
        elif self.seen["cut"]:
            self.check(self.held, offered)
        else:
            self.check(offered)

    def _send(
        self, offered: Offered, chunk: int, cut: Cut, refusal: int, upto: int | None = None
    ) -> None:
        envelope, payload = offered.envelope.hex(), offered.payload.hex()
        how = {"envelope": envelope, "payload": payload, "chunk": chunk, "upto": upto}
        self._act("push", refusal, cut, **how)
        self.tally["resumed"] += self.seen["result"] > 0

    # --- what happens to it -------------------------------------------------------------------

    def work(self, steps: int, later: bool, cut: Cut) -> None:
        overlay = self.seen["overlay"]
        self._act("work", 0, cut, steps=steps, later=later)
        self.tally["merged"] += self.seen["overlay"] < overlay
        self.check(self.held)

    def restart(self, loses_clock: bool, cut_at: int) -> None:
        self._act("restart", loses_clock=loses_clock, cut_at=cut_at)
        self.is_synced = False
        self.tally["cut at a start"] += self.seen["result"]
        self.check(self.held)

    def clock(self) -> None:
        time_s = self.next(True).issued_at_s
        is_behind = time_s < self.clock_floor_s
        self._act("clock", c.ERR_TIME_REACH if is_behind else 0, time_s=time_s)
        self.is_synced = self.is_synced or not is_behind
        self.check(self.held)

    def _act(self, act: str, refusal: int = 0, cut: Cut = None, **how: Any) -> None:
        if cut is not None:
            how |= {"cut": cut[:3], "again": cut[3]}
        self.seen = self.board.do(act, self.ask, **how)
        if self.seen["cut"]:
            self.is_synced = False
            self.tally[f"{act} cut"] += 1
            self.tally["cut twice"] += self.seen["again"]
        else:
            self.tally[f"refused {self.seen['code']}"] += 1
            code = self.seen["code"]
            assert code == refusal, f"{act}: code {code} instead of {refusal}"

    def end(self) -> None:
        """Nothing is left half done that another push, a merge and a start would not mend."""
        self.asked = sorted({*self.asked, *self.wanted})
        self.ask = [k.hex() for k in self.asked]
        self.push(False, CHUNKS[0], None)
        self.restart(False, 0)
        self.work(100_000, True, None)
        assert not self.seen["overlay"]

    # --- what must hold -----------------------------------------------------------------------

    def check(self, *allowed: Offered) -> None:
        """What is in force is one of these, whole."""
        seen = self.seen
        versions = {offered.version: offered for offered in allowed}
        assert seen["version"] in versions, f"{seen['version']} is in force, not {list(versions)}"
        now = versions[seen["version"]]
        wanted = by_key(now.records)
        found = {k: bytes.fromhex(text) for k, text in zip(self.asked, seen["found"], strict=True)}
        wrong = {k.hex() for k, record in found.items() if record != wanted.get(k, b"")}
        assert not wrong, f"not as version {now.version} says: {wrong}"
        assert seen["digest"] == (digest(now.records) if now.version else bytes(32)).hex()
        assert seen["count"] == len(wanted)
        assert seen["floor"] == now.version, f"floor {seen['floor']}, list {now.version}"
        assert seen["clock_floor_s"] >= max(self.clock_floor_s, now.issued_at_s)
        self.clock_floor_s = seen["clock_floor_s"]
        live = {k for k, record in wanted.items() if is_live(record)}
        if now is not self.held:
            self.tally["old or new: new"] += len(allowed) > 1
            self.past.append(now)
            self.ended -= live
            self.ended |= {k for k, r in by_key(self.held.records).items() if is_live(r)} - live
            self.held = now
        revived = {k.hex() for k in self.ended if is_live(found.get(k, b""))}
        assert not revived, f"ended, yet live: {revived}"
