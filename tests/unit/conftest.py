"""One site for the whole run: RSA keys take seconds to make and are never checked in (host)."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from cryptography.hazmat.primitives import serialization
from sqlalchemy import make_url

from controller_tool import messages
from controller_tool.cli import common
from controller_tool.keys import passphrase
from controller_tool.registry import sealing
from controller_tool.registry.database import Registry
from controller_tool.services import journal_tags, site_file, site_init
from controller_tool.services.site import Site
from protocol.constants import RING_ACCESS
from tests import postgresql_server
from tests.unit.registry_support import PASSPHRASE, Board

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.registry.sealing import Vault
    from tests.postgresql_server import PostgresqlServer
    from tests.unit.registry_support import Pen

SQLITE = "sqlite"
POSTGRESQL = "postgresql"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that opens a site runs on each kind of registry that was asked for."""
    if "registry_kind" not in metafunc.fixturenames:
        return
    wish = metafunc.config.getoption("--registry")
    own = {mark.name for mark in metafunc.definition.iter_markers()}
    if "sqlite_only" in own:
        kinds = [SQLITE]
    elif wish is None:
        both = "both_registries" in own or metafunc.config.getoption("--full")
        kinds = [SQLITE, POSTGRESQL] if both else [SQLITE]
    else:
        kinds = [SQLITE, POSTGRESQL] if wish == "both" else [wish]
    if kinds != [SQLITE]:
        metafunc.parametrize("registry_kind", kinds, indirect=True)


@pytest.fixture
def registry_kind(request: pytest.FixtureRequest) -> str:
    """SQLITE or POSTGRESQL: where the site of this test keeps its registry."""
    return str(getattr(request, "param", SQLITE))


