"""A board of one's own with 8 MB serves with the table that `board new` proposes (host)."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from controller_tool import board_rules, resources
from controller_tool.board_rules import flash
from controller_tool.services import cards, commission, provision, push
from controller_tool.services.images import Image
from controller_tool.services.virtual_house import VirtualHouse
from controller_tool.sim import swipe
from tests.e2e.conftest import PASSPHRASE
from tests.made_up_images import image

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NAME = "large-door"
FLASH_BYTES = 8 << 20


def make(folder: Path) -> None:
    """The virtual door with a larger chip."""
    mine = folder / NAME.replace("-", "_")
    mine.mkdir()
    code = (resources.board_dir("virtual_door") / "board.py").read_text("utf-8")
    code = code.replace('"virtual-door"', f'"{NAME}"').replace('"cards": 20000', '"cards": 50000')
    (mine / "board.py").write_text(code, "utf-8")
    rows = flash.proposed("door", FLASH_BYTES)
    table = re.sub("'([a-z_]+)':", r"\1 =", ", ".join(map(str, rows)))
    (mine / "board.toml").write_text(
        f'like = "virtual_door"\nmachine = "{NAME} with ESP32"\nflash_bytes = {FLASH_BYTES}\n'
        f"partitions = [\n{table}\n]\n[capabilities]\ncards = 50000\n",
        "utf-8",
    )


def test_a_door_with_8_mb_is_flashed_and_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path)
    monkeypatch.setenv(resources.OWN_BOARDS, str(tmp_path))
    described = resources.describe_board(NAME.replace("-", "_"))
    assert board_rules.all_problems(NAME.replace("-", "_"), described) == []
    with VirtualHouse.found(
        tmp_path / "site", "large", PASSPHRASE, {"door-1": NAME}, until_pid=os.getpid()
    ) as house:
        request = provision.Request("door-1", "sim://door-1", NAME)
        small = Image(image(size=0x20000), "of the small one")
        record = commission.commission(house.site, request, small, provision.Silent())
        assert record.ok, record
        assert record.flashed is not None
        assert record.flashed.flash_bytes == FLASH_BYTES
        assert record.provisioned.info["capacity"] == 50000
        house.issue(["0013345678"])
        assert push.push(house.site)[0].ok
        with house.site.registry.session() as session:
            card = cards.parse(session, "0013345678")
        assert swipe.swipe(house.boards["door-1"], card).relay == "lock"
