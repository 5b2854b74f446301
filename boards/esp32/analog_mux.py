"""Analog inputs behind a multiplexer (CD74HC4067: sixteen to one) at one ADC (device)."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import ADC, Pin


class Channel:
    """One of them; as an ADC, it has read_uv()."""

    def __init__(self, adc: "ADC", select: "tuple[Pin, ...]", number: int) -> None:
        self._adc = adc
        self._select = select
        self._number = number

    def read_uv(self) -> int:
        """Switch to it and read; the chip settles in less than the calls in between take."""
        number = self._number
        for pin in self._select:
            pin.value(number & 1)
            number >>= 1
        return self._adc.read_uv()
