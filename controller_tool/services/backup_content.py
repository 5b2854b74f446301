"""What stands in a backup: a list of files, then their bytes one after the other (host).

Content of the sealed file: length 4, big-endian ‖ JSON of `Contents` ‖ bytes of each file in the
order of the list. There is no archive format in it: nothing but the list's names can lead out of
the folder, and `check_names` is all that has to be believed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.services.backup_seal import damaged
from controller_tool.services.site import KEYS_FOLDER, REGISTRY_FILE, REGISTRY_KEY_FILE, TRUST_FILE
from controller_tool.services.site_file import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from controller_tool.services.backup_seal import Reader

FORMAT = 1
LENGTH_BYTES = 4
CONTENTS_MAX_BYTES = 16 << 20
FILES_MAX = 100_000
NAME_MAX_CHARACTERS = 240
DEPTH_MAX = 8
BLOCK_BYTES = 1 << 20
NEEDED = (FILE_NAME, REGISTRY_FILE, TRUST_FILE, f"{KEYS_FOLDER}/{REGISTRY_KEY_FILE}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
# what a file system somewhere reads as another place, another stream or another name
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


@dataclass(frozen=True)
class File:
    """One file. name: its path in the site folder, parts joined by "/"; sha256: as hex."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Contents:
    """Whose folder it was, when, and its files. site: the id as hex; made_at_s: since 2020."""

    site: str
    name: str
    role: str
    epoch: int
    made_at_s: int
    files: tuple[File, ...]

    @property
    def total_bytes(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def encode(self) -> bytes:
        """As `read` takes it."""
        fields = {
            "format": FORMAT, "site": self.site, "name": self.name, "role": self.role,
            "epoch": self.epoch, "made_at_s": self.made_at_s,
            "files": [[file.name, file.size, file.sha256] for file in self.files],
        }  # fmt: skip
        text = json.dumps(fields, ensure_ascii=False).encode()
        return len(text).to_bytes(LENGTH_BYTES, "big") + text


def read(reader: Reader, path: Path) -> Contents:
    """The list of the backup at ``path``; OperatorError when it is none that a folder has."""
    length = int.from_bytes(reader.read(LENGTH_BYTES), "big")
    if length > CONTENTS_MAX_BYTES:
        raise damaged(path)
    raw = reader.read(length)
    try:
        fields = json.loads(raw)
        if fields["format"] != FORMAT:
            raise OperatorError(
                t("{path} was written by a newer tool", path=path.name),
                t("Update controller-tool on this machine"),
            )
        contents = Contents(
            site=_text(fields["site"]), name=_text(fields["name"]), role=_text(fields["role"]),
            epoch=_number(fields["epoch"]), made_at_s=_number(fields["made_at_s"]),
            files=tuple(_file(row) for row in fields["files"][: FILES_MAX + 1]),
        )  # fmt: skip
        check_names([file.name for file in contents.files])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise damaged(path) from None
    return contents


def check_names(names: list[str]) -> None:
    """ValueError unless each name stays in the folder on every system, and no two are one file."""
    if len(names) > FILES_MAX or not {*NEEDED} <= {*names} or not all(map(fits, names)):
        raise ValueError("files")
    seen = {name.casefold() for name in names}
    folders = {str(above) for name in seen for above in PurePosixPath(name).parents}
    if len(seen) != len(names) or seen & folders:
        raise ValueError("twice")


def fits(name: str) -> bool:
    """Whether a name stays in the folder, and can be made, on every system."""
    parts = name.split("/")
    if len(name) > NAME_MAX_CHARACTERS or len(parts) > DEPTH_MAX or _FORBIDDEN.search(name):
        return False
    return not any(
        not part or part.endswith((".", " ")) or part.startswith(" ") or _DEVICES.match(part)
        for part in parts
    )


def blocks(reader: Reader, path: Path, file: File) -> Iterator[bytes]:
    """Bytes of the next file of the list; OperatorError at its end when they are not its own."""
    digest, left = sha256(), file.size
    while left:
        block = reader.read(min(left, BLOCK_BYTES))
        digest.update(block)
        left -= len(block)
        yield block
    if digest.hexdigest() != file.sha256:
        raise damaged(path)


def _file(row: Any) -> File:
    name, size, digest = row
    if not _DIGEST.fullmatch(_text(digest)):
        raise ValueError("digest")
    return File(_text(name), _number(size), digest)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("text")  # noqa: TRY004 - one kind of refusal
    return value


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("number")
    return value
