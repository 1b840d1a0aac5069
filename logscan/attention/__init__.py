"""Sparse attention for long sequences, usable alone.

Where to read: `api` (the function), `reference` (what it computes, in ten lines), `tree` and `nodes` (the keys by
content), `search`, `selection` and `plan` (which keys a query takes), `tile` and `coarse` (the arithmetic), `bounds`
(what the rest can change), `causal` and `refine` (compositions of the above), `module` (for PyTorch models).
"""

from logscan.attention.api import DENSE_MAX_KEYS, sparse_attention
from logscan.attention.module import SparseAttention
from logscan.attention.problem import AttentionResult
from logscan.attention.tree import ContentTree, content_tree

__all__ = [
    "DENSE_MAX_KEYS",
    "AttentionResult",
    "ContentTree",
    "SparseAttention",
    "content_tree",
    "sparse_attention",
]
