"""What proves a journal besides its records: sector headers, checkpoints, audit keys seen (host).

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from controller_tool.registry import triggers

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEYS = {
    "journal_sectors": ("id",),
    "journal_checkpoints": ("id",),
    "audit_pins": ("device_id", "ring", "digest", "from_controller"),
}


def upgrade() -> None:
    """Create the tables and the triggers that keep them append-only."""
    create_tables()
    for table, key in KEYS.items():
        triggers.keep(table, key)


def downgrade() -> None:
    """Evidence is not thrown away: only tables without a row go."""
    for table in KEYS:
        if op.get_bind().execute(sa.text(f"SELECT 1 FROM {table}")).first():  # noqa: S608 - as above
            raise NotImplementedError("evidence that was stored cannot be taken back")
    for table in KEYS:
        op.drop_table(table)


def create_tables() -> None:
    """The tables, as rendered from the models of this revision."""
    op.create_table(
        "journal_sectors",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.String(length=16), nullable=False),
        sa.Column("ring", sa.Integer(), nullable=False),
        sa.Column("first_seq", sa.Integer(), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("pulled_at_s", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["devices.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("device_id", "ring", "first_seq", "header"),
    )
    op.create_table(
        "journal_checkpoints",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.String(length=16), nullable=False),
        sa.Column("access_seq", sa.Integer(), nullable=False),
        sa.Column("alarm_seq", sa.Integer(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("taken_at_s", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["devices.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "audit_pins",
        sa.Column("device_id", sa.String(length=16), nullable=False),
        sa.Column("ring", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("from_controller", sa.Boolean(), nullable=False),
        sa.Column("seen_at_s", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["devices.id"],
        ),
        sa.PrimaryKeyConstraint("device_id", "ring", "digest", "from_controller"),
    )
