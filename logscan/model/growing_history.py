"""A growing history: what looked ordinary when it was scored joins the history.

A window joins the history if the log looked ordinary throughout it: no step above what nearly all training steps
stay below, which is far under the threshold of an alarm. So the history follows a process that drifts, and a fault,
which stands out from its first step, never enters it. What joins is bounded; the windows that were rebuilt worst
are kept, for they are what the history did not know yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch

from logscan.core.windows import untouched
from logscan.model.heads import Prepared, observed_windows, searchable
from logscan.model.history_attention import HeadHistory, window_keys
from logscan.model.records import EntityModel, Head
from logscan.records import F32, F64, I64, Bool

MOST_JOINING = 4096  # tokens of a head; more found nothing more, and cost as much time again (docs/log.md)


def ordinary_steps(score: F32, limit: float) -> Bool:
    """(steps,) bool: judged, and no higher than nearly all training steps; `limit` NaN: none."""
    return np.asarray(np.nan_to_num(score, nan=np.inf) <= limit, dtype=np.bool_)


def candidates(
    model: EntityModel, head: Head, series: Prepared, starts: I64, offset_steps: int, ordinary: Bool
) -> I64:
    """Those of the windows that may join a head's history: ordinary, observed, and not of the training part.

    Args:
        model: whose training part and channels count.
        head: gives the window.
        series: that is scored, or a part of it.
        starts: (windows,) int64, in that part.
        offset_steps: step of the training grid at which it begins.
        ordinary: (steps,) bool, of its steps, from `ordinary_steps`.
    """
    window = head.spec.window_steps
    begin = starts + offset_steps
    new = (begin >= model.grid.steps) | (begin + window <= 0)
    starts = starts[new & untouched(starts, window, ~ordinary)]
    spoke = model.observed.any(axis=0)
    return starts[observed_windows(series.observed, starts, window)[:, spoke].all(axis=1)]


@dataclass(slots=True)
class GrowingHistory:
    """The history of one head, and what joined it. Changes in place."""

    head: Head
    values: F32  # (steps, channels) of the series that is scored
    known: HeadHistory  # the training part
    offset_steps: int  # step of the training grid at which the series begins
    starts: I64 = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # of what joined, in the series
    novelty: F64 = field(default_factory=lambda: np.empty(0))  # mean score of its steps, when it was judged
    keys: torch.Tensor = field(default_factory=lambda: torch.empty(0))

    @staticmethod
    def of(
        head: Head, model: EntityModel, values: F32, offset_steps: int, device: torch.device
    ) -> GrowingHistory:
        """A history that nothing joined yet; `values` and `offset_steps` as the attributes."""
        known = HeadHistory.of(head, model.history, device, model.history_steps(head.starts))
        return GrowingHistory(head, values, known, offset_steps, keys=known.keys[:0])

    def join(self, starts: I64, score: F32, first_step: int = 0) -> None:
        """Take in windows of the series.

        Args:
            starts: (windows,) int64, later than all that joined before.
            score: (steps,) float32, of the steps where the windows lie.
            first_step: of the series, that `score` begins with.
        """
        if len(starts) == 0:
            return
        window, place = self.head.spec.window_steps, starts - first_step
        total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(score), dtype=np.float64)])
        novelty = (total[place + window] - total[place]) / window
        best = _largest(novelty, MOST_JOINING)  # before their keys are made
        starts, place, novelty = starts[best], place[best], novelty[best]
        values = searchable(self.values[first_step : first_step + len(score)])
        keys = window_keys(values, place, self.head)
        self.starts = np.concatenate([self.starts, starts])
        self.novelty = np.concatenate([self.novelty, novelty])
        self.keys = torch.cat([self.keys, keys.to(self.keys.device)])
        if len(self.starts) > MOST_JOINING:
            kept = _largest(self.novelty, MOST_JOINING)
            self.starts, self.novelty = self.starts[kept], self.novelty[kept]
            self.keys = self.keys[torch.from_numpy(kept).to(self.keys.device)]

    def now(self) -> HeadHistory:
        """What the head may attend to now."""
        if not len(self.starts):
            return self.known
        return replace(
            self.known,
            starts=np.concatenate([self.known.starts, self.starts]),
            times=np.concatenate([self.known.times, self.starts + self.offset_steps]),
            joined_keys=self.keys,
            joined_values=self.values,
        )


def _largest(values: F64, most: int) -> I64:
    """Places of the `most` largest values, ascending; of equal ones the first."""
    return np.sort(np.argsort(-values, kind="stable")[:most])
