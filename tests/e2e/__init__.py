"""Whole stories on virtual boards (host)."""
