"""Analog inputs behind a multiplexer (CD74HC4067: sixteen to one) at one ADC (device)."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import ADC, Pin


class Mux:
    """The first `count` of its inputs, and `own`, an ADC beside it, as one more."""

    def __init__(self, adc: "ADC", select: "tuple[Pin, ...]", count: int, own: "ADC") -> None:
        self._adc = adc
        self._select = select
        self._count = count
        self._own = own

    def read_uv(self, number: int) -> int:
        """Switch to it and read; the chip settles in less than the calls in between take."""
        if number == self._count:
            return self._own.read_uv()
        for pin in self._select:
            pin.value(number & 1)
            number >>= 1
        return self._adc.read_uv()
