"""Sparse attention for long sequences, usable alone: of logscan it knows the errors.

Belongs here: the operator, its tree, bounds and torch module.
Does not: histories, windows, scores (`model`).
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
