"""The page of memory that a virtual board shares with its supervisor, seen from the host (host).

Its layout stands in boards/virtual/page.py, which both sides use.
"""

from __future__ import annotations

import importlib.util
import mmap
import struct
from typing import TYPE_CHECKING, Any

from controller_tool import resources

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self


def _load() -> Any:
    path = resources.boards_dir() / "virtual" / "page.py"
    spec = importlib.util.spec_from_file_location("virtual_board_page", path)
    assert spec is not None and spec.loader is not None  # noqa: S101, PT018 - for the type checker
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


layout: Any = _load()


class PageView:
    """The page as bytes by offset and 32-bit words; a context manager."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self.bytes = mmap.mmap(file.fileno(), layout.PAGE_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.bytes.close()

    def word(self, offset: int) -> int:
        """The 32-bit word at `offset`."""
        return int(struct.unpack_from("<I", self.bytes, offset)[0])

    def set_word(self, offset: int, value: int) -> None:
        """Write the 32-bit word at `offset`."""
        struct.pack_into("<I", self.bytes, offset, value)

    def raise_generation(self, offset: int) -> None:
        """Change a one-byte counter, which the other side watches."""
        self.bytes[offset] = (self.bytes[offset] + 1) & 0xFF
