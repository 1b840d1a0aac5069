"""The sparse side of the operator: the content tree, the groups, causality, and what it finds."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from logscan.attention import DENSE_MAX_KEYS, ContentTree, content_tree, sparse_attention
from logscan.attention.selection import query_groups, segments
from logscan.errors import UsageError


def _walk(count: int, width: int, seed: int = 0) -> torch.Tensor:
    """Tokens of a smooth periodic walk: windows of a noisy wave."""
    draw = torch.Generator().manual_seed(seed)
    time = torch.arange(count + width)
    wave = (
        torch.sin(time * 0.21) + 0.5 * torch.sin(time * 0.057) + 0.05 * torch.randn(len(time), generator=draw)
    )
    return wave.unfold(0, width, 1)[:count].double()


@given(
    n_key=st.integers(1, 200),
    leaf_keys=st.integers(2, 23),
    kind=st.sampled_from(["normal", "constant", "two values", "one spike", "line"]),
)
@settings(max_examples=60, deadline=None)
def test_the_tree_holds_every_key_once_in_leaves_of_equal_size(n_key, leaf_keys, kind):
    """For any number of keys and any content: a partition, balanced, with true counts, means and radii."""
    key = torch.randn(n_key, 5, generator=torch.Generator().manual_seed(n_key), dtype=torch.float64)
    if kind == "constant":
        key = torch.full_like(key, 3.0)
    elif kind == "two values":
        key = (key > 0).double()
    elif kind == "one spike":
        key[n_key // 2] = 1e12
    elif kind == "line":
        key = key[:, :1] * torch.ones(5, dtype=torch.float64)
    tree = content_tree(key, leaf_keys=leaf_keys)
    assert sorted(tree.members[tree.members >= 0].tolist()) == list(range(n_key))
    assert tree.key_count == n_key
    assert int(tree.count.max()) <= leaf_keys
    assert int(tree.count.max() - tree.count.min()) <= 1
    for leaf in range(len(tree.count)):
        members = key[tree.members[leaf][tree.members[leaf] >= 0]]
        torch.testing.assert_close(tree.mean[leaf], members.mean(dim=0))
        assert (members - tree.mean[leaf]).norm(dim=1).amax() <= tree.radius[leaf]


def test_a_leaf_holds_keys_that_are_alike():
    """Keys of distant clusters never share a leaf when the clusters fill leaves exactly."""
    centre = torch.arange(8).repeat_interleave(16)[:, None] * torch.tensor([[100.0, 37.0]])
    key = centre + torch.randn(128, 2, generator=torch.Generator().manual_seed(0))
    order = torch.randperm(128, generator=torch.Generator().manual_seed(1))
    assert float(content_tree(key[order]).radius.max()) < 10.0


def test_the_tree_is_stored_as_tensors_and_comes_back():
    """A tree survives its tensors; a missing one is named."""
    tree = content_tree(_walk(53, 7))
    tensors = tree.to_tensors("head0.")
    again = ContentTree.from_tensors(tensors, "head0.")
    assert all(torch.equal(again.to_tensors()[name], tensor) for name, tensor in tree.to_tensors().items())
    del tensors["head0.mean"]
    with pytest.raises(UsageError, match=r"tensor 'head0.mean' is missing; build the tree again"):
        ContentTree.from_tensors(tensors, "head0.")


def test_a_tree_of_other_keys_is_refused():
    """A tree built over another number of keys is not used silently."""
    keys = _walk(59, 7)
    with pytest.raises(UsageError, match="attention tree: built over 53 keys, got 59; build it again"):
        sparse_attention(keys, keys, None, tree=content_tree(keys[:53]), implementation="sparse")


def test_groups_start_at_absolute_indices_and_after_gaps():
    """A group is cut at multiples of its length counted from the offset, and where time jumps."""
    times = torch.tensor([10, 12, 14, 16, 18, 40, 42, 41, 43])
    groups = query_groups(times, stride=2, anchor_every=4, group_offset=2)
    rows = [slots[taken].tolist() for slots, taken in zip(groups.slots, groups.taken, strict=True)]
    assert rows == [[0, 1], [2, 3, 4], [5], [6], [7, 8]]


@pytest.mark.parametrize("anchor_every", [1, 2, 3, 4, 8, 16, 17])
def test_a_stretch_is_wide_enough_wherever_it_starts(anchor_every):
    """The blocks of a stretch cover the group's own length and the margin on both sides."""
    cut = segments(anchor_every)
    for start in range(cut.block_keys):
        assert start + anchor_every + 2 * cut.margin <= cut.keys


