"""The virtual board's cable is as unkind as a real UART0 (host)."""

import os
import time

from controller_tool.sim.cable import Noise
from controller_tool.sim.page import layout
from tests.board.conftest import MakeBoard
from tests.board.prompt import Prompt, wait_for

BUSY = (
    "import sys, time\n"
    "end = time.ticks_add(time.ticks_ms(), {ms})\n"
    "while time.ticks_diff(end, time.ticks_ms()) > 0: pass\n"
)
COUNT = (
    "import select\np = select.poll()\np.register(sys.stdin, 1)\nb = bytearray(1)\nn = 0\n"
    "while p.poll(100):\n    n += sys.stdin.buffer.readinto(b)\n"
    "print(n)"
)


def flood(prompt: Prompt, count: int) -> int:
    """Send while the board computes; returns how many bytes it found afterwards."""
    prompt.lose(BUSY.format(ms=500) + COUNT)
    time.sleep(0.05)
    prompt.transport.serial.write(b"u" * count)
    out, error = prompt.transport.follow(timeout=10)
    assert not error
    return int(out)


def test_the_ring_holds_259_bytes(prompt: Prompt) -> None:
    assert flood(prompt, layout.UART0_RING_BYTES) == 259
    assert prompt.board.counters()["cable"]["dropped"] == 0


def test_what_is_more_is_dropped_silently(prompt: Prompt) -> None:
    assert flood(prompt, 1000) == 259
    assert prompt.board.counters()["cable"]["dropped"] == 1000 - 259


def test_a_line_paced_to_115200_baud_takes_its_time(make_board: MakeBoard) -> None:
    with Prompt(make_board("paced", charge=True)) as prompt:
        text = "x" * 5760  # half a second of line
        started = time.monotonic()
        assert prompt.run(f"print(len({text!r}))") == "5760"
        assert time.monotonic() - started >= 0.5


def test_writing_blocks_beyond_the_fifo(make_board: MakeBoard) -> None:
    with Prompt(make_board("paced", charge=True)) as prompt:
        prompt.run(
            "import sys, time\n"
            "def cost(n):\n"
            "    time.sleep_ms(100)\n"
            "    t = time.ticks_us()\n"
            "    sys.stdout.buffer.write(b'.' * n)\n"
            "    return time.ticks_diff(time.ticks_us(), t) // 1000\n"
        )
        short, long = (int(prompt.run(f"c = cost({n})\nprint()\nprint(c)").split()[-1])
                       for n in (100, 2000))  # fmt: skip
    assert long >= (2000 - 128) * 10 // 116  # 115.2 bits a ms, rounded in its favour
    assert short < long / 2


def test_noise_hits_about_as_many_bytes_as_it_says() -> None:
    noise = Noise(corrupt_one_in=100, drop_one_in=100, seed=1)
    through = noise(bytes(20000))
    assert len(through) == 20000 - noise.dropped
    assert 100 < noise.dropped < 300
    assert noise.corrupted == sum(byte != 0 for byte in through)
    assert 100 < noise.corrupted < 300


def test_a_clean_line_changes_nothing() -> None:
    assert Noise(0, 0, 1)(b"\x00\x03\xff") == b"\x00\x03\xff"


def test_the_rom_speaks_before_the_firmware_does(prompt: Prompt) -> None:
    prompt.board.stimulate("reset")
    heard = bytearray()

    def listen() -> bool:
        heard.extend(prompt.transport.serial.read(prompt.transport.serial.in_waiting or 1))
        return b"MicroPython" in heard

    wait_for(listen)
    assert b"rst:0x1 (POWERON_RESET)" in heard.partition(b"MicroPython")[0]


def test_what_is_said_to_nobody_is_lost(prompt: Prompt) -> None:
    board = prompt.board
    prompt.transport.fs_writefile("/main.py", b"print('secret')\n")
    prompt.transport.close()
    board.stimulate("reset")
    wait_for(lambda: board.counters()["cable"]["sent"] and board.counters()["at_prompt"])
    port = os.open(board.serial_port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        os.write(port, b"\r\x01")
        heard = b""

        def banner() -> bool:
            nonlocal heard
            try:
                heard += os.read(port, 4096)
            except BlockingIOError:
                return False
            return heard.endswith(b"CTRL-B to exit\r\n>")

        wait_for(banner)
    finally:
        os.close(port)
    assert b"secret" not in heard
