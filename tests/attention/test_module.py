"""The module in the place of `torch.nn.MultiheadAttention`: same numbers, same parameters, same surroundings."""

import copy
import io

import pytest
import torch
from torch import nn

from logscan.attention import module as module_file
from logscan.attention.module import SparseAttention
from logscan.errors import InputError, UsageError

HEADS, EMBED, KEYS, VALUES = 2, 2 * 7, 17, 19
pytestmark = pytest.mark.usefixtures("single")
BATCH, N_QUERY, N_KEY = 3, 11, 13
OTHER_WIDTHS = {"kdim": KEYS, "vdim": VALUES}
PADDED = torch.arange(N_KEY) >= torch.tensor([13, 5, 7])[:, None]
# torch says so whenever nn.TransformerEncoder itself makes a nested tensor
nested_is_prototype = pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors is in prototype")


def _pair(**options):
    """Torch's module and ours with the same random parameters, biases included, float64."""
    torch.manual_seed(0)
    dense = nn.MultiheadAttention(EMBED, HEADS, dtype=torch.float64, **options)
    with torch.no_grad():
        for parameter in dense.parameters():
            parameter.copy_(torch.randn_like(parameter) / 3)
    sparse = SparseAttention(EMBED, HEADS, dtype=torch.float64, **options)
    sparse.load_state_dict(dense.state_dict())
    return dense, sparse


def _tokens(*, batch_first=True, kdim=EMBED, vdim=EMBED, n_query=N_QUERY, n_key=N_KEY):
    """Query, key and value of one batch, random float64."""
    draw = torch.Generator().manual_seed(1)
    sizes = ((n_query, EMBED), (n_key, kdim), (n_key, vdim))
    batch = [torch.randn(BATCH, *size, generator=draw, dtype=torch.float64) for size in sizes]
    return batch if batch_first else [tokens.transpose(0, 1).contiguous() for tokens in batch]


def _encoder_layer(**options):
    """One of torch's encoder layers in float64 that would take its fused path in `eval()`."""
    torch.manual_seed(0)
    return nn.TransformerEncoderLayer(EMBED, HEADS, 23, batch_first=True, dtype=torch.float64, **options)


@pytest.fixture
def calls(monkeypatch):
    """Counts how often our operator and torch's fused encoder layer are called."""
    counts = {"ours": 0, "fused": 0}

    def counted(name, function):
        def call(*arguments, **options):
            counts[name] += 1
            return function(*arguments, **options)

        return call

    monkeypatch.setattr(module_file, "sparse_attention", counted("ours", module_file.sparse_attention))
    fused = torch._transformer_encoder_layer_fwd
    monkeypatch.setattr(torch, "_transformer_encoder_layer_fwd", counted("fused", fused))
    return counts


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("widths", [{}, OTHER_WIDTHS])
def test_parameters_start_and_travel_as_torchs_do(widths, bias):
    """The same seed gives the same parameters, and a state dict loads in either direction."""
    torch.manual_seed(2)
    dense = nn.MultiheadAttention(EMBED, HEADS, bias=bias, **widths)
    torch.manual_seed(2)
    sparse = SparseAttention(EMBED, HEADS, bias=bias, **widths)
    assert [*dense.state_dict()] == [*sparse.state_dict()]
    assert all(torch.equal(a, b) for a, b in zip(dense.parameters(), sparse.parameters(), strict=True))
    other = SparseAttention(EMBED, HEADS, bias=bias, **widths)
    other.load_state_dict(dense.state_dict())
    dense.load_state_dict(other.state_dict())


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("widths", [{}, OTHER_WIDTHS])
@pytest.mark.parametrize("batch_first", [True, False])
def test_output_and_gradients_equal_torchs_in_cross_attention(batch_first, widths, bias):
    """Queries over other keys of other widths: output and every gradient as in torch."""
    pair = _pair(batch_first=batch_first, bias=bias, **widths)
    results = []
    for attention in pair:
        tokens = [t.requires_grad_() for t in _tokens(batch_first=batch_first, **widths)]
        output, weights = attention(*tokens, need_weights=False)
        assert weights is None
        output.square().sum().backward()
        results.append([output, *(t.grad for t in tokens), *(p.grad for p in attention.parameters())])
    assert all(gradient is not None for gradient in results[1])
    torch.testing.assert_close(results[1], results[0])


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("batch_first", [True, False])
def test_self_attention_of_one_tensor_equals_torchs(batch_first, training):
    """The same tensor three times, where torch has a fused path, with and without gradients."""
    dense, sparse = _pair(batch_first=batch_first)
    x = _tokens(batch_first=batch_first)[0]
    for gradients in (True, False):
        with torch.set_grad_enabled(gradients):
            expected = dense.train(training)(x, x, x, need_weights=False)[0]
            torch.testing.assert_close(sparse.train(training)(x, x, x)[0], expected)


