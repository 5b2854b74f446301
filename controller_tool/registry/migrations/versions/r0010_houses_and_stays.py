"""Houses, rooms, leases, inspections, cases, holds, duties, deliveries; what people are (host).

A controller's list says by the classes of its houses how long it counts: a change there forgets
what was known of lists, as migration 0003 has it.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

from controller_tool.registry import columns, triggers

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STAYS = sa.text("ended_at_s IS NULL")
FORGET = "DELETE FROM known_contents"
ADDED = {
    "operators": (
        sa.Column("role", sa.String(length=16), nullable=False, server_default="clerk"),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("ended_at_s", sa.Integer(), nullable=True),
    ),
    "persons": (
        sa.Column("document", sa.String(length=16), nullable=False, server_default="id_card"),
        sa.Column("sex", sa.String(length=1), nullable=False, server_default=""),
        sa.Column("origin", sa.String(length=64), nullable=False, server_default=""),
        sa.Column("employer", sa.String(length=64), nullable=False, server_default=""),
        sa.Column("verified_at_s", sa.Integer(), nullable=True),
        sa.Column("verified_good", sa.Boolean(), nullable=True),
        sa.Column("erased_at_s", sa.Integer(), nullable=True),
    ),
    "grants": (sa.Column("points_mask", sa.Integer(), nullable=True),),
}
NEW = (
    "delivery_rejects", "deliveries", "roster_imports", "duties", "pair_acts", "holds", "leases",
    "sanctions", "cases", "hazards", "inspections", "house_points", "rooms", "houses", "areas",
)  # fmt: skip


def upgrade() -> None:
    """Nobody lives in a house yet; whoever founded the site is its head."""
    _houses()
    _breaches()
    _stays()
    _deliveries()
    for table, added in ADDED.items():
        for column in added:
            op.add_column(table, column)
    # by hand: Alembic adds no column that refers to another table
    form = columns.text_form(op.get_bind(), 16)
    op.execute(f"ALTER TABLE cards ADD COLUMN lease_id {form} REFERENCES leases (id)")
    op.create_index("ix_cards_lease_id", "cards", ["lease_id"])
    op.execute("UPDATE operators SET role = 'head' WHERE id = 1")
    for act in ("INSERT", "UPDATE", "DELETE"):
        triggers.after(f"house_points_{act.lower()}_forgets", act, "house_points", FORGET)
    triggers.after("houses_update_forgets", "UPDATE OF class4", "houses", FORGET)


def downgrade() -> None:
    """What people entered is not thrown away: only empty tables go."""
    bind = op.get_bind()
    for table in NEW:
        if bind.execute(sa.text(f"SELECT 1 FROM {table}")).first():  # noqa: S608 - names of ours
            raise NotImplementedError("houses and leases cannot be taken back")
    triggers.drop("houses_update_forgets", "houses")
    op.drop_index("ix_cards_lease_id", "cards")
    op.drop_column("cards", "lease_id")
    for table, added in ADDED.items():
        for column in added:
            op.drop_column(table, column.name)
    for table in NEW:
        op.drop_table(table)


def _houses() -> None:
    op.create_table(
        "areas",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("parent_code", sa.String(length=32), nullable=True),
        sa.Column("houses_surveyed", sa.Integer(), nullable=True),
        sa.Column("migrants_surveyed", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["parent_code"], ["areas.code"]),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "houses",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("address_code", sa.String(length=64), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("grid_code", sa.String(length=32), nullable=False),
        sa.Column("type5", sa.String(length=16), nullable=False),
        sa.Column("class4", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("rooms_declared", sa.Integer(), nullable=False),
        sa.Column("beds_declared", sa.Integer(), nullable=False),
        sa.Column("rooms_surveyed", sa.Integer(), nullable=True),
        sa.Column("beds_surveyed", sa.Integer(), nullable=True),
        sa.Column("people_surveyed", sa.Integer(), nullable=True),
        sa.Column("surveyed_at_s", sa.Integer(), nullable=True),
        sa.Column("landlord_name", sa.String(length=64), nullable=False),
        sa.Column("landlord_phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("landlord_document_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("resettlement", sa.Boolean(), nullable=False),
        sa.Column("key_mark", sa.Text(), nullable=True),
        sa.Column("created_at_s", sa.Integer(), nullable=False),
        sa.Column("admitted_at_s", sa.Integer(), nullable=True),
        sa.Column("closed_at_s", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["grid_code"], ["areas.code"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ref"),
        sa.UniqueConstraint("address_code"),
    )
    op.create_index("houses_by_grid", "houses", ["grid_code"])
    op.create_table(
        "rooms",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("house_id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("beds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["house_id"], ["houses.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("house_id", "number"),
    )
    op.create_table(
        "house_points",
        sa.Column("device_id", sa.String(length=16), nullable=False),
        sa.Column("point", sa.Integer(), nullable=False),
        sa.Column("house_id", sa.String(length=16), nullable=False),
        sa.Column("use", sa.String(length=16), nullable=False),
        sa.Column("room_id", sa.String(length=16), nullable=True),
        sa.Column("camera", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"]),
        sa.ForeignKeyConstraint(["house_id"], ["houses.id"]),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"]),
        sa.PrimaryKeyConstraint("device_id", "point", "house_id"),
    )
    op.create_index("house_points_by_house", "house_points", ["house_id"])


def _breaches() -> None:
    op.create_table(
        "inspections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("house_id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("at_s", sa.Integer(), nullable=False),
        sa.Column("operator", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["house_id"], ["houses.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("inspections_by_house", "inspections", ["house_id", "at_s"])
    op.create_table(
        "hazards",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("house_id", sa.String(length=16), nullable=False),
        sa.Column("inspection_id", sa.Integer(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("grade", sa.String(length=16), nullable=False),
        sa.Column("due_s", sa.Integer(), nullable=False),
        sa.Column("fixed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["house_id"], ["houses.id"]),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspections.id"]),
        sa.ForeignKeyConstraint(["fixed_by_id"], ["inspections.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ref"),
    )
    op.create_index("hazards_by_house", "hazards", ["house_id"])
    op.create_table(
        "cases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("house_id", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=True),
        sa.Column("party", sa.String(length=16), nullable=False),
        sa.Column("party_name", sa.String(length=64), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("opened_at_s", sa.Integer(), nullable=False),
        sa.Column("closed_at_s", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["house_id"], ["houses.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ref"),
    )
    op.create_table(
        "sanctions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("document", sa.String(length=64), nullable=False),
        sa.Column("at_s", sa.Integer(), nullable=False),
        sa.Column("operator", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"]),
        sa.PrimaryKeyConstraint("id"),
    )


def _stays() -> None:
    op.create_table(
        "leases",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("house_id", sa.String(length=16), nullable=False),
        sa.Column("room_id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("host_lease_id", sa.String(length=16), nullable=True),
        sa.Column("from_min", sa.Integer(), nullable=False),
        sa.Column("until_min", sa.Integer(), nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("contract", sa.String(length=64), nullable=False),
        sa.Column("roster", sa.String(length=64), nullable=True),
        sa.Column("created_at_s", sa.Integer(), nullable=False),
        sa.Column("ended_at_s", sa.Integer(), nullable=True),
        sa.Column("end_reason", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"]),
        sa.ForeignKeyConstraint(["house_id"], ["houses.id"]),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"]),
        sa.ForeignKeyConstraint(["host_lease_id"], ["leases.id"]),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ref"),
    )
    op.create_index("ix_leases_person_id", "leases", ["person_id"])
    op.create_index("ix_leases_room_id", "leases", ["room_id"])
    op.create_index("leases_by_house", "leases", ["house_id", "ended_at_s"])
    op.create_index(
        "one_stay_in_a_room",
        "leases",
        ["person_id", "room_id"],
        unique=True,
        sqlite_where=STAYS,
        postgresql_where=STAYS,
    )
    op.create_table(
        "holds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("authority", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=True),
        sa.Column("house_id", sa.String(length=16), nullable=True),
        sa.Column("from_s", sa.Integer(), nullable=False),
        sa.Column("until_s", sa.Integer(), nullable=True),
        sa.Column("released_at_s", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"]),
        sa.ForeignKeyConstraint(["house_id"], ["houses.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number", "person_id", "house_id"),
    )
    op.create_table(
        "pair_acts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("document", sa.String(length=64), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at_s", sa.Integer(), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at_s", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "duties",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("duty", sa.String(length=32), nullable=False),
        sa.Column("area_code", sa.String(length=32), nullable=True),
        sa.Column("house_id", sa.String(length=16), nullable=True),
        sa.Column("ended_at_s", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"]),
        sa.ForeignKeyConstraint(["area_code"], ["areas.code"]),
        sa.ForeignKeyConstraint(["house_id"], ["houses.id"]),
        sa.PrimaryKeyConstraint("id"),
    )


def _deliveries() -> None:
    op.create_table(
        "roster_imports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("imported_at_s", sa.Integer(), nullable=False),
        sa.Column("operator", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "deliveries",
        sa.Column("target", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("updated_at_s", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("target", "kind"),
    )
    op.create_table(
        "delivery_rejects",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("event_id", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at_s", sa.Integer(), nullable=False),
        sa.Column("resolved_at_s", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("target", "kind", "event_id"),
    )
