"""First file that a controller runs: relays safe, firmware mounted (device)."""

try:
    import micropython

    micropython.kbd_intr(-1)
    import board

    board.safe_state()
    import gc

    # for good: what stays must not come to lie behind garbage, or the heap ends up in pieces
    gc.threshold(4096)
    import packfs

    if packfs.provisioned():
        __import__("slots").mount()
except BaseException:
    # MicroPython re-arms Ctrl-C before each file: whatever ended this one may have come from there.
    micropython.kbd_intr(-1)
    import board
    import packfs

    # A half provisioned board keeps its REPL, so that the installer can simply start again.
    if packfs.provisioned():
        board.reset()
    raise
