"""The exact side of the operator: reference and dense path against the loops-only oracle, and their laws."""

import pytest
import torch

from logscan.attention import sparse_attention
from logscan.attention.reference import reference_attention
from logscan.errors import InputError, LogscanError, UsageError
from tests.oracles import attention_oracle

N_QUERY, N_KEY, WIDTH, VALUES = 29, 43, 7, 5


def _tokens(seed: int = 0, **sizes: int) -> dict[str, torch.Tensor]:
    """Random float64 tokens with bias, mask and times with gaps; keys not in time order."""
    draw = torch.Generator().manual_seed(seed)
    n_query, n_key = sizes.get("n_query", N_QUERY), sizes.get("n_key", N_KEY)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    return {
        "query": normal(n_query, WIDTH),
        "key": normal(n_key, WIDTH),
        "value": normal(n_key, VALUES),
        "key_bias": normal(n_key),
        "key_mask": torch.rand(n_key, generator=draw) > 0.2,
        "query_time": torch.arange(n_query) + 11,
        "key_time": torch.randperm(n_key + 17, generator=draw)[:n_key],
    }


def _assert_like_oracle(result, expected, *, k: int) -> None:
    outputs, log_partitions, ranked = expected
    torch.testing.assert_close(result.output, torch.tensor(outputs, dtype=torch.float64), equal_nan=True)
    torch.testing.assert_close(result.log_partition, torch.tensor(log_partitions, dtype=torch.float64))
    for row, pairs in enumerate(ranked):
        best = pairs[:k]
        lacking = k - len(best)
        assert result.neighbors[row].tolist() == [j for _, j in best] + [-1] * lacking
        weights = torch.tensor([w for w, _ in best] + [0.0] * lacking, dtype=torch.float64)
        torch.testing.assert_close(result.neighbor_weights[row], weights)


def _oracle(tokens, **options):
    lists = {name: tensor.tolist() for name, tensor in tokens.items()}
    return attention_oracle(lists.pop("query"), lists.pop("key"), lists.pop("value"), **lists, **options)


@pytest.mark.parametrize("is_causal", [False, True])
@pytest.mark.parametrize("exclusion", [0, 1, 13])
@pytest.mark.parametrize("path", ["reference", "dense", "sparse"])
def test_every_path_agrees_with_the_loops_only_oracle(path, is_causal, exclusion):
    """Output, log-partition and neighbours equal the loops under bias, mask, exclusion and causality."""
    tokens = _tokens()
    options = {"scale": 0.7, "exclusion": exclusion, "is_causal": is_causal}
    expected = _oracle(tokens, **options)
    if path == "reference":
        result = reference_attention(**tokens, **options, neighbors=11)
    else:
        options |= {"return_log_partition": True, "return_neighbors": 11, "budget": N_KEY}
        result = sparse_attention(**tokens, **options, implementation=path)
    _assert_like_oracle(result, expected, k=11)


def test_more_neighbours_than_keys_are_padded_with_none():
    """Asking for more neighbours than there are keys gives -1 with weight 0 at the end."""
    tokens = _tokens(n_key=3)
    for implementation in ("dense", "sparse"):
        result = sparse_attention(
            **tokens, scale=0.7, return_neighbors=5, return_log_partition=True, implementation=implementation
        )
        _assert_like_oracle(result, _oracle(tokens, scale=0.7), k=5)


@pytest.mark.parametrize("n_key", [1, 15, 16, 17, 257, 331])
@pytest.mark.parametrize("k", [1, 3, 19])
def test_block_wise_top_k_equals_sorting_all_keys(n_key, k):
    """The neighbours found through block maxima are those of a full sort, for any number of keys."""
    tokens = _tokens(seed=n_key, n_key=n_key)
    full = torch.argsort(tokens["query"] @ tokens["key"].T, dim=1, descending=True)[:, :k]
    result = sparse_attention(tokens["query"], tokens["key"], None, scale=1.0, return_neighbors=k)
    assert torch.equal(result.neighbors[:, : full.shape[1]], full)


@pytest.mark.parametrize("implementation", ["dense", "sparse"])
def test_the_chunk_size_changes_nothing(implementation):
    """Any chunk size gives the same result."""
    tokens = _tokens(n_query=59, n_key=211)
    options = {
        "scale": 0.7,
        "exclusion": 3,
        "budget": 48,
        "return_log_partition": True,
        "return_neighbors": 3,
        "implementation": implementation,
    }
    whole = sparse_attention(**tokens, **options)
    for chunk in (1, 7, 1000):
        parts = sparse_attention(**tokens, **options, chunk_queries=chunk)
        torch.testing.assert_close(parts.output, whole.output)
        torch.testing.assert_close(parts.log_partition, whole.log_partition)
        assert torch.equal(parts.neighbors, whole.neighbors)


