"""Collects `device_*.py`: firmware modules that run in MicroPython only (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.both.harness import MicroPythonFile

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class FirmwareFile(MicroPythonFile):
    """One file of functions; its heap holds flash chips and uncompiled source as well."""

    heap_bytes = 16 * 1024 * 1024


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> FirmwareFile | None:
    """Files of this folder that are named so."""
    if file_path.name.startswith("device_") and file_path.suffix == ".py":
        return FirmwareFile.from_parent(parent, path=file_path)
    return None
