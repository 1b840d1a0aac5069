"""Train and score: the stages in order, records on every arrow. Follow a row to its alarm here."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import torch

from logscan import __version__
from logscan.alarms.events import merge_gap_steps, min_event_steps
from logscan.alarms.promise import AIM, false_alarms_per_step, parse_false_alarms
from logscan.config import Config, InputConfig
from logscan.core.rhythm import rhythm_periods
from logscan.errors import InputError, UsageError
from logscan.memory import hold_no_large_blocks
from logscan.model.encoder import encode
from logscan.model.explain import judged_series
from logscan.model.heads import FEWEST_WINDOWS, head_specs, long_enough, prepared
from logscan.model.records import EntityModel, Model
from logscan.model.score_growing import encode_growing
from logscan.model.thinned_history import Kept, kept_stretches
from logscan.model.train_entity import train_entity
from logscan.model.train_layer import FitOutcome
from logscan.notes import Note, note
from logscan.read_settings import over_stored, stored_settings
from logscan.records import Bool, Log, LogKind, Series, SeriesScores, TimeKind
from logscan.time_units import SECOND_NS

Progress = Callable[[str, int, int], None]  # what is done, how many looks at heads are, of about how many
Tell = Callable[[str], None]
_LOOKS = 2  # at every head: training trims and fits, scoring lets the history grow
_LONG_CELLS = 2_000_000  # steps times channels; a shorter log is far from filling a gigabyte


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """All entities scored, and what was passed over."""

    series: tuple[SeriesScores, ...]
    skipped_entities: tuple[str, ...]  # in the log, but not in the model
    notes: tuple[Note, ...]

    @property
    def judged_steps(self) -> int:
        """Steps with a score."""
        return sum(int(np.isfinite(one.score).sum()) for one in self.series)


def compute_device(name: str) -> torch.device:
    """`auto`, `cpu` or `cuda`; raises UsageError for cuda where there is none."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("--device cuda", "no CUDA device is available", "use --device cpu or auto")
    if name not in ("cpu", "cuda"):
        raise UsageError(f"--device {name}", "unknown device", "use auto, cpu or cuda")
    return torch.device(name)