@pytest.mark.parametrize("batch_first", [True, False])
def test_key_padding_masks_leave_keys_out_as_in_torch(batch_first):
    """Bool, floating 0 and -inf, and finite numbers, which are added to the logits."""
    dense, sparse = _pair(batch_first=batch_first)
    tokens = _tokens(batch_first=batch_first)
    left_out = torch.zeros(PADDED.shape, dtype=torch.float64).masked_fill(PADDED, -torch.inf)
    slope = left_out + torch.linspace(-2, 1, N_KEY, dtype=torch.float64)
    for mask in (PADDED, left_out, slope):
        expected = dense(*tokens, key_padding_mask=mask, need_weights=False)[0]
        torch.testing.assert_close(sparse(*tokens, key_padding_mask=mask)[0], expected)


@pytest.mark.parametrize("is_causal", [True, False])
@pytest.mark.parametrize("masked", [True, False])
def test_one_sequence_without_a_batch_equals_torchs(masked, is_causal):
    """Tokens (L, width) and a mask (S,), whatever `batch_first` says."""
    for batch_first in (True, False):
        dense, sparse = _pair(batch_first=batch_first)
        tokens = [t[1] for t in _tokens(n_query=N_KEY)]
        mask = PADDED[1] if masked else None
        causal = torch.ones(N_KEY, N_KEY, dtype=torch.bool).triu(1) if is_causal else None
        options = {"key_padding_mask": mask, "attn_mask": causal, "need_weights": False}
        expected = dense(*tokens, **options)[0]
        assert expected.shape == (N_KEY, EMBED)
        torch.testing.assert_close(sparse(*tokens, **options)[0], expected)


@pytest.mark.parametrize("masked", [True, False])
def test_the_causal_mask_counts_as_causal_in_every_form(masked, monkeypatch):
    """Bool, floating, one per head, with the hint, and the hint alone; compared in blocks of rows."""
    monkeypatch.setattr(module_file, "CAUSAL_CHECK_ROWS", 5)
    dense, sparse = _pair(batch_first=True)
    tokens = _tokens(n_query=N_KEY)
    padding = PADDED if masked else None
    causal = torch.ones(N_KEY, N_KEY, dtype=torch.bool).triu(1)
    expected = dense(*tokens, key_padding_mask=padding, attn_mask=causal, need_weights=False)[0]
    floating = nn.Transformer.generate_square_subsequent_mask(N_KEY)
    for options in (
        {"attn_mask": causal},
        {"attn_mask": floating},
        {"attn_mask": causal.expand(BATCH * HEADS, -1, -1)},
        {"attn_mask": causal, "is_causal": True},
        {"is_causal": True},
    ):
        torch.testing.assert_close(sparse(*tokens, key_padding_mask=padding, **options)[0], expected)


def test_a_mask_that_differs_from_the_causal_one_anywhere_is_refused(monkeypatch):
    """One entry too many or too few, in the first, the last or any other block of rows."""
    monkeypatch.setattr(module_file, "CAUSAL_CHECK_ROWS", 5)
    sparse = SparseAttention(EMBED, HEADS, dtype=torch.float64)
    tokens = _tokens(batch_first=False, n_query=N_KEY)
    causal = torch.ones(N_KEY, N_KEY, dtype=torch.bool).triu(1)
    floating = nn.Transformer.generate_square_subsequent_mask(N_KEY)
    for row, column in ((0, 0), (0, 12), (6, 2), (6, 7), (12, 12), (12, 0)):
        other = causal.clone()
        other[row, column] ^= True
        another = floating.clone()
        another[row, column] = -1.0
        for mask in (other, another):
            with pytest.raises(UsageError, match="only the causal mask can be used"):
                sparse(*tokens, attn_mask=mask)


