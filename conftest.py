"""Options of every test run, whichever folder it starts in (host)."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`./dev test --full` reaches pytest as this option."""
    parser.addoption("--full", action="store_true", help="run the long form of every test")
    parser.addoption(
        "--registry",
        choices=("sqlite", "postgresql", "both"),
        help="where the sites of unit tests keep their registry; without it: sqlite, both for "
        "tests that are marked so, and for all of them with --full",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without --full, tests marked `full` are deselected, and pytest says how many."""
    if config.getoption("--full"):
        return
    long = [item for item in items if item.get_closest_marker("full")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
