"""The detectors a user would otherwise pick, each small, with one setting for every log.

Every method gets the same problem: a series on its rows, scaled by its training rows, and the number of those
rows. It may learn from the training rows alone and returns one score per row, higher where more anomalous.
Windows score the rows they cover; a row gets the mean of its windows.

What a method cannot hold or wait for is cut by a limit that is the same for every log: `_WIDEST` values in a
flattened window, `_FITTED` training windows for principal components, `_LOF_WINDOWS` for the local outlier
factor, `_PROFILE_CELLS` pairs of windows for the matrix profile, `_BANK` patches for the network.

Needs scikit-learn and stumpy (`pip install scikit-learn stumpy`) beside logscan; no test needs this file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.detection.patch_network import patch_distances
from logscan.core.windows import window_starts, windows
from logscan.records import F32, F64, I64

_SEED = 0
_RMS_ROWS = 64
_WIDEST = 1024  # values in a window of all channels: with more, the window is shortened
_FITTED = 20_000  # training windows for principal components, evenly spaced
_RIDGE = 0.01
_LOF_WINDOWS = 5_000  # training windows that a window is compared with, evenly spaced
_PROFILE_CELLS = 25 * 10**9  # pairs of windows over all channels; the latest training rows that fit are taken
_CHUNK_CELLS = 2**24  # of a block of flattened windows, float32: 64 MB


@dataclass(frozen=True, slots=True)
class Problem:
    """One series to score.

    Attributes:
        values: (rows, channels) float64, z-scored by the training rows, finite.
        train_rows: the rows that may be learnt from are the first ones.
        period: main period of channel 0 in rows, 125 where there is none, as in TSB-AD.
    """

    values: F64
    train_rows: int
    period: int

    @property
    def window(self) -> int:
        """Rows of a window: the period, if four fit the training part and a window is not too wide."""
        widest = max(4, _WIDEST // self.values.shape[1])
        return max(4, min(self.period, widest, self.train_rows // 4))


def scaled(values: F64, train_rows: int) -> F64:
    """Gaps bridged by the last value, then z-scores by the training rows, (rows, channels) float64.

    Args:
        values: (rows, channels) float64, NaN where nothing was observed.
        train_rows: rows that mean and spread come from. A channel that is constant there keeps its unit;
            rows before the first value, and a channel that has none to train on, become 0.
    """
    seen = np.isfinite(values)
    last = np.maximum.accumulate(np.where(seen, np.arange(len(values))[:, None], 0), axis=0)
    filled = np.take_along_axis(np.where(seen, values, np.nan), last, axis=0)
    mean, spread = np.zeros(values.shape[1]), np.ones(values.shape[1])
    for channel in range(values.shape[1]):
        known = filled[:train_rows, channel]
        known = known[np.isfinite(known)]
        if len(known):
            mean[channel] = known.mean()
            # The spread of equal numbers is rounding, not zero.
            spread[channel] = known.std() if np.ptp(known) > 0 else 1.0
    return np.nan_to_num((filled - mean) / spread)


# --- rows ------------------------------------------------------------------------------------------------


def rms_row(problem: Problem) -> F64:
    """Root mean square over the channels of each row."""
    return np.sqrt(np.square(problem.values).mean(axis=1))


def rms(problem: Problem) -> F64:
    """Root mean square over windows of 64 rows of all channels: the same, smoothed as the others are."""
    length = min(_RMS_ROWS, problem.train_rows)
    running = np.concatenate(([0.0], np.cumsum(np.square(problem.values).mean(axis=1))))
    power = np.maximum(running[length:] - running[:-length], 0.0) / length
    return on_rows(np.sqrt(power), np.arange(len(power)), length, len(problem.values))


def isolation_forest(problem: Problem) -> F64:
    """scikit-learn's isolation forest: on windows of one channel, on rows of several, as TSB-AD does."""
    from sklearn.ensemble import IsolationForest  # noqa: PLC0415

    single = problem.values.shape[1] == 1
    length = problem.window if single else 1
    starts, train = _starts(problem, length)
    forest = IsolationForest(random_state=_SEED).fit(_flat(problem, starts[:train], length))
    return _window_scores(problem, starts, length, lambda rows: -forest.score_samples(rows))


