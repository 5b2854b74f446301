"""Alembic environment: runs on the engine that registry.migrate hands over (host)."""

from alembic import context

from controller_tool.registry import derived, records
from controller_tool.registry.models import Base

assert derived.ROW_ID, records.APPEND_ONLY  # noqa: S101 - importing registers tables with Base

engine = context.config.attributes["engine"]
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
