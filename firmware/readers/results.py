"""What a reader's decoder answers to each byte (device)."""

NOTHING = 0
CARD = 1
DOUBTFUL = 2  # a frame came that is not beyond doubt: refused and journalled, never guessed
