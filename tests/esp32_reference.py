"""What a stock ESP32's MicroPython offers: its modules, and the names in some of them (host)."""

import ast
import functools
from pathlib import Path

LISTING = Path(__file__).parent / "reference" / "esp32-1.26.1-builtins.txt"
# Labels in the listing that are classes or single facts, not modules.
_CLASSES = frozenset({"Pin", "UART", "Part", "NVS", "RMT", "PCNT"})


def _lines() -> list[str]:
    return LISTING.read_text(encoding="utf-8").splitlines()


@functools.cache
def modules() -> frozenset[str]:
    """Top-level module names, as `help('modules')` printed them."""
    lines = [line for line in _lines() if not line.startswith("#")]
    table = lines[: lines.index("Plus any modules on the filesystem")]
    return frozenset(name.partition("/")[0] for line in table for name in line.split())


@functools.cache
def names() -> dict[str, frozenset[str]]:
    """Names in each module whose `dir()` was printed."""
    return {label: offered for label, offered in _printed().items() if label not in _CLASSES}


@functools.cache
def class_names(label: str) -> frozenset[str]:
    """Names in one class: `Pin`, `UART`, `Part` (esp32.Partition), `NVS` or `RMT`."""
    return _printed()[label]


def _printed() -> dict[str, frozenset[str]]:
    printed = {}
    for line in _lines():
        label, _, rest = line.partition(" ")
        if rest.startswith("['"):
            printed[label] = frozenset(ast.literal_eval(rest))
    return printed
