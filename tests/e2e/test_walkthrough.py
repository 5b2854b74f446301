"""Every command of docs/walkthrough.md, typed in order into an empty folder (host)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controller_tool.sim import service as sim
from tests import console_page

SHELL_S = 860  # some forty commands, beside the other half of the tests


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An empty folder; virtual boards that a failed run left behind are stopped."""
    yield tmp_path
    for boards in tmp_path.glob("*/sim"):
        for board in sim.list_boards(boards):
            sim.stop(boards, board.name)


@pytest.mark.timeout(SHELL_S + 20)
def test_the_page_tells_the_truth(root: Path, folder: Path) -> None:
    wanted = list(console_page.steps((root / "docs/walkthrough.md").read_text(encoding="utf-8")))
    assert len(wanted) > 20, "a page without commands would prove nothing"
    got = console_page.run([step.command for step in wanted], folder, SHELL_S)
    assert not (found := list(console_page.complaints(wanted, got))), "\n".join(found)