def test_permuting_the_keys_permutes_the_neighbours_and_nothing_else():
    """The order in which keys are handed in does not matter, as long as each keeps its time."""
    tokens = _tokens(n_key=97)
    options = {"scale": 0.7, "exclusion": 5, "return_neighbors": 3, "implementation": "dense"}
    before = sparse_attention(**tokens, **options)
    order = torch.randperm(97, generator=torch.Generator().manual_seed(1))
    moved = {
        name: tensor[order] if name.startswith(("key", "value")) else tensor
        for name, tensor in tokens.items()
    }
    after = sparse_attention(**moved, **options)
    assert torch.equal(order[after.neighbors], before.neighbors)
    torch.testing.assert_close(after.output, before.output)


@pytest.mark.parametrize("implementation", ["dense", "sparse"])
def test_a_query_with_every_key_excluded_has_no_result_and_harms_no_gradient(implementation):
    """Output NaN, log-partition -inf, neighbours -1; gradients of the other rows stay finite."""
    tokens = _tokens()
    tokens["key_time"] = torch.arange(N_KEY)
    tokens["query_time"] = torch.arange(N_QUERY) - 3
    tokens["query"].requires_grad_()
    result = sparse_attention(
        **tokens,
        is_causal=True,
        exclusion=2,
        return_log_partition=True,
        return_neighbors=2,
        implementation=implementation,
    )
    blind = torch.arange(N_QUERY) < 3 + 2 + int(tokens["key_mask"].int().argmax())
    assert torch.equal(result.output.isnan().all(dim=1), blind)
    assert torch.equal(result.log_partition == -torch.inf, blind)
    assert torch.equal((result.neighbors == -1).all(dim=1), blind)
    (result.output[~blind].sum() + result.log_partition[~blind].sum()).backward()
    assert tokens["query"].grad.isfinite().all()


@pytest.mark.parametrize("implementation", ["dense", "sparse"])
def test_gradients_equal_finite_differences(implementation):
    """Output, log-partition and neighbour weights differentiate through query, key, value and bias."""
    tokens = _tokens(n_query=5, n_key=11)
    names = ("query", "key", "value", "key_bias")
    constant = {name: tensor for name, tensor in tokens.items() if name not in names}

    def outputs(*moving):
        result = sparse_attention(
            **dict(zip(names, moving, strict=True)),
            **constant,
            exclusion=1,
            budget=11,
            return_log_partition=True,
            return_neighbors=2,
            implementation=implementation,
        )
        return result.output, result.log_partition, result.neighbor_weights

    assert torch.autograd.gradcheck(outputs, [tokens[name].requires_grad_() for name in names])


