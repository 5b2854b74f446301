"""Fetches Debian's MicroPython into a cache folder, without root and beside the system (host).

Uses the machine's own mirror, proxy, credentials and archive keys through apt itself, with a
sources file, lists and cache of its own: nothing that the system knows of is changed. Packages
are unpacked, not installed, and started through their own dynamic loader.

A mirror that is between two states has an index that its signature does not cover. Then the
packages that micropython.lock names are taken from the archive by their SHA-256.
"""

import contextlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

SUITE = "trixie"
PACKAGES = ("micropython", "libc6", "libffi8", "libmbedcrypto16", "libmbedtls21", "libmbedx509-7")
KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
)


LOCK_FILE = Path(__file__).with_name("micropython.lock")
_APT_HELPER = "/usr/lib/apt/apt-helper"


class FetchError(Exception):
    """MicroPython could not be fetched; the text says why in one clause."""


@dataclass(frozen=True)
class Build:
    """One architecture of the package: Debian's name, its library folder and its loader."""

    architecture: str
    triplet: str
    loader: str


I386 = Build("i386", "i386-linux-gnu", "ld-linux.so.2")
AMD64 = Build("amd64", "x86_64-linux-gnu", "ld-linux-x86-64.so.2")
ARMHF = Build("armhf", "arm-linux-gnueabihf", "ld-linux-armhf.so.3")
ARM64 = Build("arm64", "aarch64-linux-gnu", "ld-linux-aarch64.so.1")
# 32 bits first: that is what an ESP32 is.
BUILDS = {
    "x86_64": (I386, AMD64),
    "i686": (I386,),
    "aarch64": (ARMHF, ARM64),
    "armv7l": (ARMHF,),
}


def builds_for_this_machine() -> tuple[Build, ...]:
    """What could run here, best first; empty where there is no apt."""
    if platform.system() != "Linux" or not shutil.which("apt-get") or not shutil.which("dpkg"):
        return ()
    return BUILDS.get(platform.machine(), ())


def cache_dir() -> Path:
    """Where the unpacked builds lie, one folder an architecture."""
    return Path(platformdirs.user_cache_dir("controller-tool")) / "micropython"


def command(build: Build, say: Callable[[str], None]) -> tuple[str, ...]:
    """Argv prefix that starts `build`, fetched first when the cache lacks it.

    Safe when two processes ask at once: one fetches, the other waits. Raises FetchError.
    """
    folder = cache_dir() / f"{SUITE}-{build.architecture}"
    if not folder.is_dir():
        try:
            with _only_one_process(cache_dir()):
                if not folder.is_dir():
                    say(f"fetching MicroPython (Debian {SUITE} {build.architecture}), once")
                    _fetch(build, folder)
        except OSError as error:
            raise FetchError(f"the cache folder cannot be written: {error}") from error
    libraries = folder / "usr/lib" / build.triplet
    program = folder / "usr/bin/micropython"
    return (str(libraries / build.loader), "--library-path", str(libraries), str(program))


@contextlib.contextmanager
def _only_one_process(folder: Path) -> Iterator[None]:
    import fcntl  # noqa: PLC0415  Linux only, as this module's work is; others may import it

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(build: Build, folder: Path) -> None:
    """Download, unpack beside `folder`, and rename into place: it is whole or not there."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetch-") as temporary:
        work = Path(temporary)
        try:
            _download_by_index(build, work)
        except FetchError as problem:
            try:
                _download_by_lock(build, work)
            except FetchError as second:
                raise FetchError(f"{problem}; {second}") from second
        root = work / "root"
        root.mkdir()
        for package in sorted(work.glob("*.deb")):
            _run(["dpkg", "-x", str(package), str(root)], work, f"cannot unpack {package.name}")
        root.chmod(0o755)
        root.rename(folder)


def _download_by_index(build: Build, work: Path) -> None:
    """The newest packages, proven by the archive's signature."""
    apt = _apt_command(build, work)
    _run([*apt, "update"], work, "apt cannot read the mirror's package list")
    _run([*apt, "download", *PACKAGES], work, "apt cannot download the packages")


def _download_by_lock(build: Build, work: Path) -> None:
    """The packages of the lock file, proven by their SHA-256 there."""
    mirror = debian_mirror()
    for digest, place in locked(build.architecture):
        target = work / place.rpartition("/")[2]
        address = f"{mirror}/{place}"
        argv = [_APT_HELPER, "-oAPT::Sandbox::User=root", "download-file", address, str(target)]
        argv.append(f"SHA256:{digest}")
        _run(argv, work, f"the mirror does not have the locked {target.name}")


def locked(architecture: str) -> list[tuple[str, str]]:
    """(SHA-256, place in the archive) of each package that the lock file names."""
    rows = [line.split() for line in LOCK_FILE.read_text("utf-8").splitlines()]
    return [(row[1], row[2]) for row in rows if row[0] == architecture]


def _apt_command(build: Build, work: Path) -> list[str]:
    keyring = next((path for path in KEYRINGS if path.is_file()), None)
    options = f"arch={build.architecture}" + (f" signed-by={keyring}" if keyring else "")
    (work / "sources.list").write_text(f"deb [{options}] {debian_mirror()} {SUITE} main\n")
    (work / "status").touch()
    for name in ("state/lists/partial", "cache/archives/partial"):
        (work / name).mkdir(parents=True)
    settings = {
        "APT::Architecture": build.architecture,
        "APT::Architectures": build.architecture,
        "APT::Sandbox::User": "root",  # as root, apt's own user could not enter this folder
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Dir::Cache": work / "cache",
        "Dir::Etc::preferencesparts": "-",
        "Dir::Etc::sourcelist": work / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State": work / "state",
        "Dir::State::status": work / "status",
    }
    assignments = [f"-o{name}={value}" for name, value in settings.items()]
    return ["apt-get", "-qq", *assignments]


def _run(argv: list[str], work: Path, problem: str) -> str:
    """Run one step; its last line of complaint goes into the FetchError."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            argv, cwd=work, env=environment, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise FetchError(f"{problem}: {error}") from error
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise FetchError(f"{problem}: {last}")
    return done.stdout


def debian_mirror() -> str:
    """Address of the Debian mirror that this machine is configured to use.

    apt itself reads its configuration, so both forms of sources file are understood. Raises
    FetchError when there is none (other distributions).
    """
    listing = _run(["apt-get", "update", "--print-uris"], Path("/"), "apt does not work")
    mirror = choose_mirror(listing)
    if mirror is None:
        raise FetchError("apt's configuration names no Debian mirror")
    return mirror


def choose_mirror(listing: str) -> str | None:
    """The mirror among the lines of `apt-get update --print-uris`: the first named `debian`."""
    for line in listing.splitlines():
        address, found, _ = line.removeprefix("'").partition("/dists/")
        if found and address.rstrip("/").rpartition("/")[2] == "debian":
            return address
    return None
