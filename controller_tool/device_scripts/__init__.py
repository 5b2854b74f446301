"""Scripts that provisioning runs on a blank board through its REPL (host finds them here).

They are files so that they can be read, checked and tested like any other code.
"""

from importlib import resources


def source(name: str) -> str:
    """The text of the device script ``name`` (without ``.py``)."""
    return (resources.files(__name__) / f"{name}.py").read_text(encoding="utf-8")