def train(
    log: Log,
    config: Config,
    *,
    train_rows: int | None = None,
    train_until: int | None = None,
    excluded: Mapping[str, Bool] | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> Model:
    """Train a model on the first part of a log.

    Args:
        log: the log.
        config: all settings; stored with the model.
        train_rows: rows per entity to train on: distinct input times for samples, grid steps for events.
            `None` with `train_until` also `None`: everything.
        train_until: train on times before this one, in the grid's integers.
        excluded: entity -> (steps,) bool over its series in the log: steps that are no example of normal, such
            as known failures. They have no influence on the model.
        device: `auto`, `cpu` or `cuda`.
        progress: told of every look at a head when it is done.

    Raises:
        InputError: no entity is long enough to train on, or nothing in one could be judged.
        UsageError: no CUDA device, or a false-alarm promise that cannot be read.
    """
    torch_device = compute_device(device)
    _spare_memory(log)
    promise = parse_false_alarms(config.alarm.false_alarms)
    parts = [_training_part(series, train_rows, train_until) for series in log.series]
    masks = {series.entity: _training_mask(series, excluded or {}) for series in parts}
    usable = [series for series in parts if _trainable(series, masks[series.entity], config)]
    if not usable:
        raise _nothing_to_train_on(log, parts, masks, config)
    entities: list[EntityModel] = []
    fits: list[FitOutcome] = []
    left_out = trimmed = 0
    kept = [
        kept_stretches(
            series,
            masks[series.entity],
            most_cells=config.encoder.history_cells,
            longest_window=max(config.encoder.scales),
        )
        for series in usable
    ]
    looks = [_LOOKS * len(head_specs(config.encoder, part.series.grid.steps)) for part in kept]
    told = _counted(progress, [series.entity for series in usable], looks)
    for series, part, tell in zip(usable, kept, told, strict=True):
        trained = train_entity(
            part.series,
            config,
            counts=np.full(len(series.channels), log.schema.kind is LogKind.EVENTS),
            false_alarms_per_step=AIM * false_alarms_per_step(promise, step_seconds(log)),
            device=torch_device,
            excluded=part.excluded,
            rhythm=_rhythm(part, log.schema.kind, config),
            progress=tell,
        )
        if not np.isfinite(trained.entity.threshold_batch.value):
            raise InputError(
                _place(log),
                "nothing in the training part can be judged: no window is observed well enough"
                + (f" in entity '{series.entity}'" if series.entity else ""),
                "train on rows with fewer gaps, or use a coarser grid (--every)",
            )
        entities.append(replace(trained.entity, grid=series.grid, stretches=part.stretches))
        fits += trained.fits
        left_out += trained.left_out_cells
        trimmed += trained.trimmed_steps
    fingerprint = _fingerprint(kept)
    return Model(
        model_id=hashlib.sha256(f"{fingerprint}{config.hash()}{__version__}".encode()).hexdigest()[:12],
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        logscan_version=__version__,
        config=config,
        schema=log.schema,
        entities=tuple(entities),
        trained_rows=sum(
            series.grid.steps if series.row_times is None else len(series.row_times) for series in usable
        ),
        left_out_cells=left_out,
        trimmed_steps=trimmed,
        excluded_steps=sum(
            int((excluded or {})[one.entity][: one.grid.steps].sum())
            for one in usable
            if one.entity in (excluded or {})
        ),
        set_aside_steps=sum(int(one.set_aside.sum()) for one in usable if one.set_aside is not None),
        validation=_validation(fits),
        fingerprint=fingerprint,
        read_as=stored_settings(log.schema, config.input),
    )


def score(
    log: Log,
    model: Model,
    *,
    causal: bool = False,
    grow_history: bool | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> ScoreResult:
    """Score a log with a model.

    Args:
        log: read with `scoring_input`, so that it has the model's grid step.
        model: from `train` or the model folder.
        causal: end-aligned scores that never depend on later rows; else overlap-mean (batch).
        grow_history: what looked ordinary is history for the rest of the log; `None`: as the model says.
        device: `auto`, `cpu` or `cuda`.
        progress: told of every look at a head when it is done.

    Raises:
        InputError: a channel of the model is missing, or the grid step differs.
    """
    torch_device = compute_device(device)
    _spare_memory(log)
    if log.schema.step != model.schema.step or log.schema.time_kind is not model.schema.time_kind:
        raise InputError(
            _place(log),
            f"its grid ({log.schema.time_kind}, step {log.schema.step}) is not the model's "
            f"({model.schema.time_kind}, step {model.schema.step})",
            "score with the same time column and --every as in training, or train a new model",
        )
    grow_history = model.config.encoder.grow_history if grow_history is None else grow_history
    skipped = [series.entity for series in log.series if model.entity(series.entity) is None]
    known = [(series, entity) for series in log.series if (entity := model.entity(series.entity)) is not None]
    looks = [(_LOOKS if grow_history and not causal else 1) * len(entity.heads) for _, entity in known]
    told = _counted(progress, [entity.entity for _, entity in known], looks)
    scored = []
    for (series, entity), tell in zip(known, told, strict=True):
        chosen = _model_channels(series, model, log)
        scored.append(
            _scored(
                chosen, entity, model.config, torch_device, tell, causal=causal, grow_history=grow_history
            )
        )
    extra = sorted(set(log.schema.channels) - set(model.schema.channels))
    dead = [name for name in model.schema.channels if name in log.schema.ignored]
    notes = [note("channels-unknown", names=tuple(extra))] if extra else []
    notes += [note("channels-dead", names=tuple(dead))] if dead else []
    return ScoreResult(series=_numbered(scored), skipped_entities=tuple(skipped), notes=tuple(notes))


def scoring_input(given: InputConfig, model: Model) -> InputConfig:
    """How to read a log for a model: as in training, where nothing else is asked for."""
    return over_stored(given, model.read_as or stored_settings(model.schema, model.config.input))


def step_seconds(log: Log) -> float | None:
    """Length of a grid step in seconds; `None` where time is an integer or a row number."""
    return log.schema.step / SECOND_NS if log.schema.time_kind is TimeKind.TIMESTAMP else None


def _spare_memory(log: Log) -> None:
    """Trade a little time for memory where a log is long."""
    if sum(series.values.size for series in log.series) >= _LONG_CELLS:
        hold_no_large_blocks()


def _scored(
    series: Series,
    entity: EntityModel,
    config: Config,
    device: torch.device,
    progress: Tell | None,
    *,
    causal: bool,
    grow_history: bool,
) -> SeriesScores:
    ready = prepared(series.values, entity.scaler, bridge_steps=config.input.bridge_steps, causal=causal)
    ready = replace(ready, set_aside=series.set_aside)
    look = encode_growing if grow_history else encode
    encoding = look(
        entity,
        ready,
        int((series.grid.start - entity.grid.start) // entity.grid.step),
        neighbors=config.encoder.neighbors,
        causal=causal,
        device=device,
        progress=progress,
    )
    threshold = entity.threshold_causal if causal else entity.threshold_batch
    shortest = min(head.spec.window_steps for head in entity.heads)
    return judged_series(
        series,
        ready,
        encoding,
        entity,
        threshold=threshold.value,
        merge_gap_steps=merge_gap_steps(config.alarm.merge_gap_steps, shortest),
        min_event_steps=min_event_steps(config.alarm.min_event_steps, shortest),
        causal=causal,
    )


def _training_part(series: Series, rows: int | None, until: int | None) -> Series:
    """The series up to the `rows`-th distinct input time, or up to the time `until`."""
    grid = series.grid
    end = grid.steps
    if until is not None:
        end = -(-(until - grid.start) // grid.step)
    if rows is not None and series.row_times is not None and rows < len(series.row_times):
        end = min(end, int(grid.index(np.array([series.row_times[rows]]))[0]))
    elif rows is not None and series.row_times is None:
        end = min(end, rows)
    end = int(np.clip(end, 0, grid.steps))
    times = series.row_times
    kept = None if times is None else times.within(grid.first_time(0), grid.first_time(end))
    aside = None if series.set_aside is None else series.set_aside[:end]
    return replace(
        series, grid=replace(grid, steps=end), values=series.values[:end], row_times=kept, set_aside=aside
    )


def _rhythm(part: Kept, kind: LogKind, config: Config) -> tuple[float, ...]:
    """The periods whose phase counts; none where only stretches are kept, whose places tell no phase."""
    if part.stretches is not None:
        return ()
    return rhythm_periods(part.series.grid, kind, wanted=config.encoder.rhythm)


def _training_mask(part: Series, excluded: Mapping[str, Bool]) -> Bool:
    """(steps,) bool: the excluded steps of a training part, and those set aside."""
    none = np.zeros(part.grid.steps, dtype=np.bool_)
    mask = excluded.get(part.entity, none)[: part.grid.steps]
    return mask if part.set_aside is None else mask | part.set_aside


def _trainable(series: Series, excluded: Bool, config: Config) -> bool:
    """Whether a training part is long enough for the shortest scale and holds a number."""
    enough = long_enough(min(config.encoder.scales), series.grid.steps, excluded)
    return enough and bool((np.isfinite(series.values) & ~excluded[:, None]).any())


def _nothing_to_train_on(
    log: Log, parts: list[Series], masks: Mapping[str, Bool], config: Config
) -> InputError:
    shortest = min(config.encoder.scales)
    longest = max(parts, key=lambda series: series.grid.steps)
    steps, known = longest.grid.steps, int(masks[longest.entity].sum())
    if known and long_enough(shortest, steps):
        stops = longest.set_aside is not None and bool(longest.set_aside.any())
        what = "stops and days set aside" if stops else "known failures"
        less = "set less aside (--status, --holidays)" if stops else "label only the failures (--labels)"
        return InputError(
            _place(log),
            f"{what} cover {known:,} of the {steps:,} training steps, and what is left has too few "
            f"windows of {shortest} steps",
            f"train on more rows (--train-rows, --train-until), or {less}",
        )
    return InputError(
        _place(log),
        f"the training part has {steps} steps, at least {FEWEST_WINDOWS * shortest} are needed",
        "train on more rows (--train-rows, --train-until) or use a finer grid (--every)",
    )


def _model_channels(series: Series, model: Model, log: Log) -> Series:
    """The series with the model's channels in the model's order.

    A column that is there but holds no number in the whole log is a dead sensor: all missing, not a mistake.
    """
    wanted = model.schema.channels
    if series.channels == wanted:
        return series
    columns = []
    for name in wanted:
        if name in series.channels:
            columns.append(series.values[:, series.channels.index(name)])
        elif name in log.schema.ignored:
            columns.append(np.full(series.grid.steps, np.nan))
        else:
            close = difflib.get_close_matches(name, series.channels, n=1)
            hint = f"was it renamed to '{close[0]}'?" if close else f"it has: {', '.join(series.channels)}"
            raise InputError(_place(log), f"channel '{name}' of the model is missing", hint)
    return replace(series, channels=wanted, values=np.stack(columns, axis=1))


def _numbered(scored: list[SeriesScores]) -> tuple[SeriesScores, ...]:
    """Event ids made unique over all entities."""
    done, base = [], 0
    for one in scored:
        events = tuple(replace(event, id=event.id + base) for event in one.events)
        if base:
            one = replace(one, event_id=np.where(one.event_id >= 0, one.event_id + base, -1))  # noqa: PLW2901
        done.append(replace(one, events=events))
        base += len(events)
    return tuple(done)


def _counted(progress: Progress | None, names: Sequence[str], looks: Sequence[int]) -> list[Tell | None]:
    """What to call with every finished head, per entity: counts the looks at heads of all entities.

    Args:
        progress: told of every look.
        names: of the entities.
        looks: at heads that each entity takes, about.
    """
    if progress is None:
        return [None] * len(names)
    before = np.concatenate([[0], np.cumsum(looks)]).tolist()

    def counter(name: str, begin: int, most: int) -> Tell:
        done = 0

        def tell(head: str) -> None:
            nonlocal done
            done = min(done + 1, most)
            progress(f"{name} {head}".strip(), begin + done, before[-1])

        return tell

    return [counter(name, begin, most) for name, begin, most in zip(names, before[:-1], looks, strict=True)]


def _fingerprint(parts: list[Kept]) -> str:
    """SHA-256 of what is trained on; where steps are excluded, of which ones and of nothing they held."""
    digest = hashlib.sha256()
    for part in parts:
        series, mask = part.series, part.excluded
        digest.update(repr((series.entity, series.channels, series.grid)).encode())
        digest.update(np.where(mask[:, None], np.nan, series.values).tobytes())
        if mask.any():
            digest.update(mask.tobytes())
    return digest.hexdigest()


def _validation(fits: list[FitOutcome]) -> dict[str, float]:
    """What training gained on held-back rows, over all heads."""
    judged = [fit for fit in fits if np.isfinite(fit.loss_start)]
    if not judged:
        return {}
    shipped = [fit for fit in judged if fit.shipped]
    return {
        "heads": float(len(judged)),
        "heads_where_training_ships": float(len(shipped)),
        "log_residual_closed_form": float(np.mean([fit.loss_start for fit in judged])),
        "log_residual_shipped": float(
            np.mean([fit.loss_best if fit.shipped else fit.loss_start for fit in judged])
        ),
    }


def _place(log: Log) -> str:
    return log.schema.files[0] if log.schema.files else "input"
