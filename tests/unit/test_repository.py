"""What must hold of the repository as a whole: nothing of one machine, records in order (host)."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Folders that exist on one machine only, written so that this file does not name them itself.
MACHINE_PATHS = re.compile(r"(?<![\w.~)}\"'-])/(?:work|root|tmp|home)" + "/")
PUBLIC_REGISTRIES = {
    ".".join(parts) for parts in (("pypi", "org"), ("files", "pythonhosted", "org"))
}
ADDRESS = re.compile(r"[a-z+]+://(?:[^/@\s'\"]*@)?([\w.-]+)")


def tracked_files() -> list[Path]:
    """Files in git or about to be, without those it ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listing.split("\0") if name and (path := ROOT / name).is_file()]


def configured_hosts() -> set[str]:
    """Hosts of the package registries that this machine is set up to use."""
    texts = [value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_"))]
    commands = [[sys.executable, "-m", "pip", "config", "list"]]
    if shutil.which("apt-get"):
        commands.append(["apt-get", "update", "--print-uris"])
    texts += [
        subprocess.run(command, capture_output=True, text=True, check=False).stdout
        for command in commands
    ]
    hosts = {host for text in texts for host in ADDRESS.findall(text)}
    return (hosts | PUBLIC_REGISTRIES) - {"localhost", "127.0.0.1"}


def test_no_registry_host_in_any_file() -> None:
    hosts = {host for host in configured_hosts() if "." in host}
    found = [
        f"{path.relative_to(ROOT)}: {host}"
        for path in tracked_files()
        for host in hosts
        if host in path.read_text(encoding="utf-8", errors="replace")
    ]
    assert not found, "\n".join(found)


def test_no_path_of_one_machine_in_any_file() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number} {line.strip()[:80]}"
        for path in tracked_files()
        for number, line in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), 1
        )
        if MACHINE_PATHS.search(line)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("folder", ["work", "root", "tmp", "home"])
def test_paths_of_one_machine_are_seen(folder: str) -> None:
    assert MACHINE_PATHS.search(f"see /{folder}/x")
    assert not MACHINE_PATHS.search(f"docs/{folder}/x")


def test_lock_covers_every_requirement_with_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements-dev.lock").read_text(encoding="utf-8"))
    locked = {entry.partition("==")[0] for entry in entries}
    assert {re.split(r"[<>=\[]", text)[0] for text in wanted} <= locked
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert not any(ADDRESS.search(entry) for entry in entries)


def test_decision_records_are_numbered_titled_and_listed() -> None:
    folder = ROOT / "docs/adr"
    table = (folder / "README.md").read_text(encoding="utf-8")
    records = sorted(folder.glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# ADR-{path.name[:4]}: "), path.name
        assert re.search(
            r"^Status: (proposed|accepted|superseded by ADR-\d{4})$", text, re.MULTILINE
        )
        assert [f"## {name}" in text for name in ("Context", "Decision", "Consequences")] == [
            True
        ] * 3
        assert f"({path.name})" in table, f"{path.name} is not in the table"
