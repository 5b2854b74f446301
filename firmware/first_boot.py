"""What a controller does once: makes K_audit and seals it to the auditor (device).

Loaded only while a ring's key cell still holds the seed of provisioning; the controller starts
again afterwards. Order, which power may
cut anywhere: the sealed key goes into its file, then the key into the cell, then the seed is
zeroed. A cut before the cell is written starts over with another key and another file.
"""

import os

from firmware import journal
from protocol import chain, keyslot, oaep
from protocol.codes import KEY_AUDIT
from protocol.constants import CHAIN_KEY_BYTES, RING_ACCESS, RING_ALARM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.cells import Cells
    from firmware.config import Config
    from protocol.trust import Trust

SEALED_PATH = "/cfg/audit{}.oaep"
_PART_PATH = "/cfg/audit.part"


def begin(config: "Config", keys: "Any", trust: "Trust") -> None:
    """Begin the chain of every ring that still has its seed."""
    modulus = trust.moduli(KEY_AUDIT)[0]
    for ring in (RING_ACCESS, RING_ALARM):
        cells = journal.ring_cells(keys, ring)
        if cells.slot is not None and cells.slot.state == keyslot.STATE_SEED:
            _begin_chain(cells, cells.slot.k_tool, ring, config, modulus)


def _begin_chain(
    cells: "Cells", k_tool: bytes, ring: int, config: "Config", audit_modulus: bytes
) -> None:
    k_audit = os.urandom(CHAIN_KEY_BYTES)
    sealed = oaep.seal(audit_modulus, k_audit, os.urandom)
    with open(_PART_PATH, "wb") as file:
        file.write(sealed)
    os.rename(_PART_PATH, SEALED_PATH.format(ring))
    c = chain.start(config.site, config.device, ring)
    cells.advance(0, 0, 0, 0, (0, 0, config.epoch), c, k_tool, k_audit)
