"""What a controller's list would say now, told without making it when nothing changed (host).

The registry itself forgets what it knew of a list when anything that the list is made from
changes (triggers of migration 0003), so that no code can forget to. By time alone a card leaves
a list: what is known holds good until then. A list that fills its controller is never known: who
has a place in it depends on what was sent as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from controller_tool.clock import now_s
from controller_tool.registry.records import KnownContent
from controller_tool.services import list_content
from controller_tool.services.list_records import oldest_min

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device
    from controller_tool.registry.records import ListVersion
    from controller_tool.services.list_content import Content
    from controller_tool.services.site import Site

FORM = 1  # of the hash: to be raised when list_content makes another list of the same registry


class Current:
    """A controller's list as it should be; its content is made when it is first asked for."""

    def __init__(
        self, site: Site, session: Session, device: Device, prepared: Content | None
    ) -> None:
        self._site = site
        self._session = session
        self._device = device
        self._known = known_hash(session, device)
        fresh = prepared is not None and prepared.hash() == self._known
        self._content = prepared if fresh else None

    @property
    def content(self) -> Content:
        """All of it."""
        if self._content is None:
            self._content = list_content.collect(self._site, self._session, self._device)
            remember(self._session, self._device, self._content)
        return self._content

    def hash(self) -> bytes:
        """As Content.hash."""
        return self.content.hash() if self._known is None else self._known


def current(
    site: Site,
    session: Session,
    device: Device,
    prepared: Mapping[str, Content] | None = None,
) -> Current:
    """The list as the registry stands in this writing session.

    prepared: contents by controller's id (list_batch.prepare); one that is out of date is not used.
    """
    return Current(site, session, device, (prepared or {}).get(device.id))


def known_hash(session: Session, device: Device) -> bytes | None:
    """Content.hash of the controller's list, when it is known."""
    now_min = oldest_min()
    query = select(KnownContent.content_hash).where(
        KnownContent.device_id == device.id,
        KnownContent.form == FORM,
        KnownContent.oldest_min <= now_min,
        KnownContent.first_end_min >= now_min,
    )
    return session.scalar(query)


def still_good(newest: ListVersion, content_hash: bytes, device: Device) -> bool:
    """Whether the newest signed list says what it should, for long enough, with a free number."""
    if newest.content_hash != content_hash:
        return False
    if newest.version <= device.version_floor:
        return False
    return now_s() < (newest.signed_at_s + newest.refresh_by_s) // 2


def remember(session: Session, device: Device, content: Content) -> None:
    """Keep what the list says as this transaction sees it. ``session``: a writing one."""
    if content.count >= device.cards_max:
        return
    values = {
        "form": FORM,
        "content_hash": content.hash(),
        "oldest_min": oldest_min(),
        "first_end_min": content.first_end_min,
    }
    row = insert(KnownContent).values(device_id=device.id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["device_id"], set_=values))
