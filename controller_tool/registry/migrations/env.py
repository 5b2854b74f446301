"""Alembic environment: runs in the transaction that registry.migrate hands over (host)."""

from alembic import context

from controller_tool.registry import columns, derived, records
from controller_tool.registry.models import Base

TABLES = (derived, records)  # importing registers what they hold with Base
connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata)
with context.begin_transaction(), columns.same_everywhere(connection):
    context.run_migrations()
