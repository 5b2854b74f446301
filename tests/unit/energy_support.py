"""A charger's energy ring as its pages come over the wire, in the device's own format (host)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from protocol import energy_slot
from protocol.constants import ENERGY_PAGE_SLOTS, ENERGY_SLOT_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

BEGIN_S = 200_000_000  # 2026-05-04 03:33:20 of the site
KEY = b"cardkey8"


@dataclass
class Ring:
    """Slots that were written; the oldest may be gone."""

    slots: list[bytes] = field(default_factory=list)
    time_s: int = BEGIN_S
    session: Any = None
    received_bytes: int = 0

    def minute(
        self,
        ports: Mapping[int, tuple[int, int, int]],
        *,
        ended: int | None = None,
        resumed: int | None = None,
        knows_time: bool = True,
        passed_s: int = 60,
    ) -> bytes:
        """One slot. ports: number: (mWh, seconds, watts).

        ended, resumed: the port whose session ends, or goes on.
        """
        self.time_s += passed_s
        slot = bytearray(ENERGY_SLOT_BYTES)
        for port, (energy_mwh, seconds, power_w) in ports.items():
            flags = energy_slot.ENERGY_ENDED if port == ended else energy_slot.ENERGY_LIVE
            flags |= energy_slot.ENERGY_RESUMED if port == resumed else 0
            energy_slot.put_entry(slot, port, KEY, energy_mwh, seconds, power_w, flags)
        return self._seal(slot, knows_time, energy_slot.KIND_MINUTE)

    def ledger(self) -> bytes:
        """An empty one."""
        return self._seal(bytearray(ENERGY_SLOT_BYTES), True, energy_slot.KIND_LEDGER)

    def _seal(self, slot: bytearray, knows_time: bool, kind: int) -> bytes:
        number = int.from_bytes(self.slots[-1][:4], "big") + 1 if self.slots else 1
        energy_slot.seal(slot, number, self.time_s if knows_time else 0, 2315, 3, kind)
        self.slots.append(bytes(slot))
        return self.slots[-1]

    def charge(self, port: int, minutes: int, power_w: int) -> None:
        """A whole session at one port, alone."""
        for count in range(1, minutes + 1):
            self.minute({port: (power_w * 1000 * count // 60, 60 * count, power_w)})
        self.minute({port: (power_w * 1000 * minutes // 60, 60 * minutes, 0)}, ended=port,
                    passed_s=1)  # fmt: skip

    # --- as controller_tool.client.Client -------------------------------------------------------

    def energy_slots(self, seq: int, count: int = ENERGY_PAGE_SLOTS) -> list[bytes]:
        return [slot for slot in self.slots if int.from_bytes(slot[:4], "big") >= seq][:count]
