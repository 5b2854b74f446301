"""The next credential goes to the guest who asked, and opens nothing (device).

Begun by a ticket. It ends with the credential, with the time, and with the session: what was read
lies in the heap until that guest fetches it, and nowhere else.
"""

from protocol.codes import ERR_STATE
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.controller import Controller, Value

_ANY_READER = 255


class Enrolment:
    """One time that a card is waited for; reader: its number or 255."""

    def __init__(self, controller: "Controller", reader: int, seconds: int) -> None:
        self._guest = controller.admission.guest
        self._reader = reader
        self._end_s = controller.clock.uptime_s + seconds
        self._found: "Value" = None

    def _lasts(self, c: "Controller") -> bool:
        """Whether it goes on; else it is no more."""
        if c.admission.guest is self._guest and c.clock.uptime_s < self._end_s:
            return True
        c.enrolment = None
        return False

    def takes(self, c: "Controller", reader: "Any") -> bool:
        """Whether this card is the one, and not to be judged."""
        if not self._lasts(c) or self._found is not None:
            return False
        number, driver = reader.number, reader.driver
        if self._reader not in (_ANY_READER, number):
            return False
        self._found = [driver.type, driver.bits, bytes(driver.credential), number]
        return True

    def tell(self, c: "Controller") -> "Value":
        """[type, bits on the wire or 0, credential, reader], once; None while nothing came."""
        if not self._lasts(c):
            raise Refused(ERR_STATE)
        if self._found is not None:
            c.enrolment = None
        return self._found
