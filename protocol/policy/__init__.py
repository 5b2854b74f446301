"""Policy: what is decided and when, without any I/O (both; the tool's `explain` runs it too)."""