SPARSE = {
    "exclusion": 7,
    "budget": 40,
    "return_log_partition": True,
    "return_neighbors": 3,
    "implementation": "sparse",
}


@pytest.mark.parametrize("anchor_every", [1, 4, 16])
@pytest.mark.parametrize("cut", [1, 29, 64, 101])
def test_appending_later_queries_changes_no_earlier_result(anchor_every, cut):
    """Causality: the result of the first queries is the same with and without the later ones."""
    tokens = _walk(331, 7)
    keys, key_time = tokens[:211], torch.arange(211) * 4
    query_time = torch.arange(331) * 4
    options = {**SPARSE, "key_time": key_time, "anchor_every": anchor_every, "exclusion": 28}
    whole = sparse_attention(tokens, keys, keys, query_time=query_time, **options)
    first = sparse_attention(tokens[:cut], keys, keys, query_time=query_time[:cut], **options)
    assert torch.equal(whole.neighbors[:cut], first.neighbors)
    torch.testing.assert_close(whole.output[:cut], first.output)
    torch.testing.assert_close(whole.log_partition[:cut], first.log_partition)


@pytest.mark.parametrize("implementation", ["dense", "sparse"])
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_query_alone_gets_bit_for_bit_what_it_gets_in_company(implementation, count):
    """Rounding too does not depend on how many queries come along, so runs in parts give identical bytes."""
    tokens = _walk(331, 7).float()
    options = {**SPARSE, "query_time": torch.arange(331), "key_time": torch.arange(331), "exclusion": 7}
    options |= {"implementation": implementation, "anchor_every": 4}
    whole = sparse_attention(tokens, tokens, tokens, **options)
    options["query_time"] = options["query_time"][:count]
    alone = sparse_attention(tokens[:count], tokens, tokens, **options)
    assert torch.equal(alone.output, whole.output[:count])
    assert torch.equal(alone.log_partition, whole.log_partition[:count])
    assert torch.equal(alone.neighbors, whole.neighbors[:count])


def test_scoring_in_parts_equals_scoring_at_once():
    """Whole groups handed in with their absolute index give what the whole gives."""
    tokens = _walk(211, 7)
    time = torch.arange(211)
    options = {**SPARSE, "key_time": time, "anchor_every": 4}
    whole = sparse_attention(tokens, tokens, tokens, query_time=time, **options)
    for start in (0, 64, 128):
        part = slice(start, start + 64)
        piece = sparse_attention(
            tokens[part], tokens, tokens, query_time=time[part], group_offset=start, **options
        )
        assert torch.equal(piece.neighbors, whole.neighbors[part])
        torch.testing.assert_close(piece.output, whole.output[part])


def test_no_neighbour_lies_within_the_exclusion():
    """Neighbours keep their distance in time, per query and not only per anchor, gaps included."""
    tokens = _walk(331, 7)
    time = torch.cat([torch.arange(200), torch.arange(260, 391)]) * 4
    result = sparse_attention(
        tokens, tokens, None, query_time=time, key_time=time, **(SPARSE | {"exclusion": 52})
    )
    distance = (time[result.neighbors.clamp(min=0)] - time[:, None]).abs()
    assert (distance[result.neighbors >= 0] >= 52).all()
    assert (result.neighbors[:, 0] >= 0).all()


