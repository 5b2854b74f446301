"""Tests of single rooms (host)."""
