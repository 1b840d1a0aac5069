"""The `logscan.toml` that reads an input as it was read now: everything found, written down."""

from __future__ import annotations

import json
from collections.abc import Sequence

from logscan.config import InputConfig
from logscan.read.grid.step import step_words
from logscan.read.plan.time_column import ROW
from logscan.records import ChannelQuality, Grade, InputSchema, Log, LogKind, TimeKind


def suggested_input(log: Log, config: InputConfig) -> InputConfig:
    """The input section that needs no more evidence: the same files under it give the same series.

    Args:
        log: as read.
        config: what the user said.
    """
    schema, shaping = log.schema, log.schema.shaping
    time = ROW if schema.time_kind is TimeKind.ROW else schema.time_column
    found = {
        "time": config.time or time,
        "entity": schema.entity_columns,
        "kind": schema.kind.value,
        "every": step_words(schema.step, schema.time_kind),
        "channels": config.channels or (schema.channels if _columns_are_channels(log) else ()),
        "sensor": shaping.sensor,
        "value": shaping.value,
        "split": shaping.split,
        "categories": shaping.categories,
        "negatives": shaping.negatives if schema.kind is LogKind.EVENTS else None,
        "status": shaping.status,
        "running": shaping.running,
    }
    # Files of one log may be written in several ways; of one file its way is known.
    written = _written(schema, config) if len(schema.files) == 1 and schema.format == "csv" else {}
    return config.model_copy(update=found | written)


def _written(schema: InputSchema, config: InputConfig) -> dict[str, str | int | None]:
    """How one CSV file is written: its encoding, dialect and header."""
    first, last = schema.header_line, schema.header_end
    header = "none" if first is None else str(first) if last in (None, first) else f"{first}-{last}"
    return {
        "encoding": config.encoding or schema.encoding,
        "delimiter": config.delimiter or schema.delimiter,
        "decimal": config.decimal or schema.decimal,
        "quote": config.quote or schema.quote or "none",
        "header": config.header or header,
        "data_from": config.data_from or schema.data_line,
    }


def _columns_are_channels(log: Log) -> bool:
    """Whether every channel is a column of the input, or a sensor of a log in long format."""
    return log.schema.kind is LogKind.SAMPLES


def toml_text(config: InputConfig, qualities: Sequence[ChannelQuality]) -> str:
    """The section as TOML, with what is worth a thought as comments.

    Args:
        config: from `suggested_input`.
        qualities: of the log; channels that cannot be used are named.
    """
    lines = [
        "# What logscan found, written down: with this file the same input gives the same series.",
        "[input]",
    ]
    standard = InputConfig()
    for name in InputConfig.model_fields:
        value = getattr(config, name)
        if value != getattr(standard, name):
            lines.append(f"{name} = {_toml_value(value)}")
    bad = list(dict.fromkeys(one.channel for one in qualities if one.grade is Grade.UNUSABLE))
    if bad:
        lines += ["# Channels that cannot be used as they are; take them out of channels, or ignore them:"]
        lines += [f"# ignore = {_toml_value(tuple(bad))}"]
    return "\n".join(lines) + "\n"


def _toml_value(value: object) -> str:
    """A value of the input section; the strings of JSON are those of TOML but for one character."""
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml_value(part) for part in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return json.dumps(value)
