"""How controllers left service, and their wipe receipts (host).

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """All controllers that are there are in use."""
    op.add_column("devices", sa.Column("ended_how", sa.String(length=16), nullable=True))
    op.add_column("devices", sa.Column("ended_at_s", sa.Integer(), nullable=True))
    op.add_column("devices", sa.Column("wipe_receipt", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """A receipt is not thrown away: only columns without one go."""
    ended = "SELECT 1 FROM devices WHERE ended_how IS NOT NULL"
    if op.get_bind().execute(sa.text(ended)).first():
        raise NotImplementedError("a controller that has ended cannot be taken back")
    for column in ("ended_how", "ended_at_s", "wipe_receipt"):
        op.drop_column("devices", column)
