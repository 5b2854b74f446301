"""Replaces named constants by their values in device code before it is compiled (host).

A constant costs a controller heap twice (a name and a dictionary place) and time at every use, and
MicroPython inlines only what stands in the same file. So every module-level `NAME = value` in
capitals, whose value is a number, bytes or text, is replaced at its uses, in the same module and
in those that import it by `from module import NAME`; the definition and the import disappear. So do
functions that say of themselves that they are the host's.
"""

import ast
from collections.abc import Mapping

Constant = int | bytes | str
Constants = dict[str, dict[str, Constant]]  # module -> name -> value

_TYPE_CHECKING = "TYPE_CHECKING"
_HOST_ONLY = ("Host only", "Host:")  # how such a function's docstring begins


def module_constants(tree: ast.Module, known: Constants) -> dict[str, Constant]:
    """The constants that a module defines, by name.

    known: the constants of the modules that it imports from, already found.
    """
    visible: dict[str, Constant] = _imported(tree, known)
    own: dict[str, Constant] = {}
    for node in tree.body:
        name = _assigned_name(node)
        if name is None or (not name.isupper() and not name.lstrip("_").isupper()):
            continue
        value = _evaluate(node.value, {**visible, **own}) if isinstance(node, ast.Assign) else None
        if value is not None:
            own[name] = value
    return own


def inline(tree: ast.Module, own: Mapping[str, Constant], known: Constants) -> ast.Module:
    """The module with its constants replaced, without type-checking blocks and annotations."""
    values = {**_imported(tree, known), **own}
    body = [kept for node in tree.body if (kept := _keep(node, own, known)) is not None]
    modules = _imported_by_name(tree, known)
    tree = ast.Module(body=body, type_ignores=[])
    _Replace(values, modules, known).visit(tree)
    return ast.fix_missing_locations(tree)


def imported_modules(tree: ast.Module) -> set[str]:
    """Every module that is imported anywhere in it, functions included."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def _assigned_name(node: ast.stmt) -> str | None:
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        return target.id if isinstance(target, ast.Name) else None
    return None


def _imported(tree: ast.Module, known: Constants) -> dict[str, Constant]:
    values: dict[str, Constant] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in known:
            for alias in node.names:
                if alias.name in known[node.module]:
                    values[alias.asname or alias.name] = known[node.module][alias.name]
    return values


def _imported_by_name(tree: ast.Module, known: Constants) -> Constants:
    """The constants of modules that are imported as such: `from package import module`."""
    found: Constants = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                constants = known.get(f"{node.module}.{alias.name}")
                if constants:
                    found[alias.asname or alias.name] = constants
    return found


def _evaluate(node: ast.expr, names: Mapping[str, Constant]) -> Constant | None:
    """The value of an expression of literals and known constants; None when it is anything else."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            if part.id not in names:
                return None
        elif not isinstance(
            part, ast.Constant | ast.BinOp | ast.UnaryOp | ast.operator | ast.unaryop | ast.Load
        ):
            return None
    expression = ast.Expression(body=node)
    # Only literals, operators and names whose values are literals are left to evaluate.
    value = eval(compile(expression, "<constant>", "eval"), {"__builtins__": {}}, dict(names))  # noqa: S307
    return value if isinstance(value, int | bytes | str) and not isinstance(value, bool) else None


def _keep(node: ast.stmt, own: Mapping[str, Constant], known: Constants) -> ast.stmt | None:
    name = _assigned_name(node)
    if name == _TYPE_CHECKING or name in own:
        return None
    if (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == _TYPE_CHECKING
    ):
        return None
    return _without_constants(node, known) if isinstance(node, ast.ImportFrom) else node


def _without_constants(node: ast.ImportFrom, known: Constants) -> ast.ImportFrom | None:
    constants = known.get(node.module or "", {})
    names = [alias for alias in node.names if alias.name not in constants]
    if not names:
        return None
    return ast.ImportFrom(module=node.module, names=names, level=node.level)


class _Replace(ast.NodeTransformer):
    def __init__(
        self, values: Mapping[str, Constant], modules: Constants, known: Constants
    ) -> None:
        self._values = values
        self._modules = modules
        self._known = known

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        """Those in functions; the module's own have lost their constants already."""
        return _without_constants(node, self._known)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
            constants = self._modules.get(node.value.id, {})
            if node.attr in constants:
                return ast.copy_location(ast.Constant(constants[node.attr]), node)
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if isinstance(node.ctx, ast.Load) and node.id in self._values:
            return ast.copy_location(ast.Constant(self._values[node.id]), node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt | None:
        self.generic_visit(node)
        if node.value is None:
            return None
        return ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt | None:
        if (ast.get_docstring(node) or "").startswith(_HOST_ONLY):
            return None
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.stmt:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.stmt:
        node.returns = None
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for argument in [*every, node.args.vararg, node.args.kwarg]:
            if argument is not None:
                argument.annotation = None
        self.generic_visit(node)
        node.body = [part for part in node.body if not _is_docstring(part)] or [ast.Pass()]
        return node


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
