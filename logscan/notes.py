"""Notes as records: key and fields of what a person should know. The sentences are in `messages`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, Union

# Numbers stay numbers and names stay names: the language of the reader decides how they are written.
Value: TypeAlias = Union[str, int, float, tuple["Value", ...], "Note"]


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to know: a key of `messages`, and what is particular about it.

    Attributes:
        key: of the message.
        fields: name and value of what the message shows, in the order given.
        place: the file it is about; "" where it is about the whole log.
    """

    key: str
    fields: tuple[tuple[str, Any], ...] = ()  # of `Value`: pydantic knows no type that holds itself
    place: str = ""

    def at(self, place: str) -> Note:
        """The same about a file."""
        return replace(self, place=place)

    def __getitem__(self, name: str) -> Any:
        """The value of a field."""
        return dict(self.fields)[name]

    def as_json(self) -> dict[str, Any]:
        """Key, fields and place as plain JSON values."""
        found: dict[str, Any] = {
            "key": self.key,
            "fields": {name: _plain(value) for name, value in self.fields},
        }
        return found | ({"place": self.place} if self.place else {})


def note(key: str, /, **fields: Value) -> Note:
    """A note of a key of `messages`, with what its message shows."""
    return Note(key, tuple(fields.items()))


def note_from_json(value: Mapping[str, Any]) -> Note:
    """The note behind `Note.as_json`."""
    fields = tuple((name, _value(one)) for name, one in value["fields"].items())
    return Note(value["key"], fields, value.get("place", ""))


@dataclass(frozen=True, slots=True)
class Told:
    """Equal notes about several files, as one."""

    note: Note  # without its place, where there are several
    places: int  # how many files it is about; 0: the whole log


def told_once(notes: Iterable[Note]) -> tuple[Told, ...]:
    """Every note once, in order of its first place; one about several files names none of them."""
    places: dict[Note, list[str]] = {}
    for one in notes:
        places.setdefault(one.at(""), []).append(one.place)
    found = []
    for one, where in places.items():
        files = {place for place in where if place}
        found.append(Told(one.at(where[0]) if len(files) <= 1 else one, len(files)))
    return tuple(found)


def _plain(value: Value) -> Any:
    if isinstance(value, Note):
        return value.as_json()
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return note_from_json(value)
    if isinstance(value, list):
        return tuple(_value(one) for one in value)
    return value
