"""Objects that stand in sys.modules where a stock ESP32 has a built-in module (virtual board).

An object and not a file: it offers the names that are given and no other.
"""


class Facade:
    """A module's names and nothing else."""


def expose(modules: dict, name: str, names: dict) -> None:
    """Put an object with these names where `import name` finds it."""
    module = Facade()
    for key, value in names.items():
        setattr(module, key, value)
    modules[name] = module


def pick(module, names: str) -> dict:
    """Those names of a module, as a dict."""
    return {name: getattr(module, name) for name in names.split()}
