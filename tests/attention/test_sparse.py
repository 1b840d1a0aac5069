"""The sparse side of the operator: groups, causality, what it finds, and what counts for the rest."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from logscan.attention import DENSE_MAX_KEYS, content_tree, sparse_attention
from logscan.attention.arguments import HeadArguments
from logscan.attention.layout import leaf_blocks
from logscan.attention.nodes import Geometry, Nodes, surroundings
from logscan.attention.problem import attention_problem, curvature, with_bias
from logscan.attention.search import tiles_by_leaf
from logscan.attention.selection import BLOCK_KEYS, GROUP_QUERIES, STRETCH_KEYS, query_groups, stretches
from logscan.attention.survey import followers_alike, weight_is_near
from logscan.errors import UsageError


def _walk(count: int, width: int, seed: int = 0) -> torch.Tensor:
    """Tokens of a smooth periodic walk: windows of a noisy wave."""
    draw = torch.Generator().manual_seed(seed)
    time = torch.arange(count + width)
    wave = (
        torch.sin(time * 0.21) + 0.5 * torch.sin(time * 0.057) + 0.05 * torch.randn(len(time), generator=draw)
    )
    return wave.unfold(0, width, 1)[:count].double()


def _problem(keys, *, queries=None, key_bias=None, query_time=None, key_time=None, exclusion=0):
    queries = keys if queries is None else queries
    query_time = torch.arange(len(queries)) if query_time is None else query_time
    key_time = torch.arange(len(keys)) if key_time is None else key_time
    head = HeadArguments(queries, keys, keys, key_bias, None, query_time, key_time)
    return with_bias(attention_problem(head, scale=1.0, exclusion=exclusion, is_causal=False))


def test_a_tree_of_other_keys_is_refused():
    """A tree built over another number of keys is not used silently."""
    keys = _walk(59, 7)
    with pytest.raises(UsageError, match="attention tree: built over 53 keys, got 59; build it again"):
        sparse_attention(keys, keys, None, tree=content_tree(keys[:53]), implementation="sparse", budget=8)


def test_a_tree_is_refused_where_it_would_let_later_keys_choose():
    """Causal attention builds its own trees over each query's past."""
    keys = _walk(59, 7)
    with pytest.raises(UsageError, match="a tree belongs to one head, and not to causal attention"):
        sparse_attention(keys, keys, None, tree=content_tree(keys), is_causal=True)


def test_groups_start_at_absolute_indices_and_after_gaps():
    """A group is cut at multiples of its length counted from the offset, and where time jumps."""
    times = torch.tensor([10, 12, 14, 16, 18, 40, 42, 41, 43])
    problem = _problem(_walk(9, 3), query_time=times)
    groups = query_groups(problem, stride=2, group_offset=2, rows=4)
    rows = [slots[taken].tolist() for slots, taken in zip(groups.slots, groups.taken, strict=True)]
    assert rows == [[0, 1], [2, 3, 4], [5], [6], [7, 8]]


def test_a_stretch_is_wide_enough_wherever_it_starts():
    """The blocks of a stretch hold the key that runs along with every query of the group."""
    for position in range(BLOCK_KEYS, 5 * BLOCK_KEYS):
        start = (position - 1) // BLOCK_KEYS * BLOCK_KEYS
        assert start < position
        assert position + GROUP_QUERIES - 1 < start + STRETCH_KEYS


def test_a_group_takes_only_what_its_own_queries_point_to():
    """Where a group finds fewer analogues than its budget has room for, nothing is taken in their place."""
    problem = _problem(_walk(997, 7), queries=_walk(32, 7), query_time=torch.arange(32) + 5000)
    groups = query_groups(problem, stride=1, group_offset=0)
    found = torch.cat([torch.arange(16) + 100, torch.arange(16) + 700])[:, None]
    chosen = stretches(
        problem,
        groups,
        found,
        torch.zeros(32, 1),
        budget=10 * STRETCH_KEYS,
        none=125,
        look_ahead=True,
        local=False,
    )
    taken = [sorted(set(row.tolist()) - {125}) for row in chosen.blocks]
    assert taken == [[12, 13, 14], [87, 88, 89]]


