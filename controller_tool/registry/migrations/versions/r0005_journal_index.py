"""An index of the journals, made from them: when each record was, of what kind and card (host).

Its rows are made when a journal is pulled or first asked for, not here: an old registry opens at
once.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ("journal_index", "journal_cursors", "journal_facets", "journal_streams")


def upgrade() -> None:
    """Create the tables; no triggers, for they are no evidence."""
    op.create_table(
        "journal_streams",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.String(length=16), nullable=False),
        sa.Column("ring", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["devices.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("device_id", "ring"),
    )
    op.create_table(
        "journal_facets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("stream_id", sa.Integer(), nullable=False),
        sa.Column("what", sa.Integer(), nullable=False),
        sa.Column("point", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_id"],
            ["journal_streams.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("stream_id", "what", "point"),
    )
    op.create_table(
        "journal_cursors",
        sa.Column("stream_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("k_tool_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_id"],
            ["journal_streams.id"],
        ),
        sa.PrimaryKeyConstraint("stream_id", "seq"),
    )
    create_index_table()


def create_index_table() -> None:
    """The rows, and one index for each way to look."""
    op.create_table(
        "journal_index",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("facet_id", sa.Integer(), nullable=False),
        sa.Column("time_s", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("journal_index_by_time", "journal_index", ["time_s"])
    op.create_index("journal_index_by_facet", "journal_index", ["facet_id", "time_s"])
    where_any = sa.text("key IS NOT NULL")
    op.create_index(
        "journal_index_by_key",
        "journal_index",
        ["key", "facet_id", "time_s"],
        sqlite_where=where_any,
        postgresql_where=where_any,
    )


def downgrade() -> None:
    """Take it back: nothing is lost but time."""
    for table in TABLES:
        op.drop_table(table)
