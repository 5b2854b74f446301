"""docs/charge-states.md is what the code of a port gives (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocol import codes
from protocol.policy.charge_port import NO_END, Port
from tests import charge_states

if TYPE_CHECKING:
    import pytest


class DeafToSmoke(Port):
    """It charges on."""

    def end(self, code: int) -> int:
        return NO_END if code == codes.END_SMOKE else super().end(code)


def test_the_page_is_what_the_code_gives() -> None:
    assert charge_states.PAGE.read_text("utf-8") == charge_states.page(), (
        "docs/charge-states.md is not what the code gives; make it anew:"
        " python -m tests.charge_states"
    )


def test_a_change_of_the_code_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control."""
    monkeypatch.setattr(charge_states, "Port", DeafToSmoke)
    assert charge_states.PAGE.read_text("utf-8") != charge_states.page()


def test_every_state_of_a_port_is_in_the_table() -> None:
    states = {bring().state for bring in charge_states.STATES.values()}
    assert states == set(range(codes.PORT_LOCKED + 1))
