"""A card held to a virtual board's reader, keys typed after it, and what its relays do (host)."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controller_tool import credentials
from controller_tool.credentials import Credential
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.sim.folder import describe
from protocol.codes import CREDENTIAL_CARD_PIN

if TYPE_CHECKING:
    from controller_tool.sim.service import Board

_WATCH_S = {"door": 1.0, "charger": 6.0}  # a port closes once it was seen to draw nothing
_STEP_S = 0.01
_PORT = re.compile("[0-9]{1,2}#?")


@dataclass(frozen=True)
class Swipe:
    """What followed a card.

    relay: the first that moved, None when none did in time; on: where it moved to;
    after_ms: since the card's last byte was read, None when the relay moved for another reason.
    """

    relay: str | None = None
    on: bool = False
    after_ms: float | None = None


def held(board: Board, text: str) -> Credential:
    """What NUMBER or NUMBER+DIGITS is at that board: a PIN at a door, a port at a charger.

    OperatorError when it is neither.
    """
    card, plus, port = text.rpartition("+")
    if not plus or describe(board.options.board)["kind"] != "charger":
        return credentials.parse(text)
    read = credentials.parse(card)
    if not _PORT.fullmatch(port):
        raise OperatorError(
            t("{text} is no port of a charger", text=f"+{port}"),
            t("Type its number behind the card's: 0013345678+3"),
        )
    head = bytes((read.type, len(read.data)))
    return Credential(CREDENTIAL_CARD_PIN, head + read.data + port.removesuffix("#").encode())


def swipe(board: Board, credential: Credential, reader: int = 0) -> Swipe:
    """Holds the card to a reader, counted from 0, and watches the relays.

    OperatorError when the board has no power: no reader of it sees a card.
    """
    counters = board.counters()
    if not counters["powered"]:
        raise OperatorError(
            t("{name} has no power", name=board.name),
            t("Switch it on: controller-tool sim power {name} restore", name=board.name),
        )
    before = max((entry["number"] for entry in counters["relay_log"]), default=-1)
    board.stimulate(
        "swipe_card", credential=credential.data.hex(), type=credential.type, reader=reader
    )
    kind = describe(board.options.board)["kind"]
    end_s = time.monotonic() + _WATCH_S[kind]
    while time.monotonic() < end_s:
        moved = [
            entry
            for entry in board.counters()["relay_log"]
            if entry["number"] > before and entry["relay"] != "contactor"
        ]
        if moved:
            return _seen(moved[0])
        time.sleep(_STEP_S)
    return Swipe()


def _seen(entry: dict[str, Any]) -> Swipe:
    since_us = entry["since_read_us"]
    return Swipe(entry["relay"], entry["on"], None if since_us is None else since_us / 1000)
