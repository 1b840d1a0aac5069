"""Scoring with a growing history: two passes over a whole log, or block by block where scores are causal.

Batch scores take two looks: the first finds what is ordinary, the second uses it. Causal scores go block by block:
a block is judged by the history as the blocks before it left it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from logscan.core.calibration import Fusion, calibrated, overlap_mean_blocks
from logscan.core.views import View
from logscan.core.windows import OverlapMean
from logscan.model.encoder import Encoding, HeadOutput, encode, encoding_of, head_steps, token_residuals
from logscan.model.growing_history import GrowingHistory, candidates, ordinary_steps
from logscan.model.heads import Prepared, token_starts
from logscan.model.history_attention import HeadHistory, head_attention
from logscan.model.records import EntityModel
from logscan.records import F32, I64

Progress = Callable[[str], None]
_BLOCK_WINDOWS = 8  # longest windows per block of causal scores


def encode_growing(
    model: EntityModel,
    series: Prepared,
    offset_steps: int,
    *,
    neighbors: int,
    causal: bool,
    device: torch.device,
    progress: Progress | None = None,
) -> Encoding:
    """Like `encode`, with a history that grows with the series; arguments as there.

    A causal score depends on no later step: a longer series begins with the same scores.
    """
    if causal:
        histories = [
            GrowingHistory.of(head, model, series.values, offset_steps, device) for head in model.heads
        ]
        return _by_blocks(model, series, offset_steps, histories, neighbors, progress)

    def look(known: Iterator[HeadHistory] | None) -> Encoding:
        return encode(
            model,
            series,
            offset_steps,
            neighbors=neighbors,
            causal=False,
            device=device,
            histories=known,
            progress=progress,
        )

    first = look(None)
    score = first.score
    ordinary = ordinary_steps(score, model.ordinary_score)
    joining = []
    for head in model.heads:
        starts = token_starts(head.spec, len(series.values), causal=True)
        joining.append(candidates(model, head, series, starts, offset_steps, ordinary))
    if not any(len(starts) for starts in joining):
        return first
    del first  # the second look takes its place in memory

    def grown() -> Iterator[HeadHistory]:
        for head, starts in zip(model.heads, joining, strict=True):  # one history is held at a time
            history = GrowingHistory.of(head, model, series.values, offset_steps, device)
            history.join(starts, score)
            yield history.now()

    return look(grown())


def _by_blocks(
    model: EntityModel,
    series: Prepared,
    offset_steps: int,
    histories: list[GrowingHistory],
    neighbors: int,
    progress: Progress | None,
) -> Encoding:
    """Causal scores; after every block what was ordinary in it joins the histories.

    Whether a window was ordinary is known when every window that overlaps it was judged. Blocks end on multiples
    of a length on the training grid, so that where they end does not depend on how long the series is.
    """
    steps, channels = series.values.shape
    heads = [_HeadRun(history, series, offset_steps, neighbors) for history in histories]
    longest = max(head.spec.window_steps for head in model.heads)
    block = _BLOCK_WINDOWS * longest
    ends = np.arange(block - offset_steps % block, steps, block).tolist()
    for end in ends:
        for run in heads:
            run.judge(end)
        # what was not considered yet, and the windows that reach into it; the rest of a long series is not touched
        base = max(0, end - block - 3 * longest)
        score = _overlap_scores(heads, base, end, channels)
        ordinary = ordinary_steps(score, model.ordinary_score)
        part = series.part(slice(base, end))
        for run in heads:
            new = run.considered_until(end - longest) - base
            new = candidates(model, run.history.head, part, new, offset_steps + base, ordinary)
            run.history.join(new + base, score, base)
    fusion = Fusion(steps, channels)
    for run in heads:
        run.judge(steps)
        output = run.output()
        fusion.add_blocks(head_steps(output, run.history.head, steps, causal=True))
        if output.expected is not None:
            level = output
        if progress is not None:
            progress(run.history.head.spec.name)
    return encoding_of(fusion, level)


def _overlap_scores(heads: list[_HeadRun], base: int, end: int, channels: int) -> F32:
    """(end - base,) float32 scores of the steps from windows that lie between `base` and `end`."""
    fusion = Fusion(end - base, channels)
    for run in heads:
        head = run.history.head
        window = head.spec.window_steps
        some = slice(*np.searchsorted(run.starts, [base, end - window + 1]).tolist())
        tokens = calibrated(run.residuals[some], head.unit)
        fusion.add_blocks(overlap_mean_blocks(tokens, run.starts[some] - base, window, end - base))
    total: F32 = fusion.contributions().sum(axis=1, dtype=np.float32)
    return total


class _HeadRun:
    """One head on its way through a series."""

    def __init__(self, history: GrowingHistory, series: Prepared, offset_steps: int, neighbors: int) -> None:
        steps, channels = series.values.shape
        spec = history.head.spec
        self.history = history
        self.starts = token_starts(spec, steps, causal=True)
        self.residuals: F32 = np.full((len(self.starts), channels), np.nan, dtype=np.float32)
        self.expected = OverlapMean(steps, channels) if spec.view is View.LEVEL else None
        self._series, self._offset, self._neighbors = series, offset_steps, neighbors
        self._judged = self._considered = 0
        self._times: list[I64] = []
        self._weights: list[F32] = []

    def judge(self, end: int) -> None:
        """Judge the tokens whose windows end by `end` and were not judged yet."""
        head = self.history.head
        last = int(np.searchsorted(self.starts, end - head.spec.window_steps, side="right"))
        piece = slice(self._judged, max(self._judged, last))
        self._judged = piece.stop
        known = self.history.now()
        first = int(self.starts[piece.start]) if piece.stop > piece.start else end
        part = self._series.part(slice(first, end))
        starts = self.starts[piece] - first
        found = head_attention(head, known, part, starts, self._offset + first, neighbors=self._neighbors)

        def tell(starts: I64, built: F32) -> None:
            if self.expected is not None:
                self.expected.add(starts + first, built)

        self.residuals[piece] = token_residuals(head, known, part, found, tell)
        if self.expected is not None:
            self._times.append(known.times[found.neighbors])
            self._weights.append(found.weights)

    def considered_until(self, end: int) -> I64:
        """Starts of the windows that end by `end` and were not asked for before."""
        last = int(np.searchsorted(self.starts, end - self.history.head.spec.window_steps, side="right"))
        piece = slice(self._considered, max(self._considered, last))
        self._considered = piece.stop
        return self.starts[piece]

    def output(self) -> HeadOutput:
        """What the head said of all tokens that were judged."""
        return HeadOutput(
            starts=self.starts,
            residuals=self.residuals,
            neighbor_times=None if self.expected is None else np.concatenate(self._times),
            weights=None if self.expected is None else np.concatenate(self._weights),
            expected=None if self.expected is None else self.expected.mean(),
        )
