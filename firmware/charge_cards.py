"""Whose port it is to be: cards at a charger, and the choice of a port (device).

A station of one port asks no question. Else it is the port whose plug alone is in among those that
the card may use, or the one whose button is pressed, into which a plug comes, or whose number, from
1, is typed with # behind it at a reader with keys, within CHOOSE_MS. A number that will not do does
nothing, and is typed again. What a card may do is firmware/charge_card.py.
"""

from firmware import reserve
from firmware.journal import CONTROLLER
from firmware.loan import forget
from firmware.readers.results import KEY_CLEAR, KEY_ENTER, SHOW_ALARM, SHOW_REST
from firmware.reading import Reader
from firmware.swipes import Swipes
from protocol.codes import EVENT_CHARGE_CHOOSES, REASON_CARD
from protocol.policy.charge_port import NO_KEY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.charge_sessions import Sessions
    from firmware.controller import Controller

CHOOSE_MS = 30000
_SHOW_S = 2
_TYPED_MAX = 100  # what three digits come to: no port


class Chooser:
    """mask: ports of which the card `key` has yet to choose one; 0: nobody has."""

    sessions: "Sessions"

    def __init__(self, controller: "Controller") -> None:
        self._c = controller
        self.swipes = Swipes(controller, self._card, self.on_key)
        self.mask = 0
        self._key = NO_KEY
        self._choose_ms = self._reader = self._shown_s = self._changes = self._typed = 0
        self._offer = 0, 0

    def _card(self, reader: Reader) -> None:
        reserve.give()  # for the code of it; firmware/chores.py takes it again
        from firmware.charge_card import card

        forget("firmware.charge_card")
        card(self, self.sessions, self._c, reader)

    def on_key(self, _reader: Reader, key: int) -> None:
        """A key of a reader's keypad; nobody is there who has to choose: nothing."""
        typed, self._typed = self._typed, 0
        if not self.mask or key == KEY_CLEAR:
            return
        if key != KEY_ENTER:
            self._typed = min(10 * typed + key, _TYPED_MAX)
        elif typed:
            self.chosen(typed - 1)

    def ask(self, key: bytes, mask: int, reader: int) -> None:
        """A card was accepted at one of these ports; whoever was asked before comes again."""
        self.give_up()
        self._key, self.mask, self._choose_ms, self._reader = key, mask, 0, reader
        self._offer = self.sessions.offer_wh, self.sessions.offer_min
        self._changes = self._c.intake.changes
        for button in self.sessions.buttons.values():
            button.active = True  # until it is seen open: one that is taped down chooses nothing

    def turn(self, passed_ms: int) -> None:
        """Cards, and the buttons while somebody has to choose."""
        self.swipes.poll()
        if not self.mask:
            return
        self._choose_ms += passed_ms
        buttons = self.sessions.buttons
        for number in buttons:
            was_pressed = buttons[number].active
            if buttons[number].poll() and not was_pressed:
                self.chosen(number)
        stale = self._changes != self._c.intake.changes or self.sessions.station.latches
        if self._choose_ms >= CHOOSE_MS or stale:
            self.give_up()

    def chosen(self, number: int) -> None:
        """That port's button was pressed, or something was plugged in there."""
        if self.mask >> number & 1 and self.sessions.is_free(number):
            self.mask = 0
            self.sessions.offer_wh, self.sessions.offer_min = self._offer
            self.sessions.promise(number, self._key, REASON_CARD)

    def give_up(self) -> None:
        """Whoever has not chosen yet has to come again, and what they typed is forgotten."""
        self._typed = 0
        if self.mask:
            self.mask = 0
            self._c.journal.note(EVENT_CHARGE_CHOOSES, 0, CONTROLLER, self._key, self._reader)

    def second(self) -> None:
        """A second is over: readers show how the station is once a card's answer was seen."""
        if self._shown_s:
            self._shown_s -= 1
        elif not self.mask:
            pattern = SHOW_ALARM if self.sessions.station.latches else SHOW_REST
            for reader in range(len(self.swipes.readers)):
                self.swipes.show(reader, pattern)

    def show(self, reader: int, pattern: int) -> None:
        """The answer to a card, for some seconds."""
        self.swipes.show(reader, pattern)
        self._shown_s = _SHOW_S