@pytest.mark.parametrize("is_causal", [False, True])
def test_every_query_with_an_allowed_key_gets_an_answer(is_causal):
    """Where the selection holds no allowed key the query is answered exactly, not left empty."""
    tokens = torch.randn(61, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    time = torch.arange(61)
    options = {"exclusion": 23, "is_causal": is_causal, "return_log_partition": True}
    sparse = sparse_attention(
        tokens,
        tokens,
        tokens,
        query_time=time,
        key_time=time,
        budget=1,
        search_leaves=1,
        anchor_every=16,
        implementation="sparse",
        **options,
    )
    dense = sparse_attention(
        tokens, tokens, tokens, query_time=time, key_time=time, implementation="dense", **options
    )
    assert torch.equal(sparse.output.isnan(), dense.output.isnan())
    assert (sparse.log_partition <= dense.log_partition + 1e-9).all()


def test_a_key_taken_by_two_stretches_counts_once():
    """Overlapping stretches are a union: with all keys alike the log-partition is the log of their number."""
    keys = torch.zeros(53, 3, dtype=torch.float64)
    result = sparse_attention(
        keys, keys, None, budget=36, return_log_partition=True, return_neighbors=53, implementation="sparse"
    )
    for row in result.neighbors:
        found = row[row >= 0]
        assert len(found) == len(found.unique())
    torch.testing.assert_close(result.log_partition.exp(), (result.neighbors >= 0).sum(dim=1).double())


@pytest.mark.parametrize("n_key", [1, 2, 5, 15, 17])
def test_histories_smaller_than_a_leaf_work(n_key):
    """Fewer keys than a leaf or a stretch holds are all taken."""
    keys = _walk(n_key, 3)
    options = {"scale": 1.0, "query_time": torch.arange(29), "key_time": torch.arange(n_key) + 100}
    sparse = sparse_attention(_walk(29, 3), keys, keys, budget=17, implementation="sparse", **options)
    dense = sparse_attention(_walk(29, 3), keys, keys, implementation="dense", **options)
    torch.testing.assert_close(sparse.output, dense.output)


def test_the_nearest_key_is_found_on_periodic_tokens_at_a_fraction_of_the_keys():
    """On a wave with sharp distance attention most nearest keys and the log-partition's order are kept."""
    tokens, time = _walk(1999, 23).float(), torch.arange(1999)
    options = {
        "scale": 4.0,
        "key_bias": -2.0 * tokens.square().sum(dim=1),
        "query_time": time,
        "key_time": time,
        "exclusion": 23,
        "return_log_partition": True,
        "return_neighbors": 5,
    }
    exact = sparse_attention(tokens, tokens, tokens, implementation="dense", **options)
    found = sparse_attention(
        tokens, tokens, tokens, implementation="sparse", budget=256, anchor_every=4, **options
    )
    recall = (found.neighbors == exact.neighbors[:, :1]).any(dim=1).float().mean()
    assert recall >= 0.85
    assert (found.output - exact.output).norm() <= 0.05 * exact.output.norm()
    assert (found.log_partition <= exact.log_partition + 1e-3).all()


def test_masked_keys_are_never_taken_although_the_tree_holds_them():
    """A stored tree serves a masked history: masked keys are skipped and the rest keep their index."""
    keys = _walk(211, 7)
    mask = torch.rand(211, generator=torch.Generator().manual_seed(0)) > 0.4
    options = {"budget": 64, "return_neighbors": 7, "implementation": "sparse", "key_mask": mask}
    result = sparse_attention(keys[:31], keys, None, tree=content_tree(keys), **options)
    assert mask[result.neighbors[result.neighbors >= 0]].all()


def test_the_choice_of_path_depends_on_the_number_of_keys_alone():
    """One query meets the same path as many: dense at the limit, sparse above."""
    keys = torch.randn(DENSE_MAX_KEYS + 1, 3, generator=torch.Generator().manual_seed(0))
    for count, path in ((DENSE_MAX_KEYS, "dense"), (DENSE_MAX_KEYS + 1, "sparse")):
        for queries in (1, 5):
            options = {"scale": 1.0, "return_log_partition": True}
            chosen = sparse_attention(keys[:queries], keys[:count], None, **options)
            forced = sparse_attention(keys[:queries], keys[:count], None, implementation=path, **options)
            assert torch.equal(chosen.log_partition, forced.log_partition)
