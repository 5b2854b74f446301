"""Profiles say what a card may charge in a day; every list is made anew with that (host).

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

COLUMNS = ("day_wh", "day_min")


def upgrade() -> None:
    """Profiles that are there get no limit of that kind."""
    for column in COLUMNS:
        op.add_column(
            "profiles", sa.Column(column, sa.Integer(), nullable=False, server_default="0")
        )
    op.execute("DELETE FROM known_contents")  # a change of columns pulls no trigger


def downgrade() -> None:
    """What a limit said is not thrown away: only columns without one go."""
    used = " OR ".join(f"{column} <> 0" for column in COLUMNS)
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM profiles WHERE {used}")).first():  # noqa: S608 - names of ours
        raise NotImplementedError("limits of a day cannot be taken back")
    for column in COLUMNS:
        op.drop_column("profiles", column)
    op.execute("DELETE FROM known_contents")
