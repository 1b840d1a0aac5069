"""Settings of one run: flags over environment over `logscan.toml` over defaults, as one `Config`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logscan.config import Config, parse_config
from logscan.errors import UsageError

DEFAULT_FILE = "logscan.toml"


def merged_config(file: Path | None, flags: Mapping[str, Mapping[str, Any]]) -> Config:
    """The configuration of `file` (or `logscan.toml` here, if there is one) under the given flags.

    Args:
        file: a TOML file; `None` looks for `logscan.toml` in the current folder.
        flags: section -> key -> value, environment already folded in; `None` and empty values are not given.

    Raises:
        UsageError: the file is missing or not TOML, or a key or value is not known.
    """
    path = file if file is not None else Path(DEFAULT_FILE)
    data: dict[str, Any] = {}
    if file is not None or path.is_file():
        data = _toml(path)
    place = str(path) if data else "options"
    parse_config(data, place)  # so that what follows merges known sections only
    merged = dict(data)
    for section, values in flags.items():
        given = {key: value for key, value in values.items() if value is not None and value != ()}
        merged[section] = {**merged.get(section, {}), **given}
    return parse_config(merged, place)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(str(path), "no such configuration file", "check --config") from error
    except OSError as error:
        raise UsageError(str(path), f"cannot be read ({error.strerror})", "check its permissions") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(str(path), f"not TOML: {error}", "see the README for an example") from error
