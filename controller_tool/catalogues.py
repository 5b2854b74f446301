"""The Chinese texts as gettext takes them: all PO files as one compiled catalogue (host).

A wheel carries it compiled (hatch_build.py). A checkout compiles it at first use with babel, a
developer's package, and keeps it in the user's cache under the digest of the PO files. No file
but the PO files is in git.
"""

from __future__ import annotations

import gettext
import hashlib
import io
import os
import struct
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "locale" / "zh_CN" / "LC_MESSAGES"
COMPILED = FOLDER / "controller-tool.mo"
_MADE = datetime(2020, 1, 1, tzinfo=UTC)  # in the header; the day of compiling would change it
_KEPT = 8  # several checkouts, several branches


def load() -> gettext.NullTranslations:
    """The catalogue; an empty one, and a line on stderr, where it cannot be compiled."""
    if COMPILED.is_file():
        return _understood(COMPILED.read_bytes())
    sources = sorted(FOLDER.glob("*.po"))
    kept = _cache_dir() / f"{_digest(sources)}.mo"
    with suppress(OSError, ValueError, struct.error):  # not there, or spoiled
        return _understood(kept.read_bytes())
    try:
        made = compile_po(sources)
    except ValueError as error:
        # no `t` here: it is what fails
        sys.stderr.write(f"controller-tool: the Chinese texts cannot be compiled: {error}\n")
        sys.stderr.write("Run `./dev setup`; if it says the same again, mend that PO file\n")
        return gettext.NullTranslations()
    with suppress(OSError):  # a home that cannot be written to costs time, nothing else
        _keep(kept, made)
    return _understood(made)


def compile_po(sources: Sequence[Path]) -> bytes:
    """One MO file of all entries that are translated and not fuzzy; the same bytes every time.

    Raises ValueError without babel, or naming a PO file that cannot be read.
    """
    try:
        from babel.messages import catalog, mofile, pofile  # noqa: PLC0415  not in a wheel's world
    except ImportError as error:
        raise ValueError(f"{error.name} is not installed") from error

    merged = catalog.Catalog(locale="zh_CN", creation_date=_MADE, revision_date=_MADE)
    for path in sources:
        try:
            with path.open("rb") as file:
                entries = pofile.read_po(file, locale="zh_CN", abort_invalid=True)
        except (pofile.PoFileError, UnicodeDecodeError, ValueError) as error:
            raise ValueError(f"{path.name}: {error}") from error
        for entry in entries:
            if entry.id and not entry.fuzzy:
                merged.add(entry.id, entry.string, context=entry.context)
    made = io.BytesIO()
    mofile.write_mo(made, merged)
    return made.getvalue()


def _understood(compiled: bytes) -> gettext.NullTranslations:
    return gettext.GNUTranslations(io.BytesIO(compiled))


def _digest(sources: Sequence[Path]) -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sources:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:32]


def _cache_dir() -> Path:
    import platformdirs  # noqa: PLC0415  a wheel needs none

    return Path(platformdirs.user_cache_dir("controller-tool")) / "catalogues"


def _keep(path: Path, made: bytes) -> None:
    """Whole or not at all: several processes may compile at once. The oldest ones go."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(made)
    Path(part).replace(path)
    by_age = sorted(path.parent.glob("*.mo"), key=lambda each: each.stat().st_mtime, reverse=True)
    for old in by_age[_KEPT:]:
        old.unlink(missing_ok=True)
