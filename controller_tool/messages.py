"""Language of what a person reads: English text is the key, catalogues translate it (host).

``t("{n} cards", n=3)`` looks the template up first and fills it afterwards, so that a catalogue
holds one entry per sentence. Each room has its catalogue, locale/zh_CN/LC_MESSAGES/<room>.po, in
gettext's form; a name of a group is an entry with the group as its msgctxt. ``./dev messages``
keeps them in line with the sources. English loads none.
"""

import gettext
import locale
import os
from functools import cache

from controller_tool import catalogues

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
    # gettext answers "" with the catalogue's header
    text = _chinese().gettext(template) if template and language() == "zh" else template
    return text.format(**fields) if fields else text


def name_of(group: str, word: str) -> str:
    """A name that controllers and files use, for people; ``group`` tells equal names apart."""
    if language() != "zh":
        return word
    named = chinese(group, word)
    return t(word) if named == word else named


def chinese(group: str, word: str) -> str:
    """The Chinese of a name, whatever language is in force; the word itself when it has none."""
    return _chinese().pgettext(group, word)


def _by_locale() -> str:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name)
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "zh" if (locale.getlocale()[0] or "").lower().startswith(("zh", "chinese")) else "en"


@cache
def _chinese() -> gettext.NullTranslations:
    return catalogues.load()