def test_leading_dimensions_are_independent_heads():
    """A batch of heads equals head by head; one bias and one set of times serve all of them."""
    heads = [_tokens(seed=s) for s in range(6)]
    shared = {name: heads[0][name] for name in ("key_bias", "query_time", "key_time")}
    batch = {n: torch.stack([h[n] for h in heads]).unflatten(0, (2, 3)) for n in ("query", "key", "value")}
    for implementation in ("dense", "sparse"):
        options = {
            **shared,
            "exclusion": 3,
            "budget": 16,
            "return_neighbors": 2,
            "implementation": implementation,
        }
        whole = sparse_attention(**batch, **options)
        assert whole.output.shape == (2, 3, N_QUERY, VALUES)
        for i, head in enumerate(heads):
            single = sparse_attention(head["query"], head["key"], head["value"], **options)
            torch.testing.assert_close(whole.output[i // 3, i % 3], single.output, equal_nan=True)
            assert torch.equal(whole.neighbors[i // 3, i % 3], single.neighbors)


def test_the_default_is_scaled_dot_product_attention():
    """Without options the operator equals torch's own attention, plain and causal."""
    tokens = _tokens(n_query=N_KEY)
    q, k, v = tokens["query"], tokens["key"], tokens["value"]
    for is_causal in (False, True):
        expected = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=is_causal)
        torch.testing.assert_close(sparse_attention(q, k, v, is_causal=is_causal).output, expected)


def test_float32_logits_of_hundreds_keep_the_log_partition():
    """Sharp temperatures, where most weights underflow, agree with float64."""
    drawn = _tokens(n_key=331)
    tokens = {name: drawn[name] for name in ("query", "key", "value")}
    tokens["key_bias"] = -150.0 * tokens["key"].square().sum(dim=1)
    exact = sparse_attention(**tokens, scale=300.0, return_log_partition=True)
    single = sparse_attention(
        **{n: t.float() for n, t in tokens.items()}, scale=300.0, return_log_partition=True
    )
    torch.testing.assert_close(single.log_partition.double(), exact.log_partition, rtol=1e-5, atol=1e-3)
    torch.testing.assert_close(single.output.double(), exact.output, rtol=0, atol=5e-3)


@pytest.mark.parametrize("name", ["query", "key", "value", "key_bias"])
@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_a_token_that_is_not_finite_is_refused_by_name_and_number(name, bad):
    """NaN and infinite tokens raise InputError that says which tensor and which token."""
    tokens = _tokens()
    tokens[name][13] = bad
    with pytest.raises(InputError) as caught:
        sparse_attention(**tokens)
    assert str(caught.value) == (
        f"attention {name}: token 13 is NaN or infinite (1 such tokens); "
        "leave such tokens out, or set them to 0 and mask them with key_mask"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"key": torch.zeros(N_KEY, 3, dtype=torch.float64)},
            "attention key: expected shape (43, 7), got (43, 3)",
        ),
        (
            {"value": torch.zeros(2, 5, dtype=torch.float64)},
            "attention value: expected shape (43, 5), got (2, 5)",
        ),
        (
            {"key_bias": torch.zeros(N_KEY)},
            "attention key_bias: expected torch.float64, got torch.float32; convert it",
        ),
        (
            {"query_time": torch.zeros(N_QUERY)},
            "attention query_time: expected torch.int64, got torch.float32; convert it",
        ),
        ({"key_mask": torch.ones(5, dtype=torch.bool)}, "attention key_mask: expected shape (43,), got (5,)"),
        ({"budget": 0}, "attention budget: must be at least 1, got 0"),
        ({"implementation": "fast"}, "attention: unknown implementation 'fast'; use auto, dense or sparse"),
        (
            {"query_time": None, "exclusion": 1},
            (
                "attention: exclusion and is_causal need times when 29 queries meet 43 keys;"
                " pass query_time and key_time"
            ),
        ),
    ],
)
def test_arguments_that_contradict_each_other_are_refused(changes, message):
    """Every wrong argument gets its own sentence, and none a traceback."""
    with pytest.raises(UsageError) as caught:
        sparse_attention(**(_tokens() | changes))
    assert str(caught.value) == message
    assert isinstance(caught.value, LogscanError)


@pytest.mark.parametrize("implementation", ["dense", "sparse"])
def test_no_queries_and_no_keys_are_answered(implementation):
    """Zero queries give empty results; zero keys give NaN, -inf and -1."""
    options = {"return_log_partition": True, "return_neighbors": 2, "implementation": implementation}
    none = sparse_attention(**_tokens(n_query=0), **options)
    assert none.output.shape == (0, VALUES)
    assert none.neighbors.shape == (0, 2)
    tokens = _tokens()
    tokens["key_mask"] = torch.zeros(N_KEY, dtype=torch.bool)
    blind = sparse_attention(**tokens, **options)
    assert blind.output.isnan().all()
    assert (blind.log_partition == -torch.inf).all()
    assert (blind.neighbors == -1).all()


def test_the_inputs_are_not_mutated():
    """The tensors handed in are the same afterwards."""
    tokens = _tokens()
    before = {name: tensor.clone() for name, tensor in tokens.items()}
    for implementation in ("dense", "sparse"):
        sparse_attention(**tokens, exclusion=3, return_neighbors=2, implementation=implementation)
    assert all(torch.equal(tokens[name], before[name]) for name in tokens)


@pytest.mark.skipif(
    not torch.cuda.is_available(), reason="no GPU: the CUDA path is the same code, unrun here"
)
@pytest.mark.parametrize("implementation", ["dense", "sparse"])
def test_cuda_equals_cpu(implementation):
    """The same code on a GPU gives the same result."""
    tokens = _tokens(n_query=59, n_key=211)
    options = {"exclusion": 3, "budget": 48, "return_neighbors": 3, "implementation": implementation}
    here = sparse_attention(**tokens, **options)
    there = sparse_attention(**{name: tensor.cuda() for name, tensor in tokens.items()}, **options)
    torch.testing.assert_close(there.output.cpu(), here.output)
    assert torch.equal(there.neighbors.cpu(), here.neighbors)