@given(leaves=st.lists(st.integers(0, 6), min_size=1, max_size=90), rows=st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_tiles_hold_every_query_once_beside_others_of_its_leaf(leaves, rows):
    """Grouping by leaf is a partition into tiles of at most `rows`, each of one leaf."""
    leaf_of = torch.tensor(leaves)
    tiles = tiles_by_leaf(torch.arange(len(leaves)), leaf_of, rows)
    assert sorted(tiles.slots[tiles.taken].tolist()) == list(range(len(leaves)))
    assert (leaf_of[tiles.slots] == tiles.leaf[:, None]).all()
    assert tiles.slots.shape[1] == rows


@given(n_key=st.integers(1, 300), width=st.integers(1, 9), by_distance=st.booleans())
@settings(max_examples=40, deadline=None)
def test_near_leaves_and_the_rest_hold_every_key_once(n_key, width, by_distance):
    """From every leaf, the near leaves and the nodes of the rest are a partition of the keys."""
    keys = torch.randn(n_key, 5, generator=torch.Generator().manual_seed(n_key), dtype=torch.float64)
    tree = content_tree(keys)
    nodes = Nodes.of(leaf_blocks(_problem(keys), tree))
    near, rest = surroundings(Geometry.of(nodes), tree.levels, width, by_distance=by_distance, with_rest=True)
    first_leaf = len(tree.members) - 1
    held = nodes.count[near + first_leaf].sum(dim=1) + nodes.count[rest].sum(dim=1)
    assert (held == n_key).all()
    for row_near, row_rest in zip(near.tolist(), rest.tolist(), strict=True):
        under = [leaf + first_leaf for leaf in row_near]
        for node in row_rest:
            below = [node]
            while below[0] < first_leaf:
                below = [child for parent in below for child in (2 * parent + 1, 2 * parent + 2)]
            under += below
        assert sorted(under) == list(range(first_leaf, 2 * first_leaf + 1))


def test_the_leaf_itself_is_the_nearest_leaf():
    """By distance every leaf is near itself, even when only one is kept."""
    keys = _walk(331, 7)
    tree = content_tree(keys)
    geometry = Geometry.of(Nodes.of(leaf_blocks(_problem(keys), tree)))
    near, _ = surroundings(geometry, tree.levels, 1, by_distance=True, with_rest=False)
    spread = geometry.spread[-len(near) :]
    apart = torch.cdist(geometry.mean[-len(near) :], geometry.mean[-len(near) :]) - spread
    own = near.squeeze(1) == torch.arange(len(near))
    assert (apart.gather(1, near)[~own].squeeze(1) <= -spread[~own]).all()


def test_node_statistics_equal_those_of_their_keys():
    """Mean, variance and count of every node are those of the keys below it, empty slots and masks left out."""
    keys = 1e3 + torch.randn(211, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mask = torch.rand(211, generator=torch.Generator().manual_seed(1)) > 0.3
    head = HeadArguments(keys, keys, keys[:, :3], None, mask, torch.arange(211), torch.arange(211))
    problem = with_bias(attention_problem(head, scale=1.0, exclusion=0, is_causal=False))
    tree = content_tree(keys)
    nodes = Nodes.of(leaf_blocks(problem, tree))
    for node in range(len(nodes.count)):
        level = (node + 1).bit_length() - 1
        per = len(tree.members) >> level
        place = node + 1 - (1 << level)
        members = tree.members[place * per : (place + 1) * per].flatten()
        members = members[members >= 0]
        own = keys[members[mask[members]]]
        assert int(nodes.count[node]) == len(own)
        if len(own):
            torch.testing.assert_close(nodes.key[node, :-1], own.mean(dim=0))
            torch.testing.assert_close(nodes.value[node], own[:, :3].mean(dim=0))
            torch.testing.assert_close(nodes.variance[node], own.var(dim=0, correction=0).mean())


def test_a_bias_that_makes_distances_is_recognised_and_another_is_not():
    """The curvature is -scale for distance attention, and 0 for any other bias or none."""
    keys = _walk(97, 5)
    squares = keys.square().sum(dim=1)
    assert curvature(_problem(keys, key_bias=-0.35 * squares + 2.0)) == pytest.approx(-0.7)
    noise = torch.randn(97, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert curvature(_problem(keys, key_bias=noise)) == 0.0
    assert curvature(_problem(keys, key_bias=0.35 * squares)) == 0.0
    assert curvature(_problem(keys)) == 0.0


def test_order_is_found_to_help_in_a_wave_and_not_in_shuffled_or_random_tokens():
    """Sharing what consecutive queries find is chosen by what the keys look like."""
    wave = _walk(1999, 7)
    shuffled = wave[torch.randperm(1999, generator=torch.Generator().manual_seed(0))]
    random = torch.rand(1999, 7, generator=torch.Generator().manual_seed(1))
    assert followers_alike(wave)
    assert not followers_alike(shuffled)
    assert not followers_alike(random)
    assert not followers_alike(wave[:101])


def test_the_correction_is_saved_where_the_near_keys_carry_the_weight():
    """Sharp distance attention needs no correction; soft attention, and any other than distance, does."""
    wave = _walk(5003, 7)
    assert weight_is_near(wave, -100.0)
    assert not weight_is_near(wave, -0.01)
    assert not weight_is_near(wave, 0.0)
    assert not weight_is_near(wave[:997], -100.0)


SPARSE = {
    "exclusion": 7,
    "budget": 40,
    "search_leaves": 4,
    "return_log_partition": True,
    "return_neighbors": 3,
    "implementation": "sparse",
}


@pytest.mark.parametrize("group_queries", [1, 16])
@pytest.mark.parametrize("cut", [1, 29, 64, 101])
def test_without_looking_ahead_later_queries_change_no_earlier_result(group_queries, cut):
    """The result of the first queries is the same with and without the later ones."""
    tokens = _walk(331, 7)
    keys, key_time = tokens[:211], torch.arange(211) * 4
    query_time = torch.arange(331) * 4
    options = SPARSE | {
        "key_time": key_time,
        "group_queries": group_queries,
        "exclusion": 28,
        "look_ahead": False,
    }
    whole = sparse_attention(tokens, keys, keys, query_time=query_time, **options)
    first = sparse_attention(tokens[:cut], keys, keys, query_time=query_time[:cut], **options)
    assert torch.equal(whole.neighbors[:cut], first.neighbors)
    torch.testing.assert_close(whole.output[:cut], first.output)
    torch.testing.assert_close(whole.log_partition[:cut], first.log_partition)


@pytest.mark.parametrize(
    "options", [{"implementation": "dense"}, {"group_queries": 1}, {"look_ahead": False}]
)
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_query_alone_gets_bit_for_bit_what_it_gets_in_company(options, count):
    """Rounding too does not depend on how many queries come along, so runs in parts give identical bytes."""
    tokens = _walk(331, 7).float()
    options = SPARSE | {"query_time": torch.arange(331), "key_time": torch.arange(331)} | options
    whole = sparse_attention(tokens, tokens, tokens, **options)
    options["query_time"] = options["query_time"][:count]
    alone = sparse_attention(tokens[:count], tokens, tokens, **options)
    assert torch.equal(alone.output, whole.output[:count])
    assert torch.equal(alone.log_partition, whole.log_partition[:count])
    assert torch.equal(alone.neighbors, whole.neighbors[:count])


@pytest.mark.parametrize("options", [{"group_queries": 1}, {"look_ahead": False}, {"look_ahead": True}])
def test_scoring_in_parts_equals_scoring_at_once(options):
    """Whole groups handed in with their absolute index give what the whole gives."""
    tokens = _walk(211, 7)
    time = torch.arange(211)
    options = SPARSE | {"key_time": time} | options
    whole = sparse_attention(tokens, tokens, tokens, query_time=time, **options)
    for start in (0, 64, 128):
        part = slice(start, start + 64)
        piece = sparse_attention(
            tokens[part], tokens, tokens, query_time=time[part], group_offset=start, **options
        )
        assert torch.equal(piece.neighbors, whole.neighbors[part])
        torch.testing.assert_close(piece.output, whole.output[part])


@pytest.mark.parametrize("group_queries", [1, 16])
def test_no_neighbour_lies_within_the_exclusion(group_queries):
    """Neighbours keep their distance in time, per query and not only per group, gaps included."""
    tokens = _walk(331, 7)
    time = torch.cat([torch.arange(200), torch.arange(260, 391)]) * 4
    options = SPARSE | {"exclusion": 52, "group_queries": group_queries}
    result = sparse_attention(tokens, tokens, None, query_time=time, key_time=time, **options)
    distance = (time[result.neighbors.clamp(min=0)] - time[:, None]).abs()
    assert (distance[result.neighbors >= 0] >= 52).all()
    assert (result.neighbors[:, 0] >= 0).all()


@pytest.mark.parametrize("group_queries", [1, 16])
@pytest.mark.parametrize("coarse", ["none", "mean", "second"])
@pytest.mark.parametrize("is_causal", [False, True])
def test_every_query_with_an_allowed_key_gets_an_answer(is_causal, coarse, group_queries):
    """Where neither selection nor nodes hold an allowed key the query is answered exactly, not left empty."""
    tokens = torch.randn(61, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    options = {"exclusion": 23, "is_causal": is_causal, "return_log_partition": True}
    sparse = sparse_attention(
        tokens,
        tokens,
        tokens,
        budget=1,
        search_leaves=1,
        group_queries=group_queries,
        coarse=coarse,
        implementation="sparse",
        **options,
    )
    dense = sparse_attention(tokens, tokens, tokens, implementation="dense", **options)
    assert torch.equal(sparse.output.isnan(), dense.output.isnan())
    assert torch.equal(sparse.log_partition == -torch.inf, dense.log_partition == -torch.inf)


@pytest.mark.parametrize("group_queries", [1, 16])
@pytest.mark.parametrize("exclusion", [0, 1, 9, 40])
@pytest.mark.parametrize(("look_ahead", "probes"), [(True, 0), (True, 3), (False, 0)])
def test_every_allowed_key_counts_once(group_queries, exclusion, look_ahead, probes):
    """With all keys alike the log-partition is the log of the number of allowed keys.

    Nodes under which a good part is forbidden are left out: then it is less, and the certified bound says by how
    much.
    """
    keys = torch.zeros(553, 3, dtype=torch.float64)
    result = sparse_attention(
        keys,
        keys,
        None,
        budget=36,
        search_leaves=2,
        exclusion=exclusion,
        group_queries=group_queries,
        look_ahead=look_ahead,
        probes=probes,
        return_log_partition=True,
        return_error_bound=True,
        implementation="sparse",
    )
    at = torch.arange(553)
    allowed = ((at[:, None] - at).abs() >= exclusion).sum(dim=1).double()
    counted = result.log_partition.exp()
    assert (counted <= allowed + 1e-6).all()
    if exclusion == 0:
        torch.testing.assert_close(counted, allowed)
    torch.testing.assert_close(counted.round(), counted)
    assert ((allowed.log() - result.log_partition) <= result.log_partition_bound).all()


def test_neighbours_are_not_repeated():
    """Overlapping stretches are a union: no key is a neighbour twice."""
    keys = _walk(331, 3)
    result = sparse_attention(keys, keys, None, **(SPARSE | {"return_neighbors": 53, "group_queries": 16}))
    for row in result.neighbors:
        found = row[row >= 0]
        assert len(found) == len(found.unique())


@pytest.mark.parametrize("n_key", [1, 2, 5, 15, 17, 33])
@pytest.mark.parametrize("group_queries", [1, 16])
def test_small_histories_work(n_key, group_queries):
    """Fewer keys than leaves, stretches or blocks hold are no special case."""
    keys = _walk(n_key, 3)
    options = {"scale": 1.0, "query_time": torch.arange(29), "key_time": torch.arange(n_key) + 100}
    sparse = sparse_attention(
        _walk(29, 3),
        keys,
        keys,
        budget=1,
        search_leaves=4,
        group_queries=group_queries,
        implementation="sparse",
        **options,
    )
    dense = sparse_attention(_walk(29, 3), keys, keys, implementation="dense", **options)
    torch.testing.assert_close(sparse.output, dense.output, atol=0.3, rtol=0)
    if group_queries == 1:  # all leaves are taken whole
        torch.testing.assert_close(sparse.output, dense.output)


@pytest.mark.parametrize("group_queries", [16, None])
def test_the_nearest_key_is_found_on_periodic_tokens_at_a_fraction_of_the_keys(group_queries):
    """On a wave with sharp distance attention nearly all nearest keys and the log-partition's order are kept."""
    tokens = _walk(1999, 23).float()
    options = {
        "scale": 4.0,
        "key_bias": -2.0 * tokens.square().sum(dim=1),
        "exclusion": 23,
        "return_log_partition": True,
        "return_neighbors": 5,
    }
    exact = sparse_attention(tokens, tokens, tokens, implementation="dense", **options)
    found = sparse_attention(
        tokens,
        tokens,
        tokens,
        implementation="sparse",
        search_leaves=16,
        group_queries=group_queries,
        **options,
    )
    recall = (found.neighbors == exact.neighbors[:, :1]).any(dim=1).float().mean()
    assert recall >= 0.95
    assert (found.output - exact.output).norm() <= 0.05 * exact.output.norm()
    ranks = [part.log_partition.argsort().argsort().double() for part in (found, exact)]
    assert float(torch.corrcoef(torch.stack(ranks))[0, 1]) >= 0.995


def test_the_correction_brings_soft_attention_near_the_exact_one():
    """Where the weight is spread over all keys, nodes make good for what is not taken."""
    tokens = torch.randn(1999, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    exact = sparse_attention(tokens, tokens, tokens, implementation="dense", return_log_partition=True)
    errors = {}
    for coarse in ("none", "mean", "second"):
        part = sparse_attention(
            tokens,
            tokens,
            tokens,
            search_leaves=8,
            coarse=coarse,
            implementation="sparse",
            return_log_partition=True,
        )
        errors[coarse] = (
            float((part.output - exact.output).norm() / exact.output.norm()),
            float((part.log_partition - exact.log_partition).abs().mean()),
        )
    assert errors["mean"][0] < 0.2 * errors["none"][0]
    assert errors["mean"][1] < 0.1 * errors["none"][1]
    assert errors["second"][1] < 0.5 * errors["mean"][1]


@pytest.mark.parametrize("max_error", [0.3, 0.01])
def test_an_accuracy_that_was_asked_for_is_kept(max_error):
    """With `max_error` every certified bound and every true error is at most that."""
    tokens = _walk(1999, 7)
    options = {"exclusion": 7, "return_log_partition": True}
    exact = sparse_attention(tokens, tokens, tokens, implementation="dense", **options)
    found = sparse_attention(
        tokens,
        tokens,
        tokens,
        max_error=max_error,
        search_leaves=4,
        implementation="sparse",
        return_error_bound=True,
        **options,
    )
    assert (found.output_bound <= max_error).all()
    assert ((found.output - exact.output).norm(dim=1) <= found.output_bound).all()


def test_masked_keys_are_never_taken_although_the_tree_holds_them():
    """A stored tree serves a masked history: masked keys are skipped and the rest keep their index."""
    keys = _walk(211, 7)
    mask = torch.rand(211, generator=torch.Generator().manual_seed(0)) > 0.4
    options = {"budget": 64, "return_neighbors": 7, "implementation": "sparse", "key_mask": mask}
    result = sparse_attention(keys[:31], keys, None, tree=content_tree(keys), **options)
    assert mask[result.neighbors[result.neighbors >= 0]].all()
    assert (result.neighbors[:, 0] >= 0).all()


def test_the_choice_of_path_depends_on_the_number_of_keys_alone():
    """One query meets the same path as many: dense at the limit, sparse above."""
    keys = torch.randn(DENSE_MAX_KEYS + 1, 3, generator=torch.Generator().manual_seed(0))
    for count, path in ((DENSE_MAX_KEYS, "dense"), (DENSE_MAX_KEYS + 1, "sparse")):
        for queries in (1, 5):
            options = {"scale": 1.0, "return_log_partition": True}
            chosen = sparse_attention(keys[:queries], keys[:count], None, **options)
            forced = sparse_attention(keys[:queries], keys[:count], None, implementation=path, **options)
            assert torch.equal(chosen.log_partition, forced.log_partition)


def test_queries_far_outside_the_keys_are_answered():
    """A query like nothing before still gets its nearest keys: they are the ones nearest to where it falls."""
    keys = _walk(997, 7)
    far = keys[:31] * 50.0
    options = {
        "scale": 1.0,
        "key_bias": -0.5 * keys.square().sum(dim=1),
        "query_time": torch.arange(31) + 5000,
    }
    exact = sparse_attention(
        far,
        keys,
        keys,
        key_time=torch.arange(997),
        implementation="dense",
        return_log_partition=True,
        **options,
    )
    found = sparse_attention(
        far,
        keys,
        keys,
        key_time=torch.arange(997),
        implementation="sparse",
        search_leaves=16,
        return_log_partition=True,
        return_error_bound=True,
        **options,
    )
    assert found.output.isfinite().all()
    wrong = (found.log_partition - exact.log_partition).abs()
    assert (wrong <= found.log_partition_bound).all()


@pytest.mark.parametrize("group_queries", [1, 16])
def test_a_lone_analogue_across_a_split_is_found_by_probing(group_queries):
    """Near copies of single tokens among noise: with probes nearly all are found, and carry their weight."""
    draw = torch.Generator().manual_seed(0)
    tokens = torch.randn(6007, 23, generator=draw)
    first, second = torch.randperm(6007, generator=draw)[:1000].view(2, 500)
    tokens[second] = tokens[first] + 0.01 * torch.randn(500, 23, generator=draw)
    options = {
        "scale": 50.0,
        "key_bias": -25.0 * tokens.square().sum(dim=1),
        "exclusion": 1,
        "search_leaves": 2,
        "group_queries": group_queries,
        "return_neighbors": 1,
        "implementation": "sparse",
    }
    shares, errors = {}, {}
    for probes in (0, 4):
        result = sparse_attention(tokens, tokens, tokens, probes=probes, **options)
        shares[probes] = float((result.neighbors[first, 0] == second).float().mean())
        errors[probes] = float((result.output[first] - tokens[second]).norm(dim=1).gt(0.5).float().mean())
    assert shares[0] < 0.97
    assert shares[4] > 0.99
    if group_queries == 1:  # groups of noise cannot take what each of their queries finds
        assert errors[4] < 0.01 < errors[0]


def test_probes_are_refused_where_later_queries_would_have_a_say():
    """Queries share what probes find: neither causal nor without looking ahead."""
    keys = _walk(59, 7)
    for options in ({"is_causal": True}, {"look_ahead": False}):
        with pytest.raises(UsageError, match="attention probes: queries share what their probes find"):
            sparse_attention(keys, keys, None, probes=2, **options)
