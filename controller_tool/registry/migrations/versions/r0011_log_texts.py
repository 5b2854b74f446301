"""Texts of the operators' log that can be deleted (host).

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What the log says already stays in it: it is append-only."""
    op.create_table(
        "log_texts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("log_texts_by_subject", "log_texts", ["subject"])


def downgrade() -> None:
    """The log would name texts that are nowhere."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM log_texts")).first():
        raise NotImplementedError("the log names texts that stand beside it")
    op.drop_table("log_texts")
