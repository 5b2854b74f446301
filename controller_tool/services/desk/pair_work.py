"""What acts of two operators check and do (host).

``check`` raises RuleRefused when the act cannot be done as the registry stands: it runs when the
act is asked for and again when it is confirmed. ``carry_out`` does it in the transaction of the
second operator's yes and returns plain values for the screen. An act that rules.words gains gets a
row here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from controller_tool.rules import words
from controller_tool.services.desk import card_found, device_loss, eviction

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.desk.pair_acts import Asked
    from controller_tool.services.site import Site


class Work(Protocol):
    """A module that does one act."""

    def check(self, site: Site, session: Session, asked: Asked) -> object:
        """RuleRefused or OperatorError when it cannot be done now."""

    def carry_out(self, site: Site, session: Session, asked: Asked) -> dict[str, Any]:
        """Does it; the caller commits."""


WORK: dict[str, Work] = {
    words.FOUND: card_found,
    words.EVICTION: eviction,
    words.LOSS_OF_DEVICE: device_loss,
}
