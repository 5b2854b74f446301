"""The format hzaccess/1 for the city's platform, docs/hzaccess.md: a folder with a signed manifest.

Runs on the host. The same journal and filter give the same bytes. A record's event_id is for good:
who gets it twice, from two exports that overlap, keeps it once.
"""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from typing import IO, TYPE_CHECKING, Any

from controller_tool import clock
from controller_tool.errors import OperatorError
from controller_tool.keys.files import FOLDER_MODE
from controller_tool.messages import t
from controller_tool.services import journal_export, journal_read
from controller_tool.services.journal_checkpoint import CHECKPOINT_KEY
from controller_tool.services.journal_verify import RING_NAMES
from protocol import cbor, records
from protocol.codes import (
    EVENT_DENIED,
    EVENT_GRANTED,
    EVENT_REVOKED_CARD_PRESENTED,
    EVENT_REX,
    REASON_EMERGENCY_CARD,
    REASON_FIRE,
    REASON_REX,
    REASON_TICKET,
)
from protocol.constants import RECORD_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from controller_tool.services.journal_filter import Filter
    from controller_tool.services.journal_index import Progress
    from controller_tool.services.journal_read import Entry, Flaws
    from controller_tool.services.site import Site
    from controller_tool.services.site_time import SiteTime

FORMAT = "hzaccess/1"
AAD = FORMAT.encode()
MANIFEST, SIGNATURE = "manifest.json", "manifest.cose"
ACCESS = (
    "event_id", "time", "clock_quality", "direction", "card_ref", "result", "reason", "method",
    "list_version", "chain_tag", "point", "count",
)  # fmt: skip
ALARM = (
    "event_id", "time", "clock_quality", "alarm", "reason", "card_ref", "list_version",
    "chain_tag", "point", "extra",
)  # fmt: skip
_COLUMNS = {"access": ACCESS, "alarm": ALARM}
_NAMES = tuple(f"{kind}.{suffix}" for kind in _COLUMNS for suffix in ("csv", "ndjson"))
_FIRST_ALARM = EVENT_REVOKED_CARD_PRESENTED
_DECISIONS = {EVENT_GRANTED: "granted", EVENT_DENIED: "denied", EVENT_REX: "granted"}
_METHODS = {
    REASON_EMERGENCY_CARD: "emergency_card", REASON_REX: "button", REASON_TICKET: "ticket",
    REASON_FIRE: "fire",
}  # fmt: skip
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
    site.require(CHECKPOINT_KEY)
    _require_room(folder, force)
    draft = folder.with_name(f"{folder.name}.part")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(FOLDER_MODE)
        counts = _fill(site, draft, journal_read.walk(site, wanted, progress, flaws))
        if folder.exists():
            shutil.rmtree(folder)
        draft.rename(folder)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise journal_export.unwritable(folder, error) from None
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return Exported(folder, counts["access"], counts["alarm"])


def _require_room(folder: Path, force: bool) -> None:
    if not (folder.exists() or folder.is_symlink()):
        return
    mine = {*_NAMES, MANIFEST, SIGNATURE}
    ours = (
        folder.is_dir()
        and not folder.is_symlink()
        and {path.name for path in folder.iterdir()} == mine
    )
    if not (force and ours):
        raise OperatorError(
            t("{path} is there already", path=folder),
            t("Name a new folder; --force replaces one of an earlier export only"),
        )


def _fill(site: Site, folder: Path, entries: Iterable[Entry]) -> dict[str, int]:
    """All files of the folder; returns how many records of each kind there are."""
    ids = {device.name: device.id for device in site.devices()}
    local = journal_read.local_of(site)
    ranges: dict[tuple[str, str, int], _Range] = {}
    with ExitStack() as stack:
        kinds = {kind: _Files(stack, folder, kind) for kind in _COLUMNS}
        for entry in entries:
            body = records.unpack(bytes.fromhex(entry.record)[:RECORD_BODY_BYTES])
            kind = "access" if body.event in _DECISIONS else "alarm"
            if kind == "alarm" and body.event < _FIRST_ALARM:
                continue
            device_id, ring = ids[entry.controller], _RING_NUMBERS[entry.ring]
            event_id = f"{device_id}-{body.boot}-{ring}-{entry.seq}"
            make = _access if kind == "access" else _alarm
            kinds[kind].write({"event_id": event_id, **make(entry, body, local)})
            ranges.setdefault((kind, device_id, ring), _Range()).add(entry.seq)
        counts = {kind: files.count for kind, files in kinds.items()}
    _sign(site, folder, counts, ranges)
    return counts


