"""Alembic environment: runs on the engine that registry.migrate hands over (host)."""

from alembic import context

from controller_tool.registry import records
from controller_tool.registry.models import Base

assert records.APPEND_ONLY  # noqa: S101 - importing it registers its tables with Base

engine = context.config.attributes["engine"]
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
