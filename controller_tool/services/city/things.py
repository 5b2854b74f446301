"""Things of hzaccess/1: controllers, houses, persons, bindings, heartbeats as they are now (host).

A record is made of each thing that differs from what the target has acknowledged; with ``full`` of
every one, under the same event id where nothing changed. The digest that tells is keyed: it says
nothing of what is in a record.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from controller_tool import clock
from controller_tool.services import journal_read
from controller_tool.services.city import marks, rows_cards, rows_places
from controller_tool.services.city.kinds import Item, Thing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sqlalchemy.orm import Session

    from controller_tool.services.city.doc_no import Recipient
    from controller_tool.services.site import Site
    from controller_tool.services.site_time import SiteTime

    Row = tuple[str, dict[str, Any]]
    Source = Callable[[Site, Session, SiteTime], Iterable[Row]]

_INDEX = "hzaccess"
_DIGEST_BYTES = 8
_SOURCES: dict[str, Source] = {
    "device": rows_places.devices,
    "house": rows_places.houses,
    "person": rows_cards.persons,
    "binding": rows_cards.bindings,
    "heartbeat": rows_places.heartbeats,
}


def items(
    site: Site, target: str, kind: str, full: bool, recipient: Recipient | None
) -> Iterator[Item]:
    """What is to be sent of one kind, by id."""
    with site.registry.session() as session:
        local = journal_read.local_time(site, session)
        there = marks.known(session, target, kind)
        found = list(_SOURCES[kind](site, session, local))
    now_s = clock.now_s()
    as_of = clock.local_text(now_s, local.offset_min(now_s))
    for id_, facts in found:
        digest = _digest(site, facts, recipient)
        before = there.get(id_, Thing(id_, 0, ""))
        changed = digest != before.digest
        if not (changed or full):
            continue
        thing = Thing(id_, before.revision + changed, digest)
        if "doc_no" in facts:
            facts["doc_no"] = recipient.seal(id_, facts["doc_no"]) if recipient else ""
        fields = {"event_id": marks.event_id(thing), "id": id_, "as_of": as_of, **facts}
        yield Item(kind, thing, fields)


def _digest(site: Site, facts: dict[str, Any], recipient: Recipient | None) -> str:
    """Another recipient makes another record of each person: it could not read the old one."""
    kid = recipient.kid if recipient and "doc_no" in facts else ""
    text = json.dumps([facts, kid], ensure_ascii=False, sort_keys=True)
    return site.vault.index(_INDEX, text.encode())[:_DIGEST_BYTES].hex()