# --- windows ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Components:
    """Principal components of the training windows, each value of a window standardised first."""

    mean: F64  # (values,)
    spread: F64  # (values,)
    directions: F64  # (values, components)
    variances: F64  # (components,), ascending, mean over windows

    def standard(self, rows: F32) -> F64:
        """The windows standardised, (windows, values)."""
        return (rows - self.mean) / self.spread


def sub_pca(problem: Problem) -> F64:
    """The score of PyOD's PCA, which TSB-AD's Sub-PCA uses: a weighted sum of distances to the components.

    With window x, components v_k and their shares of the variance s_k, it is `sum_k |x - v_k| / s_k`. As v_k
    has length 1 and x is long, this is nearly the length of x: as implemented, few directions matter.
    """
    length = problem.window
    found = _components(problem, length)
    # Fewer windows than values leave components without any variance, which sklearn's PCA does not return.
    kept = found.variances > np.finfo(np.float64).eps * found.variances.sum() * len(found.variances)
    directions, weight = found.directions[:, kept], found.variances.sum() / found.variances[kept]

    def distances(rows: F32) -> F64:
        standard = found.standard(rows)
        squared = np.square(standard).sum(axis=1)[:, None] + 1.0 - 2.0 * (standard @ directions)
        return np.asarray(np.sqrt(np.maximum(squared, 0.0)) @ weight)

    return _window_scores(problem, _starts(problem, length)[0], length, distances)


def sub_mahalanobis(problem: Problem) -> F64:
    """What a principal-components detector is described to do: the Mahalanobis distance of windows.

    `sqrt(sum_k (x . v_k)^2 / (l_k + r))`, with the variance l_k of component k and a ridge r of a hundredth
    of their mean, so that directions without any training variance do not decide alone.
    """
    length = problem.window
    found = _components(problem, length)
    scaling = 1.0 / np.sqrt(np.maximum(found.variances, 0.0) + _RIDGE * found.variances.mean() + 1e-12)
    whitening = found.directions * scaling

    def distances(rows: F32) -> F64:
        return np.asarray(np.sqrt(np.square(found.standard(rows) @ whitening).sum(axis=1)))

    return _window_scores(problem, _starts(problem, length)[0], length, distances)


def _components(problem: Problem, length: int) -> _Components:
    starts, train = _starts(problem, length)
    fitted = _flat(problem, starts[:train][_spaced(train, _FITTED)], length).astype(np.float64)
    mean, spread = fitted.mean(axis=0), fitted.std(axis=0)
    spread[spread == 0] = 1.0
    fitted = (fitted - mean) / spread
    variances, directions = np.linalg.eigh(fitted.T @ fitted / len(fitted))
    return _Components(mean, spread, directions, variances)


def lof(problem: Problem) -> F64:
    """scikit-learn's local outlier factor of windows against training windows (novelty, 20 neighbours)."""
    from sklearn.neighbors import LocalOutlierFactor  # noqa: PLC0415

    length = problem.window
    starts, train = _starts(problem, length)
    bank = _spaced(train, _LOF_WINDOWS)
    factor = LocalOutlierFactor(novelty=True).fit(_flat(problem, starts[bank], length))
    scores = _chunked(problem, starts, length, lambda rows: -factor.score_samples(rows))
    # A training window must not be its own neighbour.
    scores[bank] = -factor.negative_outlier_factor_
    return on_rows(scores, starts, length, len(problem.values))


