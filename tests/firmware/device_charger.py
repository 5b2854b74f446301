"""When a charger may be started anew (MicroPython)."""

from firmware.charger import Service
from protocol.policy.charger import Port

KEY = b"k" * 8


class Held:
    """A charger as far as it is asked."""

    def __init__(self) -> None:
        self._port = Port()


def test_a_charger_is_at_rest_when_nothing_charges_and_no_fire_is_latched() -> None:
    held = Held()
    assert Service.at_rest(held)
    held._port.start(KEY, 0)
    assert not Service.at_rest(held)
    held._port.smoke()
    assert not held._port.active
    assert not Service.at_rest(held), "a restart would reset it"
