"""Alembic migrations of the registry (host)."""
