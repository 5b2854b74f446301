"""Journals of real lengths in a registry; bundles taken apart and put together (host)."""

from __future__ import annotations

import os
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller_tool.registry.records import JournalCheckpoint, JournalSector
from controller_tool.services import (
    bundle_layout,
    bundle_maker,
    bundle_manifest,
    journal_bundle,
    journal_store,
    journal_verify,
)
from controller_tool.services.journal_words import RING_NAMES
from protocol import cbor
from protocol.constants import (
    AAD_CHECKPOINT,
    RECORDS_PER_SECTOR,
    RING_ACCESS,
    RING_ALARM,
)
from tests.unit.journal_support import Lap

if TYPE_CHECKING:
    from controller_tool.services.site import Site
    from tests.unit.registry_support import Board

PAGE = 40
MADE_AT_S = 200_000_000


class Journals:
    """Both rings of a board, with sectors as long as the board's."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.laps = {
            ring: Lap(
                board.pen(ring),
                journal_verify.ring_records(board.device.board, ring) // RECORDS_PER_SECTOR + 2,
                RECORDS_PER_SECTOR,
            )
            for ring in (RING_ACCESS, RING_ALARM)
        }

    @property
    def access(self) -> Lap:
        return self.laps[RING_ACCESS]

    @property
    def alarm(self) -> Lap:
        return self.laps[RING_ALARM]

    def write(self, access: int = 0, alarm: int = 0) -> Journals:
        self.access.write(access)
        self.alarm.write(alarm)
        return self

    def pull(self, site: Site, checkpoint: bool = True) -> Journals:
        """What services/pull.py stores; a desk's checkpoint besides."""
        device = site.device(self.board.device.name)
        for ring, lap in self.laps.items():
            first = max(journal_store.next_seq(site, device, ring), lap.oldest)
            for start in range(first, len(lap.pen.written), PAGE):
                page = b"".join(lap.pen.written[start : start + PAGE])
                journal_store.append(site, device, ring, page)
            nonce = os.urandom(16)
            head = lap.pen.head(nonce, lap.oldest)
            journal_store.append(site, device, ring, b"", head, nonce)
            self._store_sectors(site, ring, lap)
        if checkpoint:
            self._store_checkpoint(site)
        return self

    def _store_sectors(self, site: Site, ring: int, lap: Lap) -> None:
        with site.registry.writing() as session:
            held = {row.header for row in session.query(JournalSector)}
            for header in lap.headers[lap.oldest // lap.per_sector :]:
                if header not in held:
                    session.add(
                        JournalSector(
                            device_id=self.board.device.id, ring=ring, header=header,
                            first_seq=int.from_bytes(header[12:16], "big"), pulled_at_s=1,
                        )
                    )  # fmt: skip

    def _store_checkpoint(self, site: Site) -> None:
        said: list[Any] = [site.id, self.board.device.id_bytes]
        for lap in self.laps.values():
            said += [len(lap.pen.written), lap.pen.c]
        envelope = site.sign("checkpoint", AAD_CHECKPOINT, cbor.encode(said))
        with site.registry.writing() as session:
            session.add(
                JournalCheckpoint(
                    device_id=self.board.device.id, access_seq=said[2], alarm_seq=said[4],
                    envelope=envelope, taken_at_s=1,
                )
            )  # fmt: skip


def bundle(site: Site, path: Path, **wish: bool) -> Path:
    journal_bundle.make(site, [], path, journal_bundle.Wish(**wish), MADE_AT_S)
    return path


def read(path: Path) -> dict[str, bytes]:
    """All files of a bundle."""
    if path.is_dir():
        return {
            file.relative_to(path).as_posix(): file.read_bytes()
            for file in path.rglob("*")
            if file.is_file()
        }
    with zipfile.ZipFile(path) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def write(path: Path, files: dict[str, bytes]) -> Path:
    """A folder, or a zip file, with exactly these."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as packed:
            for name, data in files.items():
                packed.writestr(name, data)
        return path
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def signed_anew(site: Site, files: dict[str, bytes]) -> dict[str, bytes]:
    """The manifest says what the files are now, and the maker signs it: what a desk can do."""
    old = bundle_manifest.decode(files[bundle_layout.MANIFEST])
    made = dict(files)
    del made[bundle_layout.MANIFEST], made[bundle_layout.SIGNATURE]
    said = {name: (sha256(data).hexdigest(), len(data)) for name, data in made.items()}
    controllers = [_counted(controller, made) for controller in old.controllers]
    manifest = bundle_manifest.encode(
        bundle_manifest.Manifest(old.site, old.role, old.peer, old.made_at_s, said, controllers)
    )
    signature = bundle_maker.sign(site, manifest)
    return {**made, bundle_layout.MANIFEST: manifest, bundle_layout.SIGNATURE: signature}


def _counted(
    controller: bundle_manifest.Controller, files: dict[str, bytes]
) -> bundle_manifest.Controller:
    rings = {}
    for ring, part in controller.rings.items():
        held = {n: files.get(controller.file(f"{n}.bin", ring), b"") for n in part.counts}
        sizes = {"records": 48, "heads": 96, "sectors": 64, "conflicts": 48}
        counts = {name: len(data) // sizes[name] for name, data in held.items()}
        heads = bundle_layout.heads(bundle_layout.pieces(held["heads"], 96))
        head = (heads[-1].next_seq, heads[-1].chain.hex()) if heads else None
        numbers = part.numbers(part.counts["records"])
        if counts["records"] != len(numbers):
            numbers = [
                int.from_bytes(record[:4], "big")
                for record in bundle_layout.pieces(held["records"], 48)
            ]
        rings[ring] = bundle_manifest.RingPart(
            bundle_manifest.ranges(numbers), part.long, counts, head
        )
    return bundle_manifest.Controller(controller.id, controller.name, controller.board, rings)


def name_in(files: dict[str, bytes], ring: int, name: str) -> str:
    """The first file of that name and ring."""
    return next(n for n in sorted(files) if n.endswith(f"/{RING_NAMES[ring]}/{name}"))


def said_anew(site: Site, files: dict[str, bytes], said: Any) -> dict[str, bytes]:
    """A manifest of the maker's own invention, which names these files and is signed."""
    signed = (bundle_layout.MANIFEST, bundle_layout.SIGNATURE)
    rest = {name: data for name, data in files.items() if name not in signed}
    table = {n: {"sha256": sha256(d).hexdigest(), "size": len(d)} for n, d in rest.items()}
    manifest = bundle_manifest.canonical({**said, "files": table})
    return {**rest, signed[0]: manifest, signed[1]: bundle_maker.sign(site, manifest)}
