"""What a board's pack takes of the heap, told by the real MicroPython (host)."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from controller_tool import resources
from controller_tool.pack import boot_files, compiled_modules
from controller_tool.sim.micropython import find

_SCRIPT = Path(__file__).with_name("load_pack.py")
_DRIVERS = ("firmware.readers.", "firmware.meters.")
# more than a controller has: what does not fit is to be measured, not to fail
_HEAP_BYTES = 300 * 1024


def heap_by_module(board: str) -> dict[str, int]:
    """Bytes of heap that each module of the pack takes once it is imported, in their order."""
    kind = resources.describe_board(board)["kind"]
    modules = compiled_modules(board)
    drivers = sorted(name for name in modules if name.startswith(_DRIVERS))
    with tempfile.TemporaryDirectory() as folder:
        for name, data in modules.items():
            path = Path(folder, *name.split(".")).with_suffix(".mpy")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        Path(folder, "packfs.mpy").write_bytes(boot_files(board)["/packfs.mpy"])
        Path(folder, "board.py").write_text("", "utf-8")
        wanted = ["firmware.app", f"firmware.{kind}", *drivers]
        command = find().argv(str(_SCRIPT), folder, *wanted, esp32_heap_bytes=_HEAP_BYTES)
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    pairs = (line.split() for line in done.stdout.splitlines())
    return {name: int(size) * 32 // find().bits for name, size in pairs}
