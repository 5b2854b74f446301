"""The list of a batch: what may stand in it, and which row is wrong (host)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from controller_tool import cli
from controller_tool.errors import LinkError, OperatorError
from controller_tool.services import commission, flash_batch, record
from controller_tool.services.images import Image
from controller_tool.services.provision import Request, Silent

if TYPE_CHECKING:
    from pathlib import Path

BASE = Request("", "", "esp32-devkitc", wifi=("house", "secret"))


def read(tmp_path: Path, text: str, name: str = "batch.csv") -> list[Request]:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return flash_batch.read(path, BASE)


def test_a_table_names_each_controller_and_what_differs(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "\ufeffname,port,board,ssid,wifi_password,tcp\n"
        "door-1,/dev/ttyUSB0,,,,\n"
        "door-2,/dev/ttyUSB1,olimex-esp32-evb,other,word,tcp://10.0.0.7:7443\n",
    )
    assert found == [
        Request("door-1", "/dev/ttyUSB0", "esp32-devkitc", wifi=("house", "secret")),
        Request(
            "door-2", "/dev/ttyUSB1", "olimex-esp32-evb", tcp="tcp://10.0.0.7:7443",
            wifi=("other", "word"),
        ),
    ]  # fmt: skip


def test_a_table_without_its_first_line_tells_no_password(tmp_path: Path) -> None:
    with pytest.raises(OperatorError) as refused:
        read(tmp_path, "a,COM1,,house,s3cret-word\nb,COM2,,house,s3cret-word\n")
    assert "s3cret" not in refused.value.what + refused.value.next_step


def test_a_toml_file_says_the_same(tmp_path: Path) -> None:
    text = '[[board]]\nname = "door-1"\nport = "COM3"\n\n[[board]]\nname = "2"\nport = "COM4"\n'
    assert [(r.name, r.port) for r in read(tmp_path, text, "b.toml")] == [
        ("door-1", "COM3"),
        ("2", "COM4"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has 0 controllers"),
        ("name,port\n", "has 0 controllers"),
        ("name,port\na,COM1\na,COM2\n", "name a stands there twice"),
        ("name,port\na,COM1\nb,COM1\n", "port COM1 stands there twice"),
        ("name,port\na,\n", "Row 1 lacks port"),
        ("name,port\n,COM1\n", "Row 1 lacks name"),
        ("name,port\na,COM1\nb,COM2,more\n", "Row 2 knows no column"),
        ("name,port,colour\na,COM1,red\n", "Row 1 knows no column colour"),
        ("name,port,tcp\na,COM1,sim://a\n", "Row 1 has no network address: sim://a"),
        ("name,port,tcp\na,COM1,10.0.0.7\n", "Row 1 has no network address: 10.0.0.7"),
        ("a,COM1,,word\nb,COM2,,word\n", "Row 1 lacks name, port"),
        ("name,port\n" + "".join(f"d{n},COM{n}\n" for n in range(201)), "has 201 controllers"),
    ],
)
def test_a_row_that_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(OperatorError, match=said) as caught:
        read(tmp_path, text)
    assert caught.value.next_step


@pytest.mark.parametrize("text", ["board = 3", "[board]\nname = 1", "[[board", "\udcff"])
def test_what_is_no_list_is_said_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "b.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(OperatorError, match="Cannot read"):
        flash_batch.read(path, BASE)
    with pytest.raises(OperatorError, match="Cannot read"):
        flash_batch.read(tmp_path / "none.csv", BASE)


@pytest.mark.parametrize(
    "more",
    [["door-1"], ["--port", "COM1"], ["--again"], ["--taps", "1"], ["--dry-run"],
     ["--record", "x.html"]],
)  # fmt: skip
def test_a_batch_takes_nothing_that_is_one_controller_s(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    file = tmp_path / "b.csv"
    file.write_text("name,port\na,COM1\n", "utf-8")
    assert cli.run(["device", "flash", "--batch", str(file), *more]) == 2
    assert "--batch goes without" in capsys.readouterr().err


@pytest.mark.parametrize("asked", [[], ["door-1"], ["door-1", "--port", "COM1"]])
def test_one_controller_has_a_name_a_port_and_a_board(
    capsys: pytest.CaptureFixture[str], asked: list[str]
) -> None:
    assert cli.run(["device", "flash", *asked]) == 2
    assert "--batch FILE" in capsys.readouterr().err


def test_one_that_fails_stops_no_other(site, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"a": LinkError("gone", "come back"), "b": ZeroDivisionError()}

    def commission_(_site: object, request: Request, *_: object) -> object:
        if request.name in said:
            raise said[request.name]
        return SimpleNamespace(ok=request.name == "d")

    monkeypatch.setattr(commission, "commission", commission_)
    monkeypatch.setattr(record, "write", lambda *_, **__: SimpleNamespace(path=None))
    requests = [Request(name, f"COM{name}", "virtual-door") for name in "abcd"]
    found = flash_batch.run(site, requests, lambda _: Image(b"", ""), lambda _: Silent(), 115200)
    assert [(one.device, one.state) for one in found] == [
        ("a", "failed"), ("b", "failed"), ("c", "failed"), ("d", "done"),
    ]  # fmt: skip
    assert [one.what for one in found[:2]] == [
        "gone", "The tool met a fault of its own (ZeroDivisionError)",
    ]  # fmt: skip


def test_a_missing_image_is_told_before_any_board_is_touched(site, monkeypatch) -> None:
    monkeypatch.setattr(commission, "commission", lambda *_: pytest.fail("a board was touched"))

    def missing(_: object) -> Image:
        raise OperatorError("no image", "fetch it")

    with pytest.raises(OperatorError, match="no image"):
        flash_batch.run(
            site, [Request("a", "COM1", "virtual-door")], missing, lambda _: Silent(), 115200
        )
