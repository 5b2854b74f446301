"""Fixtures that several rooms of the tests share (host)."""

from pathlib import Path

import pytest

from controller_tool.sim.micropython import MicroPython, find


@pytest.fixture(scope="session")
def root() -> Path:
    """Top of the repository."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def micropython() -> MicroPython:
    """The real MicroPython; an error, never a skip, where there is none."""
    return find()


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """True in the long form (`./dev test --full`): more cases, every point instead of some."""
    return bool(request.config.getoption("--full"))
