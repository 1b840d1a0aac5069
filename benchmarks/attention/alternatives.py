"""Other ways to answer the same history-attention problem, small and honest, each with one knob.

A knob trades time for error, so that methods are compared as curves and not at a setting of our choice.
Everything a method needs to start from the tokens (sorting, hashing, training an index) is part of its
time, except the compilation of FlexAttention and stumpy, which is done once before the clock starts.
Times of the tokens are taken to be consecutive, as in every problem of `attention_tokens`.

faiss (`faiss-cpu`) and `stumpy` are optional; without them their methods say so and are left out.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.attention.tokens import NEIGHBORS, WINDOW_STEPS, Tokens
from logscan.attention import sparse_attention

_CACHE_CELLS = 2**19  # of a block of float32 logits: 2 MB, within the cache of one core
_CHUNK_CELLS = 2**23  # of a block where the cache cannot hold it anyway
_BAND_BLOCK = 64  # queries that share a span of keys in the sliding window
_LSH_CHUNK = 64  # tokens of a chunk of sorted buckets
_LSH_FLAT_BUCKETS = 256  # more are hashed as a pair, or hashing alone would grow with the square
_INDEXED_NEIGHBORS = 64  # over which the softmax of an index goes
_FLEX_BLOCK = 128


@dataclass(frozen=True)
class Found:
    """What a method found; `None` where it does not give it."""

    output: Tensor | None = None  # (N, d)
    log_partition: Tensor | None = None  # (N,), as the operator's: without the constant of the query
    neighbors: Tensor | None = None  # (N,) or (N, k) int64, -1 for none


@dataclass(frozen=True)
class Method:
    """One way to answer.

    Attributes:
        name: as in the tables.
        knob: what `values` are.
        values: settings, cheapest first.
        usual: the one setting of a comparison over sizes.
        run: answers a problem at a setting.
        power: of the growth of its time with the number of tokens.
        excludes: whether it leaves out keys close in time; if not, it is judged on the problem without.
        compiles: whether one run must come before the clock starts.
        refusal: why it cannot answer a problem, or `None`.
    """

    name: str
    knob: str
    values: tuple[int, ...]
    usual: int
    run: Callable[[Tokens, int], Found]
    power: float = 1.0
    excludes: bool = True
    compiles: bool = False
    refusal: Callable[[Tokens], str | None] = lambda _: None


def chunks(total: int, size: int) -> Iterator[slice]:
    """Consecutive slices of at most `size`."""
    for begin in range(0, total, max(1, size)):
        yield slice(begin, min(begin + max(1, size), total))


# --- logscan ---------------------------------------------------------------------------------------------


def sparse_by_budget(problem: Tokens, budget: int) -> Found:
    """Our operator; the knob is the number of keys a query gets exactly."""
    result = sparse_attention(
        **problem.arguments(), budget=budget, return_log_partition=True, implementation="sparse"
    )
    return Found(result.output, result.log_partition)


def sparse_by_search(problem: Tokens, search_leaves: int) -> Found:
    """Our operator with its neighbours; the knob is how many leaves of the tree a query looks into."""
    result = sparse_attention(
        **problem.arguments(),
        search_leaves=search_leaves,
        return_log_partition=True,
        return_neighbors=NEIGHBORS,
        implementation="sparse",
    )
    return Found(result.output, result.log_partition, result.neighbors)


# --- dense -----------------------------------------------------------------------------------------------


def sdpa(problem: Tokens, queries: Tensor) -> Tensor:
    """Dense attention of some queries on the same logits, without exclusion, (queries, d).

    The key bias goes in as a mask of one broadcast row. As a further column of query and key it makes their
    width differ from the value's, and torch leaves its fused kernel for one ten times slower.
    """
    mask = problem.bias.expand(1, 1, len(queries), len(problem.tokens))
    tokens = problem.tokens[None, None]
    return functional.scaled_dot_product_attention(
        queries[None, None], tokens, tokens, attn_mask=mask, scale=problem.scale
    )[0, 0]


def dense_sdpa(problem: Tokens, _: int) -> Found:
    """Every key for every query, with torch's fused kernel."""
    return Found(sdpa(problem, problem.tokens))


