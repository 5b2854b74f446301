"""What must hold before any figure means something (host)."""

import pytest

from hil_tests.controller import Controller


@pytest.mark.wiring
def test_every_wire_ends_where_wiring_toml_says(controller: Controller) -> None:
    """The check itself runs where the controller is opened, and ends the run when it fails."""
    assert controller.bench.wiring.wires
    assert controller.locked()
