"""Every sentence that a person reads of a note or a report, in English and Japanese under one key.

Belongs here: words, and how values are put into them.
Does not: when a note is due (where it is made), the layout of a report (`report`), texts of errors.
"""

from __future__ import annotations

from collections.abc import Iterable

from logscan.messages.message import Harm, Message
from logscan.messages.quality import HINTS, REASONS
from logscan.messages.reading import COLUMNS, DROPPED, NOTES
from logscan.messages.template import Lang, filled
from logscan.notes import Note, Told

MESSAGES: dict[str, Message] = NOTES | DROPPED | COLUMNS | REASONS | HINTS
_HARMS: tuple[Harm, ...] = ("lost", "changed", "guessed", "told")


def text(note: Note, lang: Lang = "en") -> str:
    """A note in words, behind the file it is about."""
    words = filled(_template(note, lang), note, lang, text)
    return f"{note.place}{'：' if lang == 'ja' else ': '}{words}" if note.place else words


def told_text(told: Told, lang: Lang = "en") -> str:
    """Equal notes about several files in words, with how many files they are about."""
    words = text(told.note, lang)
    if told.places < 2:
        return words
    return f"{words}（{told.places:,}ファイル）" if lang == "ja" else f"{words} (in {told.places:,} files)"


def by_harm(notes: Iterable[Note]) -> tuple[Note, ...]:
    """Notes with the most harmful first: rows lost, values changed, what was guessed, what is only told."""
    return tuple(sorted(notes, key=lambda note: _HARMS.index(MESSAGES[note.key].harm)))


def _template(note: Note, lang: Lang) -> str:
    message = MESSAGES[note.key]
    return message.ja if lang == "ja" else message.en
