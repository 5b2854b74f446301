"""First file that a controller runs: relays safe, firmware mounted and run (device).

It is main.py as well (controller_tool/pack.py): where one of the two is lost, the other does all.
A stock image goes to its prompt at once when boot.py ends in an error, and does not run main.py
then; so nothing leaves this file but by a reset, unless the board was never provisioned.
"""

try:
    try:
        import micropython

        micropython.kbd_intr(-1)
        import board

        board.safe_state()
        import gc

        # for good: what stays must not come to lie behind garbage, or the heap ends up in pieces
        gc.threshold(4096)
        import packfs

        note = board.rtc().memory()
        # whatever lies there counts once, and this file may run twice
        if note and not packfs.in_service:
            board.rtc().memory(b"")
            import service

            service.begin(note)
        if packfs.provisioned():
            __import__("slots").mount()
            if packfs.state == "t":  # whatever hangs before the firmware has a watchdog of its own
                board.watchdog(60000)
            if packfs.is_retired():
                import firmware.wipe

                firmware.wipe.finish()
            import firmware.app

            firmware.app.run()
    finally:  # a second Ctrl-C may come while the first is on its way out
        import micropython

        micropython.kbd_intr(-1)
finally:
    # MicroPython re-arms Ctrl-C before each file: whatever ended this one may have come from there.
    # No jump stands before the next line: between two of them no interrupt is looked at.
    import micropython

    micropython.kbd_intr(-1)
    # A half provisioned board keeps its prompt, so that the installer can simply start again.
    try:
        import packfs

        locked = packfs.provisioned()
    except BaseException:  # noqa: BLE001 - damaged: what it would have looked for decides
        import os

        locked = False
        for path in ("/cfg/config.cbor", "/retired"):
            try:
                os.stat(path)
                locked = True
            except OSError as error:
                locked = locked or error.errno != 2
    if locked:
        import machine  # not the board's: its file may be what is damaged

        machine.reset()
