"""Attack: the live session of a card whose list came without being counted (MicroPython)."""

from protocol.codes import END_REVOKED
from protocol.constants import FLAG_REVOKED
from tests.firmware.charger_rig import MINE, charging


def test_a_collected_card_charges_for_another_minute_at_most_whatever_was_missed() -> None:
    world = charging()
    world.card(MINE, flags=FLAG_REVOKED)  # in force; `changes` stayed as it was
    world.wait(65)
    assert world.levels()[0] == 0
    world.wait(6)
    assert world.ends() == [END_REVOKED]
