"""The registry: what the site knows, in one SQLite file (host)."""
