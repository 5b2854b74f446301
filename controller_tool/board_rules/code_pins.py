"""Whether board.py makes the pins that board.toml tells, as far as its text says (host).

The file is read and not run. A number is followed through constants and loops over them.

- each pin of [wiring] stands somewhere in board.py
- a number that is made a pin, or given to a port as one, stands in [wiring]
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from controller_tool.board_rules.wiring import chip_uses
from controller_tool.messages import t

if TYPE_CHECKING:
    from collections.abc import Iterator

_PORT_PINS = {"rx", "tx", "sck", "mosi", "miso", "scl", "sda"}
_ROUNDS = 3  # a constant of a constant


def problems(tree: ast.Module, wiring: dict[str, Any]) -> Iterator[str]:
    """What differs between the two files."""
    rmii = set(wiring.get("ethernet", {}).get("pins", []))
    told = {use.pin: use.name for use in chip_uses(wiring)}
    there = _numbers(tree, {})
    for pin in sorted(told.keys() - there - rmii):
        yield t("pin {pin} ({name}) of board.toml is not in board.py", pin=pin, name=told[pin])
    for pin in sorted(_made(tree) - told.keys()):
        yield t("board.py uses pin {pin}, of which board.toml says nothing", pin=pin)


def _made(tree: ast.Module) -> set[int]:
    names = _names(tree)
    found: set[int] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id == "Pin" and node.args:
            found |= _numbers(node.args[0], names)
        for keyword in node.keywords:
            if keyword.arg in _PORT_PINS:
                found |= _numbers(keyword.value, names)
    return found


def _names(tree: ast.Module) -> dict[str, set[int]]:
    """The numbers that each name may stand for."""
    names: dict[str, set[int]] = {}
    for _ in range(_ROUNDS):
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    _bind(target, node.value, names)
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                _bind(node.target, node.value, names)
            elif isinstance(node, ast.For | ast.comprehension):
                _bind(node.target, node.iter, names)
    return names


def _bind(target: ast.expr, value: ast.expr, names: dict[str, set[int]]) -> None:
    if isinstance(target, ast.Tuple):
        each = value.elts if isinstance(value, ast.Tuple) else [value] * len(target.elts)
        if len(each) == len(target.elts):
            for one, its in zip(target.elts, each, strict=True):
                _bind(one, its, names)
    elif isinstance(target, ast.Name):
        names.setdefault(target.id, set()).update(_numbers(value, names))


def _numbers(node: ast.AST, names: dict[str, set[int]]) -> set[int]:
    """The whole numbers in an expression, those of names too."""
    found: set[int] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and type(part.value) is int:
            found.add(part.value)
        elif isinstance(part, ast.Name):
            found |= names.get(part.id, set())
    return found
