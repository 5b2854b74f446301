"""Runs a measuring script of tests/firmware in real MicroPython and reads what it prints (host)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from controller_tool.sim.micropython import find

ROOT = Path(__file__).resolve().parents[2]


def told(
    script: str, *arguments: str, heap_bytes: int, before: Path | None = None
) -> list[list[str]]:
    """What the script prints, words by line; RuntimeError with all it said when it fails.

    before: a folder that is looked through for modules before the sources are.
    """
    path = f"{ROOT}:.frozen" if before is None else f"{before}:{ROOT}:.frozen"
    done = subprocess.run(
        find().argv(str(ROOT / "tests" / "firmware" / script), *arguments,
                    esp32_heap_bytes=heap_bytes),
        env={**os.environ, "MICROPYPATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return [line.split() for line in done.stdout.splitlines()]


def figures(
    script: str, *arguments: str, heap_bytes: int, before: Path | None = None
) -> dict[str, float]:
    """The same, of a script whose every line is a name and a number."""
    lines = told(script, *arguments, heap_bytes=heap_bytes, before=before)
    return {name: float(value) for name, value in lines}
