"""The real esptool on a virtual board in its loader, and made-up images for it (host)."""

import os
import random
import subprocess
import sys
from pathlib import Path

from controller_tool.sim import service

IMAGE_BYTES = 300_001
IMAGE_AT = 0x10000


def image(seed: int = 1, size: int = IMAGE_BYTES) -> bytes:
    """No program: the first byte of one, then a third noise, as compressible as code is."""
    noise = random.Random(seed).randbytes(size // 3)
    return (b"\xe9" + noise).ljust(size, b"\x55")


def into_loader(board: service.Board) -> None:
    """As a person does it: hold the boot button, press reset."""
    board.stimulate("hold_boot", on=True)
    board.stimulate("reset")


def esptool(
    board: service.Board, *command: str, port: str = "", after: str = "no-reset", attempts: int = 2
) -> subprocess.CompletedProcess[str]:
    """Run it; over the pseudo-terminal, which has no lines to reset by, unless port says else."""
    how = ["--port", port] if port else [
        "--port", board.serial_port, "--before", "no-reset", "--after", after,
    ]  # fmt: skip
    settings = board.folder.path / "esptool.cfg"
    settings.write_text(f"[esptool]\nconnect_attempts = {attempts}\n", "utf-8")
    return subprocess.run(
        [sys.executable, "-m", "esptool", *how, *command],
        env={**os.environ, "ESPTOOL_CFGFILE": str(settings), "COLUMNS": "500"},
        capture_output=True,
        text=True,
        check=False,
    )


def flash_of(board: service.Board, offset: int, count: int) -> bytes:
    """What the board's chip holds."""
    with Path(board.folder.flash_path).open("rb") as file:
        file.seek(offset)
        return file.read(count)
