"""Names of a pack: whose they are, which must stay, and short ones for the others (host)."""

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

from controller_tool.shrink.owners import owners

Trees = dict[str, ast.Module]

# called by MicroPython itself, or by name from outside
ROOTS = frozenset({"readinto", "write", "ioctl", "close", "run", "Service", "drivers", "finish"})
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
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
    "rename remove mkdir stat exception message future mount umount read_u16 read_uv "
    "IRQ_FALLING write_readinto"
)


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


def identifiers(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, DEFINITIONS):
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


def kept_names(trees: Trees, outside: Iterable[ast.AST]) -> set[str]:
    keep = foreign_names() | set(ROOTS)
    for tree in outside:
        keep.update(identifiers(tree))
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
        used.update(identifiers(tree))
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
        if isinstance(node, DEFINITIONS):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            yield node.attr
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name


def named_in_calls(trees: Trees) -> set[str]:
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
            yield from of_class(node)


def of_class(node: ast.ClassDef) -> set[str]:
    """Methods and class variables."""
    found = {part.name for part in node.body if isinstance(part, DEFINITIONS)}
    for part in node.body:
        if not isinstance(part, DEFINITIONS):
            found.update(
                name.id
                for name in ast.walk(part)
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
            )
    return found


def _globals(tree: ast.Module) -> Iterator[str]:
    """What a module brings into being: their names stay in the heap, those of locals do not."""
    for node in tree.body:
        if isinstance(node, DEFINITIONS):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (part.id for part in ast.walk(node) if isinstance(part, ast.Name))


def short_names(trees: Trees, keep: set[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Short names for attributes and for all others, the most frequent first.

    Both begin with the same ones: what stands behind a dot is never mistaken for what does not,
    and a name that both use is paid for once. So is a name of two modules' globals, where no module
    mentions both, and that of two classes' attributes, where no object has both. Locals come after
    all of them, for they cost nothing.
    """
    taken = set(keep)
    attributes: collections.Counter[str] = collections.Counter()
    others: collections.Counter[str] = collections.Counter()
    mentioned: dict[str, set[str]] = {}
    lasting: set[str] = set()
    for module, tree in trees.items():
        found = list(identifiers(tree))
        taken.update(found)
        attributes.update(_attributes(tree))
        others.update(found)
        lasting.update(_globals(tree))
        for name in found:
            mentioned.setdefault(name, set()).add(module)

    def wanted(names: Iterable[str], count: collections.Counter[str]) -> list[str]:
        return [
            name
            for name in sorted(names, key=lambda name: (-count[name], name))
            if name not in keep and len(name) > _SHORT_LENGTH and not name.startswith("__")
        ]

    free = list(_free_names(taken))
    globals_, last = _apart(wanted(lasting, others), mentioned, free)
    locals_ = wanted(set(others) - lasting, others)
    return (
        _apart(wanted(attributes, attributes), owners(trees), free)[0],
        {**globals_, **dict(zip(locals_, free[last:], strict=False))},
    )


def _apart(
    names: list[str], places: dict[str, set[str]], free: list[str]
) -> tuple[dict[str, str], int]:
    """(a free name for each, how many that took): not the same for two that meet in a place.

    places: modules, or families of classes; a name without any is met everywhere.
    """
    given: dict[str, str] = {}
    used: dict[str, set[int]] = {}
    everywhere = set().union(*places.values())
    last = 0
    for name in names:
        modules = places.get(name, everywhere)
        number = next(
            n for n in itertools.count() if all(n not in used.get(m, ()) for m in modules)
        )
        for module in modules:
            used.setdefault(module, set()).add(number)
        given[name] = free[number]
        last = max(last, number + 1)
    return given, last


def _free_names(taken: set[str]) -> Iterator[str]:
    letters = string.ascii_letters + "_"
    for first, second in itertools.product(letters, letters + string.digits):
        if first + second not in taken and first + second != "__":
            yield first + second
