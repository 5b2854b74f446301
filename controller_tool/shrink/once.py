"""Which functions of a pack one call alone mentions (host)."""

import ast
import collections
import itertools
from collections.abc import Iterator

from controller_tool.shrink.names import DEFINITIONS, FUNCTIONS, Trees, identifiers

Function = ast.FunctionDef | ast.AsyncFunctionDef
Owner = ast.Module | ast.ClassDef

_SCOPES = (
    *DEFINITIONS, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
)  # fmt: skip
_NOT_PLAIN = (
    *_SCOPES, ast.Yield, ast.YieldFrom, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal,
    ast.NamedExpr, ast.Delete, ast.AsyncFor, ast.AsyncWith,
)  # fmt: skip


def candidates(trees: Trees, spelled: set[str]) -> Iterator[tuple[Owner, Function, str]]:
    """(who holds it, a function that is mentioned once, how it is mentioned).

    What is written elsewhere is mentioned no more and no less often than before.
    """
    uses = collections.Counter(name for tree in trees.values() for name in mentioned(tree))
    defined = collections.Counter(
        node.name for t in trees.values() for node in ast.walk(t) if isinstance(node, FUNCTIONS)
    )
    shared = _related(trees), _by_others(trees)
    for tree in trees.values():
        for node in tree.body:
            if isinstance(node, FUNCTIONS) and uses[node.name] == 1 and _may_go(node, spelled):
                yield tree, node, node.name
            elif isinstance(node, ast.ClassDef):
                yield from _methods_once(node, uses, defined, shared, spelled)


def _methods_once(
    owner: ast.ClassDef,
    uses: "collections.Counter[str]",
    defined: "collections.Counter[str]",
    shared: tuple[set[str], set[str]],
    spelled: set[str],
) -> Iterator[tuple[Owner, Function, str]]:
    related, by_others = shared
    inside = collections.Counter(mentioned(owner))
    for part in owner.body:
        if isinstance(part, FUNCTIONS) and _may_go(part, spelled):
            mark = "." + part.name
            # a private name means this class's own, if only `self` is ever asked for it
            apart = owner.name not in related and part.name[0] == "_" and mark not in by_others
            once = inside[mark] == 1 if apart else defined[part.name] == uses[mark] == 1
            if once and not any(_binds(other, part.name) for other in owner.body):
                yield owner, part, mark


def _binds(node: ast.stmt, name: str) -> bool:
    """Whether a statement of a class body brings this name into being beside a function."""
    return not isinstance(node, FUNCTIONS) and name in set(identifiers(node))


def functions(owner: Owner) -> Iterator[Function]:
    for node in owner.body:
        if isinstance(node, FUNCTIONS):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from (part for part in node.body if isinstance(part, FUNCTIONS))


def mentioned(tree: ast.AST) -> Iterator[str]:
    """Names, attributes with a dot before them, imported names; stored or read."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield "." + node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)


def _related(trees: Trees) -> set[str]:
    """Classes that have a base of ours or are one."""
    classes = [n for t in trees.values() for n in ast.walk(t) if isinstance(n, ast.ClassDef)]
    names = {node.name for node in classes}
    found: set[str] = set()
    for node in classes:
        bases = {name for base in node.bases for name in mentioned(base)} & names
        if bases:
            found |= bases | {node.name}
    return found


def _by_others(trees: Trees) -> set[str]:
    """Attributes that something other than `self` is asked for, with a dot before them."""
    return {
        "." + node.attr
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and not (isinstance(node.value, ast.Name) and node.value.id == "self")
    }


def _may_go(node: Function, spelled: set[str]) -> bool:
    plain = not any(
        isinstance(part, _NOT_PLAIN) for part in itertools.islice(ast.walk(node), 1, None)
    )
    args = node.args
    return (
        plain
        and node.name not in spelled
        and not node.name.startswith("__")
        and not (node.decorator_list or args.vararg or args.kwarg)
        and all(name != "super" for name in mentioned(node))
    )
