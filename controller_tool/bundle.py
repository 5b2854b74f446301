"""Joins modules of a pack into few, so that a controller loads few (host).

A module costs a controller some 300 bytes of heap for itself and twelve for every name that it
imports. So all that an entry reaches becomes one module under the entry's name: its definitions
stand one after another, in the order in which Python would have run them, under names that tell
the module they come from. What is imported inside a function stays apart until it is needed.
"""

import ast
from collections.abc import Iterator, Mapping

from controller_tool.errors import ImageError

Trees = Mapping[str, ast.Module]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# asked for by their names from outside the pack, or through __import__
_FIXED = frozenset({"run", "Service", "drivers", "finish"})


def bundle(trees: Trees, entries: list[str]) -> dict[str, ast.Module]:
    """One module for each entry, without what an earlier one holds.

    trees: every module by its dotted name, constants replaced. Raises ImageError when a module
    is used as a value.
    """
    home: dict[str, str] = {}
    order: dict[str, list[str]] = {}
    for entry in entries:
        order[entry] = [name for name in _in_order(entry, trees) if name not in home]
        home.update(dict.fromkeys(order[entry], entry))
    return {entry: _join(order[entry], trees, home) for entry in entries}


def lazy_entries(trees: Trees) -> list[str]:
    """Modules of ours that are imported inside functions."""
    return sorted(
        {
            found
            for tree in trees.values()
            for function in ast.walk(tree)
            if isinstance(function, _FUNCTIONS)
            for node in ast.walk(function)
            if isinstance(node, ast.ImportFrom)
            for found in _targets(node, trees)
        }
    )


def _targets(node: ast.ImportFrom, trees: Trees) -> Iterator[str]:
    if node.module is not None and node.module in trees:
        yield node.module
    for alias in node.names:
        if f"{node.module}.{alias.name}" in trees:
            yield f"{node.module}.{alias.name}"


def _in_order(entry: str, trees: Trees) -> list[str]:
    """The entry and what it imports, each after what it imports itself."""
    found: list[str] = []

    def visit(name: str) -> None:
        if name in found:
            return
        for node in trees[name].body:
            if isinstance(node, ast.ImportFrom):
                for target in _targets(node, trees):
                    visit(target)
        found.append(name)

    visit(entry)
    return found


def _join(names: list[str], trees: Trees, home: Mapping[str, str]) -> ast.Module:
    foreign: dict[str, ast.stmt] = {}
    other: dict[str, set[str]] = {}
    body: list[ast.stmt] = []
    for name in names:
        joiner = _Joiner(name, trees, home, other)
        for node in trees[name].body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                for single in _singles(node):
                    if not _is_ours(single, trees):
                        foreign[ast.unparse(single)] = single
            else:
                body.append(joiner.visit(node))
    imports = [
        ast.ImportFrom(module=module, names=[ast.alias(n) for n in sorted(used)], level=0)
        for module, used in sorted(other.items())
    ]
    tree = ast.Module(body=[*foreign.values(), *imports, *body], type_ignores=[])
    return ast.fix_missing_locations(tree)


def _singles(node: ast.Import | ast.ImportFrom) -> Iterator[ast.Import | ast.ImportFrom]:
    for alias in node.names:
        if isinstance(node, ast.Import):
            yield ast.Import(names=[alias])
        else:
            yield ast.ImportFrom(module=node.module, names=[alias], level=0)


def _is_ours(node: ast.Import | ast.ImportFrom, trees: Trees) -> bool:
    return isinstance(node, ast.ImportFrom) and any(True for _ in _targets(node, trees))


def _bound(nodes: list[ast.stmt]) -> set[str]:
    """Names that these statements bind in their own scope."""
    found: set[str] = set()
    released: set[str] = set()
    waiting: list[ast.AST] = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            found.add(node.name)
            continue
        if isinstance(node, (*_COMPREHENSIONS, ast.Lambda)):
            continue
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            released.update(node.names)
        waiting.extend(ast.iter_child_nodes(node))
    return found - released


