"""What is new since the last run: which rows of the scores a run writes (`--since`, `--state`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from logscan.records import LogKind, SeriesScores
from logscan.time_text import parse_time


def rows_since(scores: Sequence[SeriesScores], since: str | None) -> list[SeriesScores]:
    """The scores from a time on that a person wrote; raises UsageError where it is no time."""
    if since is None:
        return list(scores)
    return [
        rows_between(one, parse_time(since, one.grid.kind, one.grid.timezone, "--since")) for one in scores
    ]


def ends_inside_a_line(files: Sequence[str], whole: tuple[str, ...]) -> bool:
    """Whether the last line of a text has no end yet, so that its last cell may be half written.

    Args:
        files: of the log.
        whole: suffixes of files that are not written line by line.
    """
    for file in map(Path, files):
        if not file.is_file() or file.suffix.lower() in whole:
            continue
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - 2))
            if not {b"\n"[0], b"\r"[0]} & set(stream.read()):  # the last two bytes: UTF-16 ends in a zero
                return True
    return False


def new_rows(
    scores: Sequence[SeriesScores], written: Mapping[str, int], kind: LogKind, *, torn: bool
) -> tuple[list[SeriesScores], dict[str, int]]:
    """The scores that no earlier run wrote, and the last grid time written after this one.

    A step is written once and complete. An interval of an event log is complete when a later row is there; a
    step of a sample log at once, unless its last row does not stand on the grid, so that another one may
    round to it, or is torn.

    Args:
        scores: causal, of every entity.
        written: entity -> last grid time written by earlier runs.
        kind: of the log.
        torn: the last line of the input may be half written.
    """
    shown, last = [], dict(written)
    for one in scores:
        end = one.grid.start + one.grid.steps * one.grid.step
        final = end - one.grid.step
        times = one.row_times
        if torn or kind is LogKind.EVENTS or times is None or len(times) == 0 or times[-1] != final:
            end = final
        first = max(one.grid.start, written.get(one.entity, one.grid.start - 1) + 1)
        shown.append(rows_between(one, first, end))
        if end > one.grid.start:
            last[one.entity] = max(end - one.grid.step, written.get(one.entity, end - one.grid.step))
    return shown, last


def rows_between(one: SeriesScores, first_time: int, end_time: int | None = None) -> SeriesScores:
    """The scores of a half-open span of time; events that lie outside are left out, steps count from its start."""
    grid = one.grid
    begin = int(np.clip(-(-(first_time - grid.start) // grid.step), 0, grid.steps))
    end = grid.steps if end_time is None else (end_time - grid.start) // grid.step
    end = int(np.clip(end, begin, grid.steps))
    if begin == 0 and end == grid.steps:
        return one
    events = tuple(
        replace(
            event,
            start_step=max(0, event.start_step - begin),
            end_step=min(event.end_step, end) - begin,
            end_time=min(event.end_time, grid.start + end * grid.step),
            peak_step=event.peak_step - begin,
        )
        for event in one.events
        if event.end_step > begin and event.start_step < end
    )
    times = one.row_times
    if times is not None:
        times = times.within(grid.first_time(begin), grid.first_time(end))
    return replace(
        one,
        grid=replace(grid, start=grid.start + begin * grid.step, steps=end - begin),
        row_times=times,
        score=one.score[begin:end],
        event_id=one.event_id[begin:end],
        quality=one.quality[begin:end],
        contributions=one.contributions[begin:end],
        events=events,
    )
