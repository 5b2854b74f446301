"""The manifest of an evidence bundle: what it must say, in canonical JSON (host, pure)."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from controller_tool.services.bundle_layout import (
    CONTROLLERS_MAX,
    FILE_MAX_BYTES,
    FILES_MAX,
    FORMAT,
    NAME,
)
from controller_tool.services.journal_words import RING_NAMES
from controller_tool.wire_shapes import NUMBER_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence

_ID = re.compile(r"[0-9a-f]{16}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_BOARD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ROLE = re.compile(r"[a-z]{1,16}")
_NAME_MAX = 64
_TIME_MAX_S = 1 << 40


@dataclass(frozen=True)
class RingPart:
    """What the manifest says of one ring. ranges: (first, last) of the places, in file order."""

    ranges: list[tuple[int, int]]
    long: int
    counts: dict[str, int] = field(default_factory=dict)
    head: tuple[int, str] | None = None

    def numbers(self, most: int) -> list[int]:
        """The places of the first ``most`` records of the file."""
        rows = (range(first, last + 1) for first, last in self.ranges)
        return list(itertools.islice(itertools.chain.from_iterable(rows), most))


@dataclass(frozen=True)
class Controller:
    """One controller of a bundle."""

    id: str
    name: str
    board: str
    rings: dict[int, RingPart]

    @property
    def missing(self) -> int:
        """Numbers before the last record of each ring that are not in the bundle."""
        return sum(
            r.ranges[-1][1] + 1 - r.counts["records"] for r in self.rings.values() if r.ranges
        )

    def file(self, name: str, ring: int | None = None) -> str:
        """Name in the bundle of one of its files."""
        return f"{self.id}/{name}" if ring is None else f"{self.id}/{RING_NAMES[ring]}/{name}"


@dataclass(frozen=True)
class Manifest:
    """files: (SHA-256 as hex, size) by name."""

    site: str
    role: str
    peer: str
    made_at_s: int
    files: dict[str, tuple[str, int]]
    controllers: list[Controller]


def encode(made: Manifest) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8."""
    value = {
        "format": FORMAT,
        "site": made.site,
        "maker": {"role": made.role, "peer": made.peer},
        "made_at_s": made.made_at_s,
        "files": {name: {"sha256": h, "size": size} for name, (h, size) in made.files.items()},
        "controllers": [
            {"id": c.id, "name": c.name, "board": c.board,
             "rings": {RING_NAMES[ring]: _ring(part) for ring, part in c.rings.items()}}
            for c in made.controllers
        ],
    }  # fmt: skip
    return canonical(value)


def canonical(value: object) -> bytes:
    """JSON in its one form."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def decode(data: bytes) -> Manifest:
    """The manifest; ValueError for anything but its one form."""
    try:
        value = json.loads(data)
        made = _manifest(value)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("manifest") from error
    _need(canonical(value) == data)
    return made


def _ring(part: RingPart) -> dict[str, Any]:
    head = None if part.head is None else {"next_seq": part.head[0], "chain": part.head[1]}
    return {**part.counts, "ranges": part.ranges, "long": part.long, "head": head}


def _manifest(value: Any) -> Manifest:
    _need(value["format"] == FORMAT)
    files = {name: (said["sha256"], said["size"]) for name, said in value["files"].items()}
    for name, (digest, size) in files.items():
        _need(NAME.fullmatch(name) is not None and _SHA256.fullmatch(digest) is not None)
        _need(_is_number(size, FILE_MAX_BYTES))
    _need(len(files) <= FILES_MAX)
    _need(len(value["controllers"]) <= CONTROLLERS_MAX)
    controllers = [_controller(said) for said in value["controllers"]]
    _need(len({c.id for c in controllers}) == len(controllers))
    site, role, peer = value["site"], value["maker"]["role"], value["maker"]["peer"]
    _need(_ID.fullmatch(site) is not None and _ID.fullmatch(peer) is not None)
    _need(_ROLE.fullmatch(role) is not None and _is_number(value["made_at_s"], _TIME_MAX_S))
    return Manifest(site, role, peer, value["made_at_s"], files, controllers)


def _controller(said: Any) -> Controller:
    _need(_ID.fullmatch(said["id"]) is not None and _BOARD.fullmatch(said["board"]) is not None)
    _need(isinstance(said["name"], str) and 0 < len(said["name"]) <= _NAME_MAX)
    _need(said["name"].isprintable() and set(said["rings"]) == set(RING_NAMES.values()))
    rings = {number: _ring_part(said["rings"][name]) for number, name in RING_NAMES.items()}
    return Controller(said["id"], said["name"], said["board"], rings)


def _ring_part(said: Any) -> RingPart:
    counts = {name: said[name] for name in ("records", "heads", "sectors", "conflicts")}
    for count in (*counts.values(), said["long"]):
        _need(_is_number(count, FILE_MAX_BYTES))
    ranges = [(first, last) for first, last in said["ranges"]]
    after = -1
    for first, last in ranges:
        _need(_is_number(first, NUMBER_MAX) and _is_number(last, NUMBER_MAX))
        _need(after < first <= last)
        after = last
    _need(sum(last - first + 1 for first, last in ranges) == counts["records"])
    head = said["head"]
    if head is not None:
        _need(_is_number(head["next_seq"], 0xFFFFFFFF))
        _need(_SHA256.fullmatch(head["chain"]) is not None)
        head = (head["next_seq"], head["chain"])
    return RingPart(ranges, said["long"], counts, head)


def _is_number(value: object, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def _need(fits: bool) -> None:
    if not fits:
        raise ValueError("manifest")


def ranges(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """(first, last) of each row of ascending numbers without a gap."""
    rows: list[tuple[int, int]] = []
    for number in numbers:
        if rows and number == rows[-1][1] + 1:
            rows[-1] = (rows[-1][0], number)
        else:
            rows.append((number, number))
    return rows
