"""Tables of what was signed, sent, receipted, pulled and done (host).

Receipts, journal, heads and audit are append-only: triggers of the first migration refuse any
UPDATE or DELETE.
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    case,
    func,
    literal,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from controller_tool.registry.models import Base
from protocol.codes import LIST_FULL

LIST_SIGNED = "signed"
LIST_SENT = "sent"
LIST_HELD = "held"  # the controller says that it is in force; its receipt has not come yet
LIST_RECEIPTED = "receipted"

APPEND_ONLY = (
    "receipts",
    "journal_records",
    "journal_conflicts",
    "journal_heads",
    "journal_sectors",
    "journal_checkpoints",
    "audit_pins",
    "device_configs",
    "energy_slots",
    "audit",
)


class Evidence(TypeDecorator[bytes]):
    """Bytes as a controller gave them; what somebody made of them that are no bytes reads as none.

    SQLite keeps text or a number in such a column too, and reading it would end every command; as
    b"" it has a wrong length, which all that judge records look at.
    """

    impl = LargeBinary
    cache_ok = True

    @property
    def python_type(self) -> type[bytes]:
        """What registry.bulk asks for."""
        return bytes

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """What SELECT asks for."""
        return type_coerce(_BytesOf(column), self)


class _BytesOf(FunctionElement[bytes]):
    """The column's bytes; PostgreSQL lets nothing else into it."""

    inherit_cache = True


@compiles(_BytesOf)
def _as_it_is(element: _BytesOf, compiler: SQLCompiler, **how: Any) -> str:
    return compiler.process(element.clauses, **how)


@compiles(_BytesOf, "sqlite")
def _none_of_others(element: _BytesOf, compiler: SQLCompiler, **how: Any) -> str:
    [column] = element.clauses
    there = case((func.typeof(column) == "blob", column), else_=literal(b"", LargeBinary))
    return compiler.process(there, **how)


class ListVersion(Base):
    """A list that this registry signed for one controller, with the bytes that were signed.

    payload: all records of the list, empty once they are not kept any more; update: what goes over
    the wire instead when it is a delta, NULL as its base is for a full list.
    """

    __tablename__ = "list_versions"
    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    envelope: Mapped[bytes] = mapped_column(LargeBinary)
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    result_digest: Mapped[bytes] = mapped_column(LargeBinary)
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    count: Mapped[int]
    left_out: Mapped[int]
    signed_at_s: Mapped[int]
    refresh_by_s: Mapped[int]
    sent_at_s: Mapped[int | None]
    receipted_at_s: Mapped[int | None]
    kind: Mapped[int] = mapped_column(default=LIST_FULL)
    base_version: Mapped[int | None]
    base_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    update: Mapped[bytes | None] = mapped_column(LargeBinary)


class SentCard(Base):
    """A controller for which a card was ever signed in any form: the *m* of "dead on n of m".

    ``first_version``: the first in which it is live, of those that show it so without a break;
    ``dead_from_version``: the first in which it opens nothing, NULL while live.
    """

    __tablename__ = "sent_cards"
    __table_args__ = (
        Index("sent_cards_by_device", "device_id", "card_id", "dead_from_version"),
        {"sqlite_with_rowid": False},
    )
    card_id: Mapped[str] = mapped_column(ForeignKey("cards.id"), primary_key=True)
    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id"), primary_key=True)
    first_version: Mapped[int]
    dead_from_version: Mapped[int | None]


class KnownContent(Base):
    """What a controller's list says as the registry stands; services.list_state keeps it.

    Triggers of migration 0003 remove the row when anything that the list is made from changes.
    form: of the hash; it holds good from ``oldest_min`` as list_records counts it to
    ``first_end_min``, when the first card leaves by time alone.
    """

    __tablename__ = "known_contents"
    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id"), primary_key=True)
    form: Mapped[int]
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    oldest_min: Mapped[int]
    first_end_min: Mapped[int]


class Receipt(Base):
    """A receipt whose MAC was right, as it came."""

    __tablename__ = "receipts"
    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id"))
    version: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    signed_here: Mapped[bool]
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    received_at_s: Mapped[int]


