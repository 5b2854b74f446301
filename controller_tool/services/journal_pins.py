"""The sealed audit keys of a controller's rings, judged and in words (host)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller_tool.messages import t
from controller_tool.services import journal_words
from controller_tool.services.journal_words import RING_NAMES

if TYPE_CHECKING:
    from controller_tool.services.audit_pins import Judged
    from controller_tool.services.journal_words import Named


@dataclass
class Pins:
    """Judged ring by ring. faulty: rings whose key is not the one that was seen."""

    faulty: set[int] = field(default_factory=set)
    findings: list[Named] = field(default_factory=list)
    _unseen: list[int] = field(default_factory=list)
    _disputed: list[int] = field(default_factory=list)

    def add(self, ring: int, judged: Judged) -> None:
        """What was found of one ring's key."""
        kinds = [
            *([journal_words.AUDIT_KEY_CHANGED] if judged.changed else []),
            *([journal_words.AUDIT_KEY_FOREIGN] if judged.foreign else []),
        ]
        self.findings += [journal_words.about_ring(ring, kind) for kind in kinds]
        self.faulty |= {ring} if kinds else set()
        self._unseen += [] if judged.at_controller else [ring]
        self._disputed += [ring] if judged.disputed else []

    def notes(self) -> list[str]:
        """For rings whose key is known by hearsay alone, or of which hearsay says otherwise."""
        said = []
        if self._unseen:
            said.append(
                t("The audit key ({rings}) was not yet seen at the controller itself: pull once"
                  " with this folder", rings=_names(self._unseen))
            )  # fmt: skip
        if self._disputed:
            said.append(
                t("A registry or bundle once named another audit key ({rings}) than the controller"
                  " itself showed: whoever made it may have exchanged the key",
                  rings=_names(self._disputed))
            )  # fmt: skip
        return said


def _names(rings: list[int]) -> str:
    return ", ".join(t(RING_NAMES[ring]) for ring in rings)
