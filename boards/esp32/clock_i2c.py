"""The I2C bus of a DS3231 (device).

A board that has one imports i2c_bus from here, and has a function `clock_bus` that returns one.
"""

import machine


def i2c_bus(scl: int, sda: int) -> machine.I2C:
    """A bus that gives up after 10 ms when something holds a line: no door waits for it."""
    pins = {"scl": machine.Pin(scl), "sda": machine.Pin(sda)}
    return machine.I2C(0, freq=100000, timeout=10000, **pins)
