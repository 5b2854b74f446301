"""The jig: its program (device/), and what installs it and talks to it (host)."""
