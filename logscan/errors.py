"""The exception tree: what a user can meet, each with its exit code.

    LogscanError                 1
    ├── UsageError               2   options that contradict or name nothing
    ├── InputError               4   a log that cannot be read as one
    │   ├── EmptyInputError      4   a file without a row
    │   └── QualityGateError    12   read, but below the grade that was asked for
    ├── ModelError              13   model folder missing, damaged or of an unknown version
    ├── OutputError             14   disk full, read-only, missing folder
    └── LockedError             11   another run holds the lock

Every message has three parts: place (where), fact (what was found) and remedy (what to do).
"""

from __future__ import annotations

from typing import ClassVar


class LogscanError(Exception):
    """An expected failure; `str()` gives `place: fact; remedy`."""

    exit_code: ClassVar[int] = 1

    def __init__(self, place: str, fact: str, remedy: str = "") -> None:
        self.place = place
        self.fact = fact
        self.remedy = remedy
        super().__init__(place, fact, remedy)

    def __str__(self) -> str:
        text = f"{self.place}: {self.fact}" if self.place else self.fact
        return f"{text}; {self.remedy}" if self.remedy else text


class UsageError(LogscanError):
    """Options that contradict each other or name something that is not there."""

    exit_code = 2


class InputError(LogscanError):
    """The input was refused: missing, empty, binary, or not a log."""

    exit_code = 4


class EmptyInputError(InputError):
    """A file is empty or holds a header only."""


class QualityGateError(InputError):
    """The input was read, but its quality is below the gate that was asked for."""

    exit_code = 12


class LockedError(LogscanError):
    """Another run holds the lock on this state."""

    exit_code = 11


class ModelError(LogscanError):
    """The model folder is missing, damaged or of an unknown version."""

    exit_code = 13


class OutputError(LogscanError):
    """The output could not be written; what stood there before still stands."""

    exit_code = 14
