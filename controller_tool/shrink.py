"""Leaves out of a pack what it never calls, and shortens the names that only it knows (host).

Every name costs a controller's heap its letters and nine bytes, every function its code. So, over
all modules of one pack at once:

- a function, class or method whose name nothing that runs ever mentions is left out; imports that
  nobody mentions go with it
- the texts of exceptions go: a controller tells codes
- a private name of one class becomes a, b, c … of that class
- a name that our own code defines and nobody else can know is replaced by a short one, the same
  everywhere; parameters that no call names become a, b, c … of their function

A name is left as it is when it is spelled in a string, when code outside the pack uses it (boot
files, board), or when MicroPython has one like it, for then it costs nothing or may not be ours.
"""

import ast
import builtins
import collections
import hashlib
import io
import itertools
import keyword as keywords
import string
import struct
from collections.abc import Iterable, Iterator

Trees = dict[str, ast.Module]

# called by MicroPython itself, or by name from outside
_ROOTS = frozenset({"readinto", "write", "ioctl", "close", "run", "Service", "Decoder"})
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SHORT_LENGTH = 2  # of the names that are given out
# of objects that only MicroPython has; a stock ESP32's modules are in `foreign_names`
_DEVICE_ONLY = (
    "readblocks writeblocks ioctl any readinto write init irq value on off toggle feed datetime "
    "memory isconnected connect active config status ifconfig get_i32 set_i32 get_blob set_blob "
    "erase_key commit getpeercert wrap_socket load_cert_chain load_verify_locations verify_mode "
    "cadata server_side do_handshake_on_connect server_hostname sleep_ms create_task run Event "
    "get_event_loop new_event_loop set_exception_handler wait set clear is_set cancel done ipoll "
    "register poll setblocking settimeout setsockopt bind listen accept recv send close mem_free "
    "mem_alloc collect threshold ticks_ms ticks_us ticks_diff ticks_add ilistdir statvfs urandom "
    "rename remove mkdir stat exception message future mount umount read_u16 read_uv"
)


def shrink(trees: Trees, outside: Iterable[ast.AST]) -> Trees:
    """The modules of one pack made smaller; their names in the pack stay.

    trees: by dotted name, with constants replaced. outside: code that runs beside the pack.
    """
    for tree in trees.values():
        _Quiet().visit(tree)
    alive = _without_dead_code(trees)
    _shorten_private(alive)
    keep = _kept_names(alive, outside)
    named = _named_in_calls(alive)
    for tree in alive.values():
        _Parameters(named).visit(tree)
    rename = _Rename(*_short_names(alive, keep))
    for tree in alive.values():
        rename.visit(tree)
        ast.fix_missing_locations(tree)
    return alive


# --- what is never called -------------------------------------------------------------------


def _mentions(node: ast.AST) -> Iterator[str]:
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
    definitions: list[ast.stmt] = [node for node in body if isinstance(node, _DEFINITIONS)]
    return [node for node in body if not isinstance(node, _DEFINITIONS)], definitions


def _without_dead_code(trees: Trees) -> Trees:
    live = {*_ROOTS, *("." + name for name in _ROOTS)}
    waiting: list[tuple[str, ast.stmt]] = []  # definitions, with a dot in front of methods

    def enter(body: list[ast.stmt], mark: str) -> None:
        runs, definitions = _split(body)
        for node in runs:
            if not isinstance(node, ast.Import | ast.ImportFrom):
                live.update(_mentions(node))
        waiting.extend((mark, node) for node in definitions)

    for tree in trees.values():
        enter(tree.body, "")
    while reached := [pair for pair in waiting if _is_live(pair[1], live, pair[0])]:
        waiting = [pair for pair in waiting if not _is_live(pair[1], live, pair[0])]
        for _, node in reached:
            if isinstance(node, ast.ClassDef):
                live.update(itertools.chain.from_iterable(map(_mentions, node.bases)))
                enter(node.body, ".")
            else:
                live.update(_mentions(node))
    return {name: _prune(tree, live) for name, tree in trees.items()}


