"""What a controller's list would say now, told without making it when nothing changed (host).

The registry itself forgets what it knew of a list when anything that the list is made from
changes (triggers of migration 0003), so that no code can forget to. By time alone a card leaves
a list: what is known holds good until then. A list that fills its controller is never known: who
has a place in it depends on what was sent as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select

from controller_tool.clock import now_s
from controller_tool.registry.records import KnownContent
from controller_tool.services import list_content, trust_push
from controller_tool.services.list_records import oldest_min

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device
    from controller_tool.registry.records import ListVersion
    from controller_tool.services.list_content import Content
    from controller_tool.services.site import Site

Note = dict[str, Any]  # a row of known_contents
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
            self.remember()
        return self._content

    def remember(self) -> None:
        """Once more after a list was signed: new cards on the books take away what was known."""
        if self._content is not None:
            remember(self._session, self._device, self._content)

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


def still_good(site: Site, newest: ListVersion, content_hash: bytes, device: Device) -> bool:
    """Whether the newest signed list says what it should, for long enough, with a free number.

    And whether it is of the epoch and of the key that are in force. Wants the signing key.
    """
    if newest.content_hash != content_hash:
        return False
    if newest.version <= device.version_floor or newest.epoch != site.epoch:
        return False
    if not trust_push.signed_by_now(site, newest.envelope):
        return False
    return now_s() < (newest.signed_at_s + newest.refresh_by_s) // 2


def remember(session: Session, device: Device, content: Content) -> None:
    """Keep what the list says as this transaction sees it. ``session``: a writing one."""
    keep(session, [note for note in (note_of(device, content),) if note])


def note_of(device: Device, content: Content) -> Note | None:
    """What `keep` writes down of the list; None for one that fills its controller."""
    if content.count >= device.cards_max:
        return None
    return {
        "device_id": device.id,
        "form": FORM,
        "content_hash": content.hash(),
        "oldest_min": oldest_min(),
        "first_end_min": content.first_end_min,
    }


def keep(session: Session, notes: list[Note]) -> None:
    """Write notes down: at the end of a transaction, for whatever it writes later takes them away.

    That a list was signed changes none: the cards that it shows are in it already.
    """
    session.flush()
    gone = delete(KnownContent).where(KnownContent.device_id == bindparam("of_device"))
    if notes:
        connection = session.connection()
        connection.execute(gone, [{"of_device": note["device_id"]} for note in notes])
        connection.execute(insert(KnownContent), notes)
