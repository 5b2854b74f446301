"""Tables of what is let: areas, houses, rooms, their doors, inspections, cases (host).

Words in columns are the codes of rules.words. Times are seconds (``_s``) since 2020.
"""

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from controller_tool.registry.models import Base


class Area(Base):
    """A district, village (or community) or grid; districts change, so their codes are data.

    houses_surveyed, migrants_surveyed: let houses and floating population as counted on foot,
    NULL where nobody counted; they are what registrations are measured against.
    """

    __tablename__ = "areas"
    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(64))
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("areas.code"))
    houses_surveyed: Mapped[int | None]
    migrants_surveyed: Mapped[int | None]


class House(Base):
    """A let house. Its landlord's phone and document are sealed.

    *_surveyed: as counted on foot at surveyed_at_s; key_mark: why it is a key area although no
    number makes it one; resettlement: it stands in a resettlement compound.
    """

    __tablename__ = "houses"
    __table_args__ = (Index("houses_by_grid", "grid_code"),)
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    ref: Mapped[str] = mapped_column(String(16), unique=True)
    address_code: Mapped[str] = mapped_column(String(64), unique=True)
    address: Mapped[str] = mapped_column(Text)
    grid_code: Mapped[str] = mapped_column(ForeignKey("areas.code"))
    type5: Mapped[str] = mapped_column(String(16))
    class4: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    rooms_declared: Mapped[int]
    beds_declared: Mapped[int]
    rooms_surveyed: Mapped[int | None]
    beds_surveyed: Mapped[int | None]
    people_surveyed: Mapped[int | None]
    surveyed_at_s: Mapped[int | None]
    landlord_name: Mapped[str] = mapped_column(String(64))
    landlord_phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    landlord_document_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    resettlement: Mapped[bool] = mapped_column(default=False)
    key_mark: Mapped[str | None] = mapped_column(Text)
    created_at_s: Mapped[int]
    admitted_at_s: Mapped[int | None]
    closed_at_s: Mapped[int | None]


class Room(Base):
    """A room that is let, by the number on its door."""

    __tablename__ = "rooms"
    __table_args__ = (UniqueConstraint("house_id", "number"),)
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    house_id: Mapped[str] = mapped_column(ForeignKey("houses.id"))
    number: Mapped[str] = mapped_column(String(32))
    beds: Mapped[int]


class HousePoint(Base):
    """A door or charging port (point, from 0) of a controller that serves a house.

    One entrance may serve several houses. room_id: it is that room's own door; camera: the camera
    that sees it, as the video system calls it.
    """

    __tablename__ = "house_points"
    __table_args__ = (Index("house_points_by_house", "house_id"),)
    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id"), primary_key=True)
    point: Mapped[int] = mapped_column(primary_key=True)
    house_id: Mapped[str] = mapped_column(ForeignKey("houses.id"), primary_key=True)
    use: Mapped[str] = mapped_column(String(16))
    room_id: Mapped[str | None] = mapped_column(ForeignKey("rooms.id"))
    camera: Mapped[str | None] = mapped_column(String(64))


class Inspection(Base):
    """A visit to a house and what came of it."""

    __tablename__ = "inspections"
    __table_args__ = (Index("inspections_by_house", "house_id", "at_s"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    house_id: Mapped[str] = mapped_column(ForeignKey("houses.id"))
    kind: Mapped[str] = mapped_column(String(16))
    passed: Mapped[bool]
    at_s: Mapped[int]
    operator: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(Text)


class Hazard(Base):
    """A danger that an inspection found. fixed_by_id: the inspection that saw it mended."""

    __tablename__ = "hazards"
    __table_args__ = (Index("hazards_by_house", "house_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(String(16), unique=True)
    house_id: Mapped[str] = mapped_column(ForeignKey("houses.id"))
    inspection_id: Mapped[int] = mapped_column(ForeignKey("inspections.id"))
    what: Mapped[str] = mapped_column(Text)
    grade: Mapped[str] = mapped_column(String(16))
    due_s: Mapped[int]
    fixed_by_id: Mapped[int | None] = mapped_column(ForeignKey("inspections.id"))


class Case(Base):
    """A breach of the law or the rules, and who answers for it.

    party: code of rules.words; party_name: who, where it is no person of the registry.
    """

    __tablename__ = "cases"
    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(String(16), unique=True)
    house_id: Mapped[str] = mapped_column(ForeignKey("houses.id"))
    person_id: Mapped[str | None] = mapped_column(ForeignKey("persons.id"))
    party: Mapped[str] = mapped_column(String(16))
    party_name: Mapped[str] = mapped_column(String(64))
    what: Mapped[str] = mapped_column(Text)
    opened_at_s: Mapped[int]
    closed_at_s: Mapped[int | None]


class Sanction(Base):
    """What was decided in a case, by a document with a number."""

    __tablename__ = "sanctions"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    kind: Mapped[str] = mapped_column(String(16))
    document: Mapped[str] = mapped_column(String(64))
    at_s: Mapped[int]
    operator: Mapped[str] = mapped_column(String(64))
