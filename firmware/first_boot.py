"""What a controller does once: makes K_audit and seals it to the auditor (device).

Loaded only while a ring's key cell still holds the seed of provisioning. Order, which power may
cut anywhere: the sealed key goes into its file, then the key into the cell, then the seed is
zeroed. A cut before the cell is written starts over with another key and another file.
"""

import os

from protocol import chain, oaep
from protocol.constants import CHAIN_KEY_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.cells import Cells

SEALED_PATH = "/cfg/audit{}.oaep"
_PART_PATH = "/cfg/audit.part"


def begin_chain(
    cells: "Cells", ring: int, site: bytes, device: bytes, epoch: int, audit_modulus: bytes
) -> None:
    """Turn the seed in `cells` into the first valid slot of the ring."""
    seed = cells.slot
    if seed is None:
        raise OSError("no seed")
    k_audit = os.urandom(CHAIN_KEY_BYTES)
    sealed = oaep.seal(audit_modulus, k_audit, os.urandom)
    with open(_PART_PATH, "wb") as file:
        file.write(sealed)
    os.rename(_PART_PATH, SEALED_PATH.format(ring))
    c = chain.start(site, device, ring)
    cells.advance(0, 0, 0, 0, (0, 0, epoch), c, seed.k_tool, k_audit)
