"""Tables of the registry: site, people, cards and controllers (host).

Times are seconds (``_s``) or minutes (``_min``) since 2020. ``*_sealed`` columns go through
registry.sealing with (table, primary key, column) as associated data. Lists, receipts, journal
and audit stand in registry.records, houses in registry.houses, leases in registry.stays.
"""

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

STATE_ISSUED = "issued"
STATE_COLLECTED = "collected"
STATE_LOST = "lost"
ENDED_WIPED = "wiped"  # its wipe receipt is here: it is in no *m* any more
ENDED_STOLEN = "stolen"  # what it was sent is not proven dead by that
ENDED_LOST = "lost"  # two operators state that it is gone for good: it is in no *m* any more
STATE_REPLACED = "replaced"  # its holder keeps the card: issued anew with other dates or profile


# 64 bits in both; SQLite takes INTEGER alone for the number of the row itself
NUMBER = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """Declarative base of all tables."""

    type_annotation_map = {int: NUMBER}  # noqa: RUF012 - as SQLAlchemy wants it


class Setting(Base):
    """One site-wide value: text by name."""

    __tablename__ = "settings"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class Operator(Base):
    """A named person who uses the tool; every change is attributed to one.

    role: code of rules.words; secret: what proves that it is them, scrypt as services.operators
    keeps it, NULL where none was set.
    """

    __tablename__ = "operators"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    created_at_s: Mapped[int]
    role: Mapped[str] = mapped_column(String(16), default="clerk")
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    ended_at_s: Mapped[int | None]


class Device(Base):
    """A controller. Secrets it lacks in an exported folder are NULL there.

    ended_how: ENDED_…, NULL while it is in use.
    """

    __tablename__ = "devices"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    board: Mapped[str] = mapped_column(String(64))
    points: Mapped[int]
    cards_max: Mapped[int]
    created_at_s: Mapped[int]
    link_root_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    card_key_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    receipt_key_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    k_tool_access_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    k_tool_alarm_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    device_key_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    wifi_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    certificate_der: Mapped[bytes] = mapped_column(LargeBinary)
    k_audit_access: Mapped[bytes | None] = mapped_column(LargeBinary)
    k_audit_alarm: Mapped[bytes | None] = mapped_column(LargeBinary)
    enrolled_at_s: Mapped[int | None]
    last_heard_s: Mapped[int | None]
    info: Mapped[str | None] = mapped_column(Text)
    serial_address: Mapped[str | None] = mapped_column(String(128))
    tcp_address: Mapped[str | None] = mapped_column(String(128))
    list_version_sent: Mapped[int] = mapped_column(default=0)
    list_version_receipted: Mapped[int] = mapped_column(default=0)
    version_floor: Mapped[int] = mapped_column(default=0)
    fork_seen: Mapped[bytes | None] = mapped_column(LargeBinary)
    fork_accepted: Mapped[bytes | None] = mapped_column(LargeBinary)
    ended_how: Mapped[str | None] = mapped_column(String(16))
    ended_at_s: Mapped[int | None]
    wipe_receipt: Mapped[bytes | None] = mapped_column(LargeBinary)

    @property
    def id_bytes(self) -> bytes:
        """The 8-byte id of the wire."""
        return bytes.fromhex(self.id)


class PeerLink(Base):
    """Preface key of one peer for one controller, in folders that hold no link root."""

    __tablename__ = "peer_links"
    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id"), primary_key=True)
    peer_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    role: Mapped[int]
    key_sealed: Mapped[bytes] = mapped_column(LargeBinary)


class Peer(Base):
    """A certificate that the peer CA of this site has issued."""

    __tablename__ = "peers"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    role: Mapped[int]
    label: Mapped[str] = mapped_column(String(64))
    certificate_der: Mapped[bytes] = mapped_column(LargeBinary)
    issued_at_s: Mapped[int]


class Person(Base):
    """Who lives or works here. The ID number and the phone are sealed.

    document: kind of document, code of rules.words; sex: "M", "F" or empty; origin: where their
    household is registered; verified_at_s, verified_good: when somebody last compared the entry
    with the person, and whether it was right; erased_at_s: personal data was deleted then.
    """

    __tablename__ = "persons"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    room: Mapped[str] = mapped_column(String(32), default="")
    id_number_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    id_number_index: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at_s: Mapped[int]
    document: Mapped[str] = mapped_column(String(16), default="id_card")
    sex: Mapped[str] = mapped_column(String(1), default="")
    origin: Mapped[str] = mapped_column(String(64), default="")
    employer: Mapped[str] = mapped_column(String(64), default="")
    verified_at_s: Mapped[int | None]
    verified_good: Mapped[bool | None]
    erased_at_s: Mapped[int | None]


class Schedule(Base):
    """Weekly windows in local time: JSON list of [weekday mask, from_min, to_min]."""

    __tablename__ = "schedules"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    windows: Mapped[str] = mapped_column(Text)


class Profile(Base):
    """What a card may do on a controller; the fields of manifest key 14."""

    __tablename__ = "profiles"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    points_mask: Mapped[int]
    schedule_id: Mapped[int]
    unlock_ds: Mapped[int]
    flags: Mapped[int] = mapped_column(default=0)
    quota_wh: Mapped[int] = mapped_column(default=0)
    quota_min: Mapped[int] = mapped_column(default=0)
    day_wh: Mapped[int] = mapped_column(default=0)
    day_min: Mapped[int] = mapped_column(default=0)


class Card(Base):
    """One issue of one credential to one person. A credential that comes back gets a new row."""

    __tablename__ = "cards"
    __table_args__ = (
        Index(
            "one_live_card_per_credential",
            "credential_index",
            unique=True,
            sqlite_where=text("state = 'issued'"),
            postgresql_where=text("state = 'issued'"),
        ),
    )
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    ref: Mapped[str] = mapped_column(String(16), unique=True)
    credential_type: Mapped[int]
    credential_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    credential_index: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    state: Mapped[str] = mapped_column(String(16))
    flags: Mapped[int] = mapped_column(default=0)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id"))
    from_min: Mapped[int]
    until_min: Mapped[int]
    person_id: Mapped[str | None] = mapped_column(ForeignKey("persons.id"))
    issued_at_s: Mapped[int]
    ended_at_s: Mapped[int | None]
    lease_id: Mapped[str | None] = mapped_column(ForeignKey("leases.id"), index=True)


class Grant(Base):
    """A card on a controller.

    points_mask: the doors or ports of it that the card's profile is narrowed to, NULL for none.
    """

    __tablename__ = "grants"
    __table_args__ = (Index("grants_by_device", "device_id", "card_id"),)
    card_id: Mapped[str] = mapped_column(ForeignKey("cards.id"), primary_key=True)
    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id"), primary_key=True)
    points_mask: Mapped[int | None]
