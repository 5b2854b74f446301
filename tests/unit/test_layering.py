"""Who may import whom, read from the syntax tree (host).

- protocol: itself, and modules that both interpreters have; what one of them lacks only inside a
  `try` that catches ImportError.
- firmware: protocol, firmware, board, and what a stock ESP32 has, but no hardware.
- boards/*/board.py: protocol, the files of its chip's folder and what a stock ESP32 has; the only
  room that touches hardware.
- boards/virtual: what it needs; its shims are held to the ESP32's list by tests of their own.
- controller_tool: itself, protocol, and the packages that pyproject.toml declares; those that
  build it only inside a `try` that catches ImportError, for an installed tool lacks them.
- controller_tool/device_scripts: what a stock ESP32 has; they run on a board that is still blank,
  before there is a `board` module to ask. Their `__init__.py` is the host's: it finds them.
- hil_tests: itself, controller_tool, protocol, and packages.
- hil_tests/jig/device: its own files and what a stock ESP32 has; it runs on the jig, which has
  nothing of ours but these files.
- What runs on the device uses no name that the ESP32's own modules lack.
"""

import ast
import functools
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import esp32_reference

ROOT = Path(__file__).resolve().parents[2]
OURS = {"protocol", "firmware", "board", "boards", "controller_tool", "hil_tests", "tests"}
HARDWARE = {"machine", "network", "esp32", "esp", "neopixel", "onewire", "bluetooth", "espnow"}
ESP32 = esp32_reference.modules()
BOTH = ESP32 & sys.stdlib_module_names


@dataclass(frozen=True)
class Import:
    """One imported top-level module; guarded: an ImportError of it is caught."""

    module: str
    line: int
    guarded: bool


def imports(tree: ast.AST, *, guarded: bool = False) -> Iterator[Import]:
    """All imports below `tree` but those for type checkers; relative ones are the room's own."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name.partition(".")[0], node.lineno, guarded)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield Import((node.module or "").partition(".")[0], node.lineno, guarded)
        elif isinstance(node, ast.If) and _names(node.test) == {"TYPE_CHECKING"}:
            continue
        else:
            catches = isinstance(node, ast.Try) and any(
                handler.type is None or _names(handler.type) & {"ImportError"}
                for handler in node.handlers
            )
            yield from imports(node, guarded=guarded or catches)


def _names(node: ast.AST) -> set[str]:
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}


def foreign_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """`module.name` and `from module import name` where the ESP32's module has no such name."""
    offered = esp32_reference.names()
    modules = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name in offered
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = modules.get(node.value.id)
            if module and node.attr not in offered[module]:
                yield node.lineno, f"{module}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module in offered:
            for alias in node.names:
                if alias.name not in offered[node.module]:
                    yield node.lineno, f"{node.module}.{alias.name}"


def beside_boot() -> set[str]:
    """Modules that lie with boot.py at the top of the device's file system."""
    return {path.stem for path in (ROOT / "firmware").glob("*.py")}


def chip_files() -> set[str]:
    """Modules of the chips' folders, which go to the controller beside board.py."""
    folders = (path.parent for path in (ROOT / "boards").glob("*/chip.toml"))
    return {path.stem for folder in folders for path in folder.glob("*.py")}


