"""Delivers hzaccess/1: to a folder, or to a platform at least once, batch by batch (host).

A mark goes on only when the platform has acknowledged: who is killed at any point sends the same
records again, under the same event ids. docs/hzaccess.md describes the protocol.
"""

from __future__ import annotations

import base64
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from controller_tool.errors import LinkError, OperatorError
from controller_tool.messages import t
from controller_tool.rules import delivery as rules
from controller_tool.rules import duty
from controller_tool.services import audit, journal_export
from controller_tool.services.city import doc_no, happenings, marks, things
from controller_tool.services.city import folder as folders
from controller_tool.services.city.http_post import Unreachable
from controller_tool.services.city.kinds import FORMAT, KINDS, STATE
from controller_tool.services.desk import operators
from controller_tool.services.journal_checkpoint import CHECKPOINT_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from controller_tool.services.city.http_post import Poster
    from controller_tool.services.city.kinds import Item, Note
    from controller_tool.services.site import Site

    Progress = Callable[[str, int, int], None]

FOLDER_TARGET = "folder"
TRIES = 10  # in a row; with their pauses a quarter of an hour
_CONTENT_TYPE = "application/x-ndjson; charset=utf-8"


@dataclass
class Delivered:
    """records: acknowledged by kind; rejected: of these, how many were refused; retries: answers
    that made it wait; numbers_sealed: whether ID numbers are in it, for the recipient alone.
    """

    target: str
    records: dict[str, int]
    rejected: int = 0
    retries: int = 0
    numbers_sealed: bool = False


@dataclass(frozen=True)
class Wish:
    """full: everything, not only what the target lacks; kinds: which."""

    full: bool = False
    kinds: tuple[str, ...] = KINDS


def count(site: Site, target: str, wish: Wish = Wish()) -> Delivered:
    """What would be delivered, for a dry run."""
    site.require_cards()
    operators.require(site, duty.EXPORT)
    recipient = doc_no.read(site)
    found = Counter(
        item.kind
        for kind in wish.kinds
        for item in _items(site, target, kind, wish.full, recipient)
        if item.fields is not None
    )
    return Delivered(target, _by_kind(wish, found), numbers_sealed=recipient is not None)


def to_folder(
    site: Site, path: Path, wish: Wish = Wish(), target: str = FOLDER_TARGET, force: bool = False
) -> Delivered:
    """Make a folder; what is in it counts as acknowledged by ``target`` once it is in place."""
    site.require_cards()
    operators.require(site, duty.EXPORT)
    recipient = doc_no.read(site)
    notes: dict[str, list[Note]] = {kind: [] for kind in wish.kinds}
    with folders.making(site, path, wish.kinds, force) as made:
        audit.export_begun(site, target, wish.kinds)
        for kind in wish.kinds:
            for item in _items(site, target, kind, wish.full, recipient):
                notes[kind].append(item.note)
                if item.fields is not None:
                    made.write(kind, item.fields, item.device_id, item.ring, item.seq)
    for kind, seen in notes.items():
        if seen:
            marks.advance(site, target, kind, seen, made.counts[kind])
    return Delivered(target, dict(made.counts), numbers_sealed=recipient is not None)


def to_platform(
    site: Site, poster: Poster, wish: Wish = Wish(), progress: Progress | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Delivered:  # fmt: skip
    """Send what the platform has not acknowledged; LinkError when it stays out of reach.

    What was acknowledged before stays so: the same again goes on there.
    """
    site.require_cards()
    site.require(CHECKPOINT_KEY)
    operators.require(site, duty.EXPORT)
    recipient = doc_no.read(site)
    run = _Run(site, poster, pause, wish.kinds)
    done = Delivered(poster.endpoint.target, _by_kind(wish, {}), 0, 0, recipient is not None)
    for kind in wish.kinds:
        sent = 0
        for batch in _batches(_items(site, done.target, kind, wish.full, recipient)):
            run.deliver(kind, batch, done)
            sent += sum(line is not None for _, line in batch)
            if progress is not None:
                progress(kind, sent, sent)
    return done


def _by_kind(wish: Wish, found: dict[str, int]) -> dict[str, int]:
    return {kind: found.get(kind, 0) for kind in wish.kinds}


def _items(
    site: Site, target: str, kind: str, full: bool, recipient: doc_no.Recipient | None
) -> Iterator[Item]:
    if kind in STATE:
        return things.items(site, target, kind, full, recipient)
    return happenings.items(site, target, kind, full)


Line = tuple["Item", bytes | None]
Batch = list[Line]  # each item with its line


def _batches(items: Iterable[Item]) -> Iterator[Batch]:
    """Items in batches that are bounded in records and bytes; what is only noted costs nothing."""
    batch: Batch = []
    records = size = 0
    for item in items:
        line = None if item.fields is None else journal_export.json_line(item.fields).encode()
        if line is not None:
            if not rules.fits(records, size, len(line)):
                yield batch
                batch, records, size = [], 0, 0
            records, size = records + 1, size + len(line)
        batch.append((item, line))
    if batch:
        yield batch


@dataclass
class _Run:
    """Batches to one platform, one after the other."""

    site: Site
    poster: Poster
    pause: Callable[[float], None]
    kinds: tuple[str, ...]
    failures: int = field(default=0)
    begun: bool = field(default=False)  # and written down; a run that has nothing to send is not

    def deliver(self, kind: str, batch: Batch, done: Delivered) -> None:
        """All of a batch, in as many pieces as the platform wants."""
        waiting = [batch]
        while waiting:
            now = waiting.pop(0)
            lines = [(item, line) for item, line in now if line is not None]
            if not lines:
                marks.advance(self.site, done.target, kind, [item.note for item, _ in now], 0)
                continue
            if not self.begun:
                audit.export_begun(self.site, done.target, self.kinds)
                self.begun = True
            verdict, asked_s = self._ask(kind, lines)
            if verdict.kind == rules.TAKEN:
                self.failures = 0
                rest = self._take(kind, now, verdict, done)
                waiting[:0] = [rest] if rest else []
            elif verdict.kind == rules.SMALLER and len(lines) == 1:
                refused = ((lines[0][0].event_id, verdict.why),)
                self._take(kind, now, rules.Verdict(rules.TAKEN, "", 1, refused), done)
            elif verdict.kind == rules.SMALLER:
                middle = now.index(lines[len(lines) // 2])
                waiting[:0] = [now[:middle], now[middle:]]
            else:
                self._wait(verdict, asked_s, done)
                waiting.insert(0, now)

    def _ask(self, kind: str, lines: Sequence[Line]) -> tuple[rules.Verdict, float | None]:
        body = b"".join(line for _, line in lines if line is not None)
        ids = [item.event_id for item, _ in lines]
        digest = sha256(body).digest()
        payload = folders.manifest_payload(self.site, digest)
        signature = self.site.sign(CHECKPOINT_KEY, folders.AAD, payload)
        key = sha256("\n".join((kind, *ids)).encode()).hexdigest()
        headers = {
            "Content-Type": _CONTENT_TYPE, "Accept": "application/json",
            "User-Agent": "controller-tool", "Idempotency-Key": key,
            "Content-Digest": f"sha-256=:{base64.b64encode(digest).decode()}:",
            "Hzaccess-Format": FORMAT, "Hzaccess-Site": self.site.id.hex(),
            "Hzaccess-Record": kind, "Hzaccess-Count": str(len(ids)),
            "Hzaccess-Signature": base64.b64encode(signature).decode(),
        }  # fmt: skip
        try:
            answer = self.poster.post(body, headers)
        except Unreachable as error:
            return rules.Verdict(rules.AGAIN, str(error)), None
        asked_s = rules.retry_after_s(answer.retry_after, time.time())
        return rules.judge(answer.status, answer.body, ids), asked_s

    def _take(self, kind: str, now: Batch, verdict: rules.Verdict, done: Delivered) -> Batch:
        """Note what was acknowledged; returns the rest."""
        left, end = verdict.acknowledged, len(now)
        for place, (_, line) in enumerate(now):
            if line is not None:
                if not left:
                    end = place
                    break
                left -= 1
        notes = [item.note for item, _ in now[:end]]
        records = verdict.acknowledged
        marks.advance(self.site, done.target, kind, notes, records, verdict.rejected)
        done.records[kind] += records
        done.rejected += len(verdict.rejected)
        return now[end:]

    def _wait(self, verdict: rules.Verdict, asked_s: float | None, done: Delivered) -> None:
        taken = sum(done.records.values())
        if verdict.kind == rules.STOP:
            raise OperatorError(
                t("{target} takes nothing: {why}; {n} records were delivered before",
                  target=done.target, why=verdict.why, n=taken),
                t("Compare address and token with the platform's; the same command goes on"),
            )  # fmt: skip
        self.failures += 1
        done.retries += 1
        if self.failures >= TRIES:
            raise LinkError(
                t("{target} is out of reach: {why}; {n} records were delivered before",
                  target=done.target, why=verdict.why, n=taken),
                t("Try again later; the same command goes on where this one stopped"),
            )  # fmt: skip
        self.pause(rules.pause_s(self.failures, random.random(), asked_s))  # noqa: S311 - jitter
