"""Falling edges on an ESP32's pins: counted by hardware, told to handlers through a queue (both).

The chip's manners, as they matter to a reader:

- a pulse counter sees every edge at once, whatever the interpreter does
- an interrupt queues a call of the pin's handler, eight at most; one too many is lost silently
- the interrupt's code lies in flash: while that erases or programs, a pin only remembers that there
  was an edge, not how many, and is served afterwards, the lowest pin first
- the interpreter calls the queued handlers when it comes to itself
"""

QUEUE_DEPTH = 8
_HALF = 0x20000000
_MASK = 0x3FFFFFFF


def _after(when_us: int, now_us: int) -> bool:
    return (when_us - now_us & _MASK) < _HALF and when_us != now_us


class Lines:
    """`counts` by pin are the hardware's; `handlers` by pin take the pin's number."""

    def __init__(self) -> None:
        self.counts = {}
        self.handlers = {}
        self.told = 0  # edges that a handler was called for
        self._due = []
        self._queue = []
        self._telling = False

    def add(self, when_us: int, pin: int) -> None:
        """An edge that comes at that time, after all that were added before."""
        self._due.append((when_us & _MASK, pin))

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is on its way."""
        return not self._due and not self._queue

    def leisure(self, now_us: int) -> None:
        """Up to now the interpreter was free, and handled each edge as it came."""
        if self._telling:
            return
        self._flush()
        while self._due and not _after(self._due[0][0], now_us):
            pin = self._arrive()
            self._queue.append(pin)
            self._flush()

    def busy(self, until_us: int, dark: bool) -> None:
        """Up to then it was not. dark: the flash was at work, and no interrupt was served."""
        pending = []
        while self._due and not _after(self._due[0][0], until_us):
            pin = self._arrive()
            if not dark:
                self._enqueue(pin)
            elif pin not in pending:
                pending.append(pin)
        for pin in sorted(pending):
            self._enqueue(pin)

    def _arrive(self) -> int:
        pin = self._due.pop(0)[1]
        self.counts[pin] = self.counts.get(pin, 0) + 1
        return pin

    def _enqueue(self, pin: int) -> None:
        if len(self._queue) < QUEUE_DEPTH:
            self._queue.append(pin)

    def _flush(self) -> None:
        self._telling = True
        while self._queue:
            pin = self._queue.pop(0)
            if pin in self.handlers:
                self.told += 1
                self.handlers[pin](pin)
        self._telling = False
