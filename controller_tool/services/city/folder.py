"""Folders of hzaccess/1: NDJSON and CSV of each kind of record, one signed manifest (host)."""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from controller_tool.errors import OperatorError
from controller_tool.keys.files import FOLDER_MODE
from controller_tool.messages import t
from controller_tool.services import journal_export
from controller_tool.services.city.kinds import COLUMNS, FORMAT
from controller_tool.services.journal_checkpoint import CHECKPOINT_KEY
from protocol import cbor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from controller_tool.services.site import Site

AAD = FORMAT.encode()
MANIFEST, SIGNATURE = "manifest.json", "manifest.cose"
_SUFFIXES = ("csv", "ndjson")
_OURS = {MANIFEST, SIGNATURE, *(f"{kind}.{suffix}" for kind in COLUMNS for suffix in _SUFFIXES)}


@contextmanager
def making(site: Site, folder: Path, kinds: Sequence[str], force: bool) -> Iterator[Making]:
    """A folder that is in place, whole and signed, when the block ends well.

    OperatorError when it is there already or this site folder cannot sign; force: a folder of an
    earlier export is replaced, anything else is not.
    """
    site.require(CHECKPOINT_KEY)
    _require_room(folder, force)
    draft = folder.with_name(f"{folder.name}.part")
    _require_ours(draft)
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(FOLDER_MODE)
        with ExitStack() as stack:
            made = Making({kind: _Files(stack, draft, kind) for kind in kinds})
            yield made
        _sign(site, draft, made)
        if folder.exists():
            shutil.rmtree(folder)
        draft.rename(folder)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise journal_export.unwritable(folder, error) from None
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def manifest_payload(site: Site, digest: bytes) -> bytes:
    """What is signed: format, site, SHA-256 of a manifest or of a batch's bytes."""
    return cbor.encode([FORMAT, site.id, digest])


def _require_room(folder: Path, force: bool) -> None:
    if not (folder.exists() or folder.is_symlink()):
        return
    names = (
        {path.name for path in folder.iterdir()}
        if folder.is_dir() and not folder.is_symlink()
        else set()
    )
    if not (force and {MANIFEST, SIGNATURE} <= names <= _OURS):
        raise OperatorError(
            t("{path} is there already", path=folder),
            t("Name a new folder; --force replaces one of an earlier export only"),
        )


def _require_ours(draft: Path) -> None:
    """What an export that was killed left is thrown away, and nothing else."""
    if not (draft.exists() or draft.is_symlink()):
        return
    ours = draft.is_dir() and not draft.is_symlink()
    if not (ours and {path.name for path in draft.iterdir()} <= _OURS):
        raise OperatorError(
            t("{path} is there already", path=draft),
            t("The folder is made under this name first: move that away, or name another"),
        )


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
        self._rows.writerow(COLUMNS[self.kind])

    def write(self, fields: dict[str, Any]) -> None:
        """One record in both forms."""
        self.count += 1
        self._lines.write(journal_export.json_line(fields).encode())
        self._rows.writerow([journal_export.safe(_cell(value)) for value in fields.values()])


def _cell(value: object) -> object:
    """Lists as a cell takes them: their entries with blanks between."""
    return " ".join(map(str, value)) if isinstance(value, list) else value


@dataclass
class Making:
    """The folder's files by kind, and which numbers of which ring are in them."""

    files: dict[str, _Files]
    ranges: dict[tuple[str, str, int], _Range] = field(default_factory=dict)

    def write(
        self, kind: str, fields: dict[str, Any], device_id: str = "", ring: int | None = None,
        seq: int = 0,
    ) -> None:  # fmt: skip
        """One record; ring, seq: where it stands in a journal."""
        self.files[kind].write(fields)
        if ring is not None:
            self.ranges.setdefault((kind, device_id, ring), _Range()).add(seq)

    @property
    def counts(self) -> dict[str, int]:
        """Records of each kind."""
        return {kind: files.count for kind, files in self.files.items()}


def _sign(site: Site, folder: Path, made: Making) -> None:
    """Manifest and its signature: COSE over [format, site, SHA-256 of the manifest's bytes]."""
    said = {
        "format": FORMAT,
        "site": site.id.hex(),
        "files": {
            f"{kind}.{suffix}": _file(folder / f"{kind}.{suffix}", count)
            for kind, count in sorted(made.counts.items())
            for suffix in _SUFFIXES
        },
        "ranges": [
            {"record": kind, "device": device_id, "ring": ring, "first_seq": one.first_seq,
             "last_seq": one.last_seq, "count": one.count}
            for (kind, device_id, ring), one in sorted(made.ranges.items())
        ],
    }  # fmt: skip
    text = (json.dumps(said, indent=2, sort_keys=True) + "\n").encode()
    payload = manifest_payload(site, hashlib.sha256(text).digest())
    for name, content in (
        (MANIFEST, text),
        (SIGNATURE, site.sign(CHECKPOINT_KEY, AAD, payload)),
    ):
        with journal_export.new_file(folder / name) as file:
            file.write(content)


def _file(path: Path, records: int) -> dict[str, object]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return {"sha256": digest.hexdigest(), "bytes": path.stat().st_size, "records": records}
