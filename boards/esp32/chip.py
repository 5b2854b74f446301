"""What every board with an ESP32 has in the same way: flash, NVS, clock, cable, Wi-Fi (device).

A board's own file takes from here what it has, and goes to the controller as one with it.
"""

import select
import sys

import esp32
import machine
import network

_POLL_IN = 1
_BAUD = 115200


class ServicePort:
    """UART0, which a stock image keeps for its prompt: bytes through sys.stdin and sys.stdout.

    Reading a block from sys.stdin waits until the block is full, so it is read byte by byte.
    Writing more than the chip's FIFO of 128 bytes blocks: keep to 100 and yield.
    """

    def __init__(self) -> None:
        self._in = sys.stdin.buffer
        self._out = sys.stdout.buffer
        # a stock image does not say it, and has this one; 0: as fast as it goes
        self.baud = getattr(self._out, "baud", _BAUD)
        self._poll = select.poll()
        self._poll.register(sys.stdin, _POLL_IN)
        self._one = memoryview(bytearray(1))

    def any(self) -> bool:
        """Whether at least one byte waits."""
        for _ in self._poll.ipoll(0):
            return True
        return False

    def readinto(self, buf: "bytearray | memoryview") -> "int | None":
        """What waits, as far as it fits; None when nothing waits."""
        one = self._one
        count = 0
        while count < len(buf) and self.any():
            self._in.readinto(one)
            buf[count] = one[0]
            count += 1
        return count or None

    def write(self, data: "bytes | bytearray | memoryview") -> int:
        """All of the data; blocks beyond what the FIFO takes."""
        self._out.write(data)
        return len(data)


def service_port() -> ServicePort:
    """The cable."""
    return ServicePort()


def partition(label: str) -> esp32.Partition:
    """The data partition of that label; OSError when the flash has none."""
    found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label=label)
    if not found:
        raise OSError(19)
    return found[0]


def nvs(namespace: str) -> esp32.NVS:
    """A namespace of the chip's key-value store."""
    return esp32.NVS(namespace)


def watchdog(timeout_ms: int) -> machine.WDT:
    """Starts the watchdog; it can never be stopped again."""
    return machine.WDT(timeout=timeout_ms)


def station() -> network.WLAN:
    """The Wi-Fi station; active even without a network, since entropy needs the radio."""
    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    return wlan


def listen_address() -> str:
    """Where to listen: on every interface of the chip, which is the station alone."""
    return "0.0.0.0"  # noqa: S104 - a controller has no other address to tell


def idf_largest() -> int:
    """Bytes of the largest block in the chip's own heap, of which TLS and Wi-Fi live."""
    return max([area[2] for area in esp32.idf_heap_info(esp32.HEAP_DATA)])


def rtc() -> machine.RTC:
    """The chip's clock."""
    return machine.RTC()


reset = machine.reset
reset_cause = machine.reset_cause
unique_id = machine.unique_id
