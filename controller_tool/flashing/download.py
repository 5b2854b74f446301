"""Fetches one file of a known SHA-256 over HTTPS; it is whole and proven, or not there (host).

- only https, and no redirect leads away from it
- what has come lies in a .part file: the next try, in this run or a later one, asks for the rest
- no more is taken than `most_bytes`; a server that says more beforehand is not listened to
- the digest is proven before the file gets its name; where that fails the part is thrown away, and
  one that was put together from pieces is fetched once more from the beginning
- two at once: a part has one owner, who took it by renaming it; the other fetches one of its own
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller_tool import disk
from controller_tool.errors import ImageError, LinkError, OperatorError, ToolError
from controller_tool.messages import t

if TYPE_CHECKING:
    import ssl

Progress = Callable[[int, int], None]
SILENCE_S = 20.0
_TRIES = 4  # of which each goes on where the one before it was cut off
_PAUSE_S = 1.0
_CHUNK_BYTES = 64 * 1024
_ABANDONED_S = 120.0  # nobody writes into a part any more: longer than any silence that is borne
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_PARTIAL, _UNSATISFIABLE = 206, 416
_LOST = (http.client.HTTPException, OSError, EOFError)


@dataclass(frozen=True)
class Wanted:
    """What to fetch: address, digest as hex, and how long it may be."""

    address: str
    sha256: str
    most_bytes: int


@dataclass(frozen=True)
class Got:
    """How it went: size, and from which byte on a broken run was continued."""

    size_bytes: int
    resumed_at: int = 0


class _Cut(Exception):
    """The transfer ended before the file did."""


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but to https alone."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        """The next request; raises OperatorError for another kind of address."""
        _require_https(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(
    wanted: Wanted,
    target: Path,
    progress: Progress | None = None,
    context: ssl.SSLContext | None = None,
    silence_s: float = SILENCE_S,
) -> Got:
    """The file at `target`, proven; raises OperatorError, LinkError or ImageError.

    context: TLS settings, of the system where None. silence_s: how long a server may say nothing.
    """
    _require_https(wanted.address)
    opener = urllib.request.build_opener(
        _OnlyHttps, urllib.request.HTTPSHandler(context=context)
    )  # fmt: skip
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _own_part(target) as part:
            resumed_at = _fill(opener, wanted, part, progress or (lambda *_: None), silence_s)
            _settle(part, target)
            return Got(target.stat().st_size, resumed_at)
    except OSError as error:
        raise OperatorError(
            t("{path} cannot be written ({error})", path=target, error=error.strerror or error),
            disk.next_step(error),
        ) from error


def _fill(
    opener: urllib.request.OpenerDirector, wanted: Wanted, part: Path, progress: Progress,
    silence_s: float,
) -> int:  # fmt: skip
    """The whole file in `part`; from which byte on it was continued first."""
    resumed_at = part.stat().st_size
    if resumed_at and _sha256(part) == wanted.sha256:  # it had all, and ended before its name
        return resumed_at
    for attempt in range(_TRIES):
        had = part.stat().st_size
        try:
            _transfer(opener, wanted, part, progress, silence_s)
        except _Cut as cut:
            if attempt + 1 == _TRIES:
                raise LinkError(
                    t("{address} was cut off at {size} bytes ({detail})", address=wanted.address,
                      size=part.stat().st_size, detail=cut),
                    t("Run the command again; it goes on where it stopped"),
                ) from cut  # fmt: skip
            time.sleep(_PAUSE_S if part.stat().st_size == had else 0)
            continue
        if _sha256(part) == wanted.sha256:
            return resumed_at
        _empty(part)
        if not had:
            break  # all of it came from there, and it is another file
        resumed_at = 0
    raise ImageError(
        t("What {address} sent is not the file that is wanted (its SHA-256 differs)",
          address=wanted.address),
        t("Nothing was kept; ask who looks after board.toml, and trust no other file of that name"),
    )  # fmt: skip


def _transfer(
    opener: urllib.request.OpenerDirector, wanted: Wanted, part: Path, progress: Progress,
    silence_s: float,
) -> None:  # fmt: skip
    """One answer of the server, behind what `part` holds; _Cut when it ended too early."""
    had = part.stat().st_size
    headers = {"User-Agent": "controller-tool", "Accept-Encoding": "identity"}
    if had:
        headers["Range"] = f"bytes={had}-"
    request = urllib.request.Request(wanted.address, headers=headers)  # noqa: S310 - https, above
    with _answer(opener, request, wanted, part, silence_s) as response:
        begins, total = _span(response, had)
        if begins != had:
            _empty(part)  # a server that knows no ranges begins anew
            begins = 0
        if total > wanted.most_bytes:
            raise _too_long(wanted)
        try:
            _take(response, wanted, part, begins, total, progress)
        except _LOST as error:
            raise _Cut(_why(error)) from error
    if total and part.stat().st_size < total:
        raise _Cut(t("the server ended it"))


@contextlib.contextmanager
def _answer(
    opener: urllib.request.OpenerDirector, request: urllib.request.Request, wanted: Wanted,
    part: Path, silence_s: float,
) -> Iterator[Any]:  # fmt: skip
    try:
        response = opener.open(request, timeout=silence_s)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == _UNSATISFIABLE and part.stat().st_size:
            _empty(part)  # longer than the file is there: it was of another one
            raise _Cut(t("the server has less than is here already")) from error
        raise LinkError(
            t("{address} answers {code} {reason}", address=wanted.address, code=error.code,
              reason=error.reason),
            t("Look whether the file is still there, or give another place with --address"),
        ) from error  # fmt: skip
    except (urllib.error.URLError, *_LOST) as error:
        cause = getattr(error, "reason", error)
        if part.stat().st_size:
            raise _Cut(_why(cause)) from error
        raise LinkError(
            t("{address} cannot be reached ({detail})", address=wanted.address,
              detail=_why(cause)),
            t("Check the network; or fetch the file elsewhere and give it with --image"),
        ) from error  # fmt: skip
    with response:
        yield response


def _take(
    response: Any, wanted: Wanted, part: Path, at: int, total: int, progress: Progress
) -> None:
    with _appending(part) as write:
        while True:
            data = response.read1(_CHUNK_BYTES)
            if not data:
                return
            at += len(data)
            if at > wanted.most_bytes or (total and at > total):
                raise _too_long(wanted)
            write(data)
            progress(at, total or wanted.most_bytes)


@contextlib.contextmanager
def _appending(part: Path) -> Iterator[Callable[[bytes], None]]:
    """What the disk says is told apart from what the wire says: both are OSError."""
    with part.open("ab") as file:

        def write(data: bytes) -> None:
            try:
                file.write(data)
                file.flush()
            except OSError as error:
                raise OperatorError(
                    t("{path} cannot be written ({error})", path=part, error=error.strerror),
                    disk.next_step(error),
                ) from error

        yield write


def _span(response: Any, asked: int) -> tuple[int, int]:
    """Where the answer begins, and how long the file is in all; 0 where that is not told."""
    length = response.length or 0  # None for what is no number
    if response.status != _PARTIAL:
        return 0, length
    told = _RANGE.fullmatch(response.headers.get("Content-Range") or "")
    if told is None or int(told[1]) != asked:
        raise _Cut(t("the server sent another part than was asked for"))
    return asked, asked + length if told[3] == "*" else int(told[3])


def _too_long(wanted: Wanted) -> ToolError:
    return ImageError(
        t("{address} sends more than {most} bytes: that is no image for this board",
          address=wanted.address, most=wanted.most_bytes),
        t("Look what stands at that address"),
    )  # fmt: skip


def _require_https(address: str) -> None:
    if not address.lower().startswith("https://"):
        raise OperatorError(
            t("{address} is no https address", address=address),
            t("Nothing is fetched over an open line: give an https address"),
        )


@contextlib.contextmanager
def _own_part(target: Path) -> Iterator[Path]:
    """A part file that nobody else writes; kept for the next run when this one fails."""
    resting = target.with_name(target.name + ".part")
    own = target.with_name(f"{target.name}.{os.getpid()}-{time.monotonic_ns()}.part")
    for found in (resting, *_abandoned(target)):
        with contextlib.suppress(OSError):  # somebody else was faster, or there is none
            found.rename(own)
            break
    own.touch()
    try:
        yield own
    finally:
        if own.exists():
            if own.stat().st_size:
                own.replace(resting)
            else:
                own.unlink()


def _abandoned(target: Path) -> list[Path]:
    """Parts of runs that were killed, the longest first."""
    before = time.time() - _ABANDONED_S
    parts = [
        (path.stat().st_size, path)
        for path in target.parent.glob(f"{target.name}.*-*.part")
        if path.stat().st_mtime < before
    ]
    return [path for _, path in sorted(parts, reverse=True)]


def _settle(part: Path, target: Path) -> None:
    """On the disk first, then under its name."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(target)


def _empty(part: Path) -> None:
    part.write_bytes(b"")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _why(error: object) -> str:
    if isinstance(error, TimeoutError):
        return t("the server says nothing")
    text = str(getattr(error, "strerror", None) or error).strip()
    return text.splitlines()[0] if text else type(error).__name__
