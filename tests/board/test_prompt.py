"""What mpremote and a person find at a blank virtual board's prompt (host)."""

import os
import select
import time

import pytest
from mpremote.transport import TransportExecError

from controller_tool.repl import BoardRepl
from controller_tool.sim import service
from tests.board.prompt import Prompt, wait_for


def read_until(port: int, ending: bytes, holding: bytes = b"") -> bytes:
    """Raw bytes from the host's end of the cable, up to an ending that comes after `holding`."""
    got = b""
    end_s = time.monotonic() + 10
    while not (got.endswith(ending) and holding in got):
        assert time.monotonic() < end_s, got
        if select.select([port], [], [], 0.1)[0]:
            got += os.read(port, 4096)
    return got


@pytest.fixture
def cable(virtual_board: service.Board):
    """The host's end as a plain file descriptor."""
    port = os.open(virtual_board.serial_port, os.O_RDWR | os.O_NOCTTY)
    wait_for(lambda: virtual_board.stimulate("ping") is None)
    yield port
    os.close(port)


def test_code_runs_and_prints(prompt: Prompt) -> None:
    assert prompt.run("print('hello', 6 * 7)") == "hello 42"


def test_an_exception_arrives_as_an_exception(prompt: Prompt) -> None:
    with pytest.raises(TransportExecError, match="ZeroDivisionError"):
        prompt.run("1 / 0")
    assert prompt.run("print(1)") == "1"


def test_long_code_goes_through_raw_paste_without_loss(prompt: Prompt) -> None:
    text = "".join(chr(65 + n % 26) for n in range(9000))
    assert prompt.run(f"x = {text!r}\nprint(len(x), x[-3:])") == f"9000 {text[-3:]}"
    assert prompt.board.counters()["cable"]["dropped"] == 0


def test_plain_raw_mode_works_too(prompt: Prompt) -> None:
    prompt.transport.use_raw_paste = False
    assert prompt.run("print(sum(range(10)))") == "45"


def test_files_go_and_come_back(prompt: Prompt) -> None:
    data = os.urandom(20000)
    prompt.transport.fs_mkdir("/d")
    prompt.transport.fs_writefile("/d/f.bin", data)
    assert prompt.transport.fs_readfile("/d/f.bin") == data
    assert [entry.name for entry in prompt.transport.fs_listdir("/d")] == ["f.bin"]
    assert prompt.transport.fs_hashfile("/d/f.bin", "sha256")


def test_the_tools_own_repl_puts_files(virtual_board: service.Board) -> None:
    with BoardRepl(virtual_board.serial_port) as repl:
        assert repl.probe()["partitions"] == [
            "alarm", "journal", "keys", "lists", "nvs", "phy_init", "vfs",
        ]  # fmt: skip
        data = b"whole " * 3000
        repl.put("/fw0.pack", data)
        assert "/fw0.pack" in repl.digests()


def test_soft_reset_runs_boot_but_not_main(prompt: Prompt) -> None:
    prompt.transport.fs_writefile("/boot.py", b"a = 1")
    prompt.transport.fs_writefile("/main.py", b"b = 2")
    prompt.run("c = 3")
    prompt.enter(soft_reset=True)
    names = prompt.value("[n for n in ('a', 'b', 'c') if n in globals()]")
    assert names == ["a"]


def test_files_put_by_mpremote_run_after_a_reset(prompt: Prompt) -> None:
    prompt.transport.fs_writefile("/helper.py", b"def name():\n    return 'controller'\n")
    prompt.transport.fs_writefile("/boot.py", b"import helper\n")
    prompt.transport.fs_writefile("/main.py", b"started = helper.name()\n")
    prompt.lose("import machine; machine.reset()")
    wait_for(lambda: prompt.board.counters()["resets"]["hard"] == 1)
    prompt.after_reset()
    assert prompt.value("started") == "controller"


def test_ctrl_c_interrupts_what_runs(prompt: Prompt) -> None:
    prompt.lose("import time\nwhile True: time.sleep_ms(5)")
    time.sleep(0.05)
    prompt.transport.serial.write(b"\x03")
    _, error = prompt.transport.follow(timeout=5)
    assert b"KeyboardInterrupt" in error
    assert prompt.run("print(2)") == "2"


def test_ctrl_c_is_data_after_kbd_intr(prompt: Prompt) -> None:
    prompt.lose(
        "import micropython, sys\nmicropython.kbd_intr(-1)\nprint(sys.stdin.buffer.read(2))"
    )
    wait_for(lambda: prompt.board.counters()["serves"])
    prompt.transport.serial.write(b"\x03x")
    out, error = prompt.transport.follow(timeout=5)
    assert (out.strip(), error) == (b"b'\\x03x'", b"")


def test_the_friendly_prompt_answers(cable: int) -> None:
    os.write(cable, b"\r\x02")
    read_until(cable, b">>> ", holding=b"MicroPython v1.26.1")
    os.write(cable, b"1 + 2\r")
    assert b"\r\n3\r\n" in read_until(cable, b">>> ")
    os.write(cable, b"for i in (7, 8):\r")
    read_until(cable, b"... ")
    os.write(cable, b"    print(i)\r\r")
    assert b"7\r\n8\r\n" in read_until(cable, b">>> ")


def test_a_finished_program_leaves_the_prompt_and_its_error(prompt: Prompt) -> None:
    prompt.transport.fs_writefile("/main.py", b"raise RuntimeError('no lock')\n")
    prompt.lose("import machine; machine.reset()")
    wait_for(lambda: prompt.board.counters()["resets"]["hard"] == 1)
    prompt.after_reset()
    assert prompt.run("print('alive')") == "alive"
