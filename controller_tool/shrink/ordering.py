"""The names that a module uses most get the numbers that take one byte (host).

MicroPython numbers a module's names in the order in which its compiler meets them, and an
instruction that uses a name spells the number: one byte below 128, two above. So the module begins
with code that never runs, of which the compiler keeps nothing but the names.
"""

import ast
import collections
from collections.abc import Iterator

from controller_tool.shrink.names import DEFINITIONS, FUNCTIONS

_ONE_BYTE = 128
_TAKEN = 2  # by the source's name and by the name that the statement itself begins with


def numbered(tree: ast.Module) -> ast.Module:
    """The module with its most frequent names first; as it is, where all have one byte."""
    count = collections.Counter(_uses(tree))
    if len(count) <= _ONE_BYTE - _TAKEN:
        return tree
    ranked = sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))
    first = [name for name, _ in ranked[: _ONE_BYTE - _TAKEN]]
    mentions = [ast.Expr(ast.Attribute(ast.Name("_", ast.Load()), n, ast.Load())) for n in first]
    never = ast.While(ast.Constant(1), [ast.Break(), *mentions], [])
    found = ast.Module(body=[never, *tree.body], type_ignores=[])
    return ast.fix_missing_locations(found)


def _uses(tree: ast.Module) -> Iterator[str]:
    """Every name that an instruction or a function's head will spell; locals have none."""
    for node in tree.body:
        yield from _outside(node)


def _outside(node: ast.AST) -> Iterator[str]:
    if isinstance(node, FUNCTIONS):
        yield from _function(node)
        return
    if isinstance(node, ast.ClassDef):
        yield from (node.name, node.name)
    yield from _spelled(node)
    if isinstance(node, ast.Name):
        yield node.id
    for part in ast.iter_child_nodes(node):
        yield from _outside(part)


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    yield from (node.name, node.name)  # in its head, and where it is stored
    arguments = {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)}
    yield from arguments
    released = {n for p in ast.walk(node) if isinstance(p, ast.Global) for n in p.names}
    local = arguments | {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)
    }
    local |= {p.name for p in ast.walk(node) if isinstance(p, ast.ExceptHandler) and p.name}
    for part in ast.walk(node):
        yield from _spelled(part)
        if isinstance(part, ast.Name) and part.id not in local - released:
            yield part.id
        elif isinstance(part, DEFINITIONS) and part is not node:
            yield part.name


def _spelled(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.keyword) and node.arg:
        yield node.arg
    elif (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier()
    ):
        yield node.value