def test_a_sequence_without_any_key_gets_the_bias_of_the_output_and_harms_no_gradient():
    """As in torch while training: zeros before the output projection, gradients finite."""
    dense, sparse = _pair(batch_first=True)
    tokens = _tokens()
    mask = PADDED.clone()
    mask[1] = True
    output = sparse(*tokens, key_padding_mask=mask)[0]
    torch.testing.assert_close(output, dense(*tokens, key_padding_mask=mask, need_weights=False)[0])
    assert torch.equal(output[1], sparse.out_proj.bias.expand(N_QUERY, EMBED))
    output.sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in sparse.parameters())


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_in_an_encoder_layer_one_line_changes_and_no_number(training, norm_first, calls):
    """Plain, padded and causal, with and without gradients, the operator is called and the output is equal."""
    original = _encoder_layer(norm_first=norm_first, dropout=0.0)
    layer = copy.deepcopy(original)
    layer.self_attn = SparseAttention.from_multihead(layer.self_attn)
    x = _tokens(n_query=N_KEY)[0]
    causal = nn.Transformer.generate_square_subsequent_mask(N_KEY, dtype=torch.float64)
    for options in ({}, {"src_key_padding_mask": PADDED}, {"src_mask": causal, "is_causal": True}):
        for gradients in (True, False):
            with torch.set_grad_enabled(gradients):
                expected = original.train(training)(x, **options)
                before = dict(calls)
                output = layer.train(training)(x, **options)
            torch.testing.assert_close(output, expected)
            assert calls == before | {"ours": before["ours"] + 1}
    assert calls["fused"] == (0 if training else 3)  # so that the test would notice the fused path


def test_the_operator_is_called_in_eval_after_copying_and_pickling(calls):
    """Copies and pickles of a layer, and a layer from which a hook of the user was removed, still call it."""
    layer = _encoder_layer()
    layer.self_attn = SparseAttention.from_multihead(layer.self_attn)
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    hooked = copy.deepcopy(layer)
    hooked.self_attn.register_forward_pre_hook(lambda *_: None).remove()
    x = _tokens()[0]
    for copied in (layer, copy.deepcopy(layer), torch.load(file, weights_only=False), hooked):
        before = dict(calls)
        with torch.no_grad():
            copied.eval()(x)
        assert calls == before | {"ours": before["ours"] + 1}


@nested_is_prototype
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("when", ["before", "after"])
def test_in_a_whole_encoder_padded_sequences_equal_torchs(when, training, calls):
    """Swapped before or after the encoder is built, which in `eval()` hands on nested tensors."""
    original = nn.TransformerEncoder(_encoder_layer(dropout=0.0), 2).train(training)
    if when == "before":
        layer = _encoder_layer(dropout=0.0)
        layer.self_attn = SparseAttention.from_multihead(layer.self_attn)
        encoder = nn.TransformerEncoder(layer, 2).train(training)
    else:
        encoder = copy.deepcopy(original)
        for layer in encoder.layers:
            layer.self_attn = SparseAttention.from_multihead(layer.self_attn)
    x = _tokens(n_query=N_KEY)[0]
    with torch.no_grad():
        expected = original(x, src_key_padding_mask=PADDED)
        fused = calls["fused"]
        output = encoder(x, src_key_padding_mask=PADDED)
    torch.testing.assert_close(output, expected)
    assert (calls["ours"], calls["fused"]) == (2, fused)


@pytest.mark.parametrize("training", [True, False])
def test_in_a_decoder_layer_both_attentions_can_be_replaced(training):
    """Causal self-attention and attention to a padded memory of another length."""
    torch.manual_seed(0)
    original = nn.TransformerDecoderLayer(EMBED, HEADS, 23, 0.0, batch_first=True, dtype=torch.float64)
    layer = copy.deepcopy(original)
    layer.self_attn = SparseAttention.from_multihead(layer.self_attn)
    layer.multihead_attn = SparseAttention.from_multihead(layer.multihead_attn)
    target, memory, _ = _tokens()
    options = {
        "tgt_mask": torch.ones(N_QUERY, N_QUERY, dtype=torch.bool).triu(1),
        "memory_key_padding_mask": PADDED,
    }
    expected = original.train(training)(target, memory, **options)
    torch.testing.assert_close(layer.train(training)(target, memory, **options), expected)


