"""Language of what a person reads: English text is the key, catalogues translate it (host).

``t("{n} cards", n=3)`` looks the template up first and fills it afterwards, so that a catalogue
holds one entry per sentence. Each room has its catalogue ``messages_zh*.py`` with a dict ``ZH``.
"""

import importlib
import locale
import os
import pkgutil
from functools import cache

_LANGUAGES = ("en", "zh")
_current = {"language": ""}


def set_language(language: str | None) -> None:
    """Choose ``"en"`` or ``"zh"``; None goes by the locale of the process."""
    _current["language"] = language if language in _LANGUAGES else _by_locale()


def language() -> str:
    """The language in force."""
    if not _current["language"]:
        set_language(None)
    return _current["language"]


def t(template: str, **fields: object) -> str:
    """``template`` in the language in force with its fields filled in."""
    text = _catalogue().get(template, template) if language() == "zh" else template
    return text.format(**fields) if fields else text


def name_of(group: str, word: str) -> str:
    """A name that controllers and files use, for people; ``group`` tells equal names apart."""
    if language() != "zh":
        return word
    catalogue = _catalogue()
    return catalogue.get(f"{group}:{word}", catalogue.get(word, word))


def chinese(group: str, word: str) -> str:
    """The Chinese of a name, whatever language is in force; the word itself when it has none."""
    return _catalogue().get(f"{group}:{word}", word)


def _by_locale() -> str:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name)
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "zh" if (locale.getlocale()[0] or "").lower().startswith(("zh", "chinese")) else "en"


@cache
def _catalogue() -> dict[str, str]:
    merged: dict[str, str] = {}
    package = importlib.import_module("controller_tool")
    for info in pkgutil.iter_modules(package.__path__):
        if info.name.startswith("messages_zh"):
            merged.update(importlib.import_module(f"controller_tool.{info.name}").ZH)
    return merged
