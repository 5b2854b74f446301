"""Tables of who stays where, who answers for it, and what left for other systems (host).

Words in columns are the codes of rules.words. Times are seconds (``_s``) or minutes (``_min``)
since 2020.
"""

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from controller_tool.registry.models import Base

_STAYS = text("ended_at_s IS NULL")


class Lease(Base):
    """One person's stay in one room; co-tenants have one each, with ends of their own.

    until_min: the first minute that is not part of it; ended_at_s: when the person left, NULL
    while they stay, even when the lease is over; host_lease_id: of a visitor, whom they visit;
    roster: the roster it came with, so that leavers are found; contract: number of the paper; bed:
    as it is marked in the room, empty where nobody said.
    """

    __tablename__ = "leases"
    __table_args__ = (
        Index("leases_by_house", "house_id", "ended_at_s"),
        Index(
            "one_stay_in_a_room", "person_id", "room_id", unique=True,
            sqlite_where=_STAYS, postgresql_where=_STAYS,
        ),
    )  # fmt: skip
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    ref: Mapped[str] = mapped_column(String(16), unique=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"), index=True)
    house_id: Mapped[str] = mapped_column(ForeignKey("houses.id"))
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    host_lease_id: Mapped[str | None] = mapped_column(ForeignKey("leases.id"))
    from_min: Mapped[int]
    until_min: Mapped[int]
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id"))
    contract: Mapped[str] = mapped_column(String(64), default="")
    bed: Mapped[str] = mapped_column(String(16), default="", server_default="")
    roster: Mapped[str | None] = mapped_column(String(64))
    created_at_s: Mapped[int]
    ended_at_s: Mapped[int | None]
    end_reason: Mapped[str | None] = mapped_column(String(16))


class Hold(Base):
    """An order of the police, by number: what it names is not deleted while it stands."""

    __tablename__ = "holds"
    __table_args__ = (UniqueConstraint("number", "person_id", "house_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(64))
    authority: Mapped[str] = mapped_column(String(64))
    person_id: Mapped[str | None] = mapped_column(ForeignKey("persons.id"))
    house_id: Mapped[str | None] = mapped_column(ForeignKey("houses.id"))
    from_s: Mapped[int]
    until_s: Mapped[int | None]
    released_at_s: Mapped[int | None]


class PairAct(Base):
    """An act that one operator asks for and another one lets happen.

    facts: JSON of what was asked, without personal data; state: code of rules.words.
    """

    __tablename__ = "pair_acts"
    id: Mapped[int] = mapped_column(primary_key=True)
    act: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(64))
    document: Mapped[str] = mapped_column(String(64))
    facts: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    asked_by: Mapped[str] = mapped_column(String(64))
    asked_at_s: Mapped[int]
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at_s: Mapped[int | None]


class Duty(Base):
    """What a named operator answers for: an area or one house (定人, 定岗, 定责)."""

    __tablename__ = "duties"
    id: Mapped[int] = mapped_column(primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    duty: Mapped[str] = mapped_column(String(32))
    area_code: Mapped[str | None] = mapped_column(ForeignKey("areas.code"))
    house_id: Mapped[str | None] = mapped_column(ForeignKey("houses.id"))
    ended_at_s: Mapped[int | None]


class RosterImport(Base):
    """A roster that was imported; ``source`` tells one employer's rosters from another's."""

    __tablename__ = "roster_imports"
    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(64))
    file_sha256: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int]
    imported_at_s: Mapped[int]
    operator: Mapped[str] = mapped_column(String(64))


class Delivery(Base):
    """How far one kind of record was delivered to one target and acknowledged; mark: JSON."""

    __tablename__ = "deliveries"
    target: Mapped[str] = mapped_column(String(128), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    mark: Mapped[str] = mapped_column(Text)
    updated_at_s: Mapped[int]


class DeliveryReject(Base):
    """A record that a target refused: it waits here for somebody who mends it."""

    __tablename__ = "delivery_rejects"
    __table_args__ = (UniqueConstraint("target", "kind", "event_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    target: Mapped[str] = mapped_column(String(128))
    kind: Mapped[str] = mapped_column(String(16))
    event_id: Mapped[str] = mapped_column(String(128))
    reason: Mapped[str] = mapped_column(Text)
    at_s: Mapped[int]
    resolved_at_s: Mapped[int | None]
