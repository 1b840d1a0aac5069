"""Notes, reasons and counts as the English words that a person reads."""

from collections.abc import Mapping

from logscan.messages import text


def words(notes):
    """The words of notes; of a mapping, those of its keys or values that are notes."""
    if isinstance(notes, Mapping):
        return {_words(key): _words(value) for key, value in notes.items()}
    return type(notes)(text(note) for note in notes)


def _words(value):
    return value if isinstance(value, (str, int)) else text(value)