class _Joiner(ast.NodeTransformer):
    """Gives the global names of one module, and those it imports from ours, their joint names."""

    def __init__(
        self, module: str, trees: Trees, home: Mapping[str, str], other: dict[str, set[str]]
    ) -> None:
        self._module = module
        self._home = home
        self._other = other
        self._modules: dict[str, str] = {}
        self._names: dict[str, tuple[str, str]] = {}
        self._scopes: list[set[str]] = []
        own = [n for n in trees[module].body if not isinstance(n, ast.Import | ast.ImportFrom)]
        self._names.update({name: (module, name) for name in _bound(own)})
        for node in trees[module].body:
            if isinstance(node, ast.ImportFrom):
                self._note(node, trees)

    def _note(self, node: ast.ImportFrom, trees: Trees) -> None:
        for alias in node.names:
            local = alias.asname or alias.name
            if f"{node.module}.{alias.name}" in trees:
                self._modules[local] = f"{node.module}.{alias.name}"
            elif node.module is not None and node.module in trees:
                self._names[local] = (node.module, alias.name)

    def _joint(self, module: str, name: str) -> str:
        joint = _joint_name(module, name)
        if module in self._home and self._home[module] != self._home[self._module]:
            self._other.setdefault(self._home[module], set()).add(joint)
        return joint

    def _is_local(self, name: str) -> bool:
        return any(name in scope for scope in self._scopes)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if self._is_local(node.id):
            return node
        if node.id in self._modules:
            raise ImageError(f"{self._module} uses the module {node.id} as a value", "report it")
        if node.id in self._names:
            return ast.Name(self._joint(*self._names[node.id]), node.ctx)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        base = node.value
        if isinstance(base, ast.Name) and base.id in self._modules and not self._is_local(base.id):
            return ast.Name(self._joint(self._modules[base.id], node.attr), node.ctx)
        self.generic_visit(node)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        """Inside a function: a module that stays apart."""
        module = node.module or ""
        if module not in self._home:
            return node
        names = [
            ast.alias(_joint_name(module, alias.name), alias.asname or alias.name)
            for alias in node.names
        ]
        return ast.ImportFrom(module=self._home[module], names=names, level=0)

    def visit_Global(self, node: ast.Global) -> ast.stmt:
        return ast.Global([_joint_name(self._module, name) for name in node.names])

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        top = not self._scopes
        node.bases = [self.visit(base) for base in node.bases]
        inside = _bound(node.body)
        for i, part in enumerate(node.body):
            if isinstance(part, _FUNCTIONS):
                node.body[i] = self._function(part)
            else:
                self._scopes.append(inside)
                node.body[i] = self.visit(part)
                self._scopes.pop()
        if top:
            node.name = self._joint(self._module, node.name)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        return self._named(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.stmt:
        return self._named(node)

    def _named(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.stmt:
        top = not self._scopes
        self._function(node)
        if top:
            node.name = self._joint(self._module, node.name)
        return node

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.stmt:
        args = node.args
        args.defaults = [self.visit(default) for default in args.defaults]
        args.kw_defaults = [default and self.visit(default) for default in args.kw_defaults]
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
        names = {arg.arg for arg in every if arg is not None}
        self._scopes.append(names | _bound(node.body))
        node.body = [self.visit(part) for part in node.body]
        self._scopes.pop()
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        self._scopes.append({arg.arg for arg in node.args.args})
        node.body = self.visit(node.body)
        self._scopes.pop()
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, _COMPREHENSIONS):
            return super().generic_visit(node)
        targets = {
            part.id
            for generator in node.generators
            for part in ast.walk(generator.target)
            if isinstance(part, ast.Name)
        }
        self._scopes.append(targets)
        super().generic_visit(node)
        self._scopes.pop()
        return node


def _joint_name(module: str, name: str) -> str:
    return name if name in _FIXED else f"{module.replace('.', '_')}__{name}"
