"""Second file that a controller runs: the firmware until it ends, then a reset (device)."""

try:
    import micropython

    micropython.kbd_intr(-1)
    import packfs

    if packfs.provisioned():
        import firmware.app

        firmware.app.run()
finally:
    import micropython

    micropython.kbd_intr(-1)
    import board
    import packfs

    # Any exit of a provisioned controller is a reset; an unprovisioned one falls to the REPL.
    if packfs.provisioned():
        board.reset()
