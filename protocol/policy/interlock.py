"""Interlock: of the doors of one controller only one is open or unlocked at a time (both, pure).

Rules:

- no card, ticket, or mode unlocks a door while another one is unlocked or its leaf is open
- emergency cards, REX and fire always win: nobody asks here for them
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocol.policy.door import Door


def blocked(doors: "list[Door]", number: int) -> bool:
    """Whether door `number` has to stay locked for the others' sake."""
    for i in range(len(doors)):  # noqa: SIM110  a generator would be an allocation
        if i != number and (doors[i].unlocked or doors[i].leaf_open):
            return True
    return False
