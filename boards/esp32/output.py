"""A relay at an expander: to the firmware what a Pin is (device)."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Output:
    """chip: has put(number, level) and get(number), 1 = powered."""

    def __init__(self, chip: "Any", number: int) -> None:
        self._chip = chip
        self._number = number

    def value(self, level: "int | None" = None) -> "int | None":
        """What the chip says, or drive it; OSError when its bus fails."""
        if level is None:
            return self._chip.get(self._number)
        self._chip.put(self._number, level)
        return None


def outputs(chips: "list[Any]", each: int, count: int) -> "list[Output]":
    """So many relays, `each` a chip, in their order."""
    return [Output(chips[number // each], number % each) for number in range(count)]
