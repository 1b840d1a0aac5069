"""The faults that were put into a sample, as a label file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Fault:
    """One labelled fault, from `start` up to but not including `end`, and where it shows."""

    start: datetime
    end: datetime
    name: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample log: the bytes of its CSV, its faults, and where its clean part ends."""

    csv: bytes
    faults: tuple[Fault, ...]
    train_until: datetime

    def labels_csv(self) -> bytes:
        """The label file: start,end,name,channels (channels separated by a semicolon), UTF-8."""
        lines = ["start,end,name,channels"]
        lines += [f"{f.start},{f.end},{f.name},{';'.join(f.channels)}" for f in self.faults]
        return ("\n".join(lines) + "\n").encode()
