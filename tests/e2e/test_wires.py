"""Poor and breaking wires: a push completes, or says so in one line and completes later (host)."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from controller_tool import cli
from controller_tool.channel.dial import Way
from controller_tool.keys.passphrase import VARIABLE
from controller_tool.services import cards, pull, push
from tests.e2e.conftest import PASSPHRASE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller_tool.services.virtual_house import VirtualHouse
    from tests.e2e.callers import Callers

DOOR = "door-1"
ONE_IN = 10_000
MORE_CARDS = 400


@contextmanager
def breaking_wire(host: str, port: int, after_bytes: int) -> Iterator[str]:
    """An address that leads to another one until so many bytes went there; then it breaks."""
    listener = socket.create_server(("127.0.0.1", 0))

    def carry(source: socket.socket, target: socket.socket, limit: int | None) -> None:
        while limit is None or limit > 0:
            try:
                data = source.recv(1024)
                target.sendall(data)
            except OSError:
                break
            if not data:
                break
            limit = None if limit is None else limit - len(data)
        for end in (source, target):
            with_shutdown(end)

    def serve() -> None:
        near, _ = listener.accept()
        far = socket.create_connection((host, port))
        back = threading.Thread(target=carry, args=(far, near, None), daemon=True)
        back.start()
        carry(near, far, after_bytes)
        back.join(5)
        near.close()
        far.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()
    thread.join(5)


def with_shutdown(end: socket.socket) -> None:
    """Breaks one end; the other may have done so already."""
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


@pytest.fixture
def many_cards(house: VirtualHouse) -> None:
    """A list that takes a while, different from the one in force."""
    start = 1_000_000 + len(cards.list_cards(house.site))
    house.issue([f"{start + n:010d}" for n in range(MORE_CARDS)])


@pytest.mark.usefixtures("many_cards")
def test_push_and_pull_complete_on_a_line_that_spoils_bytes(
    house: VirtualHouse,
) -> None:
    board = house.boards[DOOR]
    board.stimulate("line_noise", corrupt=ONE_IN, drop=ONE_IN)
    try:
        [pushed] = push.push(house.site, [DOOR], way=Way("serial"))
        [pulled] = pull.pull(house.site, [DOOR], way=Way("serial"))
    finally:
        board.stimulate("line_noise", corrupt=0, drop=0)
    assert pushed.ok, pushed
    assert pushed.count >= MORE_CARDS
    assert pulled.ok, pulled


def test_boot_noise_before_the_first_frame_disturbs_nothing(house: VirtualHouse) -> None:
    board = house.boards[DOOR]
    board.stimulate("cut_power")
    board.stimulate("restore_power")  # and its ROM has its say on the cable
    pushed = push.push(house.site, [DOOR], way=Way("serial"), force=True)[0]
    assert pushed.ok, pushed


@pytest.mark.usefixtures("many_cards")
def test_a_wire_that_breaks_in_the_middle_of_a_push(
    house: VirtualHouse, callers: Callers, capsys, monkeypatch
) -> None:
    monkeypatch.setenv(VARIABLE, PASSPHRASE)
    place = callers.address(DOOR)
    arguments = ["push", DOOR, "--site", str(house.site.path)]
    with breaking_wire(place.place, place.port, after_bytes=5000) as broken:
        assert cli.run([*arguments, "--port", broken]) == 1
    what, next_step = capsys.readouterr().err.splitlines()
    assert what.startswith(f"{DOOR}: ")
    assert next_step.startswith("  ")
    assert cli.run(arguments) == 0
    assert "receipt for version" in capsys.readouterr().out
