"""Which doors and ports of controllers serve a house, and the cards that come with them (host).

A door that is added opens for those who live there at the next push. Of one that is taken away
their cards are issued anew, so that receipts prove that they open it no more.

A house that issues nothing (rules.stay.admission) gives nobody a door that was not theirs, or a
door that is taken away for a moment would be the way round it:

- a door with plain cards on it, of no stay, is not added: they are named, to be collected first
- the cards of those who live there get back what the same stay opened before, for they must get
  home, and nothing they never had (ADR-0034); `device replace` keeps their way through a new
  controller, admission and the same command again open what is new
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.houses import HousePoint
from controller_tool.registry.models import STATE_ISSUED, Card, Device, Grant
from controller_tool.registry.stays import Lease
from controller_tool.rules import duty
from controller_tool.rules import points as rules
from controller_tool.rules import stay as stay_rules
from controller_tool.rules.refusal import Refusal, RuleRefused, require
from controller_tool.services import audit, cards, list_content, people
from controller_tool.services.desk import change_stay, house_view, operators, places
from controller_tool.services.desk.change import changing
from protocol.constants import FLAG_EMERGENCY, FLAG_MASTER

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.registry.houses import House
    from controller_tool.services.desk.house_view import DoorLine
    from controller_tool.services.site import Site

CAMERA_MAX = 64
_NAMED = 10


@dataclass(frozen=True)
class NewPoint:
    """Door or port, from 1, of a controller for a house, or one room of it.

    use: code of rules.words, None goes by the controller and the room; camera: that sees it.
    """

    device: str
    door: int = 1
    use: str | None = None
    room: str | None = None
    camera: str = ""


@dataclass(frozen=True)
class Doors:
    """The doors of a house after a change. cards: how many live cards it gave or took a door.

    without: live cards that did not get the door, for the house issues nothing.
    """

    house: str
    doors: tuple[DoorLine, ...]
    cards: int
    without: int = 0


def add(site: Site, text: str, new: NewPoint, dry_run: bool = False) -> Doors:
    """A door or port serves the house; one that does already gets this use, room and camera."""
    operators.require(site, duty.KEEP)
    site.unlock()
    with changing(site, dry_run) as session:
        house = places.house(session, text)
        [served] = cards.grant_devices(session, [new.device])
        in_room = None if new.room is None else places.room(session, house, new.room)
        door, use = new.door, new.use or rules.usual_use(served.kind, in_room is not None)
        require(rules.point(served.name, served.kind, served.points, door, use, new.room))
        if served.ended_how is not None:
            raise OperatorError(
                t("{device} is not in use any more", device=served.name),
                t("See the names with: device list"),
            )
        before = session.get(HousePoint, (served.id, door - 1, house.id))
        if before is None:
            _require_no_plain_cards(session, house, served)
        else:
            session.delete(before)
            session.flush()
        session.add(HousePoint(
            device_id=served.id, point=door - 1, house_id=house.id, use=use,
            room_id=in_room.id if in_room else None,
            camera=people.short(new.camera, CAMERA_MAX) or None,
        ))  # fmt: skip
        session.flush()
        narrowed = before is not None and before.room_id != (in_room.id if in_room else None)
        changed = _reissue(site, session, house, served) if narrowed else 0
        given, without = _grant(session, house, served)
        changed += given
        changed += len(change_stay.hold_to_class(site, session, house))
        list_content.require_room(session, [served])
        audit.append(
            session, site.operator, "house.door.add", ref=house.ref, device=served.name, door=door,
            use=use, room=new.room, cards=changed,
        )  # fmt: skip
        return Doors(house.ref, house_view.doors(session, house), changed, without)


def remove(site: Site, text: str, device: str, door: int = 1, dry_run: bool = False) -> Doors:
    """This door or port serves the house no more."""
    operators.require(site, duty.KEEP)
    site.unlock()
    with changing(site, dry_run) as session:
        house = places.house(session, text)
        [served] = cards.grant_devices(session, [device])
        row = session.get(HousePoint, (served.id, door - 1, house.id))
        if row is None:
            raise OperatorError(
                t("Door {door} of {device} does not serve house {house}",
                  door=door, device=served.name, house=house.ref),
                t("See its doors with: house show {house}", house=house.ref),
            )  # fmt: skip
        session.delete(row)
        session.flush()
        changed = _reissue(site, session, house, served)
        audit.append(session, site.operator, "house.door.remove", ref=house.ref,
                     device=served.name, door=door, cards=changed)  # fmt: skip
        return Doors(house.ref, house_view.doors(session, house), changed)


def _require_no_plain_cards(session: Session, house: House, device: Device) -> None:
    """RuleRefused names the plain cards on a controller that may have none in this house."""
    plain = (
        select(Card)
        .join(Grant, Grant.card_id == Card.id)
        .where(Grant.device_id == device.id, Card.lease_id.is_(None), Card.state == STATE_ISSUED)
        .order_by(Card.ref)
    )
    # how long a card counts in an admitted house is change_stay.hold_to_class's
    refused = stay_rules.admission(places.facts(house))
    excepted = FLAG_MASTER | FLAG_EMERGENCY
    held = [card.ref for card in session.scalars(plain) if not card.flags & excepted]
    if refused is None or not held:
        return
    named = ", ".join(held[:_NAMED]) + (" …" if len(held) > _NAMED else "")
    raise RuleRefused(
        Refusal(
            refused.rule,
            t("{device} has {n} cards of no stay, and house {house} issues nothing: {cards}",
              device=device.name, n=len(held), house=house.ref, cards=named),
            t("Collect them first: card collect CARD; or admit the house: house admit {house}",
              house=house.ref),
        )
    )  # fmt: skip


def _grant(session: Session, house: House, device: Device) -> tuple[int, int]:
    """Grants for live cards of stays in the house on this controller.

    How many are new or wider, and how many the house does not give what they never had.
    """
    closed = stay_rules.admission(places.facts(house)) is not None
    points = session.scalars(
        select(HousePoint).where(HousePoint.house_id == house.id, HousePoint.device_id == device.id)
    )
    for_all, by_room = 0, dict[str, int]()
    for point in points:
        if point.room_id is None:
            for_all |= 1 << point.point
        else:
            by_room[point.room_id] = by_room.get(point.room_id, 0) | 1 << point.point
    held = (
        select(Card.id, Lease.id, Lease.room_id, Grant)
        .join(Lease, Lease.id == Card.lease_id)
        .outerjoin(Grant, (Grant.card_id == Card.id) & (Grant.device_id == device.id))
        .where(Lease.house_id == house.id, Lease.ended_at_s.is_(None), Card.state == STATE_ISSUED)
    )
    every, changed, without = (1 << device.points) - 1, 0, 0
    for card_id, lease_id, room_id, grant in list(session.execute(held)):
        mask = for_all | by_room.get(room_id, 0)
        had = 0 if grant is None else every if grant.points_mask is None else grant.points_mask
        if closed:
            theirs = mask & _ever(session, lease_id, device)
            without += bool(mask & ~had & ~theirs)
            mask = theirs
        if not mask & ~had:
            continue
        changed += 1
        wide = None if had | mask == every else had | mask
        if grant is None:
            session.add(Grant(card_id=card_id, device_id=device.id, points_mask=wide))
        else:
            grant.points_mask = wide
    session.flush()
    return changed, without


def _ever(session: Session, lease_id: str, device: Device) -> int:
    """Points of a controller that any card of a stay has opened, former issues too; as a mask."""
    query = (
        select(Grant.points_mask)
        .join(Card, Card.id == Grant.card_id)
        .where(Card.lease_id == lease_id, Grant.device_id == device.id)
    )
    mask = 0
    for one in session.scalars(query):
        mask |= (1 << device.points) - 1 if one is None else one
    return mask


def _reissue(site: Site, session: Session, house: House, device: Device) -> int:
    """Issue anew the live cards of the house that this controller has; how many there were."""
    query = (
        select(Lease)
        .where(
            Lease.house_id == house.id,
            Lease.ended_at_s.is_(None),
            Lease.id.in_(
                select(Card.lease_id)
                .join(Grant, Grant.card_id == Card.id)
                .where(Grant.device_id == device.id, Card.state == STATE_ISSUED)
            ),
        )
        .order_by(Lease.ref)
    )
    count = 0
    for lease in list(session.scalars(query)):
        count += len(places.live_cards(session, lease))
        change_stay.reissue(site, session, lease, lease)
    return count
