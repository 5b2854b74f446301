"""One site for the whole run: RSA keys take seconds to make and are never checked in (host)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from controller_tool.services import journal_tags, site_init
from controller_tool.services.site import Site
from tests.unit.registry_support import PASSPHRASE, Board


@pytest.fixture(scope="session")
def made_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site folder fresh from `site init`; copy it, never change it."""
    folder = tmp_path_factory.mktemp("sites") / "office"
    site_init.init(folder, site_init.Wish("5号楼", "王芳"), PASSPHRASE).close()
    return folder


@pytest.fixture
def open_site() -> Iterator[Callable[..., Site]]:
    """Opens folders and closes them all at the end."""
    opened: list[Site] = []

    def open_(path: Path, passphrase: str = PASSPHRASE, operator: str | None = None) -> Site:
        opened.append(Site.open(path, passphrase, operator))
        return opened[-1]

    yield open_
    for site in opened:
        site.close()


@pytest.fixture
def site(made_site: Path, tmp_path: Path, open_site: Callable[..., Site]) -> Site:
    """An office folder of the test's own."""
    return open_site(shutil.copytree(made_site, tmp_path / "office"))


@pytest.fixture
def board(site: Site) -> Board:
    """An enrolled door controller of that site."""
    return Board(site, "door-1")


@pytest.fixture
def key_steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many spare steps each key of a journal made, each time."""
    made: list[int] = []

    def go_to(self: Any, number: int, go: Any = journal_tags.Evolving._go_to) -> None:
        made.append(number - self._number)
        go(self, number)

    monkeypatch.setattr(journal_tags.Evolving, "_go_to", go_to)
    return made
