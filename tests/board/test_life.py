"""Virtual boards start, end and leave nothing behind (host)."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from controller_tool.errors import LinkError, OperatorError
from controller_tool.sim import service
from tests.board.conftest import MakeBoard
from tests.board.prompt import Prompt, wait_for


def lives(pid: int) -> bool:
    """Whether that process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def processes(board: service.Board) -> list[int]:
    """Supervisor and chip."""
    found = [board.pid, board.counters()["pid"]]
    assert all(lives(pid) for pid in found)
    return found


def test_stop_leaves_no_process(virtual_board: service.Board) -> None:
    pids = processes(virtual_board)
    service.stop(virtual_board.folder.path.parent, virtual_board.name)
    wait_for(lambda: not any(lives(pid) for pid in pids))
    assert not virtual_board.running


def test_a_killed_supervisor_takes_its_chip_along(virtual_board: service.Board) -> None:
    pids = processes(virtual_board)
    os.kill(pids[0], signal.SIGKILL)
    wait_for(lambda: not any(lives(pid) for pid in pids))
    assert not virtual_board.running


def test_a_removed_folder_ends_the_board(virtual_board: service.Board) -> None:
    pids = processes(virtual_board)
    shutil.rmtree(virtual_board.folder.path)
    wait_for(lambda: not any(lives(pid) for pid in pids))


def test_a_board_ends_with_the_process_that_it_belongs_to(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys\n"
        "from controller_tool.sim import service\n"
        "b = service.start(pathlib.Path(sys.argv[1]), 'b', until_pid=os.getpid())\n"
        "print(b.pid, b.counters()['pid'])\n"
    )
    argv = [sys.executable, "-c", code, str(tmp_path / "sim")]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    pids = [int(word) for word in done.stdout.split()]
    wait_for(lambda: not any(lives(pid) for pid in pids))


def test_starting_twice_is_one_board(make_board: MakeBoard) -> None:
    assert make_board("same").pid == make_board("same").pid


def test_a_board_starts_again_after_its_supervisor_was_killed(make_board: MakeBoard) -> None:
    first = make_board("again")
    os.kill(first.pid, signal.SIGKILL)
    wait_for(lambda: not first.running)
    with Prompt(make_board("again")) as prompt:
        assert prompt.run("print(1)") == "1"


def test_a_board_in_service_is_up_once_it_looks_at_its_cable(make_board: MakeBoard) -> None:
    """As a controller without Wi-Fi does: it never listens, and its UART has nothing for it."""
    board = make_board("cabled")
    with Prompt(board) as prompt:
        prompt.transport.fs_writefile(
            "/main.py", b"import select, sys\nlooks = select.poll()\n"
            b"looks.register(sys.stdin, 1)\nwhile True:\n    looks.poll(10)\n",
        )  # fmt: skip
    service.stop(board.folder.path.parent, "cabled")
    counters = make_board("cabled").counters()
    assert counters["serves"]
    assert not counters["at_prompt"]


def test_a_folder_may_lie_deep(tmp_path: Path) -> None:
    root = tmp_path / ("long-" * 20) / ("longer-" * 15) / "sim"
    board = service.start(root, "deep", until_pid=os.getpid())
    try:
        assert board.counters()["powered"]
    finally:
        service.stop(root, "deep")


def test_a_chip_that_crashes_is_started_again(virtual_board: service.Board) -> None:
    chip = virtual_board.counters()["pid"]
    os.kill(chip, signal.SIGSEGV)
    wait_for(lambda: virtual_board.counters()["resets"]["crash"] == 1)
    virtual_board.wait_until_up()
    assert virtual_board.counters()["pid"] != chip


def test_boards_are_listed_running_or_not(make_board: MakeBoard) -> None:
    root = make_board("a").folder.path.parent
    make_board("b", "virtual_charger")
    service.stop(root, "b")
    assert [(b.name, b.running) for b in service.list_boards(root)] == [("a", True), ("b", False)]
    assert service.list_boards(root / "nowhere") == []


def test_what_does_not_run_says_so(make_board: MakeBoard) -> None:
    board = make_board()
    service.stop(board.folder.path.parent, board.name)
    with pytest.raises(LinkError, match="does not run"):
        board.stimulate("press_rex")
    with pytest.raises(LinkError, match="does not run"):
        _ = board.serial_port
    service.stop(board.folder.path.parent, board.name)


def test_unknown_boards_and_names_are_refused(tmp_path: Path) -> None:
    for name, board in (
        ("x", "nothing"),
        ("x", "esp32"),
        ("../x", "virtual_door"),
        ("", "virtual_door"),
    ):
        with pytest.raises(OperatorError):
            service.start(tmp_path, name, board)
    with pytest.raises(OperatorError, match="no virtual board"):
        service.find(tmp_path, "x")


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("dance", {}),
        ("press_rex", {"seconds": 1}),
        ("swipe_card", {"credential": "xyz"}),
        ("swipe_card", {"credential": "01", "reader": 7}),
        ("swipe_card", {"credential": "01", "reader": 1, "type": 2}),
        ("plug_in", {}),
        ("draw_watts", {"watts": 1}),
    ],
)
def test_a_stimulus_that_makes_no_sense_is_refused(
    virtual_board: service.Board, verb: str, arguments: dict[str, object]
) -> None:
    with pytest.raises(OperatorError, match="cannot do that"):
        virtual_board.stimulate(verb, **arguments)
    assert virtual_board.running


def test_a_flood_of_ctrl_c_over_a_reset_gives_no_prompt(virtual_board: service.Board) -> None:
    guard = b"try:\n    import micropython\n    micropython.kbd_intr(-1)\n    %b\nfinally:\n    import micropython, machine\n    micropython.kbd_intr(-1)\n    machine.reset()\n"  # noqa: E501
    with Prompt(virtual_board) as prompt:
        prompt.transport.fs_writefile("/main.py", guard % b"import time\n    time.sleep_ms(200)")
        prompt.transport.fs_writefile(
            "/boot.py", b"try:\n    import micropython\n    micropython.kbd_intr(-1)\n"
            b"except BaseException:\n    import machine\n    machine.reset()\n",
        )  # fmt: skip
        done = threading.Event()

        def press() -> None:
            while not done.wait(0.002):
                prompt.transport.serial.write(b"\x03")

        finger = threading.Thread(target=press)
        finger.start()
        try:
            virtual_board.stimulate("reset")
            wait_for(lambda: virtual_board.counters()["resets"]["hard"] >= 5)
        finally:
            done.set()
            finger.join()
    assert not virtual_board.counters()["at_prompt"]
