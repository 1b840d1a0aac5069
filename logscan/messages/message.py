"""One message: its English and Japanese template, and how much harm it tells of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# What a note means for the result: rows or steps are lost, values are changed, logscan guessed, or nothing of these.
Harm = Literal["lost", "changed", "guessed", "told"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message in both languages; templates as in `template`."""

    en: str
    ja: str
    harm: Harm = "told"
