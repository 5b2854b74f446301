"""The virtual board's NOR flash, partitions and NVS behave as silicon does (host)."""

import pytest
from mpremote.transport import TransportExecError

from tests.board.prompt import Prompt, wait_for

OPEN = (
    "import esp32\n"
    "p = esp32.Partition.find(esp32.Partition.TYPE_DATA, label='alarm')[0]\n"
    "def look(at, n):\n"
    "    b = bytearray(n)\n"
    "    p.readblocks(at // 4096, b, at % 4096)\n"
    "    return bytes(b)\n"
)
ALARM_OFFSET = 0x307000


def test_a_blank_chip_reads_ones(prompt: Prompt) -> None:
    prompt.run(OPEN)
    assert prompt.value("look(0, 8)") == b"\xff" * 8
    assert prompt.value("p.info()") == (1, 0x41, ALARM_OFFSET, 0x10000, "alarm", False)


def test_programming_only_clears_bits_and_erasing_sets_them(prompt: Prompt) -> None:
    prompt.run(OPEN + "p.writeblocks(0, b'\\xf0', 4)\np.writeblocks(0, b'\\x33', 4)\n")
    assert prompt.value("look(4, 1)") == b"\x30"
    prompt.run("p.ioctl(6, 0)")
    assert prompt.value("look(4, 1)") == b"\xff"


def test_erasing_keeps_to_its_sector(prompt: Prompt) -> None:
    prompt.run(OPEN + "p.writeblocks(0, b'a', 4095)\np.writeblocks(1, b'b', 0)\np.ioctl(6, 0)")
    assert prompt.value("look(4095, 2)") == b"\xffb"


def test_a_whole_block_is_erased_first(prompt: Prompt) -> None:
    prompt.run(OPEN + "p.writeblocks(2, bytes(4096))\np.writeblocks(2, b'z' * 4096)")
    assert prompt.value("look(8192, 2)") == b"zz"


def test_outside_a_partition_is_refused(prompt: Prompt) -> None:
    prompt.run(OPEN)
    with pytest.raises(TransportExecError, match="OSError"):
        prompt.run("p.writeblocks(16, b'x', 0)")
    with pytest.raises(TransportExecError, match="OSError"):
        prompt.run("esp32.Partition('nothing')")


def test_every_operation_is_counted_with_its_model_time(prompt: Prompt) -> None:
    prompt.run(OPEN)
    before = prompt.board.counters()["flash"]
    prompt.run("p.writeblocks(0, bytes(100), 0)\np.ioctl(6, 1)\nlook(0, 40)")
    after = prompt.board.counters()["flash"]
    grown = {name: after[name] - before[name] for name in after}
    assert grown["programs"] == grown["erases"] == grown["reads"] == 1
    assert (grown["bytes_programmed"], grown["bytes_read"], grown["operations"]) == (100, 40, 2)
    assert grown["model_us"] == (60 + 100) + 45000 + (20 + 2)


def test_power_goes_before_the_nth_operation(prompt: Prompt) -> None:
    prompt.run(OPEN)
    prompt.board.stimulate("cut_at", operation=2)
    prompt.lose("p.writeblocks(0, b'one', 0)\np.writeblocks(0, b'two', 8)\n")
    wait_for(lambda: not prompt.board.counters()["powered"])
    prompt.board.stimulate("restore_power")
    prompt.after_reset()
    prompt.run(OPEN)
    assert prompt.value("look(0, 11)") == b"one" + b"\xff" * 8


def test_a_torn_program_leaves_a_prefix_and_one_doubtful_byte(prompt: Prompt) -> None:
    prompt.run(OPEN)
    prompt.board.stimulate("cut_at", operation=1, torn=True)
    prompt.lose("p.writeblocks(0, bytes(9), 0)")
    wait_for(lambda: not prompt.board.counters()["powered"])
    prompt.board.stimulate("restore_power")
    prompt.after_reset()
    prompt.run(OPEN)
    assert prompt.value("look(0, 9)") == bytes(4) + b"\xf0" + b"\xff" * 4


def test_a_torn_erase_leaves_half_a_sector(prompt: Prompt) -> None:
    prompt.run(OPEN + "p.writeblocks(0, bytes(4096))")
    prompt.board.stimulate("cut_at", operation=1, torn=True)
    prompt.lose("p.ioctl(6, 0)")
    wait_for(lambda: not prompt.board.counters()["powered"])
    prompt.board.stimulate("restore_power")
    prompt.after_reset()
    prompt.run(OPEN)
    assert prompt.value("look(2046, 5)") == b"\xff\xff\x0f\0\0"


def test_a_read_only_chip_refuses_changes(prompt: Prompt) -> None:
    prompt.run(OPEN)
    prompt.board.stimulate("read_only", on=True)
    with pytest.raises(TransportExecError, match="OSError"):
        prompt.run("p.writeblocks(0, b'x', 0)")
    prompt.board.stimulate("read_only", on=False)
    prompt.run("p.writeblocks(0, b'x', 0)")


def test_a_bit_can_rot(prompt: Prompt) -> None:
    prompt.run(OPEN + "p.writeblocks(0, b'\\x00', 0)")
    prompt.board.stimulate("rot", offset=ALARM_OFFSET, bit=3)
    assert prompt.value("look(0, 1)") == b"\x08"


def test_files_survive_a_power_cut(prompt: Prompt) -> None:
    prompt.transport.fs_writefile("/kept", b"here")
    prompt.board.stimulate("cut_power")
    prompt.board.stimulate("restore_power")
    prompt.after_reset()
    assert prompt.transport.fs_readfile("/kept") == b"here"


def test_nvs_keeps_what_was_committed_over_a_power_cut(prompt: Prompt) -> None:
    prompt.run(
        "import esp32\nn = esp32.NVS('site')\nn.set_i32('floor', -7)\nn.set_blob('b', b'xyz')\n"
        "n.commit()\nn.set_i32('lost', 1)"
    )
    prompt.board.stimulate("cut_power")
    prompt.board.stimulate("restore_power")
    prompt.after_reset()
    prompt.run("import esp32\nn = esp32.NVS('site')\nbuf = bytearray(8)")
    assert prompt.value("(n.get_i32('floor'), n.get_blob('b', buf), bytes(buf[:3]))") == (
        -7, 3, b"xyz",
    )  # fmt: skip
    with pytest.raises(TransportExecError, match="OSError"):
        prompt.run("n.get_i32('lost')")


def test_nvs_outlives_more_changes_than_it_has_room_for(prompt: Prompt) -> None:
    prompt.run(
        "import esp32\nn = esp32.NVS('site')\nn.set_i32('still', 5)\nn.commit()\n"
        "for i in range(700):\n    n.set_i32('count', i)\n    n.commit()"
    )
    assert prompt.value("(n.get_i32('count'), n.get_i32('still'))") == (699, 5)
