"""What profiles, schedules, holidays and policy may take up, measured when they change (host).

A controller takes a signed head of at most ENVELOPE_MAX_BYTES. It is measured here with the
longest numbers that the other fields can ever have, so that what is taken today can still be
signed in years.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.models import Device, Profile, Schedule, Setting
from controller_tool.registry.records import ListVersion
from controller_tool.rules import duty
from controller_tool.services import list_content, people
from controller_tool.services.desk import operators
from protocol import cose, manifest
from protocol.codes import LIST_DELTA
from protocol.constants import (
    AAD_MANIFEST,
    CARD_RECORD_BYTES,
    ENVELOPE_MAX_BYTES,
    ID_BYTES,
    LIST_PAYLOAD_MAX_BYTES,
    RSA_BYTES,
    TIME_END_S,
)
from protocol.messages import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site

IDS_MAX = 255
NAME_MAX = 64


@contextmanager
def changing(site: Site, dry_run: bool) -> Iterator[Session]:
    """A writing session for a change of the rules, which must still fit; undone if ``dry_run``."""
    site.require_cards()
    operators.require(site, duty.KEEP)
    with site.registry.writing() as session, session.begin_nested() as trial:
        yield session
        require_fit(session)
        if dry_run:
            trial.rollback()


def require_fit(session: Session) -> None:
    """OperatorError when the rules as they stand are more than a controller takes."""
    session.flush()
    try:
        payload = manifest.encode(_longest(session))
        cose.build(bytes(ID_BYTES), payload, AAD_MANIFEST, lambda _: bytes(RSA_BYTES))
    except (Refused, ValueError):
        raise OperatorError(
            t("Profiles, schedules and holidays together are more than a controller takes"
              " ({max} bytes)", max=ENVELOPE_MAX_BYTES),
            t("Remove some of them; holidays that are over go with: holiday remove --past"),
        ) from None  # fmt: skip


def free_id(session: Session, model: type[Profile | Schedule]) -> int:
    """The lowest id that nothing has and that no list says which may lie on a controller."""
    taken = set(session.scalars(select(model.id))) | _carried(session, model.__tablename__)
    for number in range(1, IDS_MAX + 1):
        if number not in taken:
            return number
    raise OperatorError(
        t("All {max} numbers are taken or still stand in lists", max=IDS_MAX),
        t("Push, so that controllers prove newer lists; or remove what is not used"),
    )


def require_name(session: Session, model: type[Profile | Schedule], name: str) -> str:
    """The name without blanks around it; OperatorError when it is bad or taken."""
    name = name.strip()
    if not name or not people.is_short(name, NAME_MAX):
        raise OperatorError(
            t("The name is empty, longer than {n} characters, or unprintable", n=NAME_MAX),
            t("Correct it"),
        )
    if session.scalar(select(model).where(model.name == name)) is not None:
        raise OperatorError(t("{name} is there already", name=name), t("Take another name"))
    return name


def put_setting(session: Session, name: str, value: str) -> None:
    """Set a site-wide value, new or not."""
    session.merge(Setting(name=name, value=value))


def get_setting(session: Session, name: str, default: str) -> str:
    """A site-wide value that older registries lack."""
    found = session.get(Setting, name)
    return default if found is None else found.value


def _carried(session: Session, which: str) -> set[int]:
    """Ids in the newest list that each controller has proven, and in all that came after it."""
    query = (
        select(ListVersion.envelope)
        .join(Device, Device.id == ListVersion.device_id)
        .where(ListVersion.version >= Device.list_version_receipted)
    )
    found: set[int] = set()
    for envelope in session.scalars(query):
        m = manifest.parse(bytes(cose.open_envelope(envelope).payload))
        found.update(row[0] for row in getattr(m, which))
    return found


def _longest(session: Session) -> manifest.Manifest:
    """A head with the rules of the registry, and every other field at its longest."""
    m = manifest.Manifest()
    m.site = m.device = bytes(ID_BYTES)
    m.epoch = m.trust_version = 0xFFFF
    m.version = m.base_version = manifest.NUMBER_MAX
    m.kind = LIST_DELTA
    m.base_digest = m.result_digest = m.payload_sha256 = m.audit_head = bytes(32)
    m.count = LIST_PAYLOAD_MAX_BYTES // CARD_RECORD_BYTES
    m.payload_bytes = LIST_PAYLOAD_MAX_BYTES
    m.issued_at_s = m.refresh_by_s = TIME_END_S
    m.profiles = [
        tuple(list_content.profile_row(p))
        for p in session.scalars(select(Profile).order_by(Profile.id))
    ]
    m.schedules = [
        [s.id, *(number for window in json.loads(s.windows) for number in window)]
        for s in session.scalars(select(Schedule).order_by(Schedule.id))
    ]
    stale_policy, grace_min = (
        list_content.number(session, n) for n in ("stale_policy", "grace_min")
    )
    m.policy = (stale_policy, grace_min)
    m.utc_offsets = json.loads(list_content.setting(session, "utc_offsets"))
    m.holidays = json.loads(list_content.setting(session, "holidays"))
    return m
