"""Two operators state that a controller is lost for good (host).

Burnt, drowned, fallen into a shaft: no wipe receipt will ever come. With the statement it leaves
the *m* of every card (services.cards), is called on no more and steps aside under another name.
It is their word and no proof: whoever finds it and reads its flash knows its cards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller_tool.messages import name_of, t
from controller_tool.registry.models import ENDED_LOST, ENDED_WIPED, Device
from controller_tool.rules import words
from controller_tool.rules.refusal import Refusal
from controller_tool.rules.refusal import require as require_rules
from controller_tool.services import device_retire
from controller_tool.services.desk import pair_acts

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.desk.pair_acts import Asked, PairView
    from controller_tool.services.site import Site


def ask(site: Site, name: str, document: str, dry_run: bool = False) -> PairView:
    """Ask for a controller to be taken for lost; facts: cards that are not proven dead there."""
    device = site.device(name)
    with site.registry.session() as session:
        _, pending = device_retire.exposed(site, session, device)
    facts = {"device_id": device.id, "pending": pending}
    return pair_acts.ask(site, words.LOSS_OF_DEVICE, name, document, facts, dry_run)


def check(site: Site, session: Session, asked: Asked) -> Device:  # noqa: ARG001 - of pair_work.Work
    """The controller; RuleRefused when it has left every *m* already."""
    device = session.get_one(Device, asked.facts["device_id"])
    if device.ended_how in (ENDED_WIPED, ENDED_LOST):
        require_rules(
            Refusal(
                "left_already",
                t(
                    "{device} counts for no card any more: {how}",
                    device=device.name,
                    how=name_of("ending", device.ended_how),
                ),
                t("See the controllers with: device list"),
            )
        )
    return device


def carry_out(site: Site, session: Session, asked: Asked) -> dict[str, Any]:
    """It leaves service and every *m*; cards that waited for it alone are deregistered now."""
    device = check(site, session, asked)
    exposed, pending = device_retire.exposed(site, session, device)
    device_retire.end(site, session, device, ENDED_LOST)
    return {
        "device": asked.subject, "kept_as": device.name, "pending": pending,
        "reissue": [card.ref for card in exposed],
    }  # fmt: skip
