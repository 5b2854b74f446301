"""Wipe receipts: what a controller states that was retired, docs/protocol.md section 4 (both)."""

from protocol.constants import ID_BYTES, NONCE_BYTES
from protocol.receipt import seal, unseal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocol.cose import Buffer

_LABEL = b"wipe"
_SIZES = (ID_BYTES, ID_BYTES, 0, 0, 0, NONCE_BYTES)

WIPED_KEYS = 1
WIPED_LISTS = 2
WIPED_JOURNAL = 4
WIPED_ALARM = 8
WIPED_NVS = 16
WIPED_ENERGY = 32  # of boards that have it
WIPED_FILES = 64
# without these a controller might still open for somebody, or tell a secret
WIPED_NEEDED = WIPED_KEYS | WIPED_LISTS | WIPED_JOURNAL | WIPED_ALARM | WIPED_NVS | WIPED_FILES


class WipeReceipt:
    """The body; alarm_seq: next number of the alarm ring when it began; erased: WIPED_ bits."""

    def __init__(
        self, site: bytes, device: bytes, epoch: int, alarm_seq: int, erased: int, nonce: bytes
    ) -> None:
        self.site = site
        self.device = device
        self.epoch = epoch
        self.alarm_seq = alarm_seq
        self.erased = erased
        self.nonce = nonce


def make(
    key: bytes, site: bytes, device: bytes, epoch: int, alarm_seq: int, erased: int, nonce: bytes
) -> bytes:
    """Under the controller's receipt key, for the nonce of the ticket that retired it."""
    return seal(key, _LABEL, (site, device, epoch, alarm_seq, erased, nonce))


def read(key: bytes, data: "Buffer") -> WipeReceipt:
    """The receipt, its MAC proven. Raises Refused(ERR_MALFORMED or ERR_SIGNATURE)."""
    return WipeReceipt(*unseal(key, _LABEL, data, _SIZES))
