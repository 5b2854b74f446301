"""Functions that are called from one place only are written there (host).

A function costs a controller some fifty bytes beside its instructions: its object, its place in a
dictionary, its head, the call. Short functions are for people; a pack need not have them. Written
into its caller is a function or a method of which all of this holds:

- nothing but that one call mentions it, and it calls itself nowhere
- it is plain: no generator, no decorator, no function or comprehension or import inside
- the call is reached before anything else of its statement that could tell the difference
- it returns at its end, or where the call's own value is returned

Its variables get new names; a parameter that it never changes is replaced by what is given for it
where that cannot change either. Where the caller goes on, what the variables held is let go again.
"""

import ast
import copy
import itertools
from collections.abc import Callable, Iterable, Iterator

from controller_tool.shrink import places
from controller_tool.shrink.names import DEFINITIONS, FUNCTIONS, ROOTS, Trees, identifiers
from controller_tool.shrink.once import Function, Owner, candidates, functions, mentioned
from controller_tool.shrink.returns import give_back, leaves

_MAX_NODES = 700  # of a function that grows: its code has to find room in one piece


def write_in(trees: Trees, outside: Iterable[ast.AST]) -> int:
    """Do it until nothing is left to do; returns how many functions went."""
    spelled = set(ROOTS)
    for tree in outside:
        spelled.update(identifiers(tree))
    for tree in trees.values():
        spelled.update(
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        )
    numbers = itertools.count(1)
    marks: dict[Function, set[str]] = {}  # by function: what it mentions; looked up for each callee
    gone = 0
    while True:
        done = 0
        for owner, callee, mark in list(candidates(trees, spelled)):
            for other in functions(owner):
                if other not in marks:
                    marks[other] = set(mentioned(other))
            callers = [other for other in functions(owner) if mark in marks[other]]
            if (
                len(callers) == 1
                and callers[0] is not callee
                and _write(owner, callee, callers[0], numbers)
            ):
                del marks[callers[0]]
                done += 1
        if not done:
            return gone
        gone += done


def _write(owner: Owner, callee: Function, caller: Function, numbers: Iterator[int]) -> bool:
    """Replace the one call in `caller`; False, and nothing changed, where it cannot be done."""
    is_method = isinstance(owner, ast.ClassDef)
    place = places.find(caller, callee, is_method, _methods(owner))
    given = _given(callee, place.call, is_method) if place else None
    if place is None or given is None or not _fit(callee, caller, is_method):
        return False
    body, before, fresh = _prepared(callee, given, caller, next(numbers))
    if isinstance(caller, ast.AsyncFunctionDef) and fresh and place.guarded:
        return False  # after an error the caller's frame would hold what the callee's let go
    written = _joined(place, body, fresh)
    if written is None:
        return False
    place.block[place.index : place.index + 1] = [*before, *written]
    owner.body.remove(callee)
    if not owner.body:
        owner.body.append(ast.Pass())
    ast.fix_missing_locations(caller)
    return True


def _fit(callee: Function, caller: Function, is_method: bool) -> bool:
    """Whether one may stand in the other: short enough, and no name means two things."""
    if _nodes(caller) + _nodes(callee) > _MAX_NODES:
        return False
    if is_method and not (_self(callee) and _self(caller)):
        return False
    if any(isinstance(part, ast.Nonlocal) for part in ast.walk(caller)):
        return False
    foreign = set(identifiers(callee)) - _bound(callee) - {callee.name}
    return not foreign & _bound(caller) - {"self"}


def _nodes(node: ast.AST) -> int:
    return sum(1 for _ in ast.walk(node))


def _methods(owner: Owner) -> set[str]:
    if not isinstance(owner, ast.ClassDef):
        return set()
    stored = {
        part.attr
        for part in ast.walk(owner)
        if isinstance(part, ast.Attribute) and not isinstance(part.ctx, ast.Load)
    }
    plain = {p.name for p in owner.body if isinstance(p, FUNCTIONS) and not p.decorator_list}
    return plain - stored


def _self(node: Function) -> bool:
    return (
        bool(node.args.args)
        and node.args.args[0].arg == "self"
        and not any(
            isinstance(part, ast.Name) and part.id == "self" and not isinstance(part.ctx, ast.Load)
            for part in ast.walk(node)
        )
    )


def _bound(node: Function) -> set[str]:
    """Every name that is a variable of the function or of one inside it."""
    found: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.arg):
            found.add(part.arg)
        elif isinstance(part, ast.Name):
            if not isinstance(part.ctx, ast.Load):
                found.add(part.id)
        elif isinstance(part, ast.ExceptHandler):
            if part.name:
                found.add(part.name)
        elif isinstance(part, ast.Import | ast.ImportFrom):
            found.update(alias.asname or alias.name for alias in part.names)
        elif isinstance(part, DEFINITIONS) and part is not node:
            found.add(part.name)
    return found


