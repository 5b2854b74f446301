"""The import guard: no module that a stock ESP32 lacks, no way round the shims (virtual board).

MicroPython does not tell an overriding `__import__` from where it was called, so a relative
import is resolved by what is being imported at that moment; asyncio's late ones are known.
"""

import sys

from machine_shim import Ending

_ABSENT = ("ffi", "jni", "termios")
_ASYNCIO = "asyncio"


def build(native_import, modules: dict, shims: tuple):
    """The function for `builtins.__import__`; `shims` are the names that shims stand for."""
    under_way = []
    exc_info = sys.exc_info

    def resolve(name: str, level: int) -> str:
        current = under_way[-1] if under_way else _ASYNCIO
        parts = current.split(".")
        if not hasattr(modules.get(current), "__path__"):
            parts.pop()
        parts = parts[: len(parts) - level + 1] or [_ASYNCIO]
        if name:
            parts.append(name)
        return ".".join(parts)

    def guarded(name: str, globals=None, locals=None, fromlist=(), level: int = 0):
        error = exc_info()[1]
        if error is not None:
            Ending.error = error
        if level:
            name = resolve(name, level)
        elif name[0] == "u" and (name[1:] in shims or name[1:] in _ABSENT):
            name = name[1:]  # usys, umachine…: the built-in's second name leads past the shim
        if name in modules:
            return native_import(name, None, None, fromlist, 0)
        if name in _ABSENT:
            raise ImportError("no module named '" + name + "'")
        under_way.append(name)
        try:
            return native_import(name, None, None, fromlist, 0)
        finally:
            under_way.pop()

    return guarded
