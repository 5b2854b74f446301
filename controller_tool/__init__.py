"""The management tool: provisions controllers, pushes whitelists, pulls journals (host)."""
