"""Points of a ring whose chain value is known: heads, sector headers, checkpoints (host, pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller_tool.services import journal_tags
from controller_tool.services.journal_findings import (
    FALSE_HEAD,
    FALSE_SECTOR,
    HEAD_REACH,
    Finding,
)
from controller_tool.wire_shapes import NUMBER_MAX
from protocol import sector_header
from protocol.constants import SECTOR_HEADER_BYTES, TAG_BYTES

if TYPE_CHECKING:
    from controller_tool.services.journal_findings import Head, Ring

_HEAD_MAC_BYTES = 16
_FIRST_SEQ = slice(12, 16)  # in a sector header


class Evidence:
    """Judged number by number, ascending, as the keys evolve.

    false: findings; heads: those that are right, from wherever; furthest: the highest number that
    something genuine speaks of; oldest: by number and c, the oldest number that heads name which a
    key at hand proves.
    """

    def __init__(self, ring: Ring, last: int) -> None:
        self._ring = ring
        self._keys = {
            name: journal_tags.Evolving(key) if isinstance(key, bytes) else key
            for name, key in ring.keys.items()
        }
        self.false: list[Finding] = []
        self.heads: list[Head] = []
        self.furthest = 0
        self.oldest: dict[tuple[int, bytes], int] = {}
        self._good: set[int] = set()  # id() of genuine heads
        self._heads: dict[int, list[Head]] = {}
        self._sectors: dict[int, list[bytes]] = {}
        self._checkpoints: dict[int, set[bytes]] = {}
        self._values: dict[int, set[bytes]] = {}
        self._sort(min(last + HEAD_REACH, NUMBER_MAX))

    def _sort(self, reach: int) -> None:
        for head in (*self._ring.heads, *self._ring.witnesses):
            if 0 <= head.next_seq <= reach:
                self._heads.setdefault(head.next_seq, []).append(head)
            else:
                self._refuse(FALSE_HEAD, head.next_seq)
        for header in self._ring.sectors:
            number = int.from_bytes(header[_FIRST_SEQ], "big")
            if len(header) == SECTOR_HEADER_BYTES and number <= reach:
                self._sectors.setdefault(number, []).append(header)
            else:
                self._refuse(FALSE_SECTOR, number)
        for number, c in self._ring.checkpoints:
            self._checkpoints.setdefault(number, set()).add(c)
            self.furthest = max(self.furthest, number)

    def numbers(self) -> list[int]:
        """Where there is something to look at, ascending."""
        return sorted({*self._heads, *self._sectors, *self._checkpoints})

    def is_genuine(self, head: Head) -> bool:
        """Whether a head, once its number was looked at, is right under each key at hand."""
        return id(head) in self._good

    def tag_keys(self, number: int) -> dict[str, bytes]:
        """T by name, of the keys that know it."""
        found = {name: key.at(number) for name, key in self._keys.items()}
        return {name: t for name, t in found.items() if t is not None}

    def tag_keys_of(self, first: int, count: int) -> dict[str, list[bytes]]:
        """The same for so many numbers."""
        found = {name: key.of(first, count) for name, key in self._keys.items()}
        return {name: ts for name, ts in found.items() if ts is not None}

    def signed(self, number: int) -> set[bytes]:
        """Chain values before that number by checkpoints."""
        return self._checkpoints.get(number, set())

    def values(self, number: int) -> set[bytes]:
        """Chain values before that number by genuine heads and sector headers."""
        if number not in self._heads and number not in self._sectors:
            return set()
        if number not in self._values:
            self._values[number] = self._judge(number)
        return self._values[number]

    def _judge(self, number: int) -> set[bytes]:
        ts = self.tag_keys(number)
        found = set()
        for head in self._heads.get(number, ()):
            # with disclosed T alone that of the newest head is not known: its c is compared
            if all(self._head_mac(t, head) == head.macs.get(name) for name, t in ts.items()):
                self._good.add(id(head))
                self.heads.append(head)
                found.add(head.chain)
                place = number, head.chain
                if ts:
                    self.oldest[place] = max(head.oldest_seq, self.oldest.get(place, 0))
            else:
                self._refuse(FALSE_HEAD, number)
        for header in self._sectors.get(number, ()) if ts else ():
            parts = self._parts(header, ts)
            if parts is None:
                self._refuse(FALSE_SECTOR, number)
            else:
                found.add(parts.c)
        if found:
            self.furthest = max(self.furthest, number)
        return found

    def _parts(self, header: bytes, ts: dict[str, bytes]) -> sector_header.SectorHeader | None:
        """Its fields; None when it is not this ring's or a tag does not fit."""
        parts = sector_header.unpack(header)
        covered = b"sector" + header[: sector_header.TAGGED_BYTES]
        if parts is None or parts.ring != self._ring.number:
            return None
        tags = {"tool": parts.tool_tag, "audit": parts.audit_tag}
        right = all(journal_tags.mac(t, covered)[:TAG_BYTES] == tags[n] for n, t in ts.items())
        return parts if right else None

    def _head_mac(self, t: bytes, head: Head) -> bytes:
        place = bytes((self._ring.number,)) + head.next_seq.to_bytes(4, "big")
        said = b"head" + head.nonce + place + head.chain + head.oldest_seq.to_bytes(4, "big")
        return journal_tags.mac(t, said)[:_HEAD_MAC_BYTES]

    def _refuse(self, kind: str, number: int) -> None:
        self.false.append(Finding(kind, number, number))
