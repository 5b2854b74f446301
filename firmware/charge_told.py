"""What is asked of a charger's ports now and then: by guests, a self-test, a list, a key (device).

Loaded for each question, and forgotten.
"""

from firmware.charge_safety import LATCH
from firmware.journal import CONTROLLER, NO_KEY
from protocol.codes import EVENT_RESET_ON_SITE, PORT_IDLE, PORT_LOCKED
from protocol.constants import FLAG_REVOKED
from protocol.policy.thermistor import UNKNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.charge_sessions import Sessions
    from firmware.controller import Controller
    from firmware.whitelist import Whitelist

_NO_CONTACTOR = 2


def told(sessions: "Sessions") -> "list[Any]":
    """[station, ports]: docs/protocol.md says what each number is."""
    station = sessions.station
    contactor = sessions.safety.contactor
    rows = []
    for number in range(len(sessions.ports)):
        port = sessions.ports[number]
        rows.append(
            [
                port.state,
                port.key if port.state != PORT_IDLE else b"",
                port.power_dw,
                port.energy_mwh,
                port.seconds,
                _temperature(sessions, number),
                port.trouble,
                port.code if port.code >= 0 else None,
            ]
        )
    return [
        [
            station.limit_dw // 10,
            station.power_dw(),
            station.latches,
            _NO_CONTACTOR if contactor is None else contactor.value(),
            _temperature(sessions, CONTROLLER),
        ],
        rows,
    ]


def _temperature(sessions: "Sessions", point: int) -> "int | None":
    safety = sessions.safety
    for index in range(len(safety.sensed)):
        if safety.sensed[index] == point and safety.heat_dc[index] != UNKNOWN:
            return safety.heat_dc[index]
    return None


def follow(sessions: "Sessions") -> bool:
    """Whether all outputs are what they should be; OSError from a bus that fails."""
    for number in range(len(sessions.ports)):
        if sessions.relays[number].value() != (1 if sessions.ports[number].live else 0):
            return False
    return True


def collected(sessions: "Sessions", whitelist: "Whitelist") -> int:
    """The ports, as a mask, whose card is listed no more or as collected."""
    mask = 0
    for number in range(len(sessions.ports)):
        port = sessions.ports[number]
        if port.key != NO_KEY and port.owns(port.key):
            listed = whitelist.find(port.key)
            if not listed or whitelist.found_flags & FLAG_REVOKED:
                mask |= 1 << number
    return mask


def let_go(sessions: Sessions, c: "Controller") -> None:
    """Whoever stands there has reset it. What NVS refuses to forget stays latched."""
    was = sessions.station.latches
    locked = [port for port in sessions.ports if port.state == PORT_LOCKED]
    if not was and not locked:
        return
    c.nvs.put(LATCH, 0)
    # never folded: a count that is told later would let go of what was latched since
    c.journal.record(EVENT_RESET_ON_SITE, 0, CONTROLLER, NO_KEY, was)
    sessions.station.latches = 0
    for port in locked:
        port.release()