def test_from_multihead_takes_over_the_parameters_themselves_and_the_mode():
    """An optimiser goes on training them; what was frozen stays so; random numbers are not used up."""
    for options in ({"bias": False, "dropout": 0.3}, {"batch_first": True, **OTHER_WIDTHS}):
        dense = nn.MultiheadAttention(EMBED, HEADS, **options).eval()
        dense.out_proj.weight.requires_grad_(requires_grad=False)
        before = torch.get_rng_state()
        sparse = SparseAttention.from_multihead(dense, budget=31)
        assert torch.equal(torch.get_rng_state(), before)
        theirs, ours = dict(dense.named_parameters()), dict(sparse.named_parameters())
        assert theirs.keys() == ours.keys()
        assert all(ours[name] is theirs[name] for name in theirs)
        assert not sparse.out_proj.weight.requires_grad
        assert not sparse.training
        for name in ("dropout", "batch_first", "kdim", "vdim", "num_heads", "embed_dim"):
            assert getattr(sparse, name) == getattr(dense, name)


def test_options_reach_the_operator_and_only_those_that_were_given(monkeypatch):
    """What is not given is left to the operator's own defaults."""
    seen = []

    def recorded(query, _key, _value, **options):
        seen.append({n: o for n, o in options.items() if n not in {"key_mask", "key_bias", "is_causal"}})
        return type("Result", (), {"output": query})

    monkeypatch.setattr(module_file, "sparse_attention", recorded)
    given = {
        "budget": 31,
        "search_leaves": 7,
        "probes": 2,
        "group_queries": 5,
        "max_error": 0.1,
        "coarse": "none",
        "exclusion": 3,
        "implementation": "sparse",
    }
    x = torch.zeros(N_KEY, EMBED)
    for options in ({}, {"budget": 31}, given):
        SparseAttention(EMBED, HEADS, **options)(x, x, x)
    assert seen == [{}, {"budget": 31}, given]


@pytest.mark.parametrize("is_causal", [True, False])
def test_the_sparse_path_trains_and_is_near_the_dense_one(is_causal):
    """Tokens that come again and again, about one key in seventeen taken: output and gradients near the dense ones."""
    n, draw = 1031, torch.Generator().manual_seed(5)
    shapes = torch.randn(23, EMBED, generator=draw, dtype=torch.float64)
    x = shapes[torch.arange(n) % 23] + 0.05 * torch.randn(n, EMBED, generator=draw, dtype=torch.float64)
    results = []
    for options in ({"implementation": "dense"}, {"implementation": "sparse", "budget": 61}):
        torch.manual_seed(0)
        attention = SparseAttention(EMBED, HEADS, dtype=torch.float64, **options)
        output, _ = attention(x, x, x, is_causal=is_causal)
        output.square().sum().backward()
        results.append([output.detach(), *(parameter.grad for parameter in attention.parameters())])
    for dense, sparse in zip(*results, strict=True):
        assert sparse.isfinite().all()
        assert (sparse - dense).norm() <= 0.2 * dense.norm()


def test_sparse_with_a_budget_of_all_keys_equals_torchs():
    """Nothing is left out, so nothing differs."""
    dense, sparse = _pair(batch_first=True)
    sparse = SparseAttention.from_multihead(dense, implementation="sparse", budget=N_KEY)
    tokens = _tokens()
    expected = dense(*tokens, key_padding_mask=PADDED, need_weights=False)[0]
    torch.testing.assert_close(sparse(*tokens, key_padding_mask=PADDED)[0], expected)


def test_dropout_gives_each_query_the_distribution_it_has_in_torch(monkeypatch):
    """Over many draws mean and covariance of a query's output agree with torch's; in eval nothing is dropped."""

    def torchs(query, key, value, **_options):
        output = nn.functional.scaled_dot_product_attention(query, key, value)
        return type("Result", (), {"output": output})

    monkeypatch.setattr(module_file, "sparse_attention", torchs)  # 80,018 heads: quicker, and as exact
    dense, sparse = _pair(batch_first=True, dropout=0.3)
    x = _tokens(n_query=5)[0][:1]
    torch.manual_seed(3)
    many = x.expand(40009, -1, -1)
    drawn = [
        attention(many, many, many, need_weights=False)[0][:, 2].detach() for attention in (dense, sparse)
    ]
    kept = sparse.eval()(x, x, x)[0][0, 2]
    spread = [output.T.cov() for output in drawn]
    torch.testing.assert_close(
        drawn[1].mean(dim=0), kept, rtol=0, atol=0.02 * float(spread[0].trace().sqrt())
    )
    torch.testing.assert_close(spread[1], spread[0], rtol=0, atol=0.02 * float(spread[0].trace()))
    torch.testing.assert_close(kept, dense.eval()(x, x, x, need_weights=False)[0][0, 2])


