"""Makes an evidence bundle of pulled journals: all that proves them, never a key K (host).

docs/bundle.md describes the files. Tag keys T of the tool are disclosed for the records that are
in it, so that others can check the tool's tags; who has them could make such a tag, not an
auditor's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import name_of, t
from controller_tool.services import (
    audit,
    bundle_cards,
    bundle_layout,
    bundle_maker,
    bundle_manifest,
    bundle_output,
    journal_evidence,
    journal_reach,
    journal_store,
    journal_tags,
    journal_verify,
)
from controller_tool.services.bundle_manifest import Controller, Manifest, RingPart
from controller_tool.services.journal_words import RING_NAMES
from controller_tool.wire_shapes import NUMBER_MAX
from protocol.constants import RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device
    from controller_tool.services.bundle_output import Sink
    from controller_tool.services.site import Site

    Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Wish:
    """cards: with the references of cards; people: and the names of their holders."""

    cards: bool = False
    people: bool = False
    force: bool = False


@dataclass(frozen=True)
class Made:
    """The bundle that was made. disclosed: whether tag keys of the tool are in it."""

    path: Path
    controllers: tuple[str, ...]
    records: int
    files: int
    bytes: int
    disclosed: bool


def make(
    site: Site,
    names: Sequence[str],
    path: Path,
    wish: Wish = Wish(),
    made_at_s: int | None = None,
    progress: Progress | None = None,
) -> Made:
    """Write the journals of the named controllers, or of all, to a folder or .zip file."""
    if wish.cards or wish.people:
        bundle_cards.require(site)
    maker = bundle_maker.own(site)
    _ = site.ec_key(f"peer-{maker.role}")  # before anything is written
    devices = sorted((site.device(name) for name in site.chosen(names)), key=lambda d: d.id)
    with bundle_output.output(path, wish.force) as sink:
        if wish.cards or wish.people:
            kinds = ["journal", "card", *(["person"] if wish.people else [])]
            audit.export_begun(site, "bundle", kinds)
        sink.put(bundle_layout.TRUST, site.trust_object())
        sink.put(bundle_layout.MAKER, maker.certificate)
        if maker.ca is not None:
            sink.put(bundle_layout.PEER_CA, maker.ca)
        controllers = []
        for done, device in enumerate(devices):
            controllers.append(_controller(site, device, sink, wish))
            _require_room(sink)
            if progress is not None:
                progress(t("bundle"), done + 1, len(devices))
        manifest = bundle_manifest.encode(
            Manifest(
                site.id.hex(), maker.role, maker.id.hex(),
                now_s() if made_at_s is None else made_at_s, dict(sink.files), controllers,
            )
        )  # fmt: skip
        _require_room(sink, len(manifest))
        sink.put(bundle_layout.MANIFEST, manifest)
        sink.put(bundle_layout.SIGNATURE, bundle_maker.sign(site, manifest))
    return _made(path, sink, controllers)


def _require_room(sink: Sink, manifest_bytes: int = 0) -> None:
    """What readers refuse is not made."""
    if (
        sum(size for _, size in sink.files.values()) > bundle_layout.TOTAL_MAX_BYTES
        or len(sink.files) > bundle_layout.FILES_MAX - 2  # the manifest's two come last
        or manifest_bytes > bundle_layout.MANIFEST_MAX_BYTES
    ):
        raise OperatorError(t("That is too much for one bundle"), t("Name fewer controllers"))


def _made(path: Path, sink: Sink, controllers: list[Controller]) -> Made:
    return Made(
        path,
        tuple(controller.name for controller in controllers),
        sum(part.counts["records"] for c in controllers for part in c.rings.values()),
        len(sink.files),
        sum(size for _, size in sink.files.values()),
        any(name.endswith(bundle_layout.TOOL_T) for name in sink.files),
    )


def _controller(site: Site, device: Device, sink: Sink, wish: Wish) -> Controller:
    made = Controller(device.id, device.name, device.board, {})
    sink.put(made.file(bundle_layout.DEVICE), device.certificate_der)
    with site.registry.session() as session:
        envelopes = journal_evidence.envelopes(session, device.id)
        sink.put(made.file(bundle_layout.CHECKPOINTS), bundle_layout.checkpoint_file(envelopes))
        for ring in journal_store.RINGS:
            made.rings[ring] = _ring(site, session, device, ring, made, sink, wish)
        if wish.cards:
            content = bundle_cards.references(site, session, device, wish.people)
            sink.put(made.file(bundle_layout.CARDS), content)
    return made


def _ring(
    site: Site, session: Session, device: Device, ring: int, made: Controller, sink: Sink,
    wish: Wish,
) -> RingPart:  # fmt: skip
    places = journal_evidence.places(session, device.id, ring)
    numbers = [number for number, _ in places]
    records = [record for _, record in places]
    _check(site, device, numbers, records)
    heads = journal_store.heads(session, device.id, ring)
    sectors = journal_evidence.sectors(session, device.id, ring)
    conflicts = [row.record for row in journal_store.conflicts(session, device.id, ring)]
    pack = bundle_layout.pack_head
    files = {
        bundle_layout.RECORDS: b"".join(records),
        bundle_layout.HEADS: b"".join(
            pack(journal_evidence.head(row), row.boot, row.pulled_at_s) for row in heads
        ),
        bundle_layout.SECTORS: b"".join(sectors),
        bundle_layout.CONFLICTS: b"".join(conflicts),
        **_keys(site, device, ring, numbers, wish),
    }
    for name, data in files.items():
        sink.put(made.file(name, ring), data)
    counts = {"records": len(places), "heads": len(heads), "sectors": len(sectors),
              "conflicts": len(conflicts)}  # fmt: skip
    newest = (heads[-1].next_seq, heads[-1].chain.hex()) if heads else None
    long = journal_verify.ring_records(device.board, ring)
    return RingPart(bundle_manifest.ranges(numbers), long, counts, newest)


def _keys(
    site: Site, device: Device, ring: int, numbers: list[int], wish: Wish
) -> dict[str, bytes]:
    """The sealed audit key; T and masks of the tool where this folder has its key."""
    found: dict[str, bytes] = {}
    sealed: bytes | None = getattr(device, f"k_audit_{RING_NAMES[ring]}")
    if sealed is not None:
        found[bundle_layout.AUDIT_KEY] = sealed
    if getattr(device, f"k_tool_{RING_NAMES[ring]}_sealed") is not None:
        k_tool = site.secret(device, f"k_tool_{RING_NAMES[ring]}")
        near = numbers[: journal_reach.spared(numbers, journal_reach.STEPS)]
        disclosed = journal_tags.disclose(k_tool, near)
        found[bundle_layout.TOOL_T] = b"".join(t for t, _ in disclosed)
        if wish.cards:
            found[bundle_layout.MASKS] = b"".join(mask for _, mask in disclosed)
    return found


def _check(site: Site, device: Device, numbers: list[int], records: list[bytes]) -> None:
    """What somebody put into the registry by hand may have no place in a bundle."""
    whole = all(len(record) == RECORD_BYTES for record in records)
    if not whole or (numbers and not 0 <= numbers[0] <= numbers[-1] <= NUMBER_MAX):
        raise OperatorError(
            t("The journal of {device} in this {role} folder was altered",
              device=device.name, role=name_of("role", site.role)),
            t("See where with: journal verify"),
        )  # fmt: skip
