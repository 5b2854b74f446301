"""A chip's pins as boards/<chip>/chip.toml has them (host)."""

from __future__ import annotations

from dataclasses import dataclass

from controller_tool import resources

ANY = "any"


@dataclass(frozen=True)
class Chip:
    """name: as its maker writes it; pins: all that there are; taken: pin -> who needs it;
    strapping: pin -> the level that a start needs; rmii: pins that Ethernet has on this chip, none
    where it has no Ethernet."""

    name: str
    pins: frozenset[int]
    input_only: frozenset[int]
    moves_at_boot: frozenset[int]
    adc1: frozenset[int]
    counters: int
    taken: dict[int, str]
    strapping: dict[int, str]
    rmii: frozenset[int]

    @classmethod
    def of(cls, chip: str) -> Chip:
        """The chip of that folder. Raises ImageError."""
        told = resources.describe_chip(chip)
        taken = {pin: who for who, pins in told["taken"].items() for pin in pins}
        strapping = {int(pin): level for pin, level in told["strapping"].items()}
        return cls(
            told["name"], frozenset(told["pins"]), frozenset(told["input_only"]),
            frozenset(told["moves_at_boot"]), frozenset(told["adc1"]), told["counters"], taken,
            strapping, frozenset(told["rmii"]),
        )  # fmt: skip
