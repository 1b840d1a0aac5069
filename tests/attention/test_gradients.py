"""Gradients of the sparse path: through selected keys and coarse terms, chunk by chunk."""

import pytest
import torch

from logscan.attention import sparse_attention


def _wave(count: int, width: int) -> torch.Tensor:
    time = torch.arange(count + width)
    noise = 0.05 * torch.randn(len(time), generator=torch.Generator().manual_seed(0))
    return (torch.sin(time * 0.21) + noise).unfold(0, width, 1)[:count].double()


@pytest.mark.parametrize("group_queries", [1, 16])
@pytest.mark.parametrize("coarse", ["none", "mean", "second"])
@pytest.mark.parametrize(("exclusion", "probes"), [(0, 0), (3, 0), (3, 2)])
def test_gradients_equal_finite_differences(group_queries, coarse, exclusion, probes):
    """Output, log-partition and neighbour weights differentiate through query, key, value and bias.

    Along one random direction, and entry by entry in two cases. A direction shrinks the error of one entry, and the
    default tolerance let 10 % of an entry pass; this one lets it pass in few cases.
    """
    key = _wave(83, 3)
    inputs = [
        _wave(19, 3) + 0.1,
        key,
        torch.randn(83, 2, generator=torch.Generator().manual_seed(1)).double(),
    ]
    # the second-order term takes the bend of the bias for a constant: here without a bend
    inputs.append(torch.zeros(83).double() if coarse == "second" else -0.2 * key.square().sum(dim=1))

    def outputs(query, key, value, key_bias):
        result = sparse_attention(
            query,
            key,
            value,
            key_bias=key_bias,
            query_time=torch.arange(19) + 30,
            key_time=torch.arange(83),
            exclusion=exclusion,
            budget=24,
            search_leaves=2,
            probes=probes,
            group_queries=group_queries,
            coarse=coarse,
            return_log_partition=True,
            return_neighbors=2,
            implementation="sparse",
        )
        return result.output, result.log_partition, result.neighbor_weights

    every_entry = (coarse, exclusion, probes, group_queries) in {("mean", 3, 2, 16), ("second", 3, 0, 1)}
    inputs = [part.requires_grad_() for part in inputs]
    torch.manual_seed(7)
    assert torch.autograd.gradcheck(outputs, inputs, fast_mode=not every_entry, atol=1e-7, rtol=1e-4)


@pytest.mark.parametrize("group_queries", [1, 16])
def test_gradients_do_not_depend_on_the_chunk_size(group_queries):
    """Recomputing chunk by chunk gives the same gradients for any chunk."""
    tokens = _wave(331, 5)
    gradients = []
    for chunk in (None, 1, 3):
        inputs = [tokens.clone().requires_grad_() for _ in range(3)]
        result = sparse_attention(
            *inputs,
            exclusion=5,
            budget=48,
            search_leaves=3,
            group_queries=group_queries,
            implementation="sparse",
            chunk_queries=chunk,
            return_log_partition=True,
        )
        (result.output.square().sum() + result.log_partition.sum()).backward()
        gradients.append([part.grad for part in inputs])
    for other in gradients[1:]:
        for mine, theirs in zip(gradients[0], other, strict=True):
            torch.testing.assert_close(mine, theirs)


def test_gradients_are_near_the_dense_ones():
    """On a wave with distance attention the sparse gradients point where the dense ones do."""
    tokens = _wave(997, 11)
    gradients = []
    for implementation in ("dense", "sparse"):
        inputs = [tokens.clone().requires_grad_() for _ in range(3)]
        result = sparse_attention(
            *inputs,
            scale=4.0,
            key_bias=-2.0 * tokens.square().sum(dim=1),
            exclusion=11,
            search_leaves=16,
            implementation=implementation,
        )
        result.output.square().sum().backward()
        gradients.append([part.grad.flatten() for part in inputs])
    for mine, theirs in zip(*gradients, strict=True):
        assert float(torch.nn.functional.cosine_similarity(mine, theirs, dim=0)) > 0.85
