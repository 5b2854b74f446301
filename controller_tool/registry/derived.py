"""Tables that are made from the pulled journals and can be made anew at any time (host).

They say where to look, never what happened: that is in journal_records alone. Nothing in them is
evidence, so nothing keeps anybody from deleting it; services.journal_index fills them.
"""

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from controller_tool.registry.models import Base


class JournalStream(Base):
    """One ring of one controller, all of whose records are in the index."""

    __tablename__ = "journal_streams"
    __table_args__ = (UniqueConstraint("device_id", "ring"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id"))
    ring: Mapped[int]


class JournalFacet(Base):
    """A kind of record that a stream has: what = event << 8 | reason, at one point.

    There are some dozens a stream. A filter picks facets, and each is read by its own index: no
    filter has to look at records that it does not want.
    """

    __tablename__ = "journal_facets"
    __table_args__ = (UniqueConstraint("stream_id", "what", "point"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    stream_id: Mapped[int] = mapped_column(ForeignKey("journal_streams.id"))
    what: Mapped[int]
    point: Mapped[int]


class JournalCursor(Base):
    """K_tool before record ``seq`` of a stream, so that nobody counts from the first key again."""

    __tablename__ = "journal_cursors"
    stream_id: Mapped[int] = mapped_column(ForeignKey("journal_streams.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    k_tool_sealed: Mapped[bytes] = mapped_column(LargeBinary)


class JournalIndex(Base):
    """Where one record is found. id = stream << 32 | seq, so each record is there once.

    key: what the record's key field says, unmasked: by which 8 bytes that controller knows the
    card, or, of a session, the peer id; the facet's event tells which. NULL where the record has
    none or this folder lacks K_tool.
    """

    __tablename__ = "journal_index"
    __table_args__ = (
        Index("journal_index_by_time", "time_s"),
        Index("journal_index_by_facet", "facet_id", "time_s"),
        Index(
            "journal_index_by_key",
            "key",
            "facet_id",
            "time_s",
            sqlite_where=text("key IS NOT NULL"),
            postgresql_where=text("key IS NOT NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    facet_id: Mapped[int]
    time_s: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[bytes | None] = mapped_column(LargeBinary)
