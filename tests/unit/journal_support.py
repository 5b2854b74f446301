"""A ring that goes round as firmware/ring.py's does, for tests of what proves it (host)."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any

from controller_tool.services import journal_check as check
from protocol.codes import EVENT_OVERWRITTEN
from protocol.constants import RING_ACCESS
from tests.unit.registry_support import Pen

if TYPE_CHECKING:
    from collections.abc import Callable

SITE, DEVICE = b"site-id1", b"device-1"
KEYS = {"tool": b"t" * 16, "audit": b"a" * 16}
PER_SECTOR = 10  # of a real controller: 84


@dataclasses.dataclass
class Lap:
    """A pen whose ring has so many sectors; `held` is what is still in the ring."""

    pen: Pen
    sectors: int = 5
    per_sector: int = PER_SECTOR
    headers: list[bytes] = dataclasses.field(default_factory=list)

    @classmethod
    def of(cls, **options: Any) -> Lap:
        return cls(Pen(SITE, DEVICE, RING_ACCESS, KEYS["tool"], KEYS["audit"]), **options)

    @property
    def long(self) -> int:
        """Records that the ring holds at least."""
        return (self.sectors - 2) * self.per_sector

    @property
    def oldest(self) -> int:
        """First number of the oldest sector that stays."""
        filling = max(0, len(self.pen.written) - 1) // self.per_sector
        return max(0, filling - self.sectors + 2) * self.per_sector

    def write(self, count: int = 1, say: Callable[[Pen], object] = Pen.write) -> Lap:
        for _ in range(count):
            number, rest = divmod(len(self.pen.written), self.per_sector)
            if rest == 0:
                self.headers.append(self.pen.sector(number))
            if rest == 0 and number >= self.sectors - 1:
                stays = (number - self.sectors + 2) * self.per_sector
                self.pen.write(EVENT_OVERWRITTEN, 0, extra=stays)
            else:
                say(self.pen)
        return self

    def head(self, **changes: Any) -> check.Head:
        nonce = os.urandom(16)
        _, n, c, held, _, tool, audit = self.pen.head(nonce, self.oldest)
        genuine = check.Head(nonce, n, c, held, {"tool": tool, "audit": audit})
        return dataclasses.replace(genuine, **changes)

    def places(self, first: int | None = None) -> list[tuple[int, bytes]]:
        return list(enumerate(self.pen.written))[self.oldest if first is None else first :]

    def ring(self, **changes: Any) -> check.Ring:
        """As it is pulled for the first time now."""
        held = check.Ring(
            SITE, DEVICE, RING_ACCESS, KEYS, self.places(), [self.head()], self.long,
            sectors=self.headers[self.oldest // self.per_sector :],
        )  # fmt: skip
        return dataclasses.replace(held, **changes)


def found(report: check.Report) -> list[tuple[str, int, int]]:
    return [(f.kind, f.first_seq, f.last_seq) for f in report.findings]
