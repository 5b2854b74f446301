"""What is known of a controller's commissioning, kept in the site folder, and its sheet (host).

`records/facts/ID.json` is noted step by step, so that an interrupted run loses nothing and the
next one knows whether the last was finished. The sheet is made from it and from the registry: one
HTML file to print and sign, again whenever it is asked for, and never over another one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller_tool import disk
from controller_tool.channel.dial import dial
from controller_tool.clock import local_text, now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.services import audit, endings
from protocol.version import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from controller_tool.channel.dial import Way
    from controller_tool.registry.models import Device
    from controller_tool.services.flash import Flashed
    from controller_tool.services.provision import Provisioned
    from controller_tool.services.site import Site
    from controller_tool.services.taps import Trials

FOLDER = "records"
_FACTS = "facts"
_FINISHED = "finished_at_s"
_NUMBERS_MAX = 100  # sheets of one controller and day


ENDINGS = (".html", ".htm")  # a PDF lies beside it


@dataclass(frozen=True)
class Written:
    """A sheet: its file, its digest as the operators' log has it, and a PDF where one was made."""

    path: Path
    sha256: str
    pdf: Path | None = None


def of_flash(flashed: Flashed) -> dict[str, Any]:
    """What a session with the chip's loader tells."""
    return {
        "way": "flash", "chip": flashed.chip, "mac": flashed.mac,
        "flash_bytes": flashed.flash_bytes, "image_sha256": flashed.image_sha256,
        "image_word": flashed.image_word, "image_version": flashed.image_version,
        "written_bytes": flashed.written_bytes,
    }  # fmt: skip


def of_prompt(found: dict[str, Any]) -> dict[str, Any]:
    """What a board tells at its prompt: which image is on it nobody can say."""
    mac = bytes.fromhex(str(found["id"])).hex(":")
    return {"way": "provision", "mac": mac, "image_version": str(found["release"])}


def of_call(site: Site, done: Provisioned) -> dict[str, Any]:
    """What the first call found."""
    first = done.first_list
    return {
        "installer": site.operator, "role": site.role, "at_s": now_s(),
        "tool": importlib.metadata.version("controller-tool"),
        "clock": done.clock, "self_test": done.self_test,
        "first_list": None
        if first is None
        else {"ok": first.ok, "what": first.what, "version": first.version},
        "firmware": bytes(done.info.get("firmware", b"")).hex(),
        "firmware_version": text_of(done.info["version"]) if "version" in done.info else "",
        **of_trials(done.trials),
    }  # fmt: skip


def of_trials(trials: Trials | None) -> dict[str, Any]:
    """Cards that were tried; nothing where none were to be."""
    return {} if trials is None else {"trials": dataclasses.asdict(trials)}


def note(site: Site, device: Device, told: dict[str, Any], finished: bool = False) -> None:
    """Adds to what is known of this controller."""
    facts = {**known(site, device), **told}
    if finished:
        facts[_FINISHED] = now_s()
    path = _facts_path(site, device)
    with _told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, json.dumps(facts, ensure_ascii=False, indent=1).encode())


def known(site: Site, device: Device) -> dict[str, Any]:
    """All that was noted; empty where nothing was, or what is there cannot be read."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(_facts_path(site, device).read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return {}


def finished(site: Site, device: Device) -> bool:
    """Whether a commissioning of this controller came to its end."""
    return _FINISHED in known(site, device)


def write(site: Site, name: str, path: Path | None = None, pdf: bool = True) -> Written:
    """The sheet of a controller, in the session's language; raises OperatorError.

    path: where it is to lie, with one of ENDINGS; else in the site folder, named for the controller
    and the day.
    """
    from controller_tool.services import record_page, record_pdf  # noqa: PLC0415 - only here

    device = site.device(name)
    page = record_page.render(site, device, known(site, device)).encode()
    target = path or _free_path(site, device)
    endings.require(target, *ENDINGS)
    with _told(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, page)
    digest = hashlib.sha256(page).hexdigest()
    with site.registry.writing() as session:
        audit.append(
            session, site.operator, "device.record", name=device.name, id=device.id, sha256=digest
        )
    return Written(target, digest, record_pdf.convert(target) if pdf else None)


def _free_path(site: Site, device: Device) -> Path:
    day = local_text(now_s())[:10]
    stem = f"{device.name}-{day}"
    folder = site.path / FOLDER
    for number in range(1, _NUMBERS_MAX):
        path = folder / (f"{stem}.html" if number == 1 else f"{stem}-{number}.html")
        if not path.exists():
            return path
    return folder / f"{stem}-{datetime.now(UTC):%H%M%S}.html"


def _facts_path(site: Site, device: Device) -> Path:
    return site.path / FOLDER / _FACTS / f"{device.id}.json"


def _replace(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OperatorError(
            t("{path} cannot be written ({error})", path=path, error=error.strerror or error),
            disk.next_step(error),
        ) from error


def try_cards(
    site: Site, name: str, wanted: int, say: Callable[[str], None], way: Way | None = None
) -> Trials:
    """Cards tried at a controller that is in service; the next sheet has them."""
    from controller_tool.services import taps  # noqa: PLC0415 - it reads journals: slow to import

    device = site.device(name)
    with dial(site, device, way, notice=say) as client:
        trials = taps.watch(site, device, client, wanted, say)
    note(site, device, of_trials(trials))
    return trials
