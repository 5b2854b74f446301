"""Attack: NVS refuses one write while a list comes into force (MicroPython)."""

from tests.firmware.list_rig import Rig, records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def refusing_once(rig: Rig, wanted: str) -> "Callable[[str, int], None]":
    whole = rig.nvs.put
    left = [1]

    def put(name: str, value: int) -> None:
        if name == wanted and rig.nvs.get(name) != value and left[0]:
            left[0] = 0
            raise OSError(5)
        whole(name, value)

    return put


def test_a_list_in_force_is_a_change_whatever_nvs_says() -> None:
    for name in ("floor_version", "floor_epoch"):
        rig = Rig()
        rig.full(1, records(50))
        if name == "floor_epoch":
            rig.numbers.pop(name)  # NVS was lost
        before = rig.intake.changes
        rig.nvs.put = refusing_once(rig, name)
        try:
            rig.full(2, records(49))
        except OSError:
            assert rig.whitelist.version == 2, "in force, though nobody was told so"
        assert rig.whitelist.version == 1 or rig.intake.changes > before, name
