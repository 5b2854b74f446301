"""Who may begin a handshake now: one session at a time, pauses per peer (device).

Rules, in the order in which they are applied; every answer is a number of seconds to wait:

- a peer whose last handshakes failed waits 2, 4, 8 … seconds after the end of the last, at most
  a minute
- a peer begins at most HANDSHAKES_PER_MINUTE a minute
- peers other than desk and installer begin at least PAUSE_S after anybody's last handshake
- a session is open: a new one on the cable displaces it (the cable has one at a time), so does
  the peer that holds it; a desk displaces who is not on the cable: an auditor, and whoever is
  still in the handshake, another desk only if it has failed before; the newcomer comes back a
  second later and finds the guest gone; everybody else waits

Refused attempts are counted here, for the journal; they cost no handshake.
"""

from protocol.codes import EVENT_REFUSED_ATTEMPTS, ROLE_AUDITOR, ROLE_DESK, ROLE_INSTALLER
from protocol.constants import HANDSHAKES_PER_MINUTE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.clock import Clock
    from firmware.journal import Journal

PAUSE_S = 10
STUCK_S = 120  # longer than putting the longest list into force takes
_PEERS_MAX = 8
_MINUTE_S = 60
_BUSY_S = 3


class Peer:
    """What is remembered of one peer id, and, while it is the guest, of its visit.

    began_s: its handshakes of the last minute; failures: how many failed since one succeeded, the
    last at left_s; is_in: it is the guest and past the handshake; displaced: and has to go;
    moved_s: when its session last got on.
    """

    def __init__(self, peer_id: bytes) -> None:
        self.peer_id = peer_id
        self.began_s: "list[int]" = []
        self.failures = 0
        self.left_s = self.moved_s = 0
        self.role = 0
        self.by_cable = False
        self.is_in = False
        self.displaced = False


class Admission:
    """`guest` holds the one place, from its handshake to the end of its session.

    refused: attempts since they were last journalled; total: since the start.
    """

    def __init__(self, clock: "Clock") -> None:
        self._clock = clock
        self._peers: "list[Peer]" = []
        self._last_s = -PAUSE_S
        self.guest: "Peer | None" = None
        self.refused = 0
        self.total = 0

    def refuse(self) -> None:
        """Somebody was turned away at the door."""
        self.refused += 1
        self.total += 1

    def tell(self, journal: "Journal") -> None:
        """Put on record how many were turned away since this was done last, unless too often."""
        if self.refused and journal.admits(EVENT_REFUSED_ATTEMPTS):
            journal.record(EVENT_REFUSED_ATTEMPTS, extra=self.refused)
            self.refused = 0

    def ask(self, role: int, peer_id: bytes, by_cable: bool) -> int:
        """0: come in, and the place is taken; else the seconds to wait."""
        self._clock.tick()
        now_s = self._clock.uptime_s
        peer = self._peer(peer_id)
        wait_s = self._pause(peer, role, now_s) or self._place(peer, role, by_cable)
        if wait_s == 0:
            peer.began_s.append(now_s)
            self._last_s = now_s
            peer.moved_s = now_s
            peer.role = role
            peer.by_cable = by_cable
            peer.is_in = peer.displaced = False
            self.guest = peer
        return wait_s

    def _pause(self, peer: Peer, role: int, now_s: int) -> int:
        while peer.began_s and now_s - peer.began_s[0] >= _MINUTE_S:
            peer.began_s.pop(0)
        wait_s = 0
        if peer.failures:
            wait_s = peer.left_s + min(_MINUTE_S, 1 << min(peer.failures, 6)) - now_s
        if len(peer.began_s) >= HANDSHAKES_PER_MINUTE:
            wait_s = max(wait_s, peer.began_s[0] + _MINUTE_S - now_s)
        if role not in (ROLE_DESK, ROLE_INSTALLER):
            wait_s = max(wait_s, self._last_s + PAUSE_S - now_s)
        return max(0, wait_s)

    def _place(self, peer: Peer, role: int, by_cable: bool) -> int:
        guest = self.guest
        if guest is None:
            return 0
        yields = guest is peer
        if role == ROLE_DESK and not yields:
            yields = guest.role == ROLE_AUDITOR
            if not guest.is_in:
                yields = guest.role != ROLE_DESK or guest.failures > 0
        if by_cable or (yields and not guest.by_cable):
            guest.displaced = True
            return 1
        return _BUSY_S

    @property
    def is_stuck(self) -> bool:
        """Whether the guest has neither got on nor gone: nobody else gets in any more."""
        guest = self.guest
        return guest is not None and self._clock.uptime_s - guest.moved_s > STUCK_S

    def _peer(self, peer_id: bytes) -> Peer:
        for peer in self._peers:
            if peer.peer_id == peer_id:
                return peer
        if len(self._peers) == _PEERS_MAX:  # whoever failed most is remembered
            self._peers.remove(min(self._peers, key=_failures))
        peer = Peer(peer_id)
        self._peers.append(peer)
        return peer

    def leave(self) -> None:
        """The guest is gone."""
        guest = self.guest
        if guest is not None:
            guest.failures = 0 if guest.is_in else guest.failures + 1
            guest.left_s = self._clock.uptime_s
        self.guest = None


def _failures(peer: Peer) -> int:
    return peer.failures
