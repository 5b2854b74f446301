"""Journals in the format hzaccess/1, docs/hzaccess.md: a folder with a signed manifest (host).

The same journal and filter give the same bytes. A record's event_id is for good: who gets it
twice, from two exports that overlap, keeps it once. services.city exports everything, and what
changed since.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.services import audit, journal_read
from controller_tool.services.city import event_rows, kinds, rows_cards
from controller_tool.services.city import folder as folders
from controller_tool.services.journal_verify import RING_NAMES
from protocol import records
from protocol.constants import RECORD_BODY_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.services.journal_filter import Filter
    from controller_tool.services.journal_index import Progress
    from controller_tool.services.journal_read import Flaws
    from controller_tool.services.site import Site

FORMAT = kinds.FORMAT
AAD = folders.AAD
ACCESS, ALARM = kinds.COLUMNS["access"], kinds.COLUMNS["alarm"]
_KINDS = ("access", "alarm")
_RING_NUMBERS = {name: number for number, name in RING_NAMES.items()}


@dataclass(frozen=True)
class Exported:
    """How many records of each kind there are in the folder."""

    folder: Path
    access: int
    alarm: int


def export(
    site: Site,
    wanted: Filter,
    folder: Path,
    force: bool = False,
    progress: Progress | None = None,
    flaws: Flaws | None = None,
) -> Exported:
    """Make ``folder``; OperatorError when it is there already or this site folder cannot sign.

    force: a folder of an earlier export is replaced, anything else is not; flaws: are told there.
    """
    with folders.making(site, folder, _KINDS, force) as made:
        audit.export_begun(site, "journal", _KINDS)
        ids = {device.name: device.id for device in site.devices()}
        local = journal_read.local_of(site)
        with site.registry.session() as session:
            bindings = rows_cards.binding_ids(session)
        for entry in journal_read.walk(site, wanted, progress, flaws):
            event = records.unpack(bytes.fromhex(entry.record)[:RECORD_BODY_BYTES]).event
            kind = next((kind for kind in _KINDS if event in event_rows.EVENTS[kind]), None)
            if kind is None:
                continue
            device_id, ring = ids[entry.controller], _RING_NUMBERS[entry.ring]
            fields = event_rows.fields(kind, device_id, ring, entry, local, bindings)
            made.write(kind, fields, device_id, ring, entry.seq)
    return Exported(folder, made.counts["access"], made.counts["alarm"])
