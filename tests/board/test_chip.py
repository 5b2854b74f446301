"""Pins, clock, resets, watchdog, UARTs and Wi-Fi of the virtual board (host)."""

import socket

import pytest
from mpremote.transport import TransportExecError

from controller_tool.pack import boot_files
from controller_tool.sim import service
from protocol.constants import TCP_PORT
from tests.board.conftest import MakeBoard
from tests.board.prompt import Prompt, wait_for

HANG = "import machine\nmachine.WDT(timeout=200)\nwhile True: pass"


def with_board_files(prompt: Prompt, board: str = "virtual_door") -> None:
    """Put the board's own files on it, so that `import board` works at the prompt."""
    for path, data in boot_files(board).items():
        if path in ("/board.mpy", "/wiring.mpy"):
            prompt.transport.fs_writefile(path, data)


def reset(prompt: Prompt) -> None:
    prompt.lose("import machine; machine.reset()")
    wait_for(lambda: prompt.board.counters()["resets"]["hard"] == 1)
    prompt.after_reset()


def test_inputs_say_what_their_names_say(prompt: Prompt) -> None:
    with_board_files(prompt)
    prompt.run("import board\ni = board.inputs()\ndef look(): return {n: i[n].value() for n in i}")
    assert prompt.value("look()") == {"door": 0, "rex": 0, "fire": 0, "tamper": 0}
    for verb in ("open_door", "raise_smoke", "open_tamper"):
        prompt.board.stimulate(verb)
    assert prompt.value("look()") == {"door": 1, "rex": 0, "fire": 1, "tamper": 1}
    prompt.board.stimulate("press_rex", ms=60000)
    prompt.board.stimulate("close_door")
    assert prompt.value("(look()['rex'], look()['door'])") == (1, 0)


def test_a_rex_button_is_let_go_again(prompt: Prompt) -> None:
    with_board_files(prompt)
    prompt.run("import board\nr = board.inputs()['rex']")
    prompt.board.stimulate("press_rex", ms=50)
    assert wait_for(lambda: prompt.value("r.value()") == 0)


def test_a_charger_has_plug_and_meter(make_board: MakeBoard) -> None:
    board = make_board("c", "virtual_charger")
    with Prompt(board) as prompt:
        with_board_files(prompt, "virtual_charger")
        prompt.run("import board")
        board.stimulate("plug_in")
        board.stimulate("draw_watts", watts=420)
        assert prompt.value("(board.KIND, board.inputs()['plug'].value())") == ("charger", 1)
        assert prompt.value("board.meters()[0][1][0].read_uv()") == 0, "its relay is open"
        prompt.run("board.relays()[0].value(1)")
        assert wait_for(lambda: prompt.value("board.meters()[0][1][0].read_uv()") == 420000)


def test_a_relay_is_logged_with_the_time_since_the_card(prompt: Prompt) -> None:
    with_board_files(prompt)
    prompt.run("import board\nboard.safe_state()\nkind, u, _ = board.readers()[0]")
    prompt.board.stimulate("swipe_card", credential="01020304", type=2)
    assert prompt.value("(kind, u.read())") == (
        "virtual", bytes.fromhex("560204") + bytes.fromhex("01020304") + b"\x54",
    )  # fmt: skip
    prompt.run("board.relays()[0].on()")
    counters = prompt.board.counters()
    assert counters["outputs"] == {"lock": True}
    last = counters["relay_log"][-1]
    assert (last["relay"], last["on"]) == ("lock", True)
    assert last["since_read_us"] > 0


def test_an_rdm6300_frame_arrives_as_the_real_one_sends_it(prompt: Prompt) -> None:
    with_board_files(prompt)
    prompt.run("import board\nkind, u, _ = board.readers()[1]")
    prompt.board.stimulate("swipe_card", reader=1, type=1, credential="0A00112233")
    assert prompt.value("(kind, u.read())") == ("rdm6300", b"\x020A001122330A\x03")