def _given(callee: Function, call: ast.Call, is_method: bool) -> dict[str, ast.expr] | None:
    """What the call gives for each parameter, in the order in which it is worked out."""
    args = callee.args
    positional = [arg.arg for arg in [*args.posonlyargs, *args.args]][1 if is_method else 0 :]
    if any(isinstance(arg, ast.Starred) for arg in call.args) or len(call.args) > len(positional):
        return None
    found = dict(zip(positional, call.args, strict=False))
    for keyword in call.keywords:
        if keyword.arg is None or keyword.arg in found:
            return None
        found[keyword.arg] = keyword.value
    defaults = dict(zip(reversed(positional), reversed(args.defaults), strict=False))
    for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        if default is not None:
            defaults[arg.arg] = default
    every = [*positional, *(arg.arg for arg in args.kwonlyargs)]
    for name in every:
        if name not in found:
            if not isinstance(defaults.get(name), ast.Constant):
                return None
            found[name] = defaults[name]
    return found if set(found) == set(every) else None


def _prepared(
    callee: Function, given: dict[str, ast.expr], caller: Function, number: int
) -> tuple[list[ast.stmt], list[ast.stmt], list[str]]:
    """(the callee's body in the caller's terms, what gives values to its parameters, new names)."""
    stored = {
        part.id
        for part in ast.walk(callee)
        if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)
    }
    stored |= {p.name for p in ast.walk(callee) if isinstance(p, ast.ExceptHandler) and p.name}
    of_caller = _bound(caller)
    table: dict[str, ast.expr] = {}
    before: list[ast.stmt] = []
    fresh: list[str] = []
    for name, value in given.items():
        steady = isinstance(value, ast.Constant) or (
            isinstance(value, ast.Name) and value.id in of_caller
        )
        if steady and name not in stored:
            table[name] = value
            continue
        new = f"in{number}_{name}"
        before.append(ast.Assign(targets=[ast.Name(new, ast.Store())], value=value))
        table[name] = ast.Name(new, ast.Load())
        fresh.append(new)
    for name in sorted(stored - set(given)):
        fresh.append(f"in{number}_{name}")
        table[name] = ast.Name(fresh[-1], ast.Load())
    replace = _Replace(table)
    body = [replace.visit(copy.deepcopy(node)) for node in callee.body]
    return body, before, fresh


class _Replace(ast.NodeTransformer):
    def __init__(self, table: dict[str, ast.expr]) -> None:
        self._table = table

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self._table.get(node.id)
        if value is None:
            return node
        if isinstance(value, ast.Name):
            return ast.Name(value.id, node.ctx)
        return copy.deepcopy(value)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        self.generic_visit(node)
        value = self._table.get(node.name or "")
        if isinstance(value, ast.Name):
            node.name = value.id
        return node


def _joined(place: places.Place, body: list[ast.stmt], fresh: list[str]) -> list[ast.stmt] | None:
    """The statements that stand for the one with the call; None where a return is in the way."""
    statement = place.statement
    if isinstance(statement, ast.Return) and statement.value is place.whole:
        return body if leaves(body) else [*body, ast.Return(None)]
    after = _let_go(fresh)
    if isinstance(statement, ast.Expr) and statement.value is place.whole:
        return _or_none(give_back(body, _dropped), after)
    if len(body) == 1 and isinstance(body[0], ast.Return) and body[0].value is not None:
        place.replace(body[0].value)
        return [statement, *([] if isinstance(statement, ast.Return | ast.Raise) else after)]
    result = place.target or f"{place.callee}__result"
    written = give_back(body, _stored(result))
    if written is None:
        return None
    if place.target is not None:
        return [*written, *after]
    place.replace(ast.Name(result, ast.Load()))
    return [*written, *after, statement]


def _or_none(body: list[ast.stmt] | None, after: list[ast.stmt]) -> list[ast.stmt] | None:
    return None if body is None else [*body, *after]


def _let_go(names: list[str]) -> list[ast.stmt]:
    if not names:
        return []
    targets: list[ast.expr] = [ast.Name(name, ast.Store()) for name in names]
    return [ast.Assign(targets=targets, value=ast.Constant(None))]


def _dropped(value: ast.expr | None) -> list[ast.stmt]:
    if value is None or isinstance(value, ast.Constant | ast.Name):
        return []
    return [ast.Expr(value)]


def _stored(name: str) -> Callable[[ast.expr | None], list[ast.stmt]]:
    def give(value: ast.expr | None) -> list[ast.stmt]:
        value = ast.Constant(None) if value is None else value
        return [ast.Assign(targets=[ast.Name(name, ast.Store())], value=value)]

    return give
