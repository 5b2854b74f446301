"""Short names for the modules that are loaded for their use (host).

A controller keeps the name of every module that it has ever loaded, and the text by which it lets
one go: forty of them with their packages are a kilobyte. Each becomes one letter in `firmware`.
"""

import ast
import string
from collections.abc import Iterable, Mapping

_PACKAGE = "firmware"
_LETTERS = string.ascii_letters


def shorten_modules(modules: Mapping[str, ast.Module], kept: Iterable[str]) -> dict[str, str]:
    """New names by old ones; imports and texts that are such a name are changed in the trees.

    kept: modules that somebody outside the pack, or a board's description, asks for by name.
    """
    staying = set(kept)
    meant = [name for name in modules if name not in staying]
    names = {name: f"{_PACKAGE}.{letter}" for name, letter in zip(meant, _LETTERS, strict=False)}
    for tree in modules.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in names:
                node.module = names[node.module]
            elif isinstance(node, ast.Constant) and node.value in names:
                node.value = names[str(node.value)]
    return names
