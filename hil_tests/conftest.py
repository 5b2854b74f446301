"""One `controller` for all tests: virtual by default, real by options (host).

pytest hil_tests                                              a virtual door
pytest hil_tests --site DIR --name NAME --jig PORT            a real one; nothing is changed
pytest hil_tests --site DIR --name NAME --jig PORT --destructive
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from controller_tool.services.site import Site
from hil_tests import virtual
from hil_tests.bench import JigBench
from hil_tests.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOW = "give --destructive to run them (they change cards and cut power)"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the bench."""
    group = parser.getgroup("controller under test")
    group.addoption("--site", type=Path, help="site folder of a real controller")
    group.addoption("--name", help="its name in that site")
    group.addoption("--jig", metavar="PORT", help="serial port of the jig (hil_tests/jig.toml)")
    group.addoption("--destructive", action="store_true", help="also change the real controller")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A real controller is neither changed nor expected to have what only a virtual one has."""
    if config.getoption("--site") is None:
        return
    left_out = {"virtual_only"} | (set() if config.getoption("--destructive") else {"destructive"})
    dropped = [item for item in items if any(map(item.get_closest_marker, left_out))]
    config.hook.pytest_deselected(items=dropped)
    items[:] = [item for item in items if item not in dropped]


def pytest_report_header(config: pytest.Config) -> str:
    """Says what is under test, and what is left out."""
    if config.getoption("--site") is None:
        return "controller under test: virtual"
    left_out = (
        "" if config.getoption("--destructive") else f"; destructive tests are left out: {_HOW}"
    )
    return f"controller under test: {config.getoption('--name')}{left_out}"


@pytest.fixture(scope="session")
def controller(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Controller]:
    """A provisioned door controller and the bench around it."""
    folder = request.config.getoption("--site")
    if folder is None:
        with virtual.provisioned_door(tmp_path_factory.mktemp("hil")) as made:
            yield made
        return
    name, jig = request.config.getoption("--name"), request.config.getoption("--jig")
    if not name or not jig:
        pytest.exit("--site needs --name and --jig", returncode=os.EX_USAGE)
    bench = JigBench(jig)
    site = Site.open(folder)
    made = Controller(site, name, bench)
    yield made
    made.close()
    site.close()
    bench.close()
