"""Collects `check_*.py` twice, for CPython and for real MicroPython (host).

A check file holds plain functions `test_*()` that use `assert`, `raises` of support.py and imports
of `protocol`, nothing of pytest. CPython runs them as ordinary tests; MicroPython runs one process
a file with an ESP32's heap. A missing MicroPython is an error, never a skip.
"""

import ast
import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from controller_tool.sim.micropython import find

ROOT = Path(__file__).resolve().parents[2]
RUNNER = Path(__file__).with_name("runner.py")
# A check, its vectors and sources compiled on the way lie in it too, which takes more than a pack:
# what an ESP32 (109 KB, ADR-0016) has room for is asked in tests/e2e, which run packs.
HEAP_BYTES = 144 * 1024
HANG_S = 240
FULL_HANG_S = 1800
FULL_SUFFIX = "_in_full"  # of functions that `./dev test --full` alone runs
MARK = "\x01"


class MicroPythonFailure(Exception):
    """A check failed there; the text is MicroPython's own traceback."""


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "MicroPythonFile | None":
    """The MicroPython half; the CPython half comes by `python_files` in pyproject.toml."""
    if file_path.name.startswith("check_") and file_path.suffix == ".py":
        return MicroPythonFile.from_parent(parent, path=file_path)
    return None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the CPython half its name in brackets, as the other half has."""
    if metafunc.module.__name__.rpartition(".")[2].startswith("check_"):
        metafunc.fixturenames.append("interpreter")
        metafunc.parametrize("interpreter", ["cpython"])


class MicroPythonFile(pytest.File):
    """The functions of one check file as MicroPython runs them."""

    heap_bytes = HEAP_BYTES

    def collect(self) -> Iterator[pytest.Item]:
        self.outcomes: dict[str, str] | None = None
        tree = ast.parse(self.path.read_text(encoding="utf-8"), str(self.path))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                item = MicroPythonItem.from_parent(
                    self, name=f"{node.name}[micropython]", check=node.name, line=node.lineno
                )
                if node.name.endswith(FULL_SUFFIX):
                    item.add_marker(pytest.mark.full)
                yield item

    def outcome(self, function: str) -> str:
        """Empty when `function` passed, else its traceback; the first call runs all selected."""
        if self.outcomes is None:
            chosen = [
                item.check
                for item in self.session.items
                if isinstance(item, MicroPythonItem) and item.parent is self
            ]
            self.outcomes = run_checks(self.path, chosen, self.heap_bytes)
        return self.outcomes[function]


class MicroPythonItem(pytest.Item):
    """One function of one check file, judged by what its MicroPython process printed."""

    def __init__(self, *, check: str, line: int, **named: object) -> None:
        super().__init__(**named)  # type: ignore[arg-type]  # pytest's own, passed through
        self.check = check
        self.line = line

    def runtest(self) -> None:
        assert isinstance(self.parent, MicroPythonFile)
        problem = self.parent.outcome(self.check)
        if problem:
            raise MicroPythonFailure(problem)

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, MicroPythonFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.line - 1, self.name


def run_checks(path: Path, functions: list[str], heap_bytes: int = HEAP_BYTES) -> dict[str, str]:
    """Run functions of one file in one MicroPython; empty text for each that passed.

    Raises OperatorError when there is no MicroPython.
    """
    module, folder = _import_name(path)
    command = find().argv(str(RUNNER), module, *functions, esp32_heap_bytes=heap_bytes)
    hang_s = FULL_HANG_S if any(name.endswith(FULL_SUFFIX) for name in functions) else HANG_S
    environment = {**os.environ, "MICROPYPATH": f"{folder}:{ROOT}:.frozen:{ROOT}/firmware"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=hang_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        output = (error.stdout or b"").decode("utf-8", "replace")
        return parse(output, functions, f"stopped after {hang_s} s")
    output = done.stdout.decode("utf-8", "replace")
    return parse(output, functions, f"MicroPython ended with {done.returncode}")


def _import_name(path: Path) -> tuple[str, Path]:
    """A file of this repository is imported by its full name, any other by its own folder."""
    if path.is_relative_to(ROOT):
        return ".".join(path.relative_to(ROOT).with_suffix("").parts), ROOT
    return path.stem, path.parent


def parse(output: str, functions: Iterable[str], ending: str) -> dict[str, str]:
    """Verdict of each function from the runner's output; one without a verdict has failed.

    ending: how the process ended, shown where it ended before its time.
    """
    outcomes = dict.fromkeys(functions, "")
    missing = set(outcomes)
    before, *reports = output.split(MARK)
    printed = before
    for report in reports:
        head, _, rest = report.partition("\n")
        verdict, _, name = head.partition(" ")
        if verdict == "start":
            printed = rest
            continue
        missing.discard(name)
        if verdict == "fail":
            outcomes[name] = printed + rest
        printed = ""
    for name in missing:
        outcomes[name] = f"{ending} without a verdict on {name}\n{before}{printed}"
    return outcomes
