"""Runs the named checks of one file and reports each on a line of its own (MicroPython).

    micropython runner.py check_module test_a test_b ...

Lines for harness.py start with the byte 0x01 and hold a verdict and the name; a traceback follows
the verdict `fail`. Whatever a check prints stands between these lines.
"""

import gc
import sys

MARK = "\x01"


def run(module_name: str, names: "list[str]") -> None:
    """Import the module, then run each function in the order given."""
    module = __import__(module_name, None, None, ("*",))
    for name in names:
        gc.collect()
        print(MARK + "start " + name)
        try:
            getattr(module, name)()
        except Exception as error:
            print(MARK + "fail " + name)
            sys.print_exception(error, sys.stdout)
        else:
            print(MARK + "pass " + name)


run(sys.argv[1], sys.argv[2:])