def _is_live(node: ast.stmt, live: set[str], mark: str = "") -> bool:
    name = getattr(node, "name", "")
    return mark + name in live or name.startswith("__")


def _prune(tree: ast.Module, live: set[str]) -> ast.Module:
    body = [node for node in tree.body if _stays(node, live)]
    for node in body:
        if isinstance(node, ast.ClassDef):
            parts = [
                p for p in node.body if not isinstance(p, _DEFINITIONS) or _is_live(p, live, ".")
            ]
            node.body = parts or [ast.Pass()]
    code = [node for node in body if not isinstance(node, ast.Import | ast.ImportFrom)]
    here = set(itertools.chain.from_iterable(map(_mentions, code)))
    return ast.Module(
        body=[kept for node in body if (kept := _needed(node, here))], type_ignores=[]
    )


def _stays(node: ast.stmt, live: set[str]) -> bool:
    """Not so: definitions that nobody calls, variables that nobody reads."""
    if isinstance(node, _DEFINITIONS):
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


# --- names ----------------------------------------------------------------------------------


def foreign_names() -> set[str]:
    """Names of Python's own types and modules that device code uses."""
    known = set(dir(builtins)) | set(keywords.kwlist) | set(_DEVICE_ONLY.split())
    objects = (
        str, bytes, bytearray, memoryview, int, list, tuple, dict, set, slice(0), OSError,
        hashlib.sha256(),
        io.BytesIO, io.StringIO, struct, hashlib, collections, collections.deque,
    )  # fmt: skip
    for thing in objects:
        known.update(dir(thing))
    return known


def _identifiers(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, _DEFINITIONS):
            yield node.name
        elif isinstance(node, ast.arg | ast.keyword) and node.arg is not None:
            yield node.arg
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        elif isinstance(node, ast.Global | ast.Nonlocal):
            yield from node.names


