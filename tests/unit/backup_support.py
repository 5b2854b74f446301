"""A site folder that somebody worked in, and backups of it (host)."""

from __future__ import annotations

import errno
from hashlib import sha256
from typing import TYPE_CHECKING

from controller_tool.services import backup, people
from tests.unit.test_cards import issue

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.services.site import Site
    from tests.unit.registry_support import Board

NAME, ID_NUMBER = "王伟", b"330199199001010011"


def live_in(site: Site, board: Board) -> Site:
    """The site, now with a card on a door, and a commissioning record."""
    issue(site, holder=people.Holder(NAME, ID_NUMBER.decode(), "A-101", "13800000000"))
    board.update()
    (site.path / "records").mkdir()
    (site.path / "records" / "5号楼 door-1.html").write_text("record", encoding="utf-8")
    return site


def made(site: Site, target: Path, **more) -> backup.Made:
    return backup.make(site, target, **more)


def tree(folder: Path) -> dict[str, str]:
    """SHA-256 of each file by its name, without the registry: that one lives."""
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("registry.sqlite")
    }


def full_disk(*_: object) -> None:
    """Stands for a call that writes."""
    raise OSError(errno.ENOSPC, "No space left on device")
