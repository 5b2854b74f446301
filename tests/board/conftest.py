"""Virtual boards for tests: made in a folder of the test, ended with it (host)."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controller_tool.sim import service
from tests.board.prompt import Prompt

MakeBoard = Callable[..., service.Board]


@pytest.fixture
def make_board(tmp_path: Path) -> Iterator[MakeBoard]:
    """Starts boards by name; whatever was started is stopped when the test ends."""
    root = tmp_path / "sim"

    def make(name: str = "b", board: str = "virtual_door", **options: object) -> service.Board:
        return service.start(root, name, board, until_pid=os.getpid(), **options)

    yield make
    for board in service.list_boards(root):
        service.stop(root, board.name)


@pytest.fixture
def virtual_board(make_board: MakeBoard) -> service.Board:
    """A blank virtual door controller at its prompt."""
    return make_board()


@pytest.fixture
def prompt(virtual_board: service.Board) -> Iterator[Prompt]:
    """The raw REPL of `virtual_board`, by mpremote's own library."""
    with Prompt(virtual_board) as opened:
        yield opened