class JournalRecord(Base):
    """One pulled record of 48 bytes, as it came: the evidence.

    Its number is unique in its ring for good, whatever start wrote it: the key (device, ring, seq)
    forbids more than one of (device, start, number) would. What is looked for is found through the
    tables of registry.derived.
    """

    __tablename__ = "journal_records"
    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id"), primary_key=True)
    ring: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    boot: Mapped[int]
    record: Mapped[bytes] = mapped_column(Evidence)
    pulled_at_s: Mapped[int]


class JournalConflict(Base):
    """A record that came a second time with other bytes: evidence, never overwritten."""

    __tablename__ = "journal_conflicts"
    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id"))
    ring: Mapped[int]
    seq: Mapped[int]
    record: Mapped[bytes] = mapped_column(Evidence)
    pulled_at_s: Mapped[int]


class JournalHead(Base):
    """An authenticated head as the controller gave it for our nonce."""

    __tablename__ = "journal_heads"
    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id"))
    ring: Mapped[int]
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    next_seq: Mapped[int]
    chain: Mapped[bytes] = mapped_column(LargeBinary)
    oldest_seq: Mapped[int]
    boot: Mapped[int]
    tool_mac: Mapped[bytes] = mapped_column(LargeBinary)
    audit_mac: Mapped[bytes] = mapped_column(LargeBinary)
    pulled_at_s: Mapped[int]


class JournalSector(Base):
    """A sector header of 64 bytes as it was pulled: the chain value before ``first_seq``, tagged.

    With it the chain is taken up again behind records that are not there any more.
    """

    __tablename__ = "journal_sectors"
    __table_args__ = (UniqueConstraint("device_id", "ring", "first_seq", "header"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id"))
    ring: Mapped[int]
    first_seq: Mapped[int]
    header: Mapped[bytes] = mapped_column(LargeBinary)
    pulled_at_s: Mapped[int]


class JournalCheckpoint(Base):
    """A signed checkpoint that the controller took: it compared it with its own journal."""

    __tablename__ = "journal_checkpoints"
    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id"))
    access_seq: Mapped[int]
    alarm_seq: Mapped[int]
    envelope: Mapped[bytes] = mapped_column(LargeBinary)
    taken_at_s: Mapped[int]


class AuditPin(Base):
    """SHA-256 of the sealed audit key of a ring, as this folder has once seen it.

    A second digest for the same ring is evidence: the key is made once, at the first start.
    from_controller: it came over the channel; what was seen before elsewhere has a row of its own.
    """

    __tablename__ = "audit_pins"
    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id"), primary_key=True)
    ring: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    from_controller: Mapped[bool] = mapped_column(primary_key=True)
    seen_at_s: Mapped[int]


class DeviceConfig(Base):
    """A configuration that was signed for a controller, as it was signed: it may hold a password.

    id: device id, epoch and version, joined by dots.
    """

    __tablename__ = "device_configs"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id"))
    epoch: Mapped[int]
    version: Mapped[int]
    envelope_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    signed_at_s: Mapped[int]


class EnergySlot(Base):
    """A slot of 288 bytes of a charger's energy ring, as it was pulled.

    era: 0, and one more each time the ring was found to have begun anew; time_s: as the slot has
    it, 0 where the clock was not known.
    """

    __tablename__ = "energy_slots"
    __table_args__ = (Index("energy_slots_by_time", "device_id", "time_s"),)
    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id"), primary_key=True)
    era: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    time_s: Mapped[int]
    slot: Mapped[bytes] = mapped_column(Evidence)
    pulled_at_s: Mapped[int]


class AuditEntry(Base):
    """Who did what: hash = SHA-256(previous hash ‖ canonical JSON of the entry)."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    at_s: Mapped[int]
    operator: Mapped[str] = mapped_column(String(64))
    act: Mapped[str] = mapped_column(String(64))
    details: Mapped[str] = mapped_column(Text)
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class LogText(Base):
    """What somebody said of a person, beside the log, which names it by ``id`` and keeps no text.

    subject: id of the person, or reference of the case or house, with whom it is deleted.
    """

    __tablename__ = "log_texts"
    __table_args__ = (Index("log_texts_by_subject", "subject"),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    subject: Mapped[str] = mapped_column(String(16))
    text_sealed: Mapped[bytes] = mapped_column(LargeBinary)