@pytest.fixture(scope="session", autouse=True)
def _derived_once() -> Iterator[None]:
    """The same passphrase is stretched, and the same key file opened, once for all tests.

    Made to be slow, 0.3 s each; nearly all tests use copies of one folder. What is wrong is still
    tried in earnest: exceptions are not kept.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealing, "_stretch", lru_cache(64)(sealing._stretch))
        load = lru_cache(64)(serialization.load_pem_private_key)
        patch.setattr(serialization, "load_pem_private_key", load)
        yield


@pytest.fixture(scope="session")
def made_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site folder fresh from `site init`; copy it, never change it."""
    folder = tmp_path_factory.mktemp("sites") / "office"
    site_init.init(folder, site_init.Wish("5号楼", "王芳"), PASSPHRASE).close()
    return folder


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """The server of this run; an error, never a skip, where there is none."""
    server = postgresql_server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def made_database(postgresql: PostgresqlServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site folder fresh from `site init --registry`; `on_server` copies it with its database."""
    folder = tmp_path_factory.mktemp("sites") / "office"
    wish = site_init.Wish("5号楼", "王芳", registry=postgresql.url(postgresql.database()))
    site_init.init(folder, wish, PASSPHRASE).close()
    return folder


@pytest.fixture
def on_server(postgresql: PostgresqlServer, made_database: Path) -> Iterator[Callable[..., Path]]:
    """Makes office folders, each with a database of its own: copies of ``source``.

    Nobody may be connected to the database of the source.
    """
    made: list[str] = []

    def copy(target: Path, source: Path = made_database) -> Path:
        facts = site_file.read(source)
        template = make_url(facts.registry).database
        made.append(postgresql.database(template))
        shutil.copytree(source, target)
        replace(facts, registry=postgresql.url(made[-1])).write(target)
        return target

    yield copy
    for name in made:
        postgresql.drop(name)


@pytest.fixture
def new_office(registry_kind: str, request: pytest.FixtureRequest) -> Callable[..., Path]:
    """Makes office folders of the test's own, with the kind of registry that it runs on."""
    if registry_kind == POSTGRESQL:
        made: Callable[..., Path] = request.getfixturevalue("on_server")
        return made
    folder = request.getfixturevalue("made_site")
    return lambda target, source=folder: shutil.copytree(source, target)


@pytest.fixture(autouse=True)
def _nobody_waits_for_who_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder is unlocked, for which somebody is asked, before its registry is locked."""
    writing, vault = Registry.writing, vars(Site)["vault"]
    locked = threading.local()

    @contextmanager
    def noted(registry: Registry) -> Iterator[Session]:
        with writing(registry) as session:
            before = getattr(locked, "by_us", ())
            locked.by_us = (*before, registry)
            try:
                yield session
            finally:
                locked.by_us = before

    def watched(site: Site) -> Vault:
        if site._vault is None and site.registry in getattr(locked, "by_us", ()):
            pytest.fail("asks for the passphrase with the registry locked: site.unlock() before")
        return cast("Vault", vault.fget(site))

    monkeypatch.setattr(Registry, "writing", noted)
    monkeypatch.setattr(Site, "vault", property(watched))


class Images:
    """Copies of a folder together with its registry, past everything of ours."""

    def __init__(self, new_office: Callable[..., Path], server: PostgresqlServer | None) -> None:
        self._new_office, self._server = new_office, server

    def take(self, site: Site, target: Path) -> Path:
        """A copy; both go on apart."""
        site.registry.close()
        return self._new_office(target, site.path)

    def put_back(self, site: Site, image: Path) -> None:
        """The site is what it was when this image of it was taken, whoever is connected to it."""
        site.registry.close()
        shutil.rmtree(site.path)
        shutil.copytree(image, site.path)
        if self._server is not None:
            site.facts.write(site.path)
            own, taken = (make_url(facts.registry).database
                          for facts in (site.facts, site_file.read(image)))  # fmt: skip
            assert own
            self._server.drop(own)
            self._server.database(taken, own)


@pytest.fixture
def images(
    new_office: Callable[..., Path], registry_kind: str, request: pytest.FixtureRequest
) -> Images:
    """Takes images of the site of this test, and puts them back."""
    on_server = registry_kind == POSTGRESQL
    return Images(new_office, request.getfixturevalue("postgresql") if on_server else None)


@pytest.fixture
def disk_image(images: Images) -> Callable[[Site, Path], Path]:
    """Copies a folder together with its registry; both go on apart."""
    return images.take


@pytest.fixture
def open_site(new_office: object) -> Iterator[Callable[..., Site]]:
    """Opens folders and closes them all at the end, before their databases go."""
    assert new_office
    opened: list[Site] = []

    def open_(path: Path, passphrase: str = PASSPHRASE, operator: str | None = None) -> Site:
        opened.append(Site.open(path, passphrase, operator))
        return opened[-1]

    yield open_
    for site in opened:
        site.close()


@pytest.fixture
def site(new_office: Callable[..., Path], tmp_path: Path, open_site: Callable[..., Site]) -> Site:
    """An office folder of the test's own."""
    return open_site(new_office(tmp_path / "office"))


@pytest.fixture
def board(site: Site) -> Board:
    """An enrolled door controller of that site."""
    return Board(site, "door-1")


@pytest.fixture
def written(board: Board) -> Pen:
    """The access ring of that controller with 60 records, each of another card."""
    pen = board.pen(RING_ACCESS)
    for number in range(60):
        pen.write(key=bytes((number + 1,)) * 8)
    return pen


@pytest.fixture
def at_the_desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands speak English, have the passphrase and no operator's name."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv(passphrase.VARIABLE, PASSPHRASE)
    monkeypatch.delenv(common.OPERATOR_VARIABLE, raising=False)
    yield
    monkeypatch.undo()  # first, or what comes after this speaks as the last test did
    messages.set_language(None)


@pytest.fixture
def key_steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many spare steps each key of a journal made, each time."""
    made: list[int] = []

    def go_to(self: Any, number: int, go: Any = journal_tags.Evolving._go_to) -> None:
        made.append(number - self._number)
        go(self, number)

    monkeypatch.setattr(journal_tags.Evolving, "_go_to", go_to)
    return made
