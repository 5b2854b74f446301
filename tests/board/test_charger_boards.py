"""Relays, meters, thermistors and inputs of the virtual charger boards (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller_tool.pack import boot_files
from tests.board.prompt import Prompt

if TYPE_CHECKING:
    from controller_tool.sim import service
    from tests.board.conftest import MakeBoard

BOARDS = {"virtual_charger2": 2, "virtual_charger16": 16}


def with_board_files(prompt: Prompt, board: str) -> None:
    """Everything beside boot.py, so that `import board` works at the prompt."""
    for path, data in boot_files(board).items():
        if path.endswith(".mpy"):
            prompt.transport.fs_writefile(path, data)
    prompt.run("import board\nboard.safe_state()\nr = board.relays()")


def powered(board: service.Board) -> set[str]:
    return {name for name, on in board.counters()["outputs"].items() if on}


@pytest.mark.parametrize(("folder", "ports"), BOARDS.items())
def test_every_relay_is_a_port_of_its_own_and_read_back(
    make_board: MakeBoard, folder: str, ports: int
) -> None:
    board = make_board("c", folder)
    with Prompt(board) as prompt:
        with_board_files(prompt, folder)
        assert prompt.value("len(r)") == ports
        for port in range(ports):
            prompt.run(f"r[{port}].value(1)")
            assert powered(board) == {f"port{port + 1}"}
            assert prompt.value("[one.value() for one in r]") == [
                int(other == port) for other in range(ports)
            ]
            prompt.run(f"r[{port}].value(0)")
        assert powered(board) == set()
