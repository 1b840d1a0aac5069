"""The certified bounds of the sparse operator: they hold for any tokens, always."""

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logscan.attention import sparse_attention
from logscan.attention.reference import reference_attention

KINDS = ("normal", "wave", "equal", "clusters", "spike", "huge", "line", "two values", "tiny")


def _tokens(kind: str, count: int, width: int, seed: int) -> torch.Tensor:
    """Float64 tokens of one character."""
    draw = torch.Generator().manual_seed(seed)
    tokens = torch.randn(count, width, generator=draw, dtype=torch.float64)
    if kind == "wave":
        time = torch.arange(count + width)
        wave = torch.sin(time * 0.21) + 0.5 * torch.sin(time * 0.057)
        return (wave + 0.05 * torch.randn(len(time), generator=draw)).unfold(0, width, 1)[:count].double()
    if kind == "equal":
        return torch.full_like(tokens, 3.0)
    if kind == "clusters":
        centre = 3 * torch.randn(7, width, generator=draw, dtype=torch.float64)
        return 0.1 * tokens + centre[torch.randint(0, 7, (count,), generator=draw)]
    if kind == "spike":
        tokens[count // 3] = 1e4
    if kind == "line":
        return tokens[:, :1] * torch.ones(width, dtype=torch.float64)
    if kind == "two values":
        return (tokens > 0).double()
    return tokens * {"huge": 1e6, "tiny": 1e-6}.get(kind, 1.0)


@given(
    kind=st.sampled_from(KINDS),
    count=st.integers(20, 530),
    width=st.sampled_from([2, 5, 11]),
    sharpness=st.sampled_from([0.01, 1.0, 30.0]),
    by_distance=st.booleans(),
    exclusion=st.sampled_from([0, 1, 9]),
    group_queries=st.sampled_from([1, 16]),
    coarse=st.sampled_from(["none", "mean", "second"]),
    look_ahead=st.booleans(),
    probes=st.sampled_from([0, 3]),
    single=st.booleans(),
)
@example(  # probes take every leaf, so that no node is left
    kind="normal",
    count=25,
    width=2,
    sharpness=0.01,
    by_distance=False,
    exclusion=0,
    group_queries=1,
    coarse="mean",
    look_ahead=True,
    probes=3,
    single=False,
)
@settings(max_examples=120, deadline=None)
def test_no_bound_is_ever_violated(
    kind, count, width, sharpness, by_distance, exclusion, group_queries, coarse, look_ahead, probes, single
):
    """For every query, true errors of log-partition and output are at most the certified ones.

    About 30,000 queries over tokens random, clustered, periodic and adversarial: equal keys, huge norms, one
    distant spike.
    """
    tokens = _tokens(kind, count, width, seed=count)
    value = torch.randn(count, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    scale = sharpness / max(float(tokens.var()), 1e-12)
    bias = -0.5 * scale * tokens.square().sum(dim=1) if by_distance else None
    kind_of = torch.float32 if single else torch.float64
    tokens, value = tokens.to(kind_of), value.to(kind_of)
    bias = None if bias is None else bias.to(kind_of)
    found = sparse_attention(
        tokens,
        tokens,
        value,
        scale=scale,
        key_bias=bias,
        exclusion=exclusion,
        budget=24,
        search_leaves=3,
        group_queries=group_queries,
        coarse=coarse,
        look_ahead=look_ahead,
        probes=probes if look_ahead else 0,
        implementation="sparse",
        return_log_partition=True,
        return_error_bound=True,
    )
    time = torch.arange(count)
    exact = reference_attention(
        tokens.double(),
        tokens.double(),
        value.double(),
        scale=scale,
        key_bias=None if bias is None else bias.double(),
        query_time=time,
        key_time=time,
        exclusion=exclusion,
    )
    some = exact.log_partition > -torch.inf
    assert torch.equal(some, found.log_partition > -torch.inf)
    wrong = (found.log_partition.double() - exact.log_partition).abs()[some]
    assert (wrong <= found.log_partition_bound[some]).all()
    wrong = (found.output.double() - exact.output).norm(dim=1)[some]
    assert (wrong <= found.output_bound[some]).all()


def test_the_bound_is_small_where_everything_near_was_taken():
    """Tight clusters far apart: what is left out weighs nothing, and the bound says so."""
    centre = 50.0 * torch.randn(13, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    tokens = centre.repeat_interleave(64, dim=0)
    tokens = tokens + torch.randn(
        tokens.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64
    )
    found = sparse_attention(
        tokens,
        tokens,
        tokens,
        scale=1.0,
        key_bias=-0.5 * tokens.square().sum(dim=1),
        group_queries=1,
        search_leaves=24,
        budget=256,
        implementation="sparse",
        return_error_bound=True,
    )
    assert float(found.log_partition_bound.quantile(0.9)) < 1e-6
    assert float(found.output_bound.quantile(0.9)) < 1e-6


@pytest.mark.parametrize("implementation", ["dense", "auto"])
def test_an_exact_result_is_certified_to_rounding(implementation):
    """The dense path's bounds hold too, and are of the size of rounding."""
    tokens = _tokens("normal", 211, 7, seed=0).float()
    found = sparse_attention(
        tokens,
        tokens,
        tokens,
        return_error_bound=True,
        return_log_partition=True,
        implementation=implementation,
    )
    exact = reference_attention(tokens.double(), tokens.double(), tokens.double(), scale=7**-0.5)
    wrong = (found.output.double() - exact.output).norm(dim=1)
    assert (wrong <= found.output_bound).all()
    assert float(found.output_bound.amax()) < 1e-2
    assert ((found.log_partition.double() - exact.log_partition).abs() <= found.log_partition_bound).all()
