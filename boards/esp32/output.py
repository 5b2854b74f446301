"""Relays at expanders: to the firmware what a list of Pins is (device)."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class Outputs:
    """So many relays, `each` a chip, in their order; `outputs[number].value(level)` drives one.

    One object is all of them in turn, for one each would cost sixteen ports half a kilobyte: it is
    the relay in brackets until the next brackets. Whoever keeps relays takes them out of a loop.
    chips: have put(number, level) and get(number), 1 = powered.
    """

    def __init__(self, chips: "list[Any]", each: int, count: int) -> None:
        self._chips = chips
        self._each = each
        self._count = count
        self._number = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> "Iterator[Outputs]":
        for number in range(self._count):
            yield Outputs(self._chips, self._each, self._count)[number]

    def __getitem__(self, number: int) -> "Outputs":
        if not 0 <= number < self._count:
            raise IndexError
        self._number = number
        return self

    def value(self, level: "int | None" = None) -> "int | None":
        """What the chip says, or drive it; OSError when its bus fails."""
        chip = self._chips[self._number // self._each]
        if level is None:
            return chip.get(self._number % self._each)
        chip.put(self._number % self._each, level)
        return None
