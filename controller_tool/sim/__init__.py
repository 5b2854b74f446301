"""Virtual controllers: what runs them on this computer (host)."""
