"""Which bed of the room a stay has (host).

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody has said so far."""
    op.add_column(
        "leases", sa.Column("bed", sa.String(length=16), nullable=False, server_default="")
    )


def downgrade() -> None:
    """Beds that were said are not thrown away."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM leases WHERE bed <> ''")).first():
        raise NotImplementedError("a bed that was given cannot be taken back")
    op.drop_column("leases", "bed")
