"""Who starts and stops a charger port, and when it ends by itself (both)."""

from protocol import codes
from protocol.policy.charger import CEILING_MIN, NO_END, REFUSED_BUSY, STARTED, Port

MINE, THEIRS = b"my card.", b"another."
MINUTE_MS = 60000


def charging(quota_min: int = 0) -> Port:
    port = Port()
    assert port.card(MINE, quota_min) == STARTED
    return port


def test_the_card_that_started_it_stops_it() -> None:
    port = charging()
    assert port.card(MINE, 0) == codes.END_CARD
    assert not port.active


def test_another_card_is_refused_and_changes_nothing() -> None:
    port = charging()
    assert port.card(THEIRS, 0) == REFUSED_BUSY
    assert port.owns(MINE)
    assert not port.owns(THEIRS)


def test_the_quota_ends_it_to_the_minute() -> None:
    port = charging(quota_min=2)
    assert port.tick(2 * MINUTE_MS - 1) == NO_END
    assert port.tick(1) == codes.END_QUOTA
    assert port.minutes == 2


def test_without_a_quota_the_ceiling_ends_it() -> None:
    port = charging()
    for _ in range(CEILING_MIN - 1):
        assert port.tick(MINUTE_MS) == NO_END
    assert port.tick(MINUTE_MS) == codes.END_TIME


def test_no_setting_lifts_the_ceiling() -> None:
    assert Port(ceiling_min=CEILING_MIN + 60).ceiling_min == CEILING_MIN


def test_a_collected_card_ends_only_its_own_session() -> None:
    port = charging()
    assert port.revoked(THEIRS) == NO_END
    assert port.revoked(MINE) == codes.END_REVOKED
    assert port.revoked(MINE) == NO_END


def test_smoke_ends_it_and_nothing_starts_until_a_reset() -> None:
    port = charging()
    assert port.smoke() == codes.END_SMOKE
    assert port.card(MINE, 0) == REFUSED_BUSY
    assert port.smoke() == NO_END


def test_a_ticket_stops_a_busy_port_and_an_idle_one_has_nothing_to_stop() -> None:
    port = charging()
    assert port.stop() == codes.END_REMOTE
    assert port.stop() == NO_END


def test_an_idle_port_counts_no_time() -> None:
    port = Port()
    assert port.tick(10 * MINUTE_MS) == NO_END
    assert port.minutes == 0
