"""A charger's port typed at a virtual reader after the card: what the simulator sends (host)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from controller_tool import resources
from controller_tool.errors import OperatorError
from controller_tool.sim import swipe
from controller_tool.sim.readers import BadStimulus, virtual_frame, virtual_key
from controller_tool.sim.stimuli import Stimuli
from protocol.codes import CREDENTIAL_EM4100

if TYPE_CHECKING:
    from controller_tool.sim.service import Board
    from controller_tool.sim.supervisor import Supervisor

CARD = "0013345678"
CARD_BYTES = bytes((0, *int(CARD).to_bytes(4)))


def board(kind: str) -> Board:
    """As far as it matters which kind it is."""
    return cast("Board", SimpleNamespace(options=SimpleNamespace(board=kind)))


class Wires:
    """A board's supervisor as far as its reader's line goes; `sent`: what came down there."""

    def __init__(self, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.page = self
        self.description = resources.describe_board(folder)
        self.readers: dict[int, Any] = {}
        self.waiting: list[tuple[float, Any]] = []
        self.sent: list[str] = []
        self.stimuli = Stimuli(cast("Supervisor", self))
        monkeypatch.setattr(self.stimuli, "send_uart", lambda _uart, data: self.sent.append(data))

    def later(self, delay_s: float, action: Any) -> None:
        self.waiting.append((delay_s, action))

    def hold(self, kind: str, text: str) -> list[str]:
        """What is sent for a card and what is typed after it."""
        read = swipe.held(board(kind), text)
        self.stimuli.apply("swipe_card", {"type": read.type, "credential": read.data.hex()})
        for _, press in self.waiting:
            press()
        return self.sent


@pytest.mark.parametrize(("typed", "keys"), [("3", [3, 11]), ("3#", [3, 11]), ("16", [1, 6, 11])])
def test_a_card_is_held_and_the_port_is_typed(monkeypatch, typed: str, keys: list[int]) -> None:
    wires = Wires("virtual_charger16", monkeypatch)
    frames = [virtual_frame(CREDENTIAL_EM4100, CARD_BYTES), *map(virtual_key, keys)]
    assert wires.hold("virtual_charger16", f"{CARD}+{typed}") == [frame.hex() for frame in frames]
    assert all(delay_s < 0.9 for delay_s, _ in wires.waiting), "while somebody looks"


def test_where_there_are_no_keys_nothing_is_typed(monkeypatch) -> None:
    wires = Wires("virtual_charger2", monkeypatch)
    with pytest.raises(BadStimulus, match="no keypad"):
        wires.hold("virtual_charger2", f"{CARD}+2")
    assert wires.sent == []


@pytest.mark.parametrize("typed", ["", "#", "123", "a", "-1", "3##"])
def test_what_is_no_port_is_told(typed: str) -> None:
    with pytest.raises(OperatorError) as told:
        swipe.held(board("virtual_charger16"), f"{CARD}+{typed}")
    assert f"+{typed} is no port" in str(told.value)


def test_at_a_door_it_is_a_pin() -> None:
    assert str(swipe.held(board("virtual_door_wiegand"), f"{CARD}+4711")).endswith("+4711")
    with pytest.raises(OperatorError, match="PIN"):
        swipe.held(board("virtual_door_wiegand"), f"{CARD}+3")
    assert swipe.held(board("virtual_charger16"), CARD).data == CARD_BYTES


def test_a_keypad_has_twelve_keys() -> None:
    with pytest.raises(BadStimulus, match="keys 0 to 9"):
        virtual_key(12)
