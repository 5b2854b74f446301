"""The trust objects of a site folder: every one by its version, the newest in force (host).

`trust.cbor` is the newest, `trust/N.cbor` are all: a controller that was away is brought up one
by one. An object is kept only if it follows the newest; what it says goes into site.toml last,
and is put right there when a stop in between left it behind.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from controller_tool.errors import OperatorError
from controller_tool.keys.files import FOLDER_MODE, write_private_file
from controller_tool.messages import t
from controller_tool.services.site import TRUST_FILE
from protocol import trust
from protocol.codes import KEY_ROOT
from protocol.messages import Refused
from protocol.names import ERROR_NAMES

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.services.site import Site
    from controller_tool.services.site_file import SiteFile
    from protocol.trust import Trust

FOLDER = "trust"


def objects(site: Site) -> dict[int, bytes]:
    """All objects as controllers take them, by version, ascending."""
    found = {trust.parse(data).version: data for data in _files(site)}
    return {version: found[version] for version in sorted(found)}


def newest(site: Site) -> Trust:
    """The object in force; site.toml agrees with it afterwards."""
    held = trust.parse(site.trust_object())
    facts = _facts(site, held)
    if facts != site.facts:
        _adopt(site, held)
    return held


def keep(site: Site, data: bytes) -> Trust:
    """Take the successor of the newest object in; OperatorError when it does not follow."""
    held = newest(site)
    try:
        taken = trust.verify(data, held)
    except Refused as error:
        raise does_not_follow(error) from None
    save(site.path, held, site.trust_object())  # a folder made before objects were kept
    save(site.path, taken, data)
    write_private_file(site.path / TRUST_FILE, data)
    _adopt(site, taken)
    return taken


def save(folder: Path, taken: Trust, data: bytes) -> None:
    """Write one object under its version."""
    kept = folder / FOLDER
    kept.mkdir(mode=FOLDER_MODE, exist_ok=True)
    write_private_file(kept / f"{taken.version}.cbor", data)


def copy(site: Site, folder: Path) -> None:
    """All objects of the site into another folder of it."""
    for data in objects(site).values():
        save(folder, trust.parse(data), data)


def does_not_follow(error: Refused) -> OperatorError:
    """What a person is told about an object that is no successor of the newest."""
    return OperatorError(
        t("The trust object does not follow the one of this folder ({error})",
          error=t(ERROR_NAMES[error.code])),
        t("See with site show which version is in force here, and make a new draft"),
    )  # fmt: skip


def _files(site: Site) -> list[bytes]:
    kept = sorted((site.path / FOLDER).glob("*.cbor"))
    return [*(path.read_bytes() for path in kept), site.trust_object()]


def _adopt(site: Site, held: Trust) -> None:
    site.facts = _facts(site, held)
    site.facts.write(site.path)


def _facts(site: Site, held: Trust) -> SiteFile:
    root = next(row for row in held.keys if row[0] == KEY_ROOT)
    return replace(
        site.facts, epoch=held.epoch, trust_version=held.version,
        root_keys=len(root[2]), root_threshold=root[1],
    )  # fmt: skip
