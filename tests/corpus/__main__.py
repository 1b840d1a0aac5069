"""The page of formats: `python -m tests.corpus > docs/formats.md` writes what the corpus is read as."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Sequence

from logscan.read.grid.step import step_words
from tests.corpus.scoring import HALVES, Case, Score, cases, score

_HEAD = """\
# Formats

What writes a log, and what logscan reads of it without being told more than the row says.

The logs are in `tests/corpus`. Their readings are made up, their layouts are those of known programs.
Half *a* was written before the rules of reading were looked at. Half *b* was written with them in view.
A test reads every log and compares it with what is right.

* *right*: time, step, channels and readings are as they should be.
* *asked*: logscan refuses the log and names the option to set.
* *open*: the answer is wrong today. `expected.toml` beside the log says why.
"""


def page() -> str:
    """The page in Markdown."""
    scored = {half: [(case, score(case)) for case in cases(half)] for half in HALVES}
    lines = [_HEAD, "|half|logs|right|asked|open|", "|---|---|---|---|---|"]
    for half, found in scored.items():
        counts = Counter(_result(case, one) for case, one in found)
        lines.append(f"|{half}|{len(found)}|{counts['right']}|{counts['asked']}|{counts['open']}|")
    lines += [
        "",
        "The middle column has the kind, the step and the number of channels, or the option asked for.",
    ]
    lines += ["", "|layout|read as|result|", "|---|---|---|"]
    for found in scored.values():
        lines += [f"|{case.title}|{_read_as(one)}|{_result(case, one)}|" for case, one in found]
    return "\n".join(lines) + "\n"


def _result(case: Case, one: Score) -> str:
    return "open" if case.open is not None else one.result


def _read_as(one: Score) -> str:
    """Kind, step and number of channels; the option that is asked for; or that the log is refused."""
    if one.log is None:
        options: Sequence[str] = re.findall(r"--[a-z][a-z-]*", one.why)
        return options[0] if options and one.result == "asked" else "refused"
    schema = one.log.schema
    return f"{schema.kind} {step_words(schema.step, schema.time_kind)} {len(schema.channels)}"


if __name__ == "__main__":
    sys.stdout.write(page())
