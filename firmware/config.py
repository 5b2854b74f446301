"""The controller's identity and settings, as provisioning left them in /cfg (device)."""

from protocol import cbor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SETTING_LOCK_TYPE = 1
_SETTING_UNLOCK_DS = 2
_SETTING_HELD_OPEN_S = 3
_SETTING_RELOCK_ON_OPEN = 4
_SETTING_CEILING_MIN = 5
_SETTING_WIFI_NAME = 40
_SETTING_WIFI_PASSWORD = 41


def read_file(path: str) -> bytes:
    """The whole file; OSError when it is not there."""
    with open(path, "rb") as file:
        return file.read()


class Config:
    """/cfg/config.cbor: identity, secrets and settings. Cbor errors mean a damaged board."""

    def __init__(self, data: bytes) -> None:
        fields = cbor.decode(data)
        self.site: bytes = fields[1]
        self.device: bytes = fields[2]
        self.name: str = fields[3]
        self.link_root: bytes = fields[4]
        self.card_key: bytes = fields[5]
        self.receipt_key: bytes = fields[6]
        self._provisioned = fields[7], fields.get(9, {})
        self.epoch: int = fields[8]
        self.take({})

    def take(self, signed: "dict[int, Any]") -> None:
        """Settings that were signed for it go before those that provisioning left."""
        self.wifi: "list[str] | None" = self._provisioned[0]
        self.settings = settings = dict(self._provisioned[1])
        settings.update(signed)
        if _SETTING_WIFI_NAME in settings:
            self.wifi = [settings[_SETTING_WIFI_NAME], settings[_SETTING_WIFI_PASSWORD]]
        self.fail_safe = settings.get(_SETTING_LOCK_TYPE, 0) == 1
        self.unlock_ds: int = settings.get(_SETTING_UNLOCK_DS, 50)
        self.held_open_s: int = settings.get(_SETTING_HELD_OPEN_S, 30)
        self.relock_on_open = settings.get(_SETTING_RELOCK_ON_OPEN, 0) == 1
        self.ceiling_min: int = settings.get(_SETTING_CEILING_MIN, 480)