def test_dropout_drops_a_value_for_all_queries_at_once():
    """With one key, a head's values come through doubled or not at all, the same for every query."""
    sparse = SparseAttention(EMBED, HEADS, dropout=0.5, batch_first=True)
    with torch.no_grad():
        sparse.in_proj_weight[2 * EMBED :] = torch.eye(EMBED)
        sparse.out_proj.weight.copy_(torch.eye(EMBED))
    torch.manual_seed(0)
    query, key = torch.randn(61, N_QUERY, EMBED), torch.ones(61, 1, EMBED)
    output = sparse(query, key, key)[0].detach().unflatten(2, (HEADS, -1))
    assert set(output.flatten().tolist()) == {0.0, 2.0}
    assert torch.equal(output, output[:, :1, :, :1].expand_as(output))
    assert not torch.equal(output[:, :, 0], output[:, :, 1])


def test_half_precision_is_attended_in_single(monkeypatch):
    """Autocast and modules of half precision work, and come back in it; the operator sees neither."""
    operator, seen = module_file.sparse_attention, []

    def watched(query, *arguments, **options):
        seen.append((query.dtype, torch.is_autocast_enabled("cpu")))
        return operator(query, *arguments, **options)

    monkeypatch.setattr(module_file, "sparse_attention", watched)
    torch.manual_seed(0)
    sparse = SparseAttention(EMBED, HEADS, batch_first=True)
    x = _tokens()[0].float()
    expected = sparse(x, x, x)[0]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = sparse(x, x, x)[0]
    half = sparse.to(torch.bfloat16)(*[x.bfloat16()] * 3)[0]
    assert seen == [(torch.float32, False)] * 3
    for output in (cast, half):
        assert output.dtype == torch.bfloat16
        torch.testing.assert_close(output.float(), expected, rtol=0, atol=0.03)


