"""Configurations that were signed for controllers, append-only (host).

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from controller_tool.registry import triggers

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLE = "device_configs"


def upgrade() -> None:
    """Create the table and the triggers that keep it append-only."""
    op.create_table(
        TABLE,
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("device_id", sa.String(length=16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("envelope_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("signed_at_s", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["devices.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    triggers.keep(TABLE)


def downgrade() -> None:
    """What was signed is not thrown away: only an empty table goes."""
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {TABLE}")).first():  # noqa: S608 - as above
        raise NotImplementedError("what was signed cannot be taken back")
    op.drop_table(TABLE)
