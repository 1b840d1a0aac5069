"""Which attention a model uses, and what it costs: for `benchmarks/detection/run.py`, in its child processes."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from types import ModuleType
from typing import Any

from logscan.attention import content_tree
from logscan.model import history_attention, train_layer

NEVER, ALWAYS = 1 << 62, 0  # history tokens from which attention is sparse


@dataclass(slots=True)
class HeadCost:
    """What the attention of one head has cost so far, where tokens are judged: calibration and scores.

    Attributes:
        history_tokens: keys of its last call.
        query_tokens: queries of its last call.
        seconds: inside `attend`.
        seconds_tree: building the tree of its history, which exact attention does without.
    """

    history_tokens: int = 0
    query_tokens: int = 0
    seconds: float = 0.0
    seconds_tree: float = 0.0


@dataclass(slots=True)
class AttentionWatch:
    """What attention has cost so far.

    Attributes:
        heads: head -> its cost.
        seconds_fit: inside attention where layers learn.
        tree_waiting: seconds of trees whose head has not attended yet.
    """

    heads: dict[str, HeadCost] = field(default_factory=dict)
    seconds_fit: float = 0.0
    tree_waiting: float = 0.0

    def costs(self) -> dict[str, Any]:
        """As fields of a result: the sums, and every head."""
        return {
            "seconds_attention": sum(head.seconds for head in self.heads.values()),
            "seconds_attention_fit": self.seconds_fit,
            "seconds_tree": sum(head.seconds_tree for head in self.heads.values()),
            "heads": {name: asdict(head) for name, head in self.heads.items()},
        }


def watched_attention(kind: str) -> AttentionWatch:
    """Times all attention of this process from now on, and makes it exact or sparse throughout.

    What the layers learn from is chosen as `auto` would, whatever the kind: models of all kinds have the same
    trained layers, and differ in calibration and scores alone.

    Args:
        kind: `auto` (exact up to `EXACT_HISTORY_TOKENS`), `dense` or `sparse`.
    """
    watch = AttentionWatch()
    usual, attend = history_attention.EXACT_HISTORY_TOKENS, history_attention.attend
    partial = history_attention.partial_attention
    limit = {"auto": usual, "dense": NEVER, "sparse": ALWAYS}[kind]

    def timed_attention(head: Any, queries: Any, keys: Any, *rest: Any) -> Any:
        started = time.perf_counter()
        found = partial(head, queries, keys, *rest)
        cost = watch.heads.setdefault(head.spec.name, HeadCost())
        cost.seconds += time.perf_counter() - started
        cost.history_tokens = max(cost.history_tokens, len(keys))
        cost.query_tokens = max(cost.query_tokens, len(queries))
        cost.seconds_tree, watch.tree_waiting = cost.seconds_tree + watch.tree_waiting, 0.0
        return found

    def timed_fit(*arguments: Any) -> Any:
        history_attention.EXACT_HISTORY_TOKENS, history_attention.partial_attention = usual, partial
        try:
            started = time.perf_counter()
            found = attend(*arguments)
            watch.seconds_fit += time.perf_counter() - started
        finally:
            limited()
        return found

    def timed_tree(*arguments: Any) -> Any:
        started = time.perf_counter()
        tree = content_tree(*arguments)
        watch.tree_waiting += time.perf_counter() - started
        return tree

    def limited() -> None:
        patched(history_attention, EXACT_HISTORY_TOKENS=limit, partial_attention=timed_attention)

    limited()
    patched(history_attention, content_tree=timed_tree)
    patched(train_layer, attend=timed_fit)
    return watch


def patched(module: ModuleType, **names: object) -> None:
    """Put other things behind names of a module, for the rest of the process."""
    for name, value in names.items():
        setattr(module, name, value)
