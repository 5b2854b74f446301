"""Finding and fetching MicroPython (host)."""

import hashlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from controller_tool.errors import OperatorError
from controller_tool.sim import apt_fetch
from controller_tool.sim import micropython as room
from controller_tool.sim.micropython import MicroPython


@pytest.fixture(autouse=True)
def _fresh() -> None:
    room.find.cache_clear()


def test_finds_one_that_answers(micropython: MicroPython) -> None:
    assert room.probe(micropython.command) == micropython
    assert micropython.bits in {32, 64}
    assert tuple(int(part) for part in micropython.version.split(".")[:2]) >= room.OLDEST


def test_heap_doubles_with_the_bits() -> None:
    narrow, wide = (MicroPython(("m",), bits, "1.25.0") for bits in (32, 64))
    assert narrow.argv("x.py", esp32_heap_bytes=100) == ["m", "-X", "heapsize=100", "x.py"]
    assert wide.argv("x.py", esp32_heap_bytes=100) == ["m", "-X", "heapsize=200", "x.py"]
    assert "doubled" in str(wide)


def test_environment_comes_first(micropython: MicroPython, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(room.ENVIRONMENT, shlex.join(micropython.command))
    monkeypatch.setattr(apt_fetch, "builds_for_this_machine", pytest.fail)
    assert room.find() == micropython


def test_wrong_command_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(room.ENVIRONMENT, sys.executable)
    with pytest.raises(OperatorError) as refusal:
        room.find()
    assert room.ENVIRONMENT in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_old_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(room.ENVIRONMENT, "anything")
    monkeypatch.setattr(room, "probe", lambda command: MicroPython(command, 64, "1.19.1"))
    with pytest.raises(OperatorError, match=r"1\.19\.1"):
        room.find()


def test_none_anywhere_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(room.ENVIRONMENT, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OperatorError, match=r"no apt to fetch it with.*install the package"):
        room.find()


def test_64_bits_where_32_do_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(room.ENVIRONMENT, raising=False)
    builds = (apt_fetch.I386, apt_fetch.AMD64)
    monkeypatch.setattr(apt_fetch, "builds_for_this_machine", lambda: builds)
    monkeypatch.setattr(apt_fetch, "command", lambda build, _say: (build.architecture,))
    wide = MicroPython(("amd64",), 64, "1.25.0")
    monkeypatch.setattr(room, "probe", {("amd64",): wide}.get)
    found = room.find()
    assert found == wide
    assert "the i386 build does not run here" in str(found)


def test_half_a_fetch_is_not_a_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(apt_fetch, "cache_dir", lambda: tmp_path)
    monkeypatch.setattr(apt_fetch, "debian_mirror", lambda: f"file://{tmp_path}/no-mirror")
    said: list[str] = []
    with pytest.raises(apt_fetch.FetchError):
        apt_fetch.command(apt_fetch.I386, said.append)
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
    assert len(said) == 1


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A mirror with one package whose index nobody can read, and a cache folder beside it."""
    (tmp_path / "tree/DEBIAN").mkdir(parents=True)
    (tmp_path / "tree/DEBIAN/control").write_text(
        "Package: m\nVersion: 1\nArchitecture: i386\nMaintainer: m\nDescription: m\n"
    )
    (tmp_path / "tree/program").write_text("it")
    (tmp_path / "pool").mkdir()
    package = tmp_path / "pool/m_1_i386.deb"
    subprocess.run(["dpkg-deb", "--build", tmp_path / "tree", package], check=True)
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    (tmp_path / "lock").write_text(f"# what is locked\ni386 {digest} pool/m_1_i386.deb\n")
    monkeypatch.setattr(apt_fetch, "LOCK_FILE", tmp_path / "lock")
    monkeypatch.setattr(apt_fetch, "cache_dir", lambda: tmp_path / "cache")
    monkeypatch.setattr(apt_fetch, "debian_mirror", lambda: f"file://{tmp_path}")
    return tmp_path


def test_locked_packages_where_the_index_cannot_be_read(archive: Path) -> None:
    apt_fetch.command(apt_fetch.I386, lambda _: None)
    assert (archive / "cache/trixie-i386/program").read_text() == "it"


def test_a_package_of_another_digest_is_refused(archive: Path) -> None:
    lock = archive / "lock"
    lock.write_text(re.sub(r"i386 [0-9a-f]{4}", "i386 0000", lock.read_text()))
    with pytest.raises(apt_fetch.FetchError, match="does not have the locked"):
        apt_fetch.command(apt_fetch.I386, lambda _: None)
    assert not (archive / "cache/trixie-i386").exists()


@pytest.mark.parametrize(
    "architecture",
    [b.architecture for b in (apt_fetch.I386, apt_fetch.AMD64, apt_fetch.ARMHF, apt_fetch.ARM64)],
)
def test_every_build_is_locked(architecture: str) -> None:
    places = [place for _, place in apt_fetch.locked(architecture)]
    names = [place.rpartition("/")[2].partition("_")[0] for place in places]
    assert sorted(names) == sorted(apt_fetch.PACKAGES)


@pytest.mark.parametrize(
    ("listing", "mirror"),
    [
        (
            "'http://m.example/debian/dists/bookworm/InRelease' m_InRelease 0",
            "http://m.example/debian",
        ),
        (
            (
                "'http://s.example/debian-security/dists/x/InRelease' a 0\n"
                "'https://n.example/node/dists/nodistro/InRelease' b 0\n"
                "'https://u:p@m.example/a/debian/dists/sid/InRelease' c 0"
            ),
            "https://u:p@m.example/a/debian",
        ),
        ("'http://u.example/ubuntu/dists/noble/InRelease' u 0", None),
        ("", None),
    ],
)
def test_mirror_is_the_machines_own(listing: str, mirror: str | None) -> None:
    assert apt_fetch.choose_mirror(listing) == mirror
