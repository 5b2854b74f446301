"""A function's returns become steps of the function that it is written into (host)."""

import ast
from collections.abc import Callable

Give = Callable[[ast.expr | None], list[ast.stmt]]


def leaves(body: list[ast.stmt]) -> bool:
    """Whether nothing that stands after these statements is ever reached."""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, ast.Return | ast.Raise):
        return True
    return isinstance(last, ast.If) and leaves(last.body) and leaves(last.orelse)


def give_back(body: list[ast.stmt], give: Give) -> list[ast.stmt] | None:
    """The statements with `give(value)` instead of each return, all ending at their end.

    None where a return leaves a loop, or a block after which the function goes on.
    """
    done: list[ast.stmt] = []
    for i, node in enumerate(body):
        if isinstance(node, ast.Return):
            return [*done, *give(node.value)] or [ast.Pass()]
        if not any(isinstance(part, ast.Return) for part in ast.walk(node)):
            done.append(node)
            continue
        last = _last(node, body[i + 1 :], give)
        return None if last is None else [*done, *last]
    if leaves(done):
        return done
    return [*done, *give(None)] or [ast.Pass()]


def _last(node: ast.stmt, rest: list[ast.stmt], give: Give) -> list[ast.stmt] | None:
    """A statement that returns somewhere inside, and what follows it."""
    if isinstance(node, ast.If):
        if not rest:
            yes, no = node.body, node.orelse
        elif leaves(node.body):
            yes, no = node.body, [*node.orelse, *rest]
        elif leaves(node.orelse):
            yes, no = [*node.body, *rest], node.orelse
        else:
            return None
        return _either(node.test, give_back(yes, give), give_back(no, give))
    if isinstance(node, ast.Try) and not rest and not node.orelse:
        return _guarded(node, give)
    return None


def _either(
    test: ast.expr, yes: list[ast.stmt] | None, no: list[ast.stmt] | None
) -> list[ast.stmt] | None:
    if yes is None or no is None:
        return None
    if len(no) == 1 and isinstance(no[0], ast.Pass):
        no = []
    if no and len(yes) == 1 and isinstance(yes[0], ast.Pass):
        return [ast.If(ast.UnaryOp(ast.Not(), test), no, [])]
    return [ast.If(test, yes, no)]


def _guarded(node: ast.Try, give: Give) -> list[ast.stmt] | None:
    if any(isinstance(part, ast.Return) for end in node.finalbody for part in ast.walk(end)):
        return None
    body = give_back(node.body, give)
    handlers: list[ast.ExceptHandler] = []
    for handler in node.handlers:
        inner = give_back(handler.body, give)
        if inner is None:
            return None
        handlers.append(ast.ExceptHandler(handler.type, handler.name, inner))
    if body is None:
        return None
    return [ast.Try(body, handlers, [], node.finalbody)]
