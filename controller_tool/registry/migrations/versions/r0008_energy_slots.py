"""What chargers' energy rings told, append-only (host).

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from controller_tool.registry import triggers

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLE = "energy_slots"


def upgrade() -> None:
    """Create the table and the triggers that keep it append-only."""
    op.create_table(
        TABLE,
        sa.Column("device_id", sa.String(length=16), nullable=False),
        sa.Column("era", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("time_s", sa.Integer(), nullable=False),
        sa.Column("slot", sa.LargeBinary(), nullable=False),
        sa.Column("pulled_at_s", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["devices.id"],
        ),
        sa.PrimaryKeyConstraint("device_id", "era", "seq"),
    )
    op.create_index("energy_slots_by_time", TABLE, ["device_id", "time_s"])
    triggers.keep(TABLE, ("device_id", "era", "seq"))


def downgrade() -> None:
    """What was pulled is not thrown away: only an empty table goes."""
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {TABLE}")).first():  # noqa: S608 - as above
        raise NotImplementedError("what was pulled cannot be taken back")
    op.drop_table(TABLE)
