"""Where in a function a call stands, and whether it is reached before all that it could change."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from controller_tool.shrink.names import DEFINITIONS

Function = ast.FunctionDef | ast.AsyncFunctionDef
_FOUND, _INERT, _STOP = range(3)
_VALUES = {
    ast.Expr: "value", ast.Assign: "value", ast.Return: "value", ast.If: "test",
    ast.Raise: "exc", ast.For: "iter", ast.AugAssign: "value",
}  # fmt: skip

_IN_ORDER: dict[type[ast.AST], tuple[str, ...]] = {
    ast.Compare: ("left", "comparators"), ast.BinOp: ("left", "right"), ast.BoolOp: ("values",),
    ast.UnaryOp: ("operand",), ast.IfExp: ("test",), ast.Subscript: ("value", "slice"),
    ast.Tuple: ("elts",), ast.List: ("elts",),
}  # fmt: skip


@dataclass
class Place:
    """The statement of a call.

    whole: the call, with the `await` before it if there is one. target: the variable that the
    statement gives its value to, if it does nothing else. guarded: an error in it may be caught.
    """

    block: list[ast.stmt]
    index: int
    call: ast.Call
    whole: ast.expr
    target: str | None
    guarded: bool
    callee: str

    @property
    def statement(self) -> ast.stmt:
        return self.block[self.index]

    def replace(self, value: ast.expr) -> None:
        """Put an expression where the call is."""
        _Put(self.whole, value).visit(self.statement)


class _Put(ast.NodeTransformer):
    def __init__(self, old: ast.expr, new: ast.expr) -> None:
        self._old = old
        self._new = new

    def visit(self, node: ast.AST) -> ast.AST:
        return self._new if node is self._old else self.generic_visit(node)


def find(caller: Function, callee: Function, is_method: bool, methods: set[str]) -> Place | None:
    """The place of the one call; None when it is no call, or reached too late in its statement.

    methods: of the same class, that nothing replaces.
    """
    for block, index, guarded in _statements(caller.body, False):
        node = block[index]
        field = _VALUES.get(type(node))
        value = getattr(node, field, None) if field else None
        if value is None:
            continue
        found = _whole(value, callee, is_method)
        if found is None:
            continue
        whole, call = found
        if _reach(value, whole, methods) != _FOUND:
            return None
        if isinstance(node, ast.AugAssign) and not isinstance(node.target, ast.Name):
            return None
        target = None
        if isinstance(node, ast.Assign) and value is whole and len(node.targets) == 1:
            only = node.targets[0]
            target = only.id if isinstance(only, ast.Name) else None
        return Place(block, index, call, whole, target, guarded, callee.name.strip("_"))
    return None


def _statements(block: list[ast.stmt], guarded: bool) -> Iterator[tuple[list[ast.stmt], int, bool]]:
    for i, node in enumerate(block):
        yield block, i, guarded
        if isinstance(node, DEFINITIONS):
            continue
        for field in ("body", "orelse", "finalbody"):
            inner = getattr(node, field, None)
            if inner:
                yield from _statements(inner, guarded or isinstance(node, ast.Try))
        for handler in getattr(node, "handlers", []):
            yield from _statements(handler.body, True)


def _whole(value: ast.expr, callee: Function, is_method: bool) -> tuple[ast.expr, ast.Call] | None:
    """(the call with its await, the call) in an expression; None when it is not in there."""
    wants_await = isinstance(callee, ast.AsyncFunctionDef)
    for node in ast.walk(value):
        inner = node.value if isinstance(node, ast.Await) and wants_await else node
        if wants_await and inner is node:
            continue
        if isinstance(inner, ast.Call) and _is_callee(inner.func, callee.name, is_method):
            return (node if isinstance(node, ast.Await) else inner), inner
    return None


def _is_callee(func: ast.expr, name: str, is_method: bool) -> bool:
    if is_method:
        return (
            isinstance(func, ast.Attribute)
            and func.attr == name
            and isinstance(func.value, ast.Name)
            and func.value.id == "self"
        )
    return isinstance(func, ast.Name) and func.id == name


def _reach(node: ast.AST, wanted: ast.AST, methods: set[str]) -> int:
    """Whether `wanted` is worked out before anything of `node` that is not inert."""
    if node is wanted:
        return _FOUND
    if isinstance(node, ast.Constant | ast.Name):
        return _INERT
    if isinstance(node, ast.Attribute):
        of_self = isinstance(node.value, ast.Name) and node.value.id == "self"
        if of_self and node.attr in methods:
            return _INERT
        return _STOP if _reach(node.value, wanted, methods) != _FOUND else _FOUND
    for part in _parts(node):
        state = _reach(part, wanted, methods)
        if state != _INERT:
            return state
    return _STOP


def _parts(node: ast.AST) -> list[ast.expr]:
    """What is worked out in any case, in that order."""
    if isinstance(node, ast.Call):
        if any(isinstance(arg, ast.Starred) for arg in node.args):
            return [node.func]
        return [node.func, *node.args, *(keyword.value for keyword in node.keywords)]
    found: list[ast.expr] = []
    for field in _IN_ORDER.get(type(node), ()):
        value = getattr(node, field)
        found.extend(value if isinstance(value, list) else [value])
    # the second comparison and the second operand are worked out or not
    if isinstance(node, ast.Compare):
        return found[:2]
    return found[:1] if isinstance(node, ast.BoolOp) else found
