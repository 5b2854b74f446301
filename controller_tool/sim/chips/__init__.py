"""Reader chips as their data sheets describe them, for virtual boards and tests (both)."""