@nested_is_prototype
def test_nested_tensors_are_attended_sequence_by_sequence():
    """Sequences of different lengths, causal too, give what each gives alone; gradients pass."""
    sequences = [t[:n] for t, n in zip(_tokens()[0], (11, 3, 5), strict=True)]
    sparse = SparseAttention(EMBED, HEADS, batch_first=True, dtype=torch.float64)
    nested = torch.nested.as_nested_tensor(sequences)
    for is_causal in (True, False):
        output = sparse(nested, nested, nested, is_causal=is_causal)[0]
        for got, sequence in zip(output.unbind(), sequences, strict=True):
            torch.testing.assert_close(got, sparse(*[sequence] * 3, is_causal=is_causal)[0])
    torch.nested.to_padded_tensor(output, 0.0).sum().backward()
    assert sparse.in_proj_weight.grad.isfinite().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"add_bias_kv": True},
            "SparseAttention add_bias_kv: every key must be a token of the sequence; leave it false",
        ),
        (
            {"add_zero_attn": True},
            "SparseAttention add_zero_attn: every key must be a token of the sequence; leave it false",
        ),
        (
            {"num_heads": 3},
            "SparseAttention embed_dim: 14 cannot be divided among 3 heads; make it a multiple of num_heads",
        ),
        (
            {"num_heads": 0},
            "SparseAttention embed_dim: 14 cannot be divided among 0 heads; make it a multiple of num_heads",
        ),
        (
            {"budgets": 31},
            (
                "SparseAttention: unknown option 'budgets'; the options are budget, search_leaves, probes,"
                " group_queries, max_error, coarse, exclusion, implementation"
            ),
        ),
    ],
)
def test_modules_that_cannot_be_are_refused(options, message):
    """Every wrong argument of the constructor gets its own sentence."""
    with pytest.raises(UsageError) as caught:
        SparseAttention(**({"embed_dim": EMBED, "num_heads": HEADS} | options))
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["add_bias_kv", "add_zero_attn"])
def test_modules_that_add_keys_cannot_be_taken_over(name):
    """The same refusal as in the constructor."""
    with pytest.raises(
        UsageError, match=f"SparseAttention {name}: every key must be a token of the sequence"
    ):
        SparseAttention.from_multihead(nn.MultiheadAttention(EMBED, HEADS, **{name: True}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"need_weights": True},
            (
                "SparseAttention need_weights: the weights of all keys are never computed; pass need_weights=False;"
                " sparse_attention(return_neighbors=k) returns the heaviest keys"
            ),
        ),
        (
            {"attn_mask": torch.zeros(N_QUERY, N_KEY)},
            (
                "SparseAttention attn_mask: only the causal mask can be used, and this torch.float32 (11, 13) is not"
                " the one of 11 queries and 13 keys; leave keys out with key_padding_mask, or use"
                " torch.nn.MultiheadAttention"
            ),
        ),
        (
            {"is_causal": True},
            (
                "SparseAttention: is_causal and exclusion need as many queries as keys, got 11 and 13;"
                " call sparse_attention with query_time and key_time"
            ),
        ),
        (
            {"key_padding_mask": torch.zeros(BATCH, N_QUERY)},
            (
                "SparseAttention key_padding_mask: expected bool or floating (3, 13), got torch.float32 (3, 11);"
                " true or -inf leaves a key out"
            ),
        ),
        (
            {"key_padding_mask": torch.zeros(BATCH, N_KEY, dtype=torch.int64)},
            (
                "SparseAttention key_padding_mask: expected bool or floating (3, 13), got torch.int64 (3, 13);"
                " true or -inf leaves a key out"
            ),
        ),
        (
            {"query": torch.zeros(EMBED)},
            (
                "SparseAttention query: expected 2 or 3 dimensions, got shape (14,);"
                " pass one sequence or one batch"
            ),
        ),
        (
            {"query": torch.zeros(BATCH, N_QUERY, 5)},
            "SparseAttention query: expected (3, 11, 14), got (3, 11, 5), in the order batch, tokens, width",
        ),
        (
            {"key": torch.zeros(BATCH, N_KEY, EMBED)},
            "SparseAttention key: expected (3, 13, 17), got (3, 13, 14), in the order batch, tokens, width",
        ),
        (
            {"key": torch.zeros(N_KEY, KEYS)},
            "SparseAttention key: expected (3, S, 17), got (13, 17), in the order batch, tokens, width",
        ),
        (
            {"value": torch.zeros(BATCH, N_QUERY, VALUES)},
            "SparseAttention value: expected (3, 13, 19), got (3, 11, 19), in the order batch, tokens, width",
        ),
    ],
)
def test_calls_that_cannot_be_answered_are_refused(changes, message):
    """Every wrong argument of a call gets its own sentence, and none a traceback from torch."""
    sparse = SparseAttention(EMBED, HEADS, batch_first=True, dtype=torch.float64, **OTHER_WIDTHS)
    tokens = dict(zip(("query", "key", "value"), _tokens(**OTHER_WIDTHS), strict=True))
    with pytest.raises(UsageError) as caught:
        sparse(**(tokens | changes))
    assert str(caught.value) == message


def test_an_exclusion_needs_as_many_queries_as_keys():
    """Distances in time have no meaning between sequences of different lengths."""
    sparse = SparseAttention(EMBED, HEADS, batch_first=True, dtype=torch.float64, exclusion=2)
    with pytest.raises(
        UsageError, match="is_causal and exclusion need as many queries as keys, got 11 and 13"
    ):
        sparse(*_tokens())


@nested_is_prototype
def test_nested_tensors_with_masks_or_other_keys_are_refused():
    """Only self-attention without masks is answered, as in torch."""
    nested = torch.nested.as_nested_tensor([t[:n] for t, n in zip(_tokens()[0], (11, 3, 5), strict=True)])
    sparse = SparseAttention(EMBED, HEADS, batch_first=True, dtype=torch.float64)
    for key, options in ((nested.clone(), {}), (nested, {"key_padding_mask": PADDED})):
        with pytest.raises(UsageError) as caught:
            sparse(nested, key, key, **options)
        assert str(caught.value) == (
            "SparseAttention: nested tensors are only for self-attention without masks; pass padded ones"
        )


def test_a_token_that_is_not_finite_is_refused():
    """NaN does not spread silently, as the operator promises."""
    x = _tokens()[0]
    x[1, 3] = torch.nan
    with pytest.raises(InputError, match="token 3 is NaN or infinite"):
        SparseAttention(EMBED, HEADS, batch_first=True, dtype=torch.float64)(x, x, x)
