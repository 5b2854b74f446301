"""The `network` module of a virtual board: a station whose Wi-Fi is a loopback address."""

import page as layout

_IDLE = 1000
_CONNECTING = 1001
_GOT_IP = 1010
_WRONG_PASSWORD = 202
_NO_AP_FOUND = 201
_NETMASK = "255.0.0.0"


def build(page, pump, unique: bytes, address: str) -> dict:
    """The module's names; the host says through the page whether there is a network."""
    memory = page.bytes
    state = {"active": False, "joined": False, "ssid": "", "lost": memory[layout.WIFI_GENERATION]}
    settings = {"mac": unique, "pm": 1, "reconnects": -1, "hostname": "mpy-esp32"}

    class WLAN:
        """The station interface. An access point cannot be opened: ours never is."""

        IF_STA = 0
        IF_AP = 1
        SEC_OPEN = 0
        SEC_WPA2 = 3
        PM_NONE = 0
        PM_PERFORMANCE = 1
        PM_POWERSAVE = 2

        def __init__(self, interface: int = 0) -> None:
            if interface != self.IF_STA:
                raise OSError("Wifi Invalid Argument")

        def active(self, is_active: object = None):
            if is_active is None:
                return state["active"]
            state["active"] = bool(is_active)
            if not is_active:
                state["joined"] = False
            return state["active"]

        def connect(self, ssid: object = None, key: object = None, **more) -> None:
            if not state["active"]:
                raise OSError("Wifi Not Started")
            if ssid is not None:
                state["ssid"] = ssid
            state["joined"] = True
            state["lost"] = memory[layout.WIFI_GENERATION]

        def disconnect(self) -> None:
            state["joined"] = False

        def isconnected(self) -> bool:
            pump.run()
            return self.status() == _GOT_IP

        def status(self, what: object = None) -> int:
            if what == "rssi":
                return -55
            if not (state["active"] and state["joined"]):
                return _IDLE
            if not memory[layout.WIFI_UP]:
                return _NO_AP_FOUND
            return _GOT_IP

        def ifconfig(self, addresses: object = None):
            if addresses is not None:
                return None
            if not self.isconnected():
                return ("0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0")
            return (address, _NETMASK, address, address)

        def ipconfig(self, what: object = None, **more):
            if what == "addr4":
                return self.ifconfig()[:2]
            if what == "has_dhcp4":
                return self.isconnected()
            return None

        def config(self, what: object = None, **more):
            if what is None:
                settings.update(more)
                return None
            if what in ("ssid", "essid"):
                return state["ssid"]
            return settings[what]

        def scan(self) -> list:
            return []

    class LAN:
        """A cable that nobody plugged in."""

        def __init__(self, *where, **more) -> None:
            self._active = False

        def active(self, is_active: object = None):
            if is_active is not None:
                self._active = bool(is_active)
            return self._active

        def isconnected(self) -> bool:
            return False

    def hostname(name: object = None):
        if name is not None:
            settings["hostname"] = name
        return settings["hostname"]

    return {
        "WLAN": WLAN,
        "LAN": LAN,
        "PHY_LAN8720": 5,
        "STA_IF": 0,
        "AP_IF": 1,
        "STAT_IDLE": _IDLE,
        "STAT_CONNECTING": _CONNECTING,
        "STAT_GOT_IP": _GOT_IP,
        "STAT_WRONG_PASSWORD": _WRONG_PASSWORD,
        "STAT_NO_AP_FOUND": _NO_AP_FOUND,
        "hostname": hostname,
        "country": lambda code=None: "XX",
    }
