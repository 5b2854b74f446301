"""After the rows of a stay have changed: its controllers are told, and what their receipts prove.

Runs on the host. Only the controllers that owe a receipt are called on, side by side, whoever is
out of reach stands in nobody's way. What is said afterwards comes from the registry's receipts and
never from "sent".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.clock import now_s
from controller_tool.messages import t
from controller_tool.registry.models import STATE_ISSUED
from controller_tool.services.desk import check_in, places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from controller_tool.channel.dial import Way
    from controller_tool.services.cards import CardStatus
    from controller_tool.services.desk.check_in import Stay
    from controller_tool.services.push import PushResult
    from controller_tool.services.site import Site
    from controller_tool.services.taps import Trials

    # told of each controller: once when it is called on (None), once when it has answered
    Report = Callable[[str, PushResult | None], None]


@dataclass(frozen=True)
class Proof:
    """stays: as receipts have them now; results: of those that were called on."""

    stays: tuple[Stay, ...]
    results: tuple[PushResult, ...] = ()

    @property
    def cards(self) -> tuple[CardStatus, ...]:
        """All cards of the stays."""
        return tuple(card for stay in self.stays for card in stay.cards)

    @property
    def doors(self) -> tuple[str, ...]:
        """Controllers that the cards which are out are for."""
        return _names(card.devices for card in self._live())

    @property
    def unlisted(self) -> tuple[str, ...]:
        """Those of them that have not proven that they have every such card."""
        return _names(card.pending for card in self._live())

    @property
    def sent_to(self) -> tuple[str, ...]:
        """Controllers that were ever sent a card of these that has ended."""
        return _names(card.sent_to for card in self._ended())

    @property
    def undead(self) -> tuple[str, ...]:
        """Those of them that have not proven that it is dead there."""
        return _names(card.pending for card in self._ended())

    @property
    def deregistered(self) -> bool:
        """Whether all cards have ended and are proven dead wherever they were ever sent."""
        return not self._live() and not self.undead

    @property
    def whole(self) -> bool:
        """Whether no controller owes a receipt."""
        return not self.unlisted and not self.undead

    def words(self) -> tuple[str, ...]:
        """A line for the cards that are out, and one for those that ended, where there are any."""
        lines = []
        if self._live():
            lines.append(self._works())
        elif self._ended() and any(stay.ended_at_s is None for stay in self.stays):
            return (
                t("no card is out, the stay goes on; those that ended: {what}", what=self._dead()),
            )
        if self._ended() and (self.undead or not self._live()):
            lines.append(self._dead())
        return tuple(lines) or (t("no card is out"),)

    def _works(self) -> str:
        n, m = len(self.doors) - len(self.unlisted), len(self.doors)
        ahead = all(stay.from_min * 60 > now_s() for stay in self.stays)
        line = (
            t("listed at {n} of {m} doors, and opens from its first day on", n=n, m=m)
            if ahead
            else t("works at {n} of {m} doors", n=n, m=m)
        )
        return line + _pending(self.unlisted)

    def _dead(self) -> str:
        if not self.undead:
            return t("deregistered")
        m = len(self.sent_to)
        return t("pending {n}/{m}", n=m - len(self.undead), m=m) + _pending(self.undead)

    def _live(self) -> list[CardStatus]:
        return [card for card in self.cards if card.state == STATE_ISSUED]

    def _ended(self) -> list[CardStatus]:
        return [card for card in self.cards if card.state != STATE_ISSUED]


def proof(site: Site, refs: Sequence[str], results: Sequence[PushResult] = ()) -> Proof:
    """What is proven of the cards of these stays."""
    with site.registry.session() as session:
        stays = [check_in.view(site, session, places.lease(site, session, ref)) for ref in refs]
    return Proof(tuple(stays), tuple(results))


def prove(
    site: Site, refs: Sequence[str], report: Report | None = None, way: Way | None = None
) -> Proof:
    """Call on every controller in service that owes a receipt for these stays; see `Proof`."""
    from controller_tool.services import push  # noqa: PLC0415 - only here a wire is needed
    from controller_tool.services.devices_ops import in_parallel  # noqa: PLC0415

    before = proof(site, refs)
    serving = {d.name for d in site.devices(enrolled=True) if d.ended_how is None}
    owing = sorted({*before.unlisted, *before.undead} & serving)
    _ = site.vault  # a wrong passphrase is one failure, not one of each controller

    def one(name: str) -> PushResult:
        if report is not None:
            report(name, None)
        [result] = push.push(site, [name], way=way)
        if report is not None:
            report(name, result)
        return result

    return proof(site, refs, in_parallel(one, owing) if owing else [])


def tap(site: Site, name: str, say: Callable[[str], None]) -> Trials:
    """Somebody holds the new card to a door: what its journal says of it (services.taps)."""
    from controller_tool.channel.dial import dial  # noqa: PLC0415 - only here a wire is needed
    from controller_tool.services import taps  # noqa: PLC0415 - it reads journals: slow to import

    device = site.device(name)
    with dial(site, device, notice=say) as client:
        return taps.watch(site, device, client, 1, say)


def opened_for(found: Trials, shown: Proof) -> bool:
    """Whether the door decided for one of these cards, and its relay acted."""
    refs = {card.ref for card in shown.cards}
    return any(one.card in refs and one.relay for one in found.taps)


def _pending(names: Sequence[str]) -> str:
    return t("; pending: {names}", names=", ".join(names)) if names else ""


def _names(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(sorted({name for group in groups for name in group}))
