"""The migrations, oldest first (host)."""
