"""Holds bytes to docs/protocol.cddl (host)."""

import functools
from pathlib import Path
from typing import Any

import cbor2
from zcbor import CddlValidationError, DataTranslator

CDDL = Path(__file__).resolve().parents[1] / "docs" / "protocol.cddl"
_MOST_ITEMS = 512


class _Judge(DataTranslator):  # type: ignore[misc]  # zcbor is published without types
    """zcbor names what it decodes and fails when two members get one name; we want its verdict."""

    def _construct_obj(self, my_list: list[tuple[str, Any]]) -> tuple[Any, ...]:
        return tuple(value for _, value in my_list)


@functools.cache
def types() -> dict[str, Any]:
    """Every type of the file by its name."""
    parsed = _Judge.from_cddl(CDDL.read_text(encoding="utf-8"), _MOST_ITEMS)
    return dict(parsed.my_types)


def problem(name: str, data: bytes) -> str:
    """Why `data` is not of the type, empty when it is."""
    try:
        types()[name].validate_str(data)
    except (CddlValidationError, cbor2.CBORDecodeError) as error:
        return str(error) or type(error).__name__
    return ""
