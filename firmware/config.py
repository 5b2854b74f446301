"""The controller's identity and settings, as provisioning left them in /cfg (device)."""

from protocol import cbor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    PerDoor = int | list[int]

_SETTING_LOCK_TYPE = 1
_SETTING_UNLOCK_DS = 2
_SETTING_HELD_OPEN_S = 3
_SETTING_RELOCK = 4
_SETTING_CEILING_MIN = 5
_SETTING_HELD_WARNING_S = 6
_SETTING_REX_KIND = 7
_SETTING_INTERLOCK = 8
_SETTING_PASSBACK = 9
_SETTING_PASSBACK_MIN = 10
_SETTING_ATTEMPTS = 11
_SETTING_LOCKOUT_S = 12
_SETTING_ESCORT_S = 13
_SETTING_PIN_S = 14
_SETTING_MODE = 15
_SETTING_MODE_SCHEDULE = 16
_SETTING_FIRST_CARD = 17
_SETTING_WIFI_NAME = 40
_SETTING_WIFI_PASSWORD = 41


def read_file(path: str) -> bytes:
    """The whole file; OSError when it is not there."""
    with open(path, "rb") as file:
        return file.read()


def own(setting: "PerDoor", number: int) -> int:
    """A door's own of a setting; a list that is too short goes on with its last."""
    if isinstance(setting, int):
        return setting
    return setting[min(number, len(setting) - 1)]


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
        get = settings.get
        self.fail_safe = get(_SETTING_LOCK_TYPE, 0) == 1
        self.ceiling_min: int = get(_SETTING_CEILING_MIN, 480)
        # of each door: one number for all, or a list with one for each
        self.unlock_ds: "PerDoor" = get(_SETTING_UNLOCK_DS, 50)
        self.held_open_s: "PerDoor" = get(_SETTING_HELD_OPEN_S, 30)
        self.relock: "PerDoor" = get(_SETTING_RELOCK, 0)  # RELOCK_…
        self.held_warning_s: "PerDoor" = get(_SETTING_HELD_WARNING_S, 15)  # 0: none
        self.rex_kind: "PerDoor" = get(_SETTING_REX_KIND, 0)  # 0 button, 1 sensor
        self.mode: "PerDoor" = get(_SETTING_MODE, 0)  # MODE_…
        # mode << 8 | number of a schedule of the list; 0: none
        self.mode_schedule: "PerDoor" = get(_SETTING_MODE_SCHEDULE, 0)
        self.first_card: "PerDoor" = get(_SETTING_FIRST_CARD, 0)  # FIRST_CARD_…
        # of the controller
        self.interlock: int = get(_SETTING_INTERLOCK, 0)
        self.passback: int = get(_SETTING_PASSBACK, 0)  # 0 off, 1 soft, 2 hard
        self.passback_min: int = get(_SETTING_PASSBACK_MIN, 0)  # 0: never forgiven
        self.attempts: int = get(_SETTING_ATTEMPTS, 5)  # 0: not counted
        self.lockout_s: int = get(_SETTING_LOCKOUT_S, 60)
        self.escort_s: int = get(_SETTING_ESCORT_S, 15)
        self.pin_s: int = get(_SETTING_PIN_S, 10)
