"""Names are replaced, and the texts of exceptions go (host)."""

import ast
import itertools
import string
from collections.abc import Iterator

from controller_tool.shrink.dead_code import mentions
from controller_tool.shrink.names import DEFINITIONS, FUNCTIONS, Trees, identifiers, of_class


class Quiet(ast.NodeTransformer):
    """`raise Error("text")` becomes `raise Error`."""

    def visit_Raise(self, node: ast.Raise) -> ast.stmt:
        call = node.exc
        if isinstance(call, ast.Call) and len(call.args) == 1 and not call.keywords:
            text = call.args[0]
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                node.exc = call.func
        return node


def _private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def shorten_private(trees: Trees) -> None:
    """Rename what only `self` of one class reaches; classes that share a base are left alone."""
    classes = [n for t in trees.values() for n in ast.walk(t) if isinstance(n, ast.ClassDef)]
    bases = {base for node in classes for part in node.bases for base in mentions(part)}
    by_others = {
        part.attr
        for tree in trees.values()
        for part in ast.walk(tree)
        if isinstance(part, ast.Attribute) and not _of_self(part)
    }
    names = {node.name for node in classes}
    for node in classes:
        if node.name in bases or any(set(mentions(base)) & names for base in node.bases):
            continue
        inside = set(identifiers(node))
        wanted = {
            part.attr
            for part in ast.walk(node)
            if isinstance(part, ast.Attribute) and _of_self(part)
        }
        chosen = sorted(name for name in wanted if _private(name) and name not in by_others)
        free = (letters for letters in _letters() if letters not in inside)
        table = dict(zip(chosen, free, strict=False))
        _Private(table).visit(node)
        for statement in node.body:  # what the class itself starts with
            if isinstance(statement, ast.Assign | ast.AnnAssign):
                for part in ast.walk(statement):
                    if isinstance(part, ast.Name):
                        part.id = table.get(part.id, part.id)


def _of_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "self"


def _letters() -> Iterator[str]:
    yield from string.ascii_lowercase
    for first, second in itertools.product(string.ascii_lowercase, string.digits):
        yield first + second


class _Private(ast.NodeTransformer):
    """Renames attributes of `self` and the methods of that name."""

    def __init__(self, table: dict[str, str]) -> None:
        self._table = table

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        if _of_self(node):
            node.attr = self._table.get(node.attr, node.attr)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        return self._method(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.stmt:
        return self._method(node)

    def _method(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.stmt:
        node.name = self._table.get(node.name, node.name)
        self.generic_visit(node)
        return node


class Parameters(ast.NodeTransformer):
    """Gives the parameters of every function the names a, b, c …, where no call names them."""

    def __init__(self, keep: set[str]) -> None:
        self._keep = keep

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        if any(isinstance(part, (*FUNCTIONS, ast.Lambda)) for part in _below(node)):
            return node  # names of a function inside belong to both: left alone
        inside = set(identifiers(node))
        free = (letter for letter in string.ascii_lowercase if letter not in inside)
        every = [*node.args.posonlyargs, *node.args.args]
        table = {arg.arg: next(free) for arg in every if arg.arg not in self._keep}
        for part in ast.walk(node):
            if isinstance(part, ast.arg):
                part.arg = table.get(part.arg, part.arg)
            elif isinstance(part, ast.Name):
                part.id = table.get(part.id, part.id)
        return node


def _below(node: ast.AST) -> Iterator[ast.AST]:
    return itertools.islice(ast.walk(node), 1, None)


class Rename(ast.NodeTransformer):
    """Replaces names by two tables: attributes with methods and class variables, and all others."""

    def __init__(self, attributes: dict[str, str], others: dict[str, str]) -> None:
        self._attributes = attributes
        self._others = others

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        node.attr = self._attributes.get(node.attr, node.attr)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        own = of_class(node)
        node.name = self._others.get(node.name, node.name)
        for outer in itertools.chain(node.bases, node.decorator_list):
            self.visit(outer)
        for part in node.body:
            if isinstance(part, DEFINITIONS):
                short = self._attributes.get(part.name, part.name)
                self.visit(part)
                part.name = short
                continue
            table = self._others
            self._others = {**table, **{name: self._attributes.get(name, name) for name in own}}
            self.visit(part)
            self._others = table
        return node

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.Attribute | ast.ClassDef):
            return (
                self.visit_Attribute(node)
                if isinstance(node, ast.Attribute)
                else (self.visit_ClassDef(node))
            )
        table = self._others
        for field in ("id", "arg", "name"):
            value = getattr(node, field, None)
            if isinstance(value, str) and not isinstance(node, ast.alias):
                setattr(node, field, table.get(value, value))
        if isinstance(node, ast.alias):
            node.name = table.get(node.name, node.name)
            if node.asname:
                node.asname = table.get(node.asname, node.asname)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            node.names = [table.get(name, name) for name in node.names]
        self.generic_visit(node)
        return node
