"""How many values of a log fit into memory, and how much longer its step must be where they do not."""

from __future__ import annotations

from collections.abc import Callable

from logscan.errors import InputError
from logscan.read.grid.step import longer_step, step_words
from logscan.records import TimeKind
from logscan.time_units import MINUTE_NS

MOST_VALUES = 10_000_000  # steps times channels: what fits beside a model and its work into 1 GB
_ROOM = 1.25  # files are read ahead, and what is read so far may be sparser than what comes
_EARLY = 1 / 16  # of the values that fit: when it is first asked whether all that comes will fit
_FAR = 2  # times too long: certain enough then
_TIMES_MORE = 32  # to be expected where nothing tells how much is still to come


class TooLargeError(InputError):
    """A log has more values (steps times channels) at a step than fit into memory."""

    def __init__(self, place: str, step: int, values: int, kind: TimeKind) -> None:
        longer = step_words(longer_step(step, max(values / MOST_VALUES, 1.001), kind), kind)
        super().__init__(
            place,
            f"at a step of {step_words(step, kind)} it has more than {MOST_VALUES:,} steps times channels, "
            "which do not fit into memory",
            f"pass --every {longer} or longer, or fewer columns with --channels",
        )
        self.values = values


def held_step(step: int | None, kind: TimeKind) -> int:
    """The step of the time bins that are held where none was set."""
    return step or (MINUTE_NS if kind is TimeKind.TIMESTAMP else 1)


def outgrown(before: int, held: int, share: Callable[[], float | None], *, can_coarsen: bool) -> bool:
    """Whether the values of a log do not fit, or certainly will not.

    A log that will be far too long is made coarser early: it is not kept at its own step first.

    Args:
        before: values held before the last rows.
        held: values held now.
        share: how much of all files has been read, 0 to 1; None where that cannot be told.
        can_coarsen: whether the step is logscan's to choose.
    """
    if held > MOST_VALUES:
        return True
    if not (can_coarsen and before <= _EARLY * MOST_VALUES < held):
        return False
    read = share()
    return read is not None and held / read > _FAR * MOST_VALUES


def coarser_ratio(held: int, share: float | None) -> float:
    """How many times as long the step must be for all files to fit, with room for what is still to come.

    Args:
        held: values held now.
        share: how much of all files has been read, 0 to 1; None where that cannot be told.
    """
    expected = held / share if share else _TIMES_MORE * held
    return max(_ROOM * expected / MOST_VALUES, 2)


def finished_ratio(values: int) -> float:
    """How many times as long the step must be where a whole log has so many values."""
    return max(values / MOST_VALUES, 2)


def require_fit(values: int, place: str, step: int, kind: TimeKind) -> None:
    """Raise TooLargeError where values do not fit."""
    if values > MOST_VALUES:
        raise TooLargeError(place, step, values, kind)
