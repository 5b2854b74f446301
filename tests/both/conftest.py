"""Hooks this folder into harness.py, which runs its checks on both interpreters (host)."""

from tests.both.harness import pytest_collect_file, pytest_generate_tests

__all__ = ["pytest_collect_file", "pytest_generate_tests"]
