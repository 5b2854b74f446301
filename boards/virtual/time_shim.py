"""`time` and `select` as a stock ESP32 has them: epoch 2000, and waiting takes in what happens."""

import page as layout
from facade import pick

_EPOCH_2000_S = 946684800
_SLICE_MS = 5


def build_time(native, page, pump) -> dict:
    """time: seconds count from 2000-01-01 by the RTC; sleeping runs the pin interrupts."""
    names = pick(native, "ticks_add ticks_cpu ticks_diff ticks_ms ticks_us sleep_us")

    def zero_ns() -> int:
        seconds = page.word(layout.RTC_ZERO_S) * 1000000000
        return seconds + page.word(layout.RTC_ZERO_US) * 1000

    def sleep_ms(delay_ms: int) -> None:
        pump.run()
        end = native.ticks_add(native.ticks_ms(), delay_ms)
        while delay_ms > _SLICE_MS:
            native.sleep_ms(_SLICE_MS)
            pump.run()
            delay_ms = native.ticks_diff(end, native.ticks_ms())
        if delay_ms > 0:
            native.sleep_ms(delay_ms)

    def calendar(seconds: object = None) -> tuple:
        if seconds is None:
            seconds = names["time"]()
        return native.gmtime(seconds + _EPOCH_2000_S)[:8]

    names["time_ns"] = lambda: native.time_ns() - zero_ns()
    names["time"] = lambda: (native.time_ns() - zero_ns()) // 1000000000
    names["sleep_ms"] = sleep_ms
    names["sleep"] = lambda seconds: sleep_ms(int(seconds * 1000))
    names["gmtime"] = calendar
    names["localtime"] = calendar
    names["mktime"] = lambda when: native.mktime(when) - _EPOCH_2000_S
    return names


def build_select(native, native_time, page, pump, always_ready) -> dict:
    """select: poll objects that take in pin changes while they wait.

    The unix port waits 1 ms on streams without a descriptor even when told not to wait; a stream
    that is always ready, registered first and left out of the answers, makes it return at once.
    UART0 has a descriptor, so nobody but this module sees that the firmware looks at it.
    """

    class Poll:
        def __init__(self) -> None:
            self._poll = native.poll()
            self._slow = []
            self._watches_cable = False

        def register(self, stream, events: int = 5) -> None:
            if getattr(stream, "is_uart0", False):
                self._watches_cable = True
            if not _has_descriptor(stream) and stream not in self._slow:
                if not self._slow:
                    self._poll.register(always_ready, 0)
                self._slow.append(stream)
            self._poll.register(stream, events)

        def unregister(self, stream) -> None:
            if stream in self._slow:
                self._slow.remove(stream)
                if not self._slow:
                    self._poll.unregister(always_ready)
            self._poll.unregister(stream)

        def modify(self, stream, events: int) -> None:
            self._poll.modify(stream, events)

        def poll(self, timeout_ms: int = -1) -> list:
            return [(pair[0], pair[1]) for pair in self.ipoll(timeout_ms)]

        def ipoll(self, timeout_ms: int = -1, flags: int = 0):
            pump.run()
            if self._watches_cable:
                page.bytes[layout.SERVES] = 1
            if timeout_ms == 0 and not self._slow:
                return self._poll.ipoll(0)
            return self._wait(timeout_ms)

        def _wait(self, timeout_ms: int):
            end = native_time.ticks_add(native_time.ticks_ms(), max(timeout_ms, 0))
            left_ms = timeout_ms
            while True:
                found = False
                step_ms = _SLICE_MS if timeout_ms < 0 else min(left_ms, _SLICE_MS)
                if self._slow:
                    self._poll.modify(always_ready, 0 if step_ms else native.POLLOUT)
                for pair in self._poll.ipoll(step_ms):
                    if pair[0] is not always_ready:
                        found = True
                        yield pair
                pump.run()
                left_ms = native_time.ticks_diff(end, native_time.ticks_ms())
                if found or (timeout_ms >= 0 and left_ms <= 0):
                    return

    def select(readers, writers, errors, timeout_s: float = -1) -> tuple:
        poller = Poll()
        for stream in readers:
            poller.register(stream, native.POLLIN)
        for stream in writers:
            poller.register(stream, native.POLLOUT)
        ready = poller.poll(-1 if timeout_s < 0 else int(timeout_s * 1000))
        able = [[s for s, event in ready if event & bit] for bit in (native.POLLIN, native.POLLOUT)]
        return able[0], able[1], [s for s, event in ready if event & native.POLLERR]

    names = pick(native, "POLLERR POLLHUP POLLIN POLLOUT")
    names["poll"] = Poll
    names["select"] = select
    return names


def _has_descriptor(stream) -> bool:
    """True when the operating system can wait for it; a TLS stream may hold bytes of its own."""
    if type(stream).__name__ == "SSLSocket":
        return False
    if hasattr(stream, "ioctl"):
        return stream.ioctl(layout.STREAM_GET_FILENO, 0) > 0 or bool(
            getattr(stream, "is_uart0", False)
        )
    return True
