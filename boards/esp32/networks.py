"""Ethernet beside Wi-Fi: to the firmware one network, whose radio stays on (device).

A board with a PHY imports ethernet() from here, and has a function `station` that returns it.
"""

import network
from machine import Pin


class Networks:
    """Connected when either is; what is joined is the Wi-Fi, an Ethernet cable joins by itself."""

    def __init__(self, wired: network.LAN, radio: network.WLAN) -> None:
        self._wired = wired
        self._radio = radio

    def isconnected(self) -> bool:
        """Whether somebody may call: the listener is on every interface."""
        return self._wired.isconnected() or self._radio.isconnected()

    def connect(self, ssid: str, key: str) -> None:
        """Join the Wi-Fi; OSError while it is busy with the last time."""
        self._radio.connect(ssid, key)

    def disconnect(self) -> None:
        """Leave the Wi-Fi."""
        self._radio.disconnect()


def ethernet(clock: int, clock_mode: int, address: int) -> Networks:
    """MAC of the chip with a LAN87xx on RMII, MDC 23 and MDIO 18, both interfaces up.

    clock: pin of the 50 MHz, clock_mode: Pin.IN when an oscillator gives it, else Pin.OUT.
    """
    wired = network.LAN(
        mdc=Pin(23),
        mdio=Pin(18),
        power=None,
        phy_type=network.PHY_LAN8720,
        phy_addr=address,
        ref_clk=Pin(clock),
        ref_clk_mode=clock_mode,
    )
    wired.active(True)
    radio = network.WLAN(network.STA_IF)
    radio.active(True)  # random numbers need it, whatever the cable does
    return Networks(wired, radio)
