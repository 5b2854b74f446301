"""Benchmarks: `./dev bench [NAME]` (host)."""
