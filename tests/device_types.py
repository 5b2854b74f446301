"""Checks the types of all code that runs on the device, once for each board (host).

    python -m tests.device_types

Exit 1 when mypy complains. The stubs are installed among the host's packages, where mypy may not
take them from, so they are copied into a folder of their own in the virtual environment.
"""

import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

from controller_tool import resources

ROOT = Path(__file__).resolve().parents[1]
STUBS = ROOT / ".venv" / "device-stubs"
BESIDE_BOOT = ("boot", "packfs", "service")
JIG = "hil_tests/jig/device"
DISTRIBUTIONS = ("micropython-esp32-stubs", "micropython-stdlib-stubs")
# Where the stubs say less than the chip does: file, what stands there, what is true.
CORRECTIONS = (
    (
        "time.pyi",
        "from _mpy_shed.time_mp import _Ticks, _TicksCPU, _TicksMs, _TicksUs",
        "_Ticks = _TicksCPU = _TicksMs = _TicksUs = int",
    ),
    (
        "deflate.pyi",
        "class DeflateIO:",
        """class DeflateIO:
    def __enter__(self) -> DeflateIO: ...
    def __exit__(self, *args: object) -> None: ...""",
    ),
    ("tls.pyi", "class SSLContext:", "class SSLContext:\n    verify_mode: int"),
)


def copy_stubs(target: Path) -> None:
    """Put the stubs of DISTRIBUTIONS into `target`, unless they are there in this version."""
    versions = " ".join(importlib.metadata.version(name) for name in DISTRIBUTIONS)
    stamp = target / "stamp"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == versions:
        return
    shutil.rmtree(target, ignore_errors=True)
    for name in DISTRIBUTIONS:
        for file in importlib.metadata.files(name) or []:
            if file.suffix == ".pyi" or file.name == "VERSIONS":
                (target / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(Path(str(file.locate())), target / file)
    for name, wrong, right in CORRECTIONS:
        stub = target / name
        text = stub.read_text(encoding="utf-8")
        if wrong not in text:
            sys.exit(f"device types: {name} has changed; see CORRECTIONS")
        stub.write_text(text.replace(wrong, right), encoding="utf-8")
    stamp.write_text(versions, encoding="utf-8")


def check(board: Path) -> int:
    """mypy's exit code over all device code, with this board as the module `board`.

    Two runs: what lies at the top of the device's file system is imported by bare names there,
    and mypy takes a file under one name only.
    """
    top = [f"firmware/{name}.py" for name in BESIDE_BOOT]
    exclude = ["--exclude", "^controller_tool/device_scripts/__init__|^(" + "|".join(top) + ")$"]
    within = [
        "protocol",
        "firmware",
        "controller_tool/device_scripts",
        str(board.relative_to(ROOT)),
    ]
    return max(_mypy(board, [*exclude, *within], []), _mypy(board, top, [ROOT / "firmware"]))


def _mypy(board: Path, what: list[str], bases: list[Path]) -> int:
    argv = [sys.executable, "-m", "mypy", "--config-file", "mypy-device.ini", "--no-error-summary"]
    chips = resources.chip_dirs(resources.describe_board(board.parent.name)["chip"])
    places = [*bases, board.parent, *chips]
    environment = {**os.environ, "MYPYPATH": os.pathsep.join(map(str, places))}
    return subprocess.run([*argv, *what], cwd=ROOT, env=environment, check=False).returncode


def main() -> int:
    """Check with every board, which must fit the same firmware; and the jig's program."""
    copy_stubs(STUBS)
    boards = sorted(ROOT.glob("boards/*/board.py"))
    if not boards:
        print("device types: no boards/*/board.py to check with", file=sys.stderr)
        return 1
    jig = _mypy(boards[0], [JIG], [ROOT / JIG])  # whichever board: it asks none
    return max(jig, *(check(board) for board in boards))


if __name__ == "__main__":
    sys.exit(main())
