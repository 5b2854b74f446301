"""What a pack and what stands beside it expect of each other is counted in packfs.API (host).

A controller's boot files change by cable alone, its pack through the channel. Whoever changes what
one asks of the other counts API up, and then controllers refuse a pack that does not fit.
"""

from __future__ import annotations

import ast
from pathlib import Path

from controller_tool.pack import beside_api

ROOT = Path(__file__).resolve().parents[2]
BESIDE = ("board", "packfs", "slots")
# of API 1
ASKED = {
    "board": {
        "BOARD", "KIND", "capabilities", "clock_bus", "contactor", "idf_largest", "indicator",
        "inputs", "listen_address", "meters", "nvs", "partition", "readers", "relays", "reset",
        "reset_cause", "rtc", "safe_state", "service_port", "station", "thermistors", "watchdog",
    },
    "packfs": {"API", "identity", "modules", "mounted", "state"},
    "slots": {"path", "select", "selected", "whole"},
}  # fmt: skip
OF_API = 1


def asked(sources: dict[str, str]) -> dict[str, set[str]]:
    """Names that modules take from each of those beside the pack."""
    found: dict[str, set[str]] = {name: set() for name in BESIDE}
    for source in sources.values():
        tree = ast.parse(source)
        # what `__import__("slots")` gave has another name in some functions
        aliases = {"chosen": "slots", **{name: name for name in BESIDE}}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                owner = node.value
                name = owner.id if isinstance(owner, ast.Name) else ""
                if isinstance(owner, ast.Attribute) and owner.attr == "board":
                    name = "board"
                if isinstance(owner, ast.Call) and ast.unparse(owner) == "slots()":
                    name = "slots"
                if name in aliases:
                    found[aliases[name]].add(node.attr)
    return found


def sources() -> dict[str, str]:
    packed = [path for path in (ROOT / "firmware").rglob("*.py")
              if path.stem not in ("boot", "packfs", "slots")]  # fmt: skip
    return {path.stem: path.read_text("utf-8") for path in packed}


def test_the_number_belongs_to_what_is_asked() -> None:
    found = asked(sources())
    assert (beside_api(), found) == (OF_API, ASKED), "count packfs.API up, and then this list"


def test_a_new_name_would_be_noticed() -> None:
    more = {**sources(), "door2": "import board\nboard.siren()"}
    assert asked(more)["board"] - ASKED["board"] == {"siren"}
