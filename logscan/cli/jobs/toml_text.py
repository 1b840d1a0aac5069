"""Settings as the text of a `logscan.toml`."""

from __future__ import annotations

import json
from collections.abc import Sequence

from logscan.config import InputConfig
from logscan.records import ChannelQuality, Grade


def toml_text(config: InputConfig, qualities: Sequence[ChannelQuality]) -> str:
    """The section as TOML, with what is worth a thought as comments.

    Args:
        config: the settings.
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
