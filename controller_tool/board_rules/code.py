"""Whether a board's code does what its description says (host).

- board.py has what the firmware asks every board for
- board.py and board.toml say the same of what it can do
- each capability has what makes it true: a function of board.py, wiring, a driver in the pack
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from controller_tool import resources
from controller_tool.beside import board_files, board_module
from controller_tool.board_rules import code_pins
from controller_tool.board_rules.flash import cards_that_fit
from controller_tool.errors import ImageError
from controller_tool.messages import t
from controller_tool.pack import module_names

if TYPE_CHECKING:
    from collections.abc import Iterator

_ASKED = {
    "safe_state", "relays", "readers", "inputs", "indicator", "partition", "nvs", "watchdog",
    "station", "listen_address", "rtc", "service_port",
}  # fmt: skip
_COUNTS = {"cards", "points", "readers"}
# capability -> functions of board.py, modules of the pack, words of [wiring] that make it true
_BACKED: dict[str, tuple[set[str], set[str], set[str]]] = {
    "rtc": ({"rtc"}, set(), set()),
    "wifi": ({"station"}, set(), set()),
    "ethernet": ({"station", "Networks"}, set(), {"ethernet"}),
    "osdp": (set(), {"firmware.readers.osdp"}, set()),
    "ds3231": ({"clock_bus"}, {"firmware.rtc_ds3231"}, {"clock_chip"}),
    "supply": ({"supply"}, {"firmware.supply"}, {"supply"}),
    "mains": (set(), {"firmware.supply"}, set()),
}


def code_problems(folder: str, description: dict[str, Any]) -> list[str]:
    """What is wrong with the code of a board whose description holds."""
    try:
        chips = resources.chip_dirs(description["chip"])
        tree = board_module(board_files(resources.board_dir(folder), chips))
        modules = set(module_names(folder))
    except (ImageError, OSError, SyntaxError) as error:
        return [t("board.py: {reason}", reason=error)]
    return [
        *_offered(_defined(tree), description),
        *_same(_capabilities(tree), description),
        *_backed(description, _defined(tree), modules),
        *_drivers(description["wiring"], modules),
        *_pins(folder, description),
    ]


def _defined(tree: ast.Module) -> set[str]:
    found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            found |= {name.id for name in node.targets if isinstance(name, ast.Name)}
    return found


def _capabilities(tree: ast.Module) -> dict[str, Any]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "capabilities":
            said: dict[str, Any] = ast.literal_eval(node.value)
            return said
    return {}


def _offered(defined: set[str], description: dict[str, Any]) -> Iterator[str]:
    wanted = _ASKED | ({"meters"} if description["kind"] == "charger" else set())
    wanted |= {"contactor"} if "contactor" in description["wiring"] else set()
    for name in sorted(wanted - defined):
        yield t("board.py has no {name}", name=name + "()")
    for name in ("BOARD", "KIND", "capabilities"):
        if name not in defined:
            yield t("board.py has no {name}", name=name)


def _same(said: dict[str, Any], description: dict[str, Any]) -> Iterator[str]:
    told = description["capabilities"]
    for name in sorted(said.keys() | told.keys()):
        if said.get(name) != told.get(name):
            yield t(
                "{name} is {said} in board.py and {told} in board.toml",
                name=name, said=said.get(name), told=told.get(name),
            )  # fmt: skip


def _backed(description: dict[str, Any], defined: set[str], modules: set[str]) -> Iterator[str]:
    wiring, told = description["wiring"], description["capabilities"]
    for name, has in told.items():
        if name not in _COUNTS and not isinstance(has, bool):
            yield t("{name} is {has}: a capability is true or false", name=name, has=has)
    for name in (name for name, has in told.items() if name not in _COUNTS and has):
        if name not in _BACKED:
            yield t("nothing is known of a capability {name}", name=name)
            continue
        functions, drivers, words = _BACKED[name]
        for missing in sorted((functions - defined) | (drivers - modules) | (words - {*wiring})):
            yield t("{name} is claimed, and {missing} is missing", name=name, missing=missing)
    if told.get("mains") and "mains" not in wiring.get("inputs", {}):
        yield t("mains is claimed, and no input tells of them")
    most = cards_that_fit(description["partitions"])
    if not 0 < told.get("cards", 0) <= most:
        yield t("cards must be 1 to {most}", most=most)
    for name, count in (("points", len(wiring["relays"])), ("readers", len(wiring["readers"]))):
        if told.get(name) != count or not count:
            yield t(
                "{name} is {told}, and the wiring has {count}",
                name=name, told=told.get(name), count=count,
            )  # fmt: skip


def _drivers(wiring: dict[str, Any], modules: set[str]) -> Iterator[str]:
    for row in wiring["readers"]:
        if f"firmware.readers.{row['kind']}" not in modules:
            yield t("the firmware has no driver for a {kind} reader", kind=row["kind"])
    for row in wiring.get("meters", []):
        if f"firmware.meters.{row['kind']}" not in modules:
            yield t("the firmware has no driver for a {kind} meter", kind=row["kind"])


def _pins(folder: str, description: dict[str, Any]) -> Iterator[str]:
    """Of the file itself: the chip's own modules know no board."""
    text = (resources.board_dir(folder) / "board.py").read_text(encoding="utf-8")
    return code_pins.problems(ast.parse(text), description["wiring"])
