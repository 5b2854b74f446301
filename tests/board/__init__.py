"""The virtual board itself (host)."""
