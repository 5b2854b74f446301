"""What a pack never calls is left out (host)."""

import ast
import itertools
from collections.abc import Iterator

from controller_tool.shrink.names import DEFINITIONS, ROOTS, Trees


def mentions(node: ast.AST) -> Iterator[str]:
    """What is read below `node`: names, attributes with a dot before them, strings as both."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
            yield part.id
        elif isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Load):
            yield "." + part.attr
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value
            yield "." + part.value
        elif isinstance(part, ast.ImportFrom):
            yield from (alias.name for alias in part.names)


def _split(body: list[ast.stmt]) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """(what runs when the body runs, definitions that wait to be called)."""
    definitions: list[ast.stmt] = [node for node in body if isinstance(node, DEFINITIONS)]
    return [node for node in body if not isinstance(node, DEFINITIONS)], definitions


def without_dead_code(trees: Trees) -> Trees:
    live = {*ROOTS, *("." + name for name in ROOTS)}
    waiting: list[tuple[str, ast.stmt]] = []  # definitions, with a dot in front of methods

    def enter(body: list[ast.stmt], mark: str) -> None:
        runs, definitions = _split(body)
        for node in runs:
            if not isinstance(node, ast.Import | ast.ImportFrom):
                live.update(mentions(node))
        waiting.extend((mark, node) for node in definitions)

    for tree in trees.values():
        enter(tree.body, "")
    while reached := [pair for pair in waiting if _is_live(pair[1], live, pair[0])]:
        waiting = [pair for pair in waiting if not _is_live(pair[1], live, pair[0])]
        for _, node in reached:
            if isinstance(node, ast.ClassDef):
                live.update(itertools.chain.from_iterable(map(mentions, node.bases)))
                enter(node.body, ".")
            else:
                live.update(mentions(node))
    return {name: _prune(tree, live) for name, tree in trees.items()}


def _is_live(node: ast.stmt, live: set[str], mark: str = "") -> bool:
    name = getattr(node, "name", "")
    return mark + name in live or name.startswith("__")


def _prune(tree: ast.Module, live: set[str]) -> ast.Module:
    body = [node for node in tree.body if _stays(node, live)]
    for node in body:
        if isinstance(node, ast.ClassDef):
            parts = [
                p for p in node.body if not isinstance(p, DEFINITIONS) or _is_live(p, live, ".")
            ]
            node.body = parts or [ast.Pass()]
    code = [node for node in body if not isinstance(node, ast.Import | ast.ImportFrom)]
    here = set(itertools.chain.from_iterable(map(mentions, code)))
    return ast.Module(
        body=[kept for node in body if (kept := _needed(node, here))], type_ignores=[]
    )


def _stays(node: ast.stmt, live: set[str]) -> bool:
    """Not so: definitions that nobody calls, variables that nobody reads."""
    if isinstance(node, DEFINITIONS):
        return _is_live(node, live)
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id in live
    return True


def _needed(node: ast.stmt, mentioned: set[str]) -> ast.stmt | None:
    """An import without the names that its module does not mention."""
    if isinstance(node, ast.ImportFrom):
        names = [alias for alias in node.names if (alias.asname or alias.name) in mentioned]
        return ast.ImportFrom(module=node.module, names=names, level=node.level) if names else None
    return node
