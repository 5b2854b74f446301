"""Tests of every part; run by `./dev test` (host, tests/both on both interpreters)."""
