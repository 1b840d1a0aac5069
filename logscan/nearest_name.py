"""Did you mean: the nearest match for a name that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from logscan.errors import UsageError


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """`did you mean '...'?` for the known name nearest to `name`, or an empty text."""
    lowered = {item.casefold(): item for item in reversed(known)}
    close = difflib.get_close_matches(name.casefold(), list(lowered), n=1)
    return f"did you mean '{lowered[close[0]]}'?" if close else ""


def require_columns(option: str, wanted: Sequence[str], known: Sequence[str]) -> None:
    """Raise UsageError for the first wanted column that is not there."""
    for name in wanted:
        if name not in known:
            listed = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
            remedy = did_you_mean(name, known) or f"the columns are: {listed}"
            raise UsageError(option, f"there is no column '{name}'", remedy)
