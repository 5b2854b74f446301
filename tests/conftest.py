"""Fixtures that several rooms of the tests share (host)."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from controller_tool.sim.micropython import MicroPython, find

# a slow machine is no defect: no deadline, no complaint about the pace of the examples
settings.register_profile("short", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("full", settings.get_profile("short"), max_examples=2000)


def pytest_configure(config: pytest.Config) -> None:
    """Many more examples in the long form."""
    settings.load_profile("full" if config.getoption("--full") else "short")


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
