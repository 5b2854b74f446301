"""Lists for the residence systems: who came and who left since the last one, and what they said.

省流动人口系统 and 旅馆式管理系统 each get their list from what was entered once (host). A row
stands for one coming or going of one stay and has a number of its own; it is listed again only
when what it says has changed. The system's answer is read back by these numbers: what it refused
waits on the work list (services.city.rejects), what nobody answered is counted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.errors import OperatorError
from controller_tool.messages import chinese, t
from controller_tool.registry.houses import House, Room
from controller_tool.registry.models import Person
from controller_tool.registry.stays import Lease
from controller_tool.rules import duty, words
from controller_tool.services import audit, journal_read
from controller_tool.services.city import marks, rows_cards
from controller_tool.services.city.kinds import Thing
from controller_tool.services.city.rows_places import moment
from controller_tool.services.desk import operators, tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site

PROVINCE, HOTEL = SYSTEMS = ("province", "hotel")
KIND = "registration"
# the files are read by clerks and by systems that speak Chinese, whatever language is in force
COLUMNS = (
    "登记编号", "登记类别", "姓名", "性别", "证件类型", "证件号码", "户籍地", "联系电话", "现住址",
    "房屋地址编码", "房号", "入住日期", "离开日期", "居住事由", "用人单位",
)  # fmt: skip
_IN, _OUT = "入住登记", "离开注销"
_SEX = {"M": "男", "F": "女"}
_INDEX = "residents"
_DIGEST_BYTES = 8


@dataclass(frozen=True)
class Listed:
    """What is in a list. path: None for a dry run."""

    path: Path | None
    system: str
    came: int
    left: int


def target_of(system: str) -> str:
    """How the registry names a system's deliveries; OperatorError for one that is none."""
    if system not in SYSTEMS:
        raise OperatorError(
            t("There is no residence system {name}", name=system),
            t("Name one of: {names}", names=", ".join(SYSTEMS)),
        )
    return f"residents:{system}"


def export(
    site: Site, system: str, path: Path, full: bool = False, force: bool = False,
    dry_run: bool = False,
) -> Listed:  # fmt: skip
    """Write the list for a system; OperatorError. full: every stay, listed before or not."""
    site.require_cards()
    operators.require(site, duty.EXPORT)
    target = target_of(system)
    tables.require_suffix(path)
    with site.registry.session() as session:
        known = marks.known(session, target, KIND)
        rows, things = [], []
        for id_, row in _rows(site, session):
            digest = site.vault.index(_INDEX, json.dumps(row, ensure_ascii=False).encode())
            text = digest[:_DIGEST_BYTES].hex()
            before = known.get(id_, Thing(id_, 0, ""))
            changed = text != before.digest
            if changed or full:
                thing = Thing(id_, before.revision + changed, text)
                things.append(thing)
                rows.append([marks.event_id(thing), *row])
    came = sum(row[1] == _IN for row in rows)
    if dry_run:
        return Listed(None, system, came, len(rows) - came)
    audit.export_begun(site, target, [KIND], len(rows))
    tables.write(path, COLUMNS, rows, "登记", force)
    marks.advance(site, target, KIND, things, len(rows))
    return Listed(path, system, came, len(rows) - came)


def _rows(site: Site, session: Session) -> Iterator[tuple[str, list[str]]]:
    """One row for each coming, one for each going; a visitor is a matter of the house alone."""
    local = journal_read.local_time(site, session)
    query = (
        select(Lease, Person, House, Room)
        .join(Person, Person.id == Lease.person_id)
        .join(House, House.id == Lease.house_id)
        .join(Room, Room.id == Lease.room_id)
        .where(Lease.kind != words.VISITOR, Person.erased_at_s.is_(None))
        .order_by(Lease.ref)
    )
    for lease, person, house, room in session.execute(query):
        came, left = moment(60 * lease.from_min, local), moment(lease.ended_at_s, local)
        about = [
            person.name, _SEX.get(person.sex, ""), chinese("document", person.document),
            rows_cards.number_of(site, person), person.origin, rows_cards.phone_of(site, person),
            house.address, house.address_code, room.number, came[:10],
        ]  # fmt: skip
        why = [chinese("stay", lease.kind), person.employer]
        yield f"{lease.ref}-in", [_IN, *about, "", *why]
        if lease.ended_at_s is not None:
            yield f"{lease.ref}-out", [_OUT, *about, left[:10], *why]