# --- patterns fixed beforehand ---------------------------------------------------------------------------


def sliding_window(problem: Tokens, width: int) -> Found:
    """The `width` keys nearest in time, outside the exclusion."""
    count, size = problem.tokens.shape
    inner = max(problem.exclusion, 0)
    reach = inner + width // 2
    blocks = -(-count // _BAND_BLOCK)
    tail = blocks * _BAND_BLOCK - count
    keys = functional.pad(problem.tokens, (0, 0, reach, reach + tail))
    bias = functional.pad(problem.bias, (reach, reach + tail), value=-torch.inf)
    queries = functional.pad(problem.scale * problem.tokens, (0, 0, 0, tail)).view(blocks, _BAND_BLOCK, size)
    span = _BAND_BLOCK + 2 * reach
    key_spans = keys.unfold(0, span, _BAND_BLOCK)  # (blocks, d, span), a view
    bias_spans = bias.unfold(0, span, _BAND_BLOCK)
    lag = torch.arange(span) - reach - torch.arange(_BAND_BLOCK)[:, None]
    outside = (lag.abs() < inner) | (lag.abs() >= reach)
    output = torch.empty(blocks, _BAND_BLOCK, size)
    log_partition = torch.empty(blocks, _BAND_BLOCK)
    nearest = torch.empty(blocks, _BAND_BLOCK, dtype=torch.int64)
    for part in chunks(blocks, _CACHE_CELLS // (span * _BAND_BLOCK)):
        logits = torch.baddbmm(bias_spans[part, None], queries[part], key_spans[part])
        logits.masked_fill_(outside, -torch.inf)
        log_partition[part] = logits.logsumexp(dim=2)
        nearest[part] = logits.argmax(dim=2)
        logits.sub_(log_partition[part, :, None]).exp_()
        torch.bmm(logits, key_spans[part].transpose(1, 2), out=output[part])
    nearest += _BAND_BLOCK * torch.arange(blocks)[:, None] - reach
    flat = nearest.view(-1)[:count]
    flat = torch.where((flat >= 0) & (flat < count), flat, -1)
    return Found(output.view(-1, size)[:count], log_partition.view(-1)[:count], flat)


# --- FlexAttention ---------------------------------------------------------------------------------------


@cache
def _compiled_flex() -> Callable[..., Tensor]:
    from torch.nn.attention.flex_attention import flex_attention  # noqa: PLC0415  heavy, and only needed here

    # every shape compiles anew, and past the usual limit of eight torch would fall back to the dense matrix
    torch._dynamo.config.recompile_limit = 256  # noqa: SLF001
    compiled: Callable[..., Tensor] = torch.compile(flex_attention, dynamic=False)
    return compiled


def flex_by_time(problem: Tokens, kept: int) -> Found:
    """FlexAttention over blocks of tokens that follow one another; the knob is the key blocks of a query block."""
    return Found(_flex(problem, torch.arange(len(problem.tokens)), kept))


def flex_by_content(problem: Tokens, kept: int) -> Found:
    """FlexAttention over blocks of tokens sorted along their leading direction."""
    centered = problem.tokens - problem.tokens.mean(dim=0)
    _, directions = torch.linalg.eigh(centered.T @ centered)
    return Found(_flex(problem, (centered @ directions[:, -1]).argsort(), kept))


def _flex(problem: Tokens, order: Tensor, kept: int) -> Tensor:
    """Attention to the key blocks whose centroids score highest, (N, d)."""
    from torch.nn.attention.flex_attention import BlockMask  # noqa: PLC0415

    count, size = problem.tokens.shape
    blocks = -(-count // _FLEX_BLOCK)
    kept = min(kept, blocks)
    rows, times, bias = problem.tokens[order], problem.times[order], problem.bias[order]
    members = torch.full((blocks, 1), float(_FLEX_BLOCK))
    members[-1] = count - (blocks - 1) * _FLEX_BLOCK
    padded = functional.pad(rows, (0, 0, 0, blocks * _FLEX_BLOCK - count))
    centroids = padded.view(blocks, _FLEX_BLOCK, size).sum(dim=1) / members
    scores = centroids @ centroids.T - 0.5 * centroids.square().sum(dim=1)
    chosen = scores.topk(kept, dim=1).indices.sort(dim=1).values.int()
    indices = torch.zeros(1, 1, blocks, blocks, dtype=torch.int32)  # the CPU kernel insists on room for all
    indices[0, 0, :, :kept] = chosen
    exclusion = problem.exclusion

    def allowed(_batch: Tensor, _head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (times[query] - times[key]).abs() >= exclusion

    def biased(score: Tensor, _batch: Tensor, _head: Tensor, _query: Tensor, key: Tensor) -> Tensor:
        return score + bias[key]

    mask = BlockMask.from_kv_blocks(
        torch.full((1, 1, blocks), kept, dtype=torch.int32),
        indices,
        BLOCK_SIZE=_FLEX_BLOCK,
        mask_mod=allowed,
        seq_lengths=(count, count),
        compute_q_blocks=False,  # for a backward pass, which the CPU has not
    )
    heads = rows[None, None]
    with torch.no_grad():  # no backward on the CPU
        answer = _compiled_flex()(heads, heads, heads, score_mod=biased, block_mask=mask, scale=problem.scale)
    return torch.empty_like(rows).index_copy_(0, order, answer[0, 0])


@cache
def _flex_failure() -> str | None:
    """Why FlexAttention does not compile here, or `None`."""
    tokens = torch.randn(256, 32, generator=torch.Generator().manual_seed(0))
    try:
        flex_by_time(Tokens("trial", tokens, torch.arange(256), 1.0, 1), 1)
    except Exception as error:  # noqa: BLE001  whatever the compiler raises is the stated reason
        return f"FlexAttention does not compile here: {str(error).splitlines()[0]}"
    return None


# --- Reformer --------------------------------------------------------------------------------------------


def reformer(problem: Tokens, rounds: int) -> Found:
    """Locality-sensitive hashing as in Reformer (Kitaev et al. 2020, section 2), shared queries and keys.

    Random rotations hash the centred tokens, sorted buckets are cut into chunks, a chunk attends to itself
    and the one before. Rounds are joined by their partition sums; a pair met in several counts once.
    """
    count, size = problem.tokens.shape
    centered = problem.tokens - problem.tokens.mean(dim=0)
    random = torch.Generator().manual_seed(0)
    wide = -(-count // _LSH_CHUNK) * _LSH_CHUNK
    orders = [_sorted_by_hash(centered, random) for _ in range(rounds)]
    chunk_of = torch.full((rounds, count + 1), -2, dtype=torch.int32)
    for number, order in enumerate(orders):
        chunk_of[number, order] = (torch.arange(count) // _LSH_CHUNK).int()
    # one row more, for the padding of the last chunk
    rows = functional.pad(problem.tokens, (0, 0, 0, 1))
    bias = functional.pad(problem.bias, (0, 1), value=-torch.inf)
    times = functional.pad(problem.times, (0, 1))
    output = torch.zeros(count + 1, size)
    log_partition = torch.full((count + 1,), -torch.inf)
    best = torch.full((count + 1,), -torch.inf)
    nearest = torch.full((count + 1,), -1, dtype=torch.int64)
    for order in orders:
        own = functional.pad(order, (0, wide - count), value=count).view(-1, _LSH_CHUNK)
        seen = torch.cat([own.roll(1, dims=0), own], dim=1)
        for part in chunks(len(own), _CACHE_CELLS // (2 * _LSH_CHUNK**2)):
            query, key = own[part], seen[part]
            logits = problem.scale * torch.bmm(rows[query], rows[key].transpose(1, 2)) + bias[key][:, None]
            logits[(times[query][:, :, None] - times[key][:, None]).abs() < problem.exclusion] = -torch.inf
            top = logits.max(dim=2)
            if rounds > 1:
                logits -= _times_met(chunk_of, query, key, len(own)).log()
            mass = logits.logsumexp(dim=2)
            answer = torch.bmm((logits - mass[:, :, None]).exp_().nan_to_num_(0.0), rows[key])
            # a query stands in one chunk of a round, so nothing is written twice
            total = torch.logaddexp(log_partition[query], mass)
            before = (log_partition[query] - total).exp().nan_to_num(0.0)[:, :, None]
            now = (mass - total).exp().nan_to_num(0.0)[:, :, None]
            output[query] = before * output[query] + now * answer
            log_partition[query] = total
            better = top.values > best[query]
            found = key.gather(1, top.indices)
            nearest[query] = torch.where(better, found, nearest[query])
            best[query] = torch.where(better, top.values, best[query])
    return Found(output[:count], log_partition[:count], nearest[:count])


def _sorted_by_hash(centered: Tensor, random: torch.Generator) -> Tensor:
    """Token indices sorted by bucket, ties in time, (N,)."""
    buckets = max(2, len(centered) // _LSH_CHUNK)
    if buckets <= _LSH_FLAT_BUCKETS:
        return _rotation_hash(centered, buckets, random).argsort(stable=True)
    side = round(buckets**0.5)
    pair = _rotation_hash(centered, side, random) * (side + 1) + _rotation_hash(centered, side, random)
    return pair.argsort(stable=True)


def _rotation_hash(centered: Tensor, buckets: int, random: torch.Generator) -> Tensor:
    """Which of `buckets` random directions a token points to, (N,) int64."""
    rotation = torch.randn(centered.shape[1], buckets // 2, generator=random)
    parts = []
    for part in chunks(len(centered), _CACHE_CELLS // buckets):
        turned = centered[part] @ rotation
        parts.append(torch.cat([turned, -turned], dim=1).argmax(dim=1))
    return torch.cat(parts)


def _times_met(chunk_of: Tensor, query: Tensor, key: Tensor, total: int) -> Tensor:
    """In how many rounds each pair shares a chunk or neighbouring ones, (chunks, queries, keys)."""
    met = torch.zeros(*query.shape, key.shape[1])
    for chunk in chunk_of:
        behind = torch.remainder(chunk[query][:, :, None] - chunk[key][:, None], total)
        met += behind <= 1
    return met.clamp_(min=1)  # the padding, which carries no weight


# --- Performer -------------------------------------------------------------------------------------------


def performer(problem: Tokens, features: int) -> Found:
    """Positive orthogonal random features as in Performer (Choromanski et al. 2021, lemma 1), FAVOR+.

    Distances do not change when the tokens are centred, which keeps the features' exponents small. The
    largest exponent of every feature over the keys moves to the query's side, so nothing overflows.
    """
    count, size = problem.tokens.shape
    rows = problem.scale**0.5 * (problem.tokens - problem.tokens.mean(dim=0))
    directions = _orthogonal(features, size)
    norms = rows.square().sum(dim=1, keepdim=True)
    parts = list(chunks(count, _CHUNK_CELLS // (4 * features)))
    # φ(x) = exp(w·x - ‖x‖²), so that E φ(q)φ(k) = exp(-‖q - k‖²/2)
    largest = torch.full((features,), -torch.inf)
    for part in parts:
        largest = torch.maximum(largest, (rows[part] @ directions.T - norms[part]).amax(dim=0))
    values = functional.pad(problem.tokens, (0, 1), value=1.0)
    summed = torch.zeros(features, size + 1)
    for part in parts:
        summed += (rows[part] @ directions.T - norms[part] - largest).exp_().T @ values[part]
    output = torch.empty(count, size)
    log_partition = torch.empty(count)
    for part in parts:
        exponents = rows[part] @ directions.T - norms[part] + largest
        peak = exponents.amax(dim=1, keepdim=True)
        answer = (exponents - peak).exp_() @ summed
        output[part] = answer[:, :-1] / answer[:, -1:]
        log_partition[part] = answer[:, -1].log() + peak[:, 0]
    constant = 0.5 * problem.scale * problem.tokens.square().sum(dim=1)
    return Found(output, log_partition - torch.tensor(float(features)).log() + constant)


def _orthogonal(features: int, size: int) -> Tensor:
    """Gaussian directions, orthogonal within blocks of `size`, (features, size)."""
    random = torch.Generator().manual_seed(0)
    blocks = []
    for _ in range(-(-features // size)):
        square, _ = torch.linalg.qr(torch.randn(size, size, generator=random))
        lengths = torch.randn(size, size, generator=random).norm(dim=1, keepdim=True)
        blocks.append(lengths * square)
    return torch.cat(blocks)[:features]


# --- nearest neighbours ----------------------------------------------------------------------------------


def exact_nearest(problem: Tokens, kept: int) -> Found:
    """Softmax over the exact `kept` nearest neighbours: every distance is computed."""
    count, size = problem.tokens.shape
    keys, bias = problem.tokens.T.contiguous(), problem.bias
    kept = min(kept, count)
    output, log_partition = torch.empty(count, size), torch.empty(count)
    neighbors = torch.empty(count, kept, dtype=torch.int64)
    for part in chunks(count, _CHUNK_CELLS // count):
        logits = torch.addmm(bias, problem.tokens[part], keys, alpha=problem.scale)
        # only keys this close in position can be close in time
        band = slice(max(0, part.start - problem.exclusion), part.stop + problem.exclusion)
        lag = problem.times[part, None] - problem.times[band]
        logits[:, band].masked_fill_(lag.abs() < problem.exclusion, -torch.inf)
        top = logits.topk(kept, dim=1)
        neighbors[part] = top.indices
        log_partition[part] = top.values.logsumexp(dim=1)
        weights = torch.softmax(top.values, dim=1)
        output[part] = torch.bmm(weights[:, None], problem.tokens[top.indices])[:, 0]
    return Found(output, log_partition, neighbors)


def faiss_cells(problem: Tokens, probed: int) -> Found:
    """Softmax over 64 neighbours from faiss' inverted file (`IndexIVFFlat`); the knob is the cells probed."""
    import faiss  # noqa: PLC0415  optional

    faiss.omp_set_num_threads(torch.get_num_threads())
    count, size = problem.tokens.shape
    cells = max(1, min(int(4 * count**0.5), count // 40))  # faiss wants some 40 tokens for each
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(size), size, cells, faiss.METRIC_L2)
    rows = problem.tokens.numpy()
    index.train(rows[:: max(1, count // (64 * cells))])
    index.add(rows)
    index.nprobe = min(probed, cells)
    return _over_neighbors(problem, index)


def faiss_graph(problem: Tokens, width: int) -> Found:
    """The same from faiss' navigable graph (`IndexHNSWFlat`); the knob is the width of the search."""
    import faiss  # noqa: PLC0415

    faiss.omp_set_num_threads(torch.get_num_threads())
    index = faiss.IndexHNSWFlat(problem.tokens.shape[1], 16)
    index.hnsw.efConstruction = 40
    index.add(problem.tokens.numpy())
    index.hnsw.efSearch = width
    return _over_neighbors(problem, index)


def _over_neighbors(problem: Tokens, index: Any) -> Found:
    """Softmax over what an index finds; as many more are fetched as the exclusion may cost."""
    count, size = problem.tokens.shape
    fetched = min(count, _INDEXED_NEIGHBORS + 2 * problem.exclusion - 1)
    kept = min(_INDEXED_NEIGHBORS, fetched)
    output, log_partition = torch.empty(count, size), torch.empty(count)
    neighbors = torch.empty(count, kept, dtype=torch.int64)
    constant = 0.5 * problem.scale * problem.tokens.square().sum(dim=1)
    for part in chunks(count, 4096):
        squared, found = map(torch.from_numpy, index.search(problem.tokens[part].numpy(), fetched))
        near = (problem.times[part, None] - problem.times[found.clamp(min=0)]).abs() < problem.exclusion
        logits = (-0.5 * problem.scale * squared).masked_fill(near | (found < 0), -torch.inf)
        top = logits.topk(kept, dim=1)
        indices = found.gather(1, top.indices)
        neighbors[part] = indices.masked_fill(top.values == -torch.inf, -1)
        log_partition[part] = top.values.logsumexp(dim=1) + constant[part]
        # a query of which everything found was excluded has nothing to say
        weights = torch.softmax(top.values, dim=1).nan_to_num(0.0)
        output[part] = torch.bmm(weights[:, None], problem.tokens[indices.clamp(min=0)])[:, 0]
    return Found(output, log_partition, neighbors)


def matrix_profile(problem: Tokens, _: int) -> Found:
    """The nearest neighbour of every window of a one-channel signal, from stumpy: exact, and no attention.

    Level windows are compared as they are (`aamp`). Every other view gets the usual profile of windows
    standardised one by one (`stump`): a metric of its own, so only the time is comparable.
    """
    import numba  # noqa: PLC0415  optional
    import stumpy  # noqa: PLC0415

    assert problem.series is not None
    numba.set_num_threads(torch.get_num_threads())
    stumpy.config.STUMPY_EXCL_ZONE_DENOM = 1  # leaves out a whole window, as we do, not a quarter
    signal = problem.series[: len(problem.tokens) + WINDOW_STEPS - 1].numpy()
    level = problem.name.endswith(":level")
    profile = stumpy.stump(signal, WINDOW_STEPS, normalize=not level)
    return Found(neighbors=torch.from_numpy(profile[:, 1].astype("int64")) if level else None)


def _without(package: str) -> str | None:
    return None if importlib.util.find_spec(package) else f"{package} is not installed"


def _without_profile(problem: Tokens) -> str | None:
    return _without("stumpy") or (None if problem.series is not None else "takes one-channel signals only")


METHODS = {
    "logscan": Method("logscan sparse", "budget", (64, 128, 256, 512, 1024), 256, sparse_by_budget),
    "logscan_search": Method(
        "logscan sparse, with neighbours", "search_leaves", (8, 16, 32, 64), 32, sparse_by_search
    ),
    "sdpa": Method("dense (torch SDPA)", "—", (0,), 0, dense_sdpa, power=2, excludes=False),
    "window": Method("sliding window", "width", (256, 1024, 4096), 1024, sliding_window),
    "flex_time": Method(
        "FlexAttention, blocks of time",
        "key blocks",
        (4, 16, 64),
        16,
        flex_by_time,
        compiles=True,
        refusal=lambda _: _flex_failure(),
    ),
    "flex_content": Method(
        "FlexAttention, blocks of content",
        "key blocks",
        (4, 16, 64),
        16,
        flex_by_content,
        compiles=True,
        refusal=lambda _: _flex_failure(),
    ),
    "reformer": Method("LSH (Reformer)", "rounds", (1, 2, 4, 8), 4, reformer),
    "performer": Method(
        "random features (Performer)", "features", (64, 256, 1024), 256, performer, excludes=False
    ),
    "knn": Method("exact neighbours (torch)", "k", (16, 64, 256), 64, exact_nearest, power=2),
    "ivf": Method(
        "faiss IVF, 64 neighbours",
        "nprobe",
        (1, 4, 16, 64),
        16,
        faiss_cells,
        power=1.5,
        refusal=lambda _: _without("faiss"),
    ),
    "hnsw": Method(
        "faiss HNSW, 64 neighbours",
        "efSearch",
        (64, 256, 512),
        256,
        faiss_graph,
        power=1.2,
        refusal=lambda _: _without("faiss"),
    ),
    "stumpy": Method(
        "matrix profile (stumpy)",
        "—",
        (0,),
        0,
        matrix_profile,
        power=2,
        compiles=True,
        refusal=_without_profile,
    ),
}
