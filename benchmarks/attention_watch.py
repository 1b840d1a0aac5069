"""Which attention a model uses, and what it costs: for `benchmarks/detection.py`, in its child processes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from logscan.model import encoder, fit

NEVER, ALWAYS = 1 << 62, 0  # history tokens from which attention is sparse


@dataclass(slots=True)
class AttentionWatch:
    """What attention has cost so far.

    Attributes:
        seconds: inside `attend`, where tokens are judged: calibration and scores.
        seconds_fit: the same where layers learn.
        seconds_tree: building trees of histories, which exact attention needs not.
        heads: head -> (history tokens, query tokens) of its last call.
    """

    seconds: float = 0.0
    seconds_fit: float = 0.0
    seconds_tree: float = 0.0
    heads: dict[str, tuple[int, int]] = field(default_factory=dict)

    def costs(self) -> dict[str, Any]:
        """As fields of a result."""
        return {
            "seconds_attention": self.seconds,
            "seconds_attention_fit": self.seconds_fit,
            "seconds_tree": self.seconds_tree,
            "tokens": dict(self.heads),
        }


def watched_attention(kind: str) -> AttentionWatch:
    """Times all attention of this process from now on, and makes it exact or sparse throughout.

    What the layers learn from is chosen as `auto` would, whatever the kind: models of all kinds have the same
    trained layers, and differ in calibration and scores alone.

    Args:
        kind: `auto` (exact up to `EXACT_HISTORY_TOKENS`), `dense` or `sparse`.
    """
    watch = AttentionWatch()
    usual = encoder.EXACT_HISTORY_TOKENS
    attend, content_tree = encoder.attend, encoder.content_tree
    limit = {"auto": usual, "dense": NEVER, "sparse": ALWAYS}[kind]

    def timed_attend(head: Any, queries: Any, keys: Any, *rest: Any) -> Any:
        started = time.perf_counter()
        found = attend(head, queries, keys, *rest)
        watch.seconds += time.perf_counter() - started
        watch.heads[head.spec.name] = (len(keys), len(queries))
        return found

    def timed_fit(*arguments: Any) -> Any:
        encoder.EXACT_HISTORY_TOKENS = usual
        try:
            started = time.perf_counter()
            found = attend(*arguments)
            watch.seconds_fit += time.perf_counter() - started
        finally:
            encoder.EXACT_HISTORY_TOKENS = limit
        return found

    def timed_tree(*arguments: Any) -> Any:
        started = time.perf_counter()
        tree = content_tree(*arguments)
        watch.seconds_tree += time.perf_counter() - started
        return tree

    encoder.EXACT_HISTORY_TOKENS = limit
    encoder.attend, encoder.content_tree, fit.attend = timed_attend, timed_tree, timed_fit
    return watch
