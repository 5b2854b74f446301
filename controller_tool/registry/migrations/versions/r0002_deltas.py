"""Lists as deltas: what a signed list changes, and of which list it does (host).

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every list that is there is a full one; `list_versions` has no triggers to keep."""
    op.add_column(
        "list_versions", sa.Column("kind", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("list_versions", sa.Column("base_version", sa.Integer(), nullable=True))
    op.add_column("list_versions", sa.Column("base_digest", sa.LargeBinary(), nullable=True))
    op.add_column("list_versions", sa.Column("update", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """A delta without its base would be sent as a full list."""
    raise NotImplementedError("deltas that were signed cannot be taken back")