def _imported(tree: ast.AST) -> Iterator[str]:
    """Names that a module has from outside our code, and parts of module paths."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from alias.name.split(".")
        elif isinstance(node, ast.ImportFrom):
            yield from (node.module or "").split(".")
            if (node.module or "").partition(".")[0] not in ("firmware", "protocol"):
                yield from (alias.name for alias in node.names)


def _kept_names(trees: Trees, outside: Iterable[ast.AST]) -> set[str]:
    keep = foreign_names() | set(_ROOTS)
    for tree in outside:
        keep.update(_identifiers(tree))
        keep.update(_imported(tree))
    defined: set[str] = set()
    used: set[str] = set()
    for name, tree in trees.items():
        keep.update(name.split("."))
        keep.update(_imported(tree))
        keep.update(
            part.value
            for part in ast.walk(tree)
            if isinstance(part, ast.Constant) and isinstance(part.value, str)
        )
        defined.update(_defined(tree))
        used.update(_identifiers(tree))
    for tree in trees.values():
        keep.update(_foreign_keywords(tree, defined))
    return keep | (used - defined)


def _foreign_keywords(tree: ast.AST, defined: set[str]) -> Iterator[str]:
    """Names of arguments of functions that are not ours, as in `pairs.sort(key=…)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            callee = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if callee not in defined:
                yield from (keyword.arg for keyword in node.keywords if keyword.arg)


def _defined(tree: ast.AST) -> Iterator[str]:
    """What our own code brings into being: functions, parameters, variables, attributes."""
    for node in ast.walk(tree):
        if isinstance(node, _DEFINITIONS):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            yield node.attr
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name


def _named_in_calls(trees: Trees) -> set[str]:
    return {
        node.arg
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg
    }


def _attributes(tree: ast.AST) -> Iterator[str]:
    """Names behind a dot, and what a class body brings into being."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.ClassDef):
            yield from _of_class(node)


def _of_class(node: ast.ClassDef) -> set[str]:
    """Methods and class variables."""
    found = {part.name for part in node.body if isinstance(part, _DEFINITIONS)}
    for part in node.body:
        if not isinstance(part, _DEFINITIONS):
            found.update(
                name.id
                for name in ast.walk(part)
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
            )
    return found


def _globals(tree: ast.Module) -> Iterator[str]:
    """What a module brings into being: their names stay in the heap, those of locals do not."""
    for node in tree.body:
        if isinstance(node, _DEFINITIONS):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (part.id for part in ast.walk(node) if isinstance(part, ast.Name))


def _short_names(trees: Trees, keep: set[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Short names for attributes and for all others, the most frequent first.

    Both begin with the same ones: what stands behind a dot is never mistaken for what does not,
    and a name that both use is paid for once. Globals come before locals, which cost nothing.
    """
    taken = set(keep)
    attributes: collections.Counter[str] = collections.Counter()
    others: collections.Counter[str] = collections.Counter()
    lasting: set[str] = set()
    for tree in trees.values():
        taken.update(_identifiers(tree))
        attributes.update(_attributes(tree))
        others.update(_identifiers(tree))
        lasting.update(_globals(tree))

    def table(count: collections.Counter[str]) -> dict[str, str]:
        ranked = sorted(count.items(), key=lambda pair: (pair[0] not in lasting, -pair[1], pair[0]))
        wanted = [
            name
            for name, _ in ranked
            if name not in keep and len(name) > _SHORT_LENGTH and not name.startswith("__")
        ]
        return dict(zip(wanted, _free_names(taken), strict=False))

    return table(attributes), table(others)


def _free_names(taken: set[str]) -> Iterator[str]:
    letters = string.ascii_letters + "_"
    for first, second in itertools.product(letters, letters + string.digits):
        if first + second not in taken and first + second != "__":
            yield first + second


class _Quiet(ast.NodeTransformer):
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


def _shorten_private(trees: Trees) -> None:
    """Rename what only `self` of one class reaches; classes that share a base are left alone."""
    classes = [n for t in trees.values() for n in ast.walk(t) if isinstance(n, ast.ClassDef)]
    bases = {base for node in classes for part in node.bases for base in _mentions(part)}
    by_others = {
        part.attr
        for tree in trees.values()
        for part in ast.walk(tree)
        if isinstance(part, ast.Attribute) and not _of_self(part)
    }
    names = {node.name for node in classes}
    for node in classes:
        if node.name in bases or any(set(_mentions(base)) & names for base in node.bases):
            continue
        inside = set(_identifiers(node))
        wanted = {
            part.attr
            for part in ast.walk(node)
            if isinstance(part, ast.Attribute) and _of_self(part)
        }
        chosen = sorted(name for name in wanted if _private(name) and name not in by_others)
        free = (letters for letters in _letters() if letters not in inside)
        _Private(dict(zip(chosen, free, strict=False))).visit(node)


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


class _Parameters(ast.NodeTransformer):
    """Gives the parameters of every function the names a, b, c …, where no call names them."""

    def __init__(self, keep: set[str]) -> None:
        self._keep = keep

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        if any(isinstance(part, (*_FUNCTIONS, ast.Lambda)) for part in _below(node)):
            return node  # names of a function inside belong to both: left alone
        inside = set(_identifiers(node))
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


class _Rename(ast.NodeTransformer):
    """Replaces names by two tables: attributes with methods and class variables, and all others."""

    def __init__(self, attributes: dict[str, str], others: dict[str, str]) -> None:
        self._attributes = attributes
        self._others = others

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        node.attr = self._attributes.get(node.attr, node.attr)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        own = _of_class(node)
        node.name = self._others.get(node.name, node.name)
        for outer in itertools.chain(node.bases, node.decorator_list):
            self.visit(outer)
        for part in node.body:
            if isinstance(part, _DEFINITIONS):
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
