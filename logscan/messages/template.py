"""Templates of sentences: plurals, numbers and lists in the language of the reader. Pure.

A field stands in braces:

* `{name}`: a text as it is, whole numbers with separators, other numbers with six digits, several names quoted.
* `{share:%}`: a share as a whole percentage.
* `{rows#row|rows}`: the first word for a count of one, the second for all others.
* `{names:3}`: at most three of several names, and a sign that there are more.
* `{name:plain}`: several names with commas, not quoted; a number without separators.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from logscan.notes import Note, Value

Lang = Literal["en", "ja"]
MINUS = "−"

_FIELD = re.compile(r"\{(\w+)(?::([^#}]*))?(?:#([^|}]*)\|([^}]*))?\}")


def fields_of(template: str) -> frozenset[str]:
    """The names of the fields that a template shows."""
    return frozenset(match[1] for match in _FIELD.finditer(template))


def filled(template: str, note: Note, lang: Lang, nested: Callable[[Note, Lang], str]) -> str:
    """A template with the values of a note.

    Args:
        template: in the language.
        note: has every field that the template shows.
        lang: decides on quotes and commas.
        nested: puts a note that is a value of this one into words.

    Raises:
        KeyError: the note lacks a field.
    """
    values = dict(note.fields)

    def shown(match: re.Match[str]) -> str:
        value = values[match[1]]
        if match[3] is not None:
            return match[3] if value == 1 else match[4]
        return _shown(value, match[2] or "", lang, nested)

    return _FIELD.sub(shown, template)


def _shown(value: Value, how: str, lang: Lang, nested: Callable[[Note, Lang], str]) -> str:
    if isinstance(value, Note):
        return nested(value, lang)
    if isinstance(value, tuple):
        most = int(how) if how.isdecimal() else len(value)
        quoted = how != "plain"
        parts = [_shown(one, "", lang, nested) for one in value[:most]]
        parts = [_quoted(one, lang) if quoted and isinstance(one, str) else one for one in parts]
        more = [] if len(value) <= most else ["…" if lang == "ja" else "..."]
        return ("、" if lang == "ja" else ", ").join([*parts, *more])
    if isinstance(value, str):
        return value
    if how == "%":
        return f"{value:.0%}"
    if isinstance(value, int):
        return str(value) if how == "plain" else f"{value:,}"
    return f"{value:g}"


def _quoted(text: str, lang: Lang) -> str:
    return f"「{text}」" if lang == "ja" else f"'{text}'"


def count(value: int) -> str:
    """A whole number with thousands separated."""
    return f"{value:,}".replace("-", MINUS)
