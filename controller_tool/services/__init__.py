"""Services: one module per task of a person; no printing, no click (host)."""