def test_a_uart_drops_what_its_buffer_cannot_hold(prompt: Prompt) -> None:
    prompt.run("import machine\nu = machine.UART(1, 9600, rxbuf=32)")
    assert prompt.board.stimulate("send_uart", uart=1, data="55" * 40) == {"lost": 8}
    assert prompt.value("u.any()") == 32


def test_uart0_belongs_to_the_prompt(prompt: Prompt) -> None:
    with pytest.raises(TransportExecError, match="OSError: -259"):
        prompt.run("import machine\nmachine.UART(0, 115200)")


def test_a_pin_exists_once_and_is_no_part_of_the_firmware_s_heap(prompt: Prompt) -> None:
    prompt.run(
        "import gc\nfrom machine import Pin\np = [None] * 3\n"
        "gc.collect()\nbefore = gc.mem_alloc()\n"
        "p[0], p[1], p[2] = Pin(26, Pin.OUT, value=1), Pin(26), Pin(27)\n"
        "gc.collect()\nafter = gc.mem_alloc()"
    )
    assert prompt.value("after - before") < 64, "its code's own names"
    assert prompt.value("(p[0] is p[1], p[1] is p[2])") == (True, False)
    assert prompt.value("p[1].value()") == 1, "an output still"
    with pytest.raises(TransportExecError, match="ValueError"):
        prompt.run("Pin(40)")


def test_relays_float_after_a_reset(prompt: Prompt) -> None:
    with_board_files(prompt)
    prompt.run("import board\nboard.relays()[0].on()")
    assert prompt.board.counters()["outputs"] == {"lock": True}
    reset(prompt)
    assert prompt.board.counters()["outputs"] == {"lock": False}


def test_clock_and_rtc_memory_survive_a_reset(prompt: Prompt) -> None:
    prompt.run(
        "import machine\nr = machine.RTC()\nr.datetime((2027, 3, 4, 3, 5, 6, 7, 0))\n"
        "r.memory(b'state')"
    )
    reset(prompt)
    prompt.run("import machine\nr = machine.RTC()")
    assert prompt.value("r.datetime()[:5]") == (2027, 3, 4, 3, 5)
    assert prompt.value("(machine.reset_cause(), r.memory())") == (2, b"state")


def test_a_power_cut_loses_clock_and_rtc_memory(prompt: Prompt) -> None:
    prompt.run("import machine\nr = machine.RTC()\nr.datetime((2027, 3, 4, 3, 5, 6, 7, 0))")
    prompt.run("r.memory(b'state')")
    prompt.board.stimulate("cut_power")
    assert not prompt.board.counters()["powered"]
    prompt.board.stimulate("restore_power")
    prompt.after_reset()
    prompt.run("import machine\nr = machine.RTC()")
    assert prompt.value("(machine.reset_cause(), r.memory(), r.datetime()[0])") == (1, b"", 2000)


def test_the_clock_can_be_set_from_outside(prompt: Prompt) -> None:
    prompt.board.stimulate("set_clock", unix_s=1_800_000_000)
    assert prompt.value("__import__('machine').RTC().datetime()[:3]") == (2027, 1, 15)
    assert prompt.value("__import__('time').gmtime()[:3]") == (2027, 1, 15)


def test_time_counts_from_2000(prompt: Prompt) -> None:
    assert prompt.value("__import__('time').gmtime(0)") == (2000, 1, 1, 0, 0, 0, 5, 1)
    assert prompt.value("__import__('time').mktime((2000, 1, 2, 0, 0, 0, 0, 0))") == 86400


def test_a_hungry_watchdog_resets(prompt: Prompt) -> None:
    prompt.lose(HANG)
    wait_for(lambda: prompt.board.counters()["resets"]["watchdog"] == 1)
    prompt.after_reset()
    assert prompt.value("__import__('machine').reset_cause()") == 3


