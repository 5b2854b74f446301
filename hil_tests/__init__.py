"""Device-level tests: a virtual board by default, a real controller and a jig by options (host)."""
