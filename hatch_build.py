"""Puts the compiled catalogue of Chinese texts into a wheel, in place of the PO files (host).

hatchling runs this; an editable installation compiles at first use (controller_tool/catalogues.py).
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledCatalogue(BuildHookInterface[Any]):
    """Compiles before the files are gathered, cleans up afterwards."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the MO file to what goes into the wheel."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from controller_tool import catalogues  # noqa: PLC0415  found by the line above

        self._folder = tempfile.TemporaryDirectory()
        made = Path(self._folder.name) / catalogues.COMPILED.name
        made.write_bytes(catalogues.compile_po(sorted(catalogues.FOLDER.glob("*.po"))))
        target = catalogues.COMPILED.relative_to(Path(self.root).resolve())
        build_data["force_include"][str(made)] = target.as_posix()

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002  hatchling
        """Remove the file: it is in the wheel now."""
        if version != "editable":
            self._folder.cleanup()
