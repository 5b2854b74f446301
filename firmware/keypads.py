"""PINs typed at the readers of a controller's doors (device).

Loaded with the first key that is pressed, or the first card that needs a PIN. What counts as typed
is protocol/policy/pin.py.
"""

from firmware.journal import NO_KEY
from firmware.judging import judge
from protocol.codes import REASON_PIN_MISSING, REASON_PIN_WRONG
from protocol.policy.pin import READY, Pad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Controller
    from firmware.door import Service


class Keypads:
    """One pad for each reader at which somebody typed, or had to."""

    def __init__(self, controller: "Controller", service: "Service") -> None:
        self._c = controller
        self._service = service
        self._pads: "dict[int, Pad]" = {}

    def _pad(self, reader: int) -> Pad:
        if reader not in self._pads:
            self._pads[reader] = Pad()
        return self._pads[reader]

    def hold(self, reader: int) -> bool:
        """The card that was judged just now waits for its PIN; False: it is too long for that."""
        access = self._c.access
        return self._pad(reader).hold(
            access.kind, access.credential, access.key, self._c.config.pin_s
        )

    def press(self, reader: int, key: int) -> None:
        """A key; the last of a PIN has it judged. OSError as when a card is."""
        pad = self._pad(reader)
        typed = pad.press(key, self._c.config.pin_s)
        if not typed:
            return
        access = self._c.access
        service = self._service
        point = service.begin(reader, pad.card_key)
        granted, reason = False, REASON_PIN_WRONG
        try:
            if typed == READY:
                reason = REASON_PIN_MISSING
                if pad.card_key:  # it may have been collected since it was read
                    kind, card = pad.card()
                    granted, reason = judge(access, kind, card, point.number, False)
            if reason == REASON_PIN_MISSING:
                card = pad.credential()
                granted, reason = judge(access, pad.kind, card, point.number, False)
            if reason == REASON_PIN_WRONG:  # the journal learns whose it was, not what was typed
                access.key = pad.card_key or NO_KEY
                service.deny(point, reason)
            else:
                service.settle(point, granted, reason)
        finally:
            pad.forget()

    def give_up(self, reader: int) -> None:
        """A card that waited for its PIN waits no more, and what was typed is forgotten."""
        pad = self._pads.get(reader)
        if pad is None:
            return
        key = pad.card_key
        pad.forget()
        if key:
            self._c.access.key = key
            self._service.deny(self._service.begin(reader, b""), REASON_PIN_MISSING)

    def second(self) -> None:
        """A second is over."""
        for reader in self._pads:
            if self._pads[reader].second():
                self.give_up(reader)