@dataclass
class _Range:
    """Sequence numbers of one kind of record of one ring."""

    first_seq: int = 1 << 32
    last_seq: int = -1
    count: int = 0

    def add(self, seq: int) -> None:
        self.first_seq = min(self.first_seq, seq)
        self.last_seq = max(self.last_seq, seq)
        self.count += 1


@dataclass
class _Files:
    """NDJSON and CSV of one kind of record."""

    stack: ExitStack
    folder: Path
    kind: str
    count: int = 0
    _lines: IO[bytes] = field(init=False)
    _rows: Any = field(init=False)

    def __post_init__(self) -> None:
        def opened(suffix: str) -> IO[bytes]:
            return self.stack.enter_context(
                journal_export.new_file(self.folder / f"{self.kind}.{suffix}")
            )

        self._lines = opened("ndjson")
        self._rows, stream = journal_export.csv_writer(opened("csv"))
        self.stack.callback(stream.detach)
        self._rows.writerow(_COLUMNS[self.kind])

    def write(self, fields: dict[str, Any]) -> None:
        """One record in both forms."""
        self.count += 1
        self._lines.write(journal_export.json_line(fields).encode())
        self._rows.writerow([journal_export.safe(value) for value in fields.values()])


def _access(entry: Entry, body: records.Record, local: SiteTime) -> dict[str, Any]:
    rex = body.event == EVENT_REX or body.reason == REASON_REX
    method = "button" if rex else _METHODS.get(body.reason, "card")
    folded = body.event == EVENT_DENIED and body.point == journal_read.CONTROLLER
    return {
        **_common(entry, body, local),
        "direction": "out" if rex else "in" if method in ("card", "emergency_card") else "",
        "card_ref": _card_ref(entry),
        "result": _DECISIONS[body.event],
        "reason": entry.reason,
        "method": method,
        **_proof(entry),
        "count": body.extra if folded else 1,
    }


def _alarm(entry: Entry, body: records.Record, local: SiteTime) -> dict[str, Any]:
    return {
        **_common(entry, body, local),
        "alarm": entry.event,
        "reason": entry.reason,
        "card_ref": _card_ref(entry),
        **_proof(entry),
        "extra": entry.extra,
    }


def _common(entry: Entry, body: records.Record, local: SiteTime) -> dict[str, Any]:
    offset = clock.local_text(body.time_s, local.offset_min(body.time_s))[-6:]
    return {"time": entry.time + offset, "clock_quality": entry.clock}


def _proof(entry: Entry) -> dict[str, Any]:
    return {
        "list_version": entry.list_version,
        "chain_tag": entry.record[2 * RECORD_BODY_BYTES :],
        "point": None if entry.point == journal_read.CONTROLLER else entry.point,
    }


def _card_ref(entry: Entry) -> str:
    return "" if entry.card == journal_read.UNKNOWN_CARD else entry.card


def _sign(
    site: Site,
    folder: Path,
    counts: dict[str, int],
    ranges: dict[tuple[str, str, int], _Range],
) -> None:
    """Manifest and its signature: COSE over [format, site, SHA-256 of the manifest's bytes]."""
    said = {
        "format": FORMAT,
        "site": site.id.hex(),
        "files": {
            name: {
                "sha256": _digest(folder / name),
                "bytes": (folder / name).stat().st_size,
                "records": counts[name.partition(".")[0]],
            }
            for name in _NAMES
        },
        "ranges": [
            {"record": kind, "device": device_id, "ring": ring, "first_seq": one.first_seq,
             "last_seq": one.last_seq, "count": one.count}
            for (kind, device_id, ring), one in sorted(ranges.items())
        ],
    }  # fmt: skip
    text = (json.dumps(said, indent=2, sort_keys=True) + "\n").encode()
    payload = cbor.encode([FORMAT, site.id, sha256(text).digest()])
    for name, content in (
        (MANIFEST, text),
        (SIGNATURE, site.sign(CHECKPOINT_KEY, AAD, payload)),
    ):
        with journal_export.new_file(folder / name) as file:
            file.write(content)


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
