"""`python -m tests.bench [NAME…] [--json]`: every module here that has NAME and run() (host).

A NAME stands for all that begin with it and an underscore too.

Exit 1 when a figure does not keep within its limit.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
from typing import Any

import tests.bench


def names() -> list[str]:
    """The benchmarks that there are, by module name."""
    modules = [module.name for module in pkgutil.iter_modules(tests.bench.__path__)]
    return [name for name in modules if name != "__main__" and hasattr(load(name), "run")]


def load(name: str) -> Any:
    """The benchmark's module."""
    return importlib.import_module(f"tests.bench.{name}")


def _is_meant(name: str, asked: list[str]) -> bool:
    return any(name == one or name.startswith(f"{one}_") for one in asked)


def _line(row: dict[str, Any]) -> str:
    limits = [
        f"{word} {row[key]}"
        for key, word in (("at_most", "at most"), ("at_least", "at least"))
        if row[key] is not None
    ]
    verdict = "" if not limits else "  ok" if row["ok"] else "  MISSED"
    return f"  {row['name']:<52}{row['value']:>12} {row['unit']:<6}{', '.join(limits):>16}{verdict}"


def main() -> int:
    """Run what was asked for, or all."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    known = names()
    families = sorted({name.partition("_")[0] for name in known} - set(known))
    parser.add_argument("name", nargs="*", choices=[[], *known, *families], help="default: all")
    parser.add_argument("--json", action="store_true", help="rows as JSON, by benchmark")
    asked = parser.parse_args()
    results: dict[str, list[dict[str, Any]]] = {}
    for name in [n for n in known if not asked.name or _is_meant(n, asked.name)]:
        if not asked.json:
            print(f"{name}: {(load(name).__doc__ or '').splitlines()[0]}", flush=True)
        results[name] = load(name).run()
        if not asked.json:
            print("\n".join(map(_line, results[name])), flush=True)
    if asked.json:
        print(json.dumps(results, indent=2))
    return 0 if all(row["ok"] for rows in results.values() for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
