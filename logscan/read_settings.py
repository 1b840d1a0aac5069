"""Stored settings: how a log was read, so that score, evaluate and check read it the same; given over stored.

One rule for all who read again: what is given now wins over what is stored, and what shapes the series does not change.
"""

from __future__ import annotations

from logscan.config import InputConfig
from logscan.read.grid.step import step_words
from logscan.read.plan.time_column import ROW
from logscan.records import InputSchema, LogKind, TimeKind

# What a model was trained with; another value would give series that the model does not fit.
_FIXED = ("kind", "every", "categories", "negatives")


def stored_settings(schema: InputSchema, given: InputConfig) -> InputConfig:
    """What to store with a model or a run: the settings that were given, and the roles that were found.

    Encoding, delimiter and the like stay as given: the next file may be written in another way.

    Args:
        schema: of the log, as read.
        given: settings that it was read with.
    """
    shaping = schema.shaping
    return given.model_copy(
        update={
            "time": given.time or (ROW if schema.time_kind is TimeKind.ROW else schema.time_column),
            "entity": schema.entity_columns,
            "kind": schema.kind.value,
            "every": step_words(schema.step, schema.time_kind),
            "sensor": given.sensor or shaping.sensor,
            "value": given.value or shaping.value,
            "split": given.split or shaping.split,
            "categories": shaping.categories,
            "negatives": shaping.negatives if schema.kind is LogKind.EVENTS else None,
            "status": given.status or shaping.status,
            "running": given.running or shaping.running,
        }
    )


def over_stored(given: InputConfig, stored: InputConfig) -> InputConfig:
    """The settings to read with: those given now, else those stored; what shapes the series stays as stored."""
    standard = InputConfig()
    update = {
        name: getattr(given, name)
        for name in InputConfig.model_fields
        if name not in _FIXED and getattr(given, name) != getattr(standard, name)
    }
    return stored.model_copy(update=update)


def written_settings(schema: InputSchema, given: InputConfig) -> InputConfig:
    """The settings that need no more detection: roles, channels and, of one CSV, how it is written."""
    found: dict[str, object] = {}
    if schema.kind is LogKind.SAMPLES:  # each channel is a column, or a sensor of a log in long format
        found["channels"] = given.channels or schema.channels
    if len(schema.files) == 1 and schema.format == "csv":
        first, last = schema.header_line, schema.header_end
        header = "none" if first is None else str(first) if last in (None, first) else f"{first}-{last}"
        found |= {
            "encoding": given.encoding or schema.encoding,
            "delimiter": given.delimiter or schema.delimiter,
            "decimal": given.decimal or schema.decimal,
            "quote": given.quote or schema.quote or "none",
            "header": given.header or header,
            "data_from": given.data_from or schema.data_line,
        }
    return stored_settings(schema, given).model_copy(update=found)
