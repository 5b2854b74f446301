"""python -m hil_tests.jig install --port PORT | hello --port PORT (host)."""

from __future__ import annotations

import argparse
import sys

from controller_tool.errors import ToolError
from hil_tests.jig import client


def main() -> int:
    """Installs the jig's program, or asks the jig what it is."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.jig", description=__doc__)
    parser.add_argument("command", choices=["install", "hello"])
    parser.add_argument("--port", required=True, help="serial port of the jig")
    chosen = parser.parse_args()
    try:
        if chosen.command == "install":
            client.install(chosen.port)
        with client.Jig(chosen.port) as jig:
            told = jig.hello()
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"jig: protocol {told['protocol']}, image {told['image']}, program {told['digest'][:16]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