def matrix_profile(problem: Problem) -> F64:
    """The matrix profile (stumpy) against the training rows, z-normalised, the mean over channels.

    Windows inside the training part are compared with the rest of it (a self join, whose exclusion zone keeps
    a window from finding itself); windows that end after it with all of it.
    """
    import stumpy  # noqa: PLC0415

    length = problem.window
    rows, channels = problem.values.shape
    starts = window_starts(rows, length, 1)
    fits = max(4 * length, _PROFILE_CELLS // (rows * channels))
    first = max(0, problem.train_rows - fits)
    inside = max(0, problem.train_rows - length + 1 - first)
    total = np.zeros(len(starts))
    for channel in range(channels):
        series = np.ascontiguousarray(problem.values[:, channel])
        train = series[first : problem.train_rows]
        profile = stumpy.stump(series, length, train, ignore_trivial=False)[:, 0].astype(np.float64)
        own = stumpy.stump(train, length)[:, 0].astype(np.float64)
        profile[first : first + inside] = own
        total += np.where(np.isfinite(profile), profile, np.sqrt(2.0 * length))
    return on_rows(total / channels, starts, length, rows)


def patch_cnn(problem: Problem) -> F64:
    """A small convolutional network over patches with a memory of training patches (see `patch_network`)."""
    length = min(problem.train_rows // 4, 64)
    starts, scores = patch_distances(
        problem.values.astype(np.float32), problem.train_rows, length, seed=_SEED
    )
    return on_rows(scores, starts, length, len(problem.values))


METHODS: dict[str, Callable[[Problem], F64]] = {
    "rms": rms,
    "rms_row": rms_row,
    "sub_pca": sub_pca,
    "sub_mahalanobis": sub_mahalanobis,
    "isolation_forest": isolation_forest,
    "lof": lof,
    "matrix_profile": matrix_profile,
    "patch_cnn": patch_cnn,
}


def run(name: str, problem: Problem) -> tuple[F64, float]:
    """The scores of a method, (rows,), and the seconds it took; stumpy's compilation comes before the clock."""
    if name == "matrix_profile":
        rng = np.random.default_rng(_SEED)
        matrix_profile(Problem(rng.normal(size=(64, 1)), 32, 8))
    started = time.perf_counter()
    scores = METHODS[name](problem)
    return scores, time.perf_counter() - started


# --- windows and back ------------------------------------------------------------------------------------


def on_rows(scores: F64, starts: I64, length: int, rows: int) -> F64:
    """The mean over the windows that cover each row, (rows,); NaN where none does.

    Added offset by offset, not as a running sum: scores may differ by so many orders of magnitude that the
    running sum would drown the small ones.
    """
    total, count = np.zeros(rows), np.zeros(rows)
    for offset in range(length):
        total[starts + offset] += scores
        count[starts + offset] += 1
    return np.divide(total, count, out=np.full(rows, np.nan), where=count > 0)


def _starts(problem: Problem, length: int) -> tuple[I64, int]:
    """The start of every window, and how many windows lie inside the training part."""
    return window_starts(len(problem.values), length, 1), problem.train_rows - length + 1


def _spaced(total: int, limit: int) -> I64:
    """At most `limit` of `total` positions, evenly spaced."""
    return np.unique(np.linspace(0, total - 1, min(total, limit)).round().astype(np.int64))


def _flat(problem: Problem, starts: I64, length: int) -> F32:
    """Windows with all channels in one row, (windows, length * channels) float32."""
    return windows(problem.values.astype(np.float32), starts, length).reshape(len(starts), -1)


def _chunked(problem: Problem, starts: I64, length: int, score: Callable[[F32], F64]) -> F64:
    """The score of every window, few at a time, (windows,)."""
    scores = np.empty(len(starts))
    for piece in _pieces(len(starts), _CHUNK_CELLS // (length * problem.values.shape[1])):
        scores[piece] = score(_flat(problem, starts[piece], length))
    return scores


def _window_scores(problem: Problem, starts: I64, length: int, score: Callable[[F32], F64]) -> F64:
    """The score of every window, back on rows."""
    return on_rows(_chunked(problem, starts, length, score), starts, length, len(problem.values))


def _pieces(total: int, size: int) -> Iterator[slice]:
    for begin in range(0, total, size):
        yield slice(begin, min(begin + size, total))
