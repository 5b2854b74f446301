"""An installed tool finds the device code that it puts on controllers, and its texts (host)."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from controller_tool import catalogues, resources

ROOT = Path(__file__).resolve().parents[2]
QUESTION = """
from controller_tool import resources
for folder in (resources.firmware_dir(), resources.boards_dir(), resources.protocol_dir()):
    print(folder)
"""


CHINESE = """
import sys
from controller_tool import catalogues, messages
assert not {"babel", "platformdirs"} & set(sys.modules)
messages.set_language("zh")
print(catalogues.COMPILED, messages.t("Stopped").encode("unicode_escape").decode())
assert not {"babel", "platformdirs"} & set(sys.modules)
"""


def _run(*argv: str, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A fresh virtual environment with the built wheel: its python, and a folder to work in."""
    work = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation"]
    _run(*build, "--outdir", str(work), str(ROOT), cwd=work)
    (wheel,) = work.glob("*.whl")
    venv.create(work / "env", with_pip=False, symlinks=os.name != "nt")
    python = work / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    _run(*pip, "--no-deps", "--no-index", str(wheel), cwd=work)
    return python, work


def test_wheel_carries_firmware_boards_and_protocol(installed: tuple[Path, Path]) -> None:
    python, work = installed
    firmware, boards, protocol = map(Path, _run(str(python), "-c", QUESTION, cwd=work).split())
    for there, here in (
        (firmware, resources.firmware_dir()),
        (boards, resources.boards_dir()),
        (protocol, resources.protocol_dir()),
    ):
        assert there.is_relative_to(work)
        assert _contents(there) == _contents(here)
        assert _contents(there)


def test_wheel_carries_the_chinese_texts_compiled(installed: tuple[Path, Path]) -> None:
    python, work = installed
    place, stopped = _run(str(python), "-c", CHINESE, cwd=work).split()
    assert Path(place).is_relative_to(work)
    assert stopped == "已停止".encode("unicode_escape").decode()
    sources = sorted(catalogues.FOLDER.glob("*.po"))
    assert sources
    assert Path(place).read_bytes() == catalogues.compile_po(sources)
    assert list(Path(place).parent.iterdir()) == [Path(place)]


def _contents(folder: Path) -> dict[str, bytes]:
    """Relative name and bytes of every file but Python's own caches."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_checkout_is_preferred_in_a_checkout() -> None:
    assert resources.firmware_dir() == ROOT / "firmware"
    assert resources.boards_dir() == ROOT / "boards"
