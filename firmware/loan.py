"""Modules that are loaded for one use and leave the heap with it (device)."""

import sys


def forget(name: str) -> None:
    """Let an imported module go: it ends with the last of its functions that somebody holds.

    Nothing happens when somebody else has let it go already.
    """
    package, _, own = name.rpartition(".")
    if name in sys.modules:
        del sys.modules[name]
        if package:
            delattr(sys.modules[package], own)
