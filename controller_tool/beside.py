"""What lies on a controller beside its pack: the board's own code, joined into two modules (host).

`board.py` takes from its chip's folder what the board has: flash and clock, and the drivers of the
chips that its relays hang on, which boot.py needs before it trusts a pack. On the controller they
are two modules: `board`, which stays, and `wiring` with the functions that a start asks once, which
`board` loads when somebody asks (boards/<chip>/on_demand.py). Each module more would cost some 250
bytes of heap, and names twice.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from controller_tool.errors import ImageError
from controller_tool.inline import inline, module_constants
from controller_tool.shrink.renaming import shorten_private

if TYPE_CHECKING:
    from pathlib import Path

BOARD, WIRING = "board", "wiring"
_CHIP = "chip"  # a board's own name may stand for one that every board has
_LOADER = "on_demand"
# What is asked at a start or for a new configuration, and returns objects that know nothing of the
# module that made them: a class, or a function that is kept, would keep all of it.
_ASKED_ONCE = {
    *("clock_bus", "contactor", "indicator", "inputs", "meters", "nvs", "readers", "relays"),
    *("rtc", "service_port", "station", "thermistors"),
}


def board_files(board: Path, chips: list[Path]) -> dict[str, Path]:
    """board.py and what it imports of the chip's folders, each after what it imports itself."""
    found: dict[str, Path] = {}

    def of_chip(name: str) -> Path | None:
        paths = (chip / f"{name}.py" for chip in chips)
        return next((path for path in paths if path.is_file()), None)

    def visit(name: str, path: Path) -> None:
        for node in _parsed(path).body:
            if isinstance(node, ast.ImportFrom) and node.module not in found:
                other = of_chip(str(node.module))
                if other is not None:
                    visit(str(node.module), other)
        found[name] = path

    if (loader := of_chip(_LOADER)) is not None:
        visit(_LOADER, loader)
    visit(BOARD, board / "board.py")
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
                if home != name and (home, name) != (_CHIP, BOARD):
                    raise ImageError(f"{home} and {name} both have a {bound}", "report this")
            body.append(node)
    tree = ast.Module(body=[*imports.values(), *body], type_ignores=[])
    shorten_private({BOARD: tree})
    return ast.fix_missing_locations(tree)


def board_and_wiring(files: dict[str, Path]) -> dict[str, ast.Module]:
    """What stays on the controller, and what is loaded when it is asked for."""
    body = board_module(files).body
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    kept = [node for node in body if node not in imports]
    leaving = [node for node in kept if set(_bound(node)) & _ASKED_ONCE and _may_leave(node)]
    while True:  # what nobody but those who leave mentions goes along
        kept = [node for node in kept if node not in leaving]
        wanted = _mentioned(leaving) - _mentioned(kept)
        more = [node for node in kept if set(_bound(node)) & wanted and _may_leave(node)]
        if not more:
            break
        leaving += more
    leaving.sort(key=body.index)
    used = _mentioned(leaving)
    if own := sorted({name for node in kept for name in _bound(node)} & used):
        names = [ast.alias(name) for name in own]
        leaving.insert(0, ast.ImportFrom(module=BOARD, names=names, level=0))
    found = {BOARD: kept, WIRING: leaving}
    return {name: _with_imports(part, imports) for name, part in found.items()}


def _may_leave(node: ast.stmt) -> bool:
    """Whether nothing of it is held once it was used: no class, no inner function, no state."""
    if isinstance(node, ast.Assign):
        return isinstance(node.value, ast.Tuple | ast.Constant)
    inner = (found for found in ast.walk(node) if found is not node)
    holds = (ast.FunctionDef, ast.ClassDef, ast.Lambda)
    return isinstance(node, ast.FunctionDef) and not any(isinstance(n, holds) for n in inner)


def _mentioned(nodes: list[ast.stmt]) -> set[str]:
    """Names that are read in them."""
    found = (name for node in nodes for name in ast.walk(node) if isinstance(name, ast.Name))
    return {name.id for name in found if isinstance(name.ctx, ast.Load)}


def _with_imports(body: list[ast.stmt], imports: list[ast.Import | ast.ImportFrom]) -> ast.Module:
    """A module of these statements, and of the imports that they mention."""
    used = _mentioned(body)
    needed: list[ast.stmt] = [
        node for node in imports if (node.names[0].asname or node.names[0].name) in used
    ]
    return ast.fix_missing_locations(ast.Module(body=needed + body, type_ignores=[]))


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
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [name.id for one in targets for name in ast.walk(one) if isinstance(name, ast.Name)]
