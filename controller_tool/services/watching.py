"""Pushes again and again, for as long as a desk is open (host).

- what changes in the registry goes out at once, to every controller
- one that was reached is asked again after QUIET_S: its list must not grow stale
- one that was not is tried again after a pause that grows to RETRY_MAX_S, with jitter, so that
  a house whose power comes back does not knock all at once
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from controller_tool.registry.records import AuditEntry
from controller_tool.services.push import PushResult, push

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.channel.dial import Way
    from controller_tool.services.site import Site

STEP_S = 1.0
QUIET_S = 60.0  # a controller admits six handshakes a minute, from every peer
RETRY_S = 1.0
RETRY_MAX_S = 300.0


@dataclass
class _Due:
    """When a controller is to be asked next, by the watch's own clock, and the last pause."""

    at_s: float = 0.0
    retry_s: float = RETRY_S


@dataclass
class _Watch:
    """What is remembered between rounds."""

    site: Site
    names: list[str] | None
    way: Way | None
    seen: int = -1
    due: dict[str, _Due] = field(default_factory=dict)

    def round(self, now_s: float) -> list[PushResult]:
        """Push to those whose time has come; nothing when it is nobody's."""
        chosen = self.site.chosen(self.names)
        newest = self._newest_change()
        changed, self.seen = newest != self.seen, newest
        names = [
            name for name in chosen if changed or self.due.setdefault(name, _Due()).at_s <= now_s
        ]
        results = push(self.site, names, way=self.way) if names else []
        for result in results:
            self._plan(result, now_s)
        return results

    def _plan(self, result: PushResult, now_s: float) -> None:
        due = self.due.setdefault(result.device, _Due())
        if result.ok:
            due.at_s, due.retry_s = now_s + QUIET_S, RETRY_S
            return
        due.retry_s = min(RETRY_MAX_S, due.retry_s * 2)
        due.at_s = now_s + due.retry_s * random.uniform(0.8, 1.0)  # noqa: S311 - no secret

    def _newest_change(self) -> int:
        """Number of the newest act of a person; lists that are signed are acts of ours."""
        by_people = ~AuditEntry.act.startswith("list.", autoescape=True)
        with self.site.registry.session() as session:
            return session.scalar(select(func.max(AuditEntry.id)).where(by_people)) or 0


def watch(
    site: Site,
    names: list[str] | None,
    report: Callable[[list[PushResult]], None],
    way: Way | None = None,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    rounds: int | None = None,
) -> None:
    """Reports each round in which somebody was asked; ends after ``rounds`` steps, or never."""
    watching = _Watch(site, names, way)
    while rounds is None or rounds > 0:
        results = watching.round(clock())
        if results:
            report(results)
        rounds = None if rounds is None else rounds - 1
        pause(STEP_S)
