"""What a card may allow: rules of the desk that hold whoever issues it (host).

- a master card (cleaner, landlord) names its controllers, goes by a profile with a schedule (which
  the profile keeps: services.profiles), begins within AHEAD_DAYS from now and ends within
  MASTER_DAYS of its begin; each of its uses is flagged
- an emergency card opens always, so it is no master card too
- where controllers serve houses, rules.stay.card_without_stay decides too
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.houses import House, HousePoint
from controller_tool.registry.models import Device, Profile
from controller_tool.rules import stay
from controller_tool.rules.refusal import require
from controller_tool.services import profiles
from controller_tool.services.site_init import RESIDENT_PROFILE
from protocol.constants import FLAG_EMERGENCY, FLAG_MASTER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from controller_tool.services.cards import Terms
    from controller_tool.services.site import Site

MASTER_DAYS = 90


def profile_id(site: Site, name: str | None) -> int:
    """The number of a profile by its name; None is the residents'."""
    if name is None:
        return RESIDENT_PROFILE
    site.require_cards()
    with site.registry.session() as session:
        return profiles.find(session, name).id


def check(session: Session, terms: Terms) -> None:
    """OperatorError when no desk may issue such a card."""
    require(
        stay.card_without_stay(
            served(session, terms.devices), terms.from_min, terms.until_min, now_s() // 60,
            excepted=bool(terms.flags & (FLAG_MASTER | FLAG_EMERGENCY)),
        )
    )  # fmt: skip
    if not terms.flags & FLAG_MASTER:
        return
    if terms.flags & FLAG_EMERGENCY:
        raise OperatorError(
            t("A card is either an emergency card or a master card"), t("Choose one of them")
        )
    if terms.until_min - terms.from_min > MASTER_DAYS * 1440:
        raise OperatorError(
            t("A master card ends within {days} days", days=MASTER_DAYS),
            t("Give an earlier --until"),
        )
    if terms.from_min > now_s() // 60 + stay.AHEAD_DAYS * 1440:
        raise OperatorError(
            t("A master card begins within {days} days from now", days=stay.AHEAD_DAYS),
            t("Issue it nearer to that day, or give an earlier --from"),
        )
    if terms.devices is None:
        raise OperatorError(
            t("A master card names its controllers"), t("Give --device, once for each")
        )
    if not session.get_one(Profile, terms.profile_id).schedule_id:
        raise OperatorError(
            t("A master card goes by a profile with a schedule"),
            t("Make one: profile add NAME --schedule NAME, and give --profile NAME"),
        )


def served(session: Session, devices: Sequence[str] | None) -> list[stay.House]:
    """The houses that these controllers serve, by reference; None: all controllers."""
    points = (
        select(HousePoint.house_id)
        .join(Device, Device.id == HousePoint.device_id)
        .where(Device.ended_how.is_(None))
    )
    if devices is not None:
        points = points.where(Device.name.in_(devices))
    found = session.scalars(select(House).where(House.id.in_(points)).order_by(House.ref))
    return [stay.House(house.ref, house.class4, house.state) for house in found]