def test_a_fed_watchdog_does_not(prompt: Prompt) -> None:
    prompt.run(
        "import machine, time\nw = machine.WDT(timeout=300)\n"
        "for _ in range(20):\n    time.sleep_ms(30)\n    w.feed()"
    )
    assert prompt.board.counters()["resets"]["watchdog"] == 0


def test_running_out_of_heap_is_counted(prompt: Prompt) -> None:
    with pytest.raises(TransportExecError, match="MemoryError"):
        prompt.run("x = bytearray(112 * 1024)")
    assert prompt.board.counters()["memory_faults"] == 1


def test_a_firmware_that_runs_out_of_heap_and_resets_is_counted_and_logged(prompt: Prompt) -> None:
    prompt.transport.fs_writefile(
        "/main.py",
        b"try:\n    import micropython\n    x = bytearray(112 * 1024)\n"
        b"finally:\n    import micropython\n    import machine\n    machine.reset()\n",
    )
    prompt.lose("import machine; machine.reset()")
    wait_for(lambda: prompt.board.counters()["memory_faults"])
    prompt.board.stimulate("cut_power")
    assert "MemoryError" in prompt.board.folder.log_path.read_text()


def test_the_heap_is_an_esp32s_two_whole_areas(prompt: Prompt) -> None:
    prompt.run("import gc\ngc.collect()")
    heap = prompt.board.heap()
    assert 110_000 < heap["free"] <= 112_048
    assert 54_000 < heap["largest"] <= 55_968


def test_tcp_connects_at_the_boards_own_address(prompt: Prompt) -> None:
    prompt.run(
        "import network, socket\nw = network.WLAN(network.STA_IF)\nw.active(True)\n"
        "w.connect('site', 'secret')\ns = socket.socket()\n"
        f"s.bind(('0.0.0.0', {TCP_PORT}))\ns.listen(2)"
    )
    host, port = prompt.board.tcp_address.split(":")
    assert prompt.value("w.ifconfig()[0]") == host
    with socket.create_connection((host, int(port)), timeout=5) as client:
        client.sendall(b"hello")
        prompt.run("c, peer = s.accept()")
        assert prompt.value("c.recv(5)") == b"hello"
        assert prompt.value("peer[0]").startswith("127.")
        prompt.run("c.write(b'there')\nc.close()")
        assert client.recv(5) == b"there"


def test_wifi_can_go_away(prompt: Prompt) -> None:
    prompt.run("import network\nw = network.WLAN(network.STA_IF)\nw.active(True)\nw.connect('s')")
    assert prompt.value("w.isconnected()") is True
    prompt.board.stimulate("set_wifi", up=False)
    assert prompt.value("w.isconnected()") is False


def test_two_boards_live_side_by_side(make_board: MakeBoard) -> None:
    first, second = make_board("one"), make_board("two", "virtual_charger")
    assert first.tcp_address != second.tcp_address
    with Prompt(first) as one, Prompt(second) as two:
        one.transport.fs_writefile("/mine", b"1")
        unique = "__import__('machine').unique_id()"
        assert one.value(unique) != two.value(unique)
        assert not two.transport.fs_exists("/mine")


def test_a_board_keeps_address_identity_and_flash_over_a_stop(make_board: MakeBoard) -> None:
    board = make_board("kept")
    before = (board.tcp_address, board.options.unique)
    with Prompt(board) as prompt:
        prompt.transport.fs_writefile("/kept", b"1")
    service.stop(board.folder.path.parent, "kept")
    again = make_board("kept")
    assert (again.tcp_address, again.options.unique) == before
    with Prompt(again) as prompt:
        assert prompt.transport.fs_exists("/kept")


def test_charged_flash_takes_its_time(make_board: MakeBoard) -> None:
    with Prompt(make_board("slow", charge=True)) as prompt:
        prompt.run("import esp32, time\np = esp32.Partition('alarm')")
        prompt.run("t = time.ticks_ms()\np.ioctl(6, 0)\nt = time.ticks_diff(time.ticks_ms(), t)")
        assert prompt.value("t") >= 45
