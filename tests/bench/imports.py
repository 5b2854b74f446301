"""Import of a board's whole firmware: from files as they are written, and from its pack (host).

The flash's model time: what the processor adds was measured on an emulated ESP32 (facts.md: 2634 ms
from files, 210 from a pack) and tells nothing here, where the heap is 150 times as large.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from controller_tool import pack
from tests.bench.charged_house import row
from tests.bench.scripts import figures

NAME = "imports"
_BOARD = "virtual_door"
_HEAP_BYTES = 16 * 1024 * 1024  # the chip lies in it too
_FASTER = 5


def _figures(files: dict[str, bytes], names: list[str]) -> dict[str, float]:
    """Of an import from a file system with these files; see measure_imports.py."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, data in files.items():
            path = folder / "disk" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        (folder / "names").write_text("\n".join(names), "utf-8")
        (folder / "packfs.mpy").write_bytes(pack.boot_files(_BOARD)["/packfs.mpy"])
        return figures("measure_imports.py", str(folder), heap_bytes=_HEAP_BYTES)


def run() -> list[dict[str, Any]]:
    """The same code both ways: each module a file of its own, or joined in one pack."""
    apart = pack.modules_apart(_BOARD)
    files = _figures({f"{n.replace('.', '/')}.mpy": data for n, data in apart.items()}, list(apart))
    data = pack.build_pack(_BOARD)
    packed = _figures({"fw0.pack": data}, sorted(pack.compiled_modules(_BOARD)))
    faster = files["flash_us"] / packed["flash_us"]
    return [
        row("pack", len(data), "B", at_most=pack.PACK_MAX_BYTES),
        row("files: modules", files["modules"], ""),
        row("files: flash reads", files["reads"], ""),
        row("files: flash, model time", files["flash_us"] / 1000, "ms"),
        row("pack: modules, joined", packed["modules"], ""),
        row("pack: flash reads", packed["reads"], ""),
        row("pack: flash, model time", packed["flash_us"] / 1000, "ms"),
        row("pack is faster, times of flash time", faster, "x", at_least=_FASTER),
    ]
