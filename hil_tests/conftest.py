"""One suite for virtual and real controllers (host).

pytest hil_tests                                                          virtual ones, one by one
pytest hil_tests --board virtual-door                                     that virtual one
pytest hil_tests --site DIR --name NAME --board BOARD --jig PORT [--port PORT]   a real one
... --destructive        also what changes its cards, cuts its supply or restarts it
... --check-wiring       only the wiring
... --report DIR         junit.xml and report.html
"""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from controller_tool.errors import ToolError
from hil_tests import checks, report, wiring
from hil_tests.measures import Measures
from hil_tests.world import Wish, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hil_tests.controller import Controller

_HOW = "give --destructive (it changes cards, cuts the supply, restarts)"
_WISH = pytest.StashKey[Wish]()
MEASURES = pytest.StashKey[Measures]()
_KINDS = {"door", "charger"}  # of controller; each is a fixture


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the bench."""
    group = parser.getgroup("controller under test")
    group.addoption("--site", type=Path, help="site folder of a real controller")
    group.addoption("--name", help="its name in that site")
    group.addoption("--board", help="its board, as `controller-tool board list` names it")
    group.addoption("--port", help="where it is reached; without, where the registry knows it")
    group.addoption("--jig", metavar="PORT", help="serial port of the jig (hil_tests/README.md)")
    group.addoption("--destructive", action="store_true", help="also change the real controller")
    group.addoption("--wiring", type=Path, default=wiring.WIRING, help="another wiring.toml")
    group.addoption("--check-wiring", action="store_true", help="check the wires, and no more")
    group.addoption("--report", metavar="DIR", type=Path, help="write junit.xml and report.html")
    group.addoption("--person", default=None, help="who tests, for the report")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """JUnit is pytest's own; it must know where before it is set up."""
    folder = config.getoption("--report")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        config.option.xmlpath = str(folder / "junit.xml")
    try:
        config.stash[_WISH] = Wish.of(config)
    except ToolError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[MEASURES] = Measures()
    if folder is not None:
        person = config.getoption("--person") or getpass.getuser()
        config.pluginmanager.register(
            report.Reporter(folder / "report.html", config.stash[_WISH], config.stash[MEASURES],
                            person),
            "hil-report",
        )  # fmt: skip


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test on each board of its kind."""
    if "world" not in metafunc.fixturenames:
        return
    wish = metafunc.config.stash[_WISH]
    wanted = _KINDS & set(metafunc.fixturenames)
    boards = [
        board
        for board in wish.boards
        if not wanted or wiring.read(board, wish.wiring).kind in wanted
    ]
    none = pytest.mark.skip(reason=f"no {' or '.join(wanted)} is under test")
    metafunc.parametrize(
        "world", boards or [pytest.param("", marks=none)], indirect=True, scope="session"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What this run leaves out is skipped with its reason, so that the report has it."""
    wish = config.stash[_WISH]
    ours = [item for item in items if Path(__file__).parent in item.path.parents]
    if config.getoption("--check-wiring"):
        kept = [item for item in ours if item.get_closest_marker("wiring")]
        dropped = [item for item in items if item not in kept]
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept
    for item in ours:
        if wish.real and item.get_closest_marker("virtual_only"):
            item.add_marker(pytest.mark.skip(reason="only a virtual board can be treated so"))
        if not wish.destructive and item.get_closest_marker("destructive"):
            item.add_marker(pytest.mark.skip(reason=_HOW))


def pytest_report_header(config: pytest.Config) -> str:
    """Says what is under test, and what is left out."""
    wish = config.stash[_WISH]
    if not wish.real:
        return f"controllers under test: {', '.join(wish.boards)}, with a virtual jig"
    left_out = "" if wish.destructive else f"; destructive tests are left out: {_HOW}"
    return f"controller under test: {wish.name} ({wish.boards[0]}){left_out}"


@pytest.fixture(scope="session")
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Controller]:
    """The controller and its bench; the run ends where board, jig or a wire is wrong."""
    wish, measures = request.config.stash[_WISH], request.config.stash[MEASURES]
    try:
        with opened(wish, request.param, tmp_path_factory.mktemp("hil")) as made:
            checks.require_board(made, request.param)
            info = made.client.info()
            measures.told[request.param] = info | {"jig": made.bench.told}
            measures.wires[request.param] = checks.check_wires(made, wish.destructive)
            yield made
    except ToolError as error:
        measures.wires.setdefault(request.param, []).append(f"FAILED: {error}")
        pytest.exit(f"hil_tests: {error}", returncode=pytest.ExitCode.TESTS_FAILED)


@pytest.fixture
def controller(world: Controller) -> Controller:
    """Any controller."""
    return world


@pytest.fixture
def door(world: Controller) -> Controller:
    """A door's controller, its lock locked."""
    assert world.locked()
    return world


@pytest.fixture
def charger(world: Controller) -> Controller:
    """A charging station's controller, nothing charging."""
    assert world.locked()
    return world


@pytest.fixture
def measure(request: pytest.FixtureRequest, world: Controller) -> Callable[..., None]:
    """Puts a figure on record; the test fails when it is over its limit."""
    measures = request.config.stash[MEASURES]
    board = world.bench.wiring.board

    def put(
        name: str, value: float, limit: float | None = None, by: str = "jig", unit: str = "ms"
    ) -> None:
        made = measures.put(board, name, value, limit=limit, by=by, unit=unit)
        request.node.user_properties.append((name, f"{value:.3f} {unit}"))
        assert made.holds, f"{name}: {value:.1f} {unit}, limit {limit}"

    return put


@pytest.fixture
def repeats(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """How often: short, or long with --full."""
    return lambda short, long: long if request.config.getoption("--full") else short


@pytest.fixture
def not_measured(request: pytest.FixtureRequest, world: Controller) -> Callable[[str, str], None]:
    """Puts on record, for the report, that a figure was not measured, and why."""
    measures = request.config.stash[MEASURES]
    board = world.bench.wiring.board

    def put(name: str, why: str) -> None:
        measures.missing[board, name] = why

    return put
