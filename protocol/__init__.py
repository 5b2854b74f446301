"""What both sides of the wire share: formats, codes, policy. No I/O, no clock, no print."""
