"""Modules that are loaded for one use and leave the heap with it (device)."""

import sys


def forget(name: str) -> None:
    """Let an imported module go: it ends with the last of its functions that somebody holds."""
    package, _, own = name.rpartition(".")
    del sys.modules[name]
    delattr(sys.modules[package], own)
