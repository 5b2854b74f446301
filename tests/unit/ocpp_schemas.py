"""Holds payloads to the JSON schemas that the `ocpp` package publishes with OCPP (host)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ocpp.messages import MessageType, get_validator


def problems(version: str, action: str, payload: dict[str, Any]) -> list[str]:
    """What the schema of a request finds wrong, and times that are none."""
    validator = get_validator(MessageType.Call, action, version)
    found = [error.message for error in validator.iter_errors(payload)]
    return found + [f"{text} is no moment" for text in _moments(payload) if not _is_moment(text)]


def _moments(value: Any) -> list[str]:
    """The schemas say `date-time` of these, which a validator without more packages passes over."""
    if isinstance(value, list):
        return [text for item in value for text in _moments(item)]
    if not isinstance(value, dict):
        return []
    names = ("timestamp", "expiryDate", "cacheExpiryDateTime")
    mine = [value[name] for name in names if name in value]
    return mine + [text for item in value.values() for text in _moments(item)]


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
