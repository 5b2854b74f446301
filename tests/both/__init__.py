"""Checks that run on CPython and on MicroPython (both)."""
