"""What each controller's list says is remembered until something it is made from changes (host).

The triggers are the whole rule: no code has to think of it. A change takes the row away; where
there is no row, the list is made anew. Grants and signed cards are found by controller too.

Revision ID: 0003
Revises: 0002
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from controller_tool.registry import triggers

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ALL = ("INSERT", "UPDATE", "DELETE")
FORGET = "DELETE FROM known_contents"
OF_CARD = """device_id IN (SELECT device_id FROM grants WHERE card_id = NEW.id
    UNION SELECT device_id FROM sent_cards WHERE card_id = NEW.id)"""
# of a controller only these matter: that it was heard of changes no list
CHANGED = ("id", "cards_max", "card_key_sealed")


def upgrade() -> None:
    """Create table, indexes and triggers."""
    op.create_table(
        "known_contents",
        sa.Column("device_id", sa.String(length=16), nullable=False),
        sa.Column("form", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("oldest_min", sa.Integer(), nullable=False),
        sa.Column("first_end_min", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["devices.id"],
        ),
        sa.PrimaryKeyConstraint("device_id"),
    )
    if op.get_bind().dialect.name == "sqlite":
        cluster_sent_cards()
    op.create_index("grants_by_device", "grants", ["device_id", "card_id"])
    columns = ["device_id", "card_id", "dead_from_version"]
    op.create_index("sent_cards_by_device", "sent_cards", columns)
    for table in ("settings", "profiles", "schedules"):
        for act in ALL:
            forget(table, act, FORGET)
    forget("cards", "UPDATE", f"{FORGET} WHERE {OF_CARD}")
    both = "device_id IN (OLD.device_id, NEW.device_id)"
    forget("grants", "UPDATE", f"{FORGET} WHERE {both}")
    forget("sent_cards", "UPDATE OF card_id, device_id", f"{FORGET} WHERE {both}")
    for table in ("grants", "sent_cards"):
        forget(table, "INSERT", f"{FORGET} WHERE device_id = NEW.device_id")
        forget(table, "DELETE", f"{FORGET} WHERE device_id = OLD.device_id")
    forget("devices", "UPDATE", f"{FORGET} WHERE device_id = NEW.id", CHANGED)


def downgrade() -> None:
    """Take it back: nothing is lost but time. The form of sent_cards is no other to its users."""
    tables = ("settings", "profiles", "schedules", "cards", "grants", "sent_cards", "devices")
    for table in tables:
        for act in ALL:
            triggers.drop(f"{table}_{act.lower()}_forgets", table)
    op.drop_index("grants_by_device")
    op.drop_index("sent_cards_by_device")
    op.drop_table("known_contents")


def cluster_sent_cards() -> None:
    """The table is its own index: a million rows are on the books in half of the time."""
    op.create_table(
        "sent_cards_new",
        sa.Column("card_id", sa.String(length=16), nullable=False),
        sa.Column("device_id", sa.String(length=16), nullable=False),
        sa.Column("first_version", sa.Integer(), nullable=False),
        sa.Column("dead_from_version", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["card_id"],
            ["cards.id"],
        ),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["devices.id"],
        ),
        sa.PrimaryKeyConstraint("card_id", "device_id"),
        sqlite_with_rowid=False,
    )
    columns = "card_id, device_id, first_version, dead_from_version"
    op.execute(
        f"INSERT INTO sent_cards_new SELECT {columns} FROM sent_cards "  # noqa: S608 - names of ours
        "ORDER BY card_id, device_id"
    )
    op.drop_table("sent_cards")
    op.rename_table("sent_cards_new", "sent_cards")


def forget(table: str, act: str, what: str, changed: Sequence[str] = ()) -> None:
    """After ``act`` on ``table``, ``what`` is no longer known."""
    name = f"{table}_{act.partition(' ')[0].lower()}_forgets"
    triggers.after(name, act, table, what, changed)