@functools.cache
def declared_packages(*, building: bool) -> set[str]:
    """Import names of the packages that pyproject.toml declares for running, or building too."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = {_distribution(text) for text in declared["project"]["dependencies"]}
    if building:
        wanted |= {_distribution(text) for text in declared["build-system"]["requires"]}
    return {
        module
        for module, distributions in importlib.metadata.packages_distributions().items()
        if wanted & {_distribution(name) for name in distributions}
    }


def _distribution(requirement: str) -> str:
    return re.split(r"[\[<>=;~! ]", requirement)[0].lower().replace("_", "-")


def room(path: Path) -> str:
    """The room that a file belongs to, which decides what it may import."""
    first, *rest = path.relative_to(ROOT).parts
    if first == "boards":
        return "virtual board" if rest[0] == "virtual" else "board"
    if (first, rest) == ("firmware", ["boot.py"]):
        return "first file"
    if rest[:2] == ["jig", "device"]:
        return "jig"
    if rest[0] == "device_scripts" and rest[-1] != "__init__.py":
        return "device scripts"
    return first


def allowed(where: str, *, guarded: bool) -> set[str] | None:
    """Top-level modules that a room may import; None: whatever it needs."""
    stdlib = set(sys.stdlib_module_names)
    rules: dict[str, set[str] | None] = {
        "protocol": {"protocol"} | (stdlib | ESP32 if guarded else BOTH),
        "firmware": {"protocol", "firmware", "board"} | beside_boot() | ESP32 - HARDWARE,
        # it must reset the chip even where the board's own file is damaged
        "first file": {"firmware", "board", "machine"} | beside_boot() | ESP32 - HARDWARE,
        "board": {"protocol"} | chip_files() | set(ESP32),
        "device scripts": {"protocol"} | set(ESP32),
        "jig": {path.stem for path in (ROOT / "hil_tests/jig/device").glob("*.py")} | set(ESP32),
        "virtual board": None,
        "controller_tool": {"protocol", "controller_tool"}
        | stdlib
        | declared_packages(building=guarded),
        "hil_tests": {"hil_tests", "controller_tool", "protocol", "pytest", "serial"} | stdlib,
    }
    return rules[where]


def sources(*rooms: str) -> list[Path]:
    """Python files of the rooms, nested ones too."""
    return sorted(path for name in rooms for path in (ROOT / name).rglob("*.py"))


def identify(path: Path) -> str:
    return str(path.relative_to(ROOT))


def violations(path: Path, tree: ast.AST) -> list[str]:
    """What a file imports against the rules, one line each."""
    found = []
    for item in imports(tree):
        permitted = allowed(room(path), guarded=item.guarded)
        if permitted is not None and item.module not in permitted:
            found.append(f"{identify(path)}:{item.line} imports {item.module}")
    return found


@pytest.mark.parametrize(
    "where", ["protocol", "firmware", "boards", "controller_tool", "hil_tests"]
)
def test_imports_keep_to_the_layers(where: str) -> None:
    found = [
        line
        for path in sources(where)
        for line in violations(path, ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not found, "\n".join(found)


def test_device_code_uses_no_name_that_an_esp32_lacks() -> None:
    rooms = {"protocol", "firmware", "first file", "board", "device scripts", "jig"}
    everything = sources("protocol", "firmware", "boards", "controller_tool", "hil_tests")
    found = [
        f"{identify(path)}:{line} {name}"
        for path in everything
        if room(path) in rooms
        for line, name in foreign_names(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not found, "\n".join(found)


def test_rooms_are_there() -> None:
    for name in ("protocol", "firmware", "boards", "controller_tool"):
        assert sources(name), f"no source in {name}: this test would prove nothing"


@pytest.mark.parametrize(
    ("file", "source", "wrong"),
    [
        ("protocol/x.py", "import firmware.door", "firmware"),
        ("protocol/x.py", "import typing", "typing"),
        ("protocol/x.py", "import micropython", "micropython"),
        ("protocol/x.py", "def f():\n    import machine", "machine"),
        ("firmware/x.py", "from machine import Pin", "machine"),
        ("firmware/x.py", "try:\n    import ffi\nexcept ImportError:\n    pass", "ffi"),
        ("firmware/x.py", "import controller_tool", "controller_tool"),
        ("boards/b/board.py", "import firmware.door", "firmware"),
        ("boards/b/board.py", "import termios", "termios"),
        ("controller_tool/x.py", "from firmware import door", "firmware"),
        ("controller_tool/x.py", "import numpy", "numpy"),
        ("controller_tool/x.py", "import machine", "machine"),
        ("controller_tool/x.py", "import babel", "babel"),
        ("controller_tool/device_scripts/x.py", "import pathlib", "pathlib"),
        ("hil_tests/x.py", "import firmware", "firmware"),
        ("hil_tests/jig/device/x.py", "import protocol.codes", "protocol"),
    ],
)
def test_rules_refuse(file: str, source: str, wrong: str) -> None:
    found = violations(ROOT / file, ast.parse(source))
    assert [line.rpartition(" ")[2] for line in found] == [wrong]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("protocol/x.py", "try:\n    import micropython\nexcept ImportError:\n    pass"),
        ("protocol/x.py", "if TYPE_CHECKING:\n    import typing"),
        ("protocol/x.py", "import hashlib, struct, protocol.codes\nfrom . import names"),
        ("firmware/x.py", "import board, protocol.codes, asyncio, vfs"),
        ("boards/b/board.py", "import machine, esp32, network"),
        ("controller_tool/x.py", "import sqlalchemy, click, protocol.codes, serial, littlefs"),
        ("controller_tool/x.py", "try:\n    import babel\nexcept ImportError:\n    pass"),
        ("controller_tool/device_scripts/__init__.py", "from importlib import resources"),
    ],
)
def test_rules_allow(file: str, source: str) -> None:
    assert violations(ROOT / file, ast.parse(source)) == []


def test_names_are_compared_with_the_esp32() -> None:
    tree = ast.parse("import os, hashlib as h\nos.fork()\nh.sha512\nos.remove\nfrom vfs import rom")
    assert {name for _, name in foreign_names(tree)} == {"os.fork", "hashlib.sha512", "vfs.rom"}
