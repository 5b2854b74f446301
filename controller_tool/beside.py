"""What lies on a controller beside its pack: the board's own code, joined into one module (host).

`board.py` takes from its chip's folder what the board has: flash and clock, and the drivers of the
chips that its relays hang on, which boot.py needs before it trusts a pack. On the controller all of
it is one module `board`: each module more would cost some 250 bytes of heap, and names twice.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from controller_tool.errors import ImageError
from controller_tool.inline import inline, module_constants
from controller_tool.shrink.renaming import shorten_private

if TYPE_CHECKING:
    from pathlib import Path

_BOARD, _CHIP = "board", "chip"  # a board's own name may stand for one that every board has


def board_files(board: Path, chip: Path) -> dict[str, Path]:
    """board.py and what it imports of the chip's folder, each after what it imports itself."""
    found: dict[str, Path] = {}

    def visit(name: str, path: Path) -> None:
        for node in _parsed(path).body:
            if isinstance(node, ast.ImportFrom) and node.module not in found:
                other = chip / f"{node.module}.py"
                if other.is_file():
                    visit(str(node.module), other)
        found[name] = path

    visit(_BOARD, board / "board.py")
    return found


def board_module(files: dict[str, Path]) -> ast.Module:
    """All of them as one module, without constants of their own; ImageError when names meet.

    What is private to a class has one letter: each name costs heap.
    """
    imports: dict[str, ast.stmt] = {}
    body: list[ast.stmt] = []
    homes: dict[str, str] = {}
    for name, path in files.items():
        for node in inlined(path).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports |= {ast.unparse(single): single for single in _foreign(node, files)}
                continue
            for bound in _bound(node):
                home = homes.setdefault(bound, name)
                if home != name and (home, name) != (_CHIP, _BOARD):
                    raise ImageError(f"{home} and {name} both have a {bound}", "report this")
            body.append(node)
    tree = ast.Module(body=[*imports.values(), *body], type_ignores=[])
    shorten_private({_BOARD: tree})
    return ast.fix_missing_locations(tree)


def inlined(path: Path) -> ast.Module:
    """A module whose private constants stand where they are used."""
    tree = _parsed(path)
    # public names stay: the firmware reads board.KIND as an attribute
    own = {key: value for key, value in module_constants(tree, {}).items() if key[0] == "_"}
    return inline(tree, own, {})


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def _foreign(node: ast.Import | ast.ImportFrom, files: dict[str, Path]) -> list[ast.stmt]:
    """Its imports one by one, without those that are joined."""
    if isinstance(node, ast.Import):
        return [ast.Import(names=[alias]) for alias in node.names]
    if node.module in files:
        return []
    return [ast.ImportFrom(module=node.module, names=[alias], level=0) for alias in node.names]


def _bound(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []
