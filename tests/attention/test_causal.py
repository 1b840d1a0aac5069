"""Causal sparse attention: put together from blocks of the past, it never looks later."""

import pytest
import torch

from logscan.attention import api, causal, sparse_attention

COUNT, WIDTH = 1201, 7


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    """Blocks of 128 keys, sparse above 200, so that a small case goes through every size of block."""
    monkeypatch.setattr(causal, "BLOCK_KEYS", 128)
    monkeypatch.setattr(api, "DENSE_MAX_KEYS", 200)


def _wave(count: int = COUNT) -> torch.Tensor:
    time = torch.arange(count + WIDTH)
    noise = 0.05 * torch.randn(len(time), generator=torch.Generator().manual_seed(0))
    wave = torch.sin(time * 0.21) + 0.5 * torch.sin(time * 0.057) + noise
    return wave.unfold(0, WIDTH, 1)[:count].double()


OPTIONS = {
    "is_causal": True,
    "search_leaves": 6,
    "budget": 96,
    "return_log_partition": True,
    "return_neighbors": 3,
    "implementation": "sparse",
}


@pytest.mark.parametrize("exclusion", [0, 1, 40])
@pytest.mark.parametrize("group_queries", [1, 16])
def test_later_tokens_change_nothing_at_all(exclusion, group_queries):
    """Changing every token after a point leaves the results up to it bit for bit as they were."""
    tokens = _wave()
    options = OPTIONS | {"exclusion": exclusion, "group_queries": group_queries}
    before = sparse_attention(tokens, tokens, tokens, **options)
    for cut in (300, 640, 1001):
        changed = tokens.clone()
        changed[cut:] = 100.0 * torch.rand(COUNT - cut, WIDTH, generator=torch.Generator().manual_seed(cut))
        after = sparse_attention(changed, changed, changed, **options)
        torch.testing.assert_close(before.output[:cut], after.output[:cut], rtol=0, atol=0, equal_nan=True)
        assert torch.equal(before.log_partition[:cut], after.log_partition[:cut])
        assert torch.equal(before.neighbors[:cut], after.neighbors[:cut])


@pytest.mark.parametrize("exclusion", [0, 5])
def test_causal_attention_is_near_the_exact_one(exclusion):
    """Output, log-partition and nearest keys agree with dense attention; neighbours lie in the past."""
    tokens = _wave()
    scale = 4.0
    bias = -0.5 * scale * tokens.square().sum(dim=1)
    options = OPTIONS | {"exclusion": exclusion, "scale": scale, "key_bias": bias}
    found = sparse_attention(tokens, tokens, tokens, **options)
    exact = sparse_attention(tokens, tokens, tokens, **(options | {"implementation": "dense"}))
    some = exact.log_partition > -torch.inf
    assert torch.equal(some, found.log_partition > -torch.inf)
    assert torch.equal(found.output.isnan(), exact.output.isnan())
    assert (found.output - exact.output)[some].norm() <= 0.02 * exact.output[some].norm()
    nearest = (found.neighbors == exact.neighbors[:, :1]).any(dim=1)[some].double().mean()
    assert nearest >= 0.9
    lag = torch.arange(COUNT)[:, None] - found.neighbors
    assert (lag[found.neighbors >= 0] >= exclusion).all()


def test_bounds_hold_for_what_was_put_together():
    """The certified bounds of the whole follow from those of the blocks."""
    tokens = _wave()
    options = {"is_causal": True, "return_log_partition": True}
    found = sparse_attention(
        tokens,
        tokens,
        tokens,
        search_leaves=3,
        budget=48,
        return_error_bound=True,
        implementation="sparse",
        **options,
    )
    exact = sparse_attention(tokens, tokens, tokens, implementation="dense", **options)
    assert ((found.log_partition - exact.log_partition).abs() <= found.log_partition_bound).all()
    assert ((found.output - exact.output).norm(dim=1) <= found.output_bound).all()


def test_gradients_flow_through_the_blocks():
    """Gradients equal the dense ones where the blocks are all dense, and no later value gets any."""
    tokens = _wave(311)
    options = {"is_causal": True, "implementation": "sparse", "budget": 300}
    value = tokens.clone().requires_grad_()
    sparse_attention(tokens, tokens, value, **options).output[150].sum().backward()
    mine = value.grad.clone()
    value.grad = None
    sparse_attention(tokens, tokens, value, **(options | {"implementation": "dense"})).output[
        150
    ].sum().backward()
    torch.testing.assert_close(mine, value.grad)
    assert (mine[151:] == 0).all()


def test_queries_at_other_times_than_the_keys():
    """A query sees the keys up to its own time, wherever the queries lie and in whatever order."""
    keys = _wave(601)
    query = keys[:83]
    query_time = torch.randperm(700, generator=torch.Generator().manual_seed(1))[:83] - 20
    options = OPTIONS | {"query_time": query_time, "key_time": torch.arange(601)}
    found = sparse_attention(query, keys, keys, **options)
    exact = sparse_attention(query, keys, keys, **(options | {"implementation": "dense"}))
    assert torch.equal(found.output.isnan(), exact.output.isnan())
    some = ~exact.output.isnan().any(dim=1)
    assert (found.output - exact.output)[some].norm() <= 0.2 * exact.output[some].norm()
