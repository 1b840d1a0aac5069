"""Sparse attention for long sequences, usable alone."""

from logscan.attention.api import DENSE_MAX_KEYS, sparse_attention
from logscan.attention.problem import AttentionResult
from logscan.attention.tree import ContentTree, content_tree

__all__ = ["DENSE_MAX_KEYS", "AttentionResult", "ContentTree", "content_tree", "sparse_attention"]
