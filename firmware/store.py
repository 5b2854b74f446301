"""Small numbers in NVS: copies of floors and budgets; nothing stands here alone (device).

The stock start-up erases all of NVS when it has no free pages, so every floor also stands in the
journal's key cells or in a signed object, and boot takes the highest.
"""

FLOOR_FIRMWARE = "floor_firmware"  # the highest version of a firmware that was confirmed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Nvs:
    """Named 31-bit numbers; one that was never put is 0."""

    def __init__(self, nvs: "Any") -> None:
        self._nvs = nvs

    def get(self, name: str) -> int:
        try:
            value: int = self._nvs.get_i32(name)
        except OSError:  # never put, or NVS was erased
            return 0
        return value

    def put(self, name: str, value: int) -> None:
        """Written when it changes only; OSError when the flash refuses."""
        if self.get(name) != value:
            self._nvs.set_i32(name, value)
            self._nvs.commit()
