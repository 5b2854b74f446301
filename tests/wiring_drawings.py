"""Draws every board's wiring from its board.toml (host).

Writes docs/wiring/*.svg and, in Chinese, docs/wiring/zh/*.svg; with `--check` it only says whether
the files are what the data gives.

    python -m tests.wiring_drawings
"""

from __future__ import annotations

import sys
from pathlib import Path

from controller_tool import messages, resources
from controller_tool.drawing import draw
from controller_tool.services.boards import display_name

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "wiring"
LANGUAGES = {"en": FOLDER, "zh": FOLDER / "zh"}


def drawings() -> dict[Path, str]:
    """All files and what is to stand in them."""
    found = {}
    for language, folder in LANGUAGES.items():
        messages.set_language(language)
        for board in resources.board_folders():
            found[folder / f"{display_name(board)}.svg"] = draw(board).svg()
    messages.set_language(None)
    return found


def main() -> int:
    """Write the drawings, or compare them."""
    made = drawings()
    if "--check" in sys.argv[1:]:
        held = {path for folder in LANGUAGES.values() for path in folder.glob("*.svg")}
        same = held == made.keys() and all(p.read_text("utf-8") == made[p] for p in held)
        return 0 if same else 1
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
