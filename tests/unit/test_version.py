"""The firmware's version: the project's own, and as people read and write it (host)."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.constants import FIRMWARE_VERSION_MAX
from protocol.version import VERSION, number_of, text_of

ROOT = Path(__file__).resolve().parents[2]


def test_it_is_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert text_of(VERSION) == project["version"]


@given(st.integers(0, FIRMWARE_VERSION_MAX))
def test_what_is_written_is_read_again(version: int) -> None:
    assert number_of(text_of(version)) == version


@pytest.mark.parametrize(
    "text", ["", "1.2", "1.2.3.4", "1.2.256", "-1.2.3", "a.b.c", "1..2", "1.2.+3"]
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of any kind
        number_of(text)


def test_a_number_that_no_version_has_is_shown_all_the_same() -> None:
    assert text_of(0xFFFFFFFF)
