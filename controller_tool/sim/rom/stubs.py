"""The stub that esptool uploads, as this computer's esptool has it (host).

Its code is for the chip's processor and is not run here. What the model knows is its bytes: where
exactly these arrive in memory and are jumped to, the model goes on as they would; anything else
there hangs, as a program would that arrived broken.
"""

from __future__ import annotations

import base64
import functools
import json
from dataclasses import dataclass
from importlib import resources as package_files


@dataclass(frozen=True)
class Stub:
    """Where it is jumped to, and what must lie where by then."""

    entry: int
    segments: dict[int, bytes]


@functools.cache
def known(chip: str) -> tuple[Stub, ...]:
    """The stubs for a chip, the one that esptool takes by default first."""
    folder = package_files.files("esptool") / "targets" / "stub_flasher"
    return tuple(_read((folder / version / f"{chip}.json").read_text("utf-8")) for version in "21")


def _read(text: str) -> Stub:
    held = json.loads(text)
    names = [name for name in ("text", "data") if name in held]
    segments = {held[f"{name}_start"]: base64.b64decode(held[name]) for name in names}
    return Stub(held["entry"], segments)
