"""What every reader driver answers with, and the one interface that all of them keep (device).

A module of this folder is a kind of reader; `board.readers()` says which the board has, and on what
port. It has `drivers(port, options)`, which returns a list of Driver: one for most kinds, one for
each address on an OSDP line. A Driver has

- `poll(now_ms)`: does a bounded piece of work (well under a millisecond, no waiting) and returns
  NOTHING, CARD, KEY or DOUBTFUL; call it again until NOTHING, at most one CARD a turn
- after CARD: `type` (CREDENTIAL_… of protocol/codes.py), `credential` (a buffer that the next poll
  may overwrite) and `bits` (its length on the wire in bits, 0 where that says nothing)
- after KEY: `key`, 0 to 9, KEY_CLEAR or KEY_ENTER
- `edge_ticks`: ticks_ms of the last sign of a card or key; erases keep away from it. A reader that
  speaks by itself counts every byte or edge, one that is asked only what it was given to read: its
  answers come all day, and would put erases off for ever
- `restarts`: how often it was found to have started anew or had to be set up again while it was
  thought to be well, modulo 256; left out where nobody can tell
- `trouble`: 0, or TROUBLE_… bits that hold at the moment
- `line`, where several share one and wait for each other: its `step(now_ms)` is called between the
  turns too, and does no more than a poll
- `show(pattern, now_ms)`: one of SHOW_…, given when it changes; LED, buzzer or text as it has them

now_ms comes from ticks_ms and wraps: compare by ticks_diff. Nothing is allocated in poll().
"""

NOTHING = 0
CARD = 1
DOUBTFUL = 2  # a frame came that is not beyond doubt: refused and journalled, never guessed
KEY = 3

KEY_CLEAR = 10  # *, which empties what was typed
KEY_ENTER = 11  # #

TROUBLE_LOST = 1  # it does not answer
TROUBLE_TAMPER = 2  # its housing says that it was opened
TROUBLE_POWER = 4  # it says that its supply fails
TROUBLE_REFUSED = 8  # it answers, and cannot be trusted: wrong key, wrong MAC, wrong kind

SHOW_REST = 0
SHOW_GRANTED = 1
SHOW_DENIED = 2
SHOW_WAIT = 3  # for a PIN or a second card
SHOW_HELD = 4  # the door is held open
SHOW_ALARM = 5
SHOW_OPEN = 6  # normally open: nobody needs a card
SHOW_SHUT = 7  # lockdown or lock-out: no card opens it
