"""The virtual board offers no module and no name that a stock ESP32 lacks (host)."""

import pytest
from mpremote.transport import TransportExecError

from tests import esp32_reference
from tests.board.prompt import Prompt

# what every object has, whatever it stands for
COMMON = {
    "__class__", "__dict__", "__file__", "__init__", "__module__", "__name__", "__path__",
    "__qualname__", "__bases__", "__del__", "__getattr__", "__version__",
}  # fmt: skip
CLASSES = {
    "Pin": "machine.Pin", "UART": "machine.UART", "Part": "esp32.Partition", "NVS": "esp32.NVS",
}  # fmt: skip
# of the Unix port: none of it may be reached
FOREIGN = ["ffi", "termios", "jni", "uffi", "utermios", "hostlink", "page", "nor", "start", "guard"]


def names(prompt: Prompt, subject: str) -> set[str]:
    """What `dir` shows, without what every object has and what is private to it."""
    return set(prompt.value(f"dir({subject})")) - COMMON


@pytest.mark.parametrize("module", sorted(esp32_reference.names()))
def test_a_module_offers_no_more_than_an_esp32s(prompt: Prompt, module: str) -> None:
    prompt.run(f"import {module}")
    extra = names(prompt, module) - esp32_reference.names()[module]
    assert not extra


@pytest.mark.parametrize("label", sorted(CLASSES))
def test_a_class_offers_no_more_than_an_esp32s(prompt: Prompt, label: str) -> None:
    prompt.run("import machine, esp32")
    public = {name for name in names(prompt, CLASSES[label]) if not name.startswith("_")}
    # a stream's own protocol, which C code has out of sight
    assert not public - esp32_reference.class_names(label) - {"ioctl", "readblocks"}


def test_nothing_of_the_computer_underneath_can_be_imported(prompt: Prompt) -> None:
    for module in FOREIGN:
        with pytest.raises(TransportExecError, match="ImportError"):
            prompt.run(f"import {module}")


def test_second_names_of_modules_lead_to_the_shims(prompt: Prompt) -> None:
    assert prompt.value("__import__('usys').platform") == "esp32"
    assert prompt.value("hasattr(__import__('uos'), 'system')") is False
    assert prompt.value("__import__('umachine') is __import__('machine')") is True


def test_no_module_is_loaded_that_an_esp32_has_not(prompt: Prompt) -> None:
    loaded = set(prompt.value("list(__import__('sys').modules)"))
    assert loaded <= esp32_reference.modules()


def test_imports_of_the_firmware_still_work(prompt: Prompt) -> None:
    prompt.run("import os\nos.mkdir('/pk')")
    prompt.transport.fs_writefile("/pk/__init__.py", b"")
    prompt.transport.fs_writefile("/pk/a.py", b"from . import b\nfrom .b import x\n")
    prompt.transport.fs_writefile("/pk/b.py", b"x = 5\n")
    prompt.run("import pk.a\nfrom pk import b as c")
    assert prompt.value("(pk.a.x, c.x)") == (5, 5)
    with pytest.raises(TransportExecError, match="ImportError"):
        prompt.run("import nothing_of_that_name")


def test_asyncio_works_with_its_late_imports(prompt: Prompt) -> None:
    prompt.run(
        "import asyncio\n"
        "async def one():\n    await asyncio.sleep_ms(5)\n    return 1\n"
        "async def both():\n    return await asyncio.gather(one(), one())\n"
        "lock, flag, event = asyncio.Lock(), asyncio.ThreadSafeFlag(), asyncio.Event()\n"
        "got = asyncio.run(both())"
    )
    assert prompt.value("got") == [1, 1]


def test_the_file_system_is_the_flash(prompt: Prompt) -> None:
    assert prompt.value("__import__('os').listdir('/')") == ["boot.py"]
    assert prompt.value("__import__('sys').path") == ["", ".frozen", "/lib"]
    assert prompt.value("__import__('os').statvfs('/')[:3]") == (4096, 4096, 131)


def test_it_says_that_it_is_an_esp32(prompt: Prompt) -> None:
    assert prompt.value("__import__('os').uname()[0]") == "esp32"
    assert prompt.value("__import__('sys').implementation[1][:2]") == (1, 26)


def test_it_says_which_board_it_is(prompt: Prompt) -> None:
    """As an image that was built for one board does."""
    assert prompt.value("__import__('os').uname()[4]") == "virtual-door with ESP32"
