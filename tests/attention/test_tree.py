"""The content tree: balanced over any keys, found again from the root, and grown without building it anew."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from logscan.attention.tree import LEAF_KEYS, ROOT_FILL, SLACK, ContentTree, content_tree
from logscan.errors import UsageError

KINDS = ["normal", "constant", "two values", "one spike", "line", "drift"]
APPENDS = st.lists(st.sampled_from([1, 2, 3, 7, 13, 29, 101]), min_size=1, max_size=17)


def _keys(count: int, kind: str, seed: int) -> torch.Tensor:
    """Keys of five coordinates, of the easy or of an awkward kind."""
    key = torch.randn(count, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    if kind == "constant":
        key = torch.full_like(key, 3.0)
    elif kind == "two values":
        key = (key > 0).double()
    elif kind == "one spike":
        key[count // 2] = 1e12
    elif kind == "line":
        key = key[:, :1] * torch.ones(5, dtype=torch.float64)
    elif kind == "drift":
        key[:, 0] += torch.arange(count)
    return key


def _leaf_of_member(tree: ContentTree) -> torch.Tensor:
    """The leaf that holds each key, (Nk,)."""
    leaf = torch.arange(len(tree.members))[:, None].expand_as(tree.members)
    held = tree.members >= 0
    return torch.empty(tree.key_count, dtype=torch.int64).scatter_(0, tree.members[held], leaf[held])


def _assert_sound(tree: ContentTree, key: torch.Tensor, room: int) -> None:
    """Every key once, in leaves that are neither empty nor over their room, empty slots last."""
    held = tree.members >= 0
    assert sorted(tree.members[held].tolist()) == list(range(len(key)))
    assert tree.key_count == len(key)
    assert len(tree.members) == 1 << tree.levels
    assert tree.direction.shape == (len(tree.members) - 1, key.shape[1])
    assert tree.threshold.shape == (len(tree.members) - 1,)
    assert tree.direction.isfinite().all()
    assert tree.threshold.isfinite().all()
    assert (held[:, 1:] <= held[:, :-1]).all()
    assert int(held.sum(dim=1).min()) >= 1
    assert int(held.sum(dim=1).max()) <= room


def _grown(key: torch.Tensor, first: int, appends: list[int], leaf_keys: int) -> list[ContentTree]:
    """The tree of the first keys, and the tree after every append."""
    trees, held = [content_tree(key[:first], leaf_keys=leaf_keys)], first
    for count in appends:
        held += count
        trees.append(trees[-1].extended(key[:held], leaf_keys=leaf_keys))
    return trees


def _same(one: ContentTree, other: ContentTree) -> bool:
    """Equal digit for digit."""
    return all(torch.equal(tensor, other.to_tensors()[name]) for name, tensor in one.to_tensors().items())


@given(n_key=st.integers(1, 200), leaf_keys=st.integers(2, 23), kind=st.sampled_from(KINDS))
@settings(max_examples=60, deadline=None)
def test_the_tree_holds_every_key_once_in_leaves_of_equal_size(n_key, leaf_keys, kind):
    """For any number of keys and any content: a partition into leaves whose sizes differ by one at most."""
    key = _keys(n_key, kind, seed=n_key)
    tree = content_tree(key, leaf_keys=leaf_keys)
    _assert_sound(tree, key, room=leaf_keys)
    size = (tree.members >= 0).sum(dim=1)
    assert int(size.max() - size.min()) <= 1
    assert n_key <= leaf_keys or 2 * int(size.max()) > leaf_keys


@given(
    first=st.integers(1, 200),
    appends=APPENDS,
    leaf_keys=st.integers(2, 23),
    kind=st.sampled_from(KINDS),
)
@settings(max_examples=60, deadline=None)
def test_a_grown_tree_holds_every_key_once_and_no_leaf_over_its_room(first, appends, leaf_keys, kind):
    """After any sequence of appends: a partition, leaves within the slack, and on average within the root's."""
    key = _keys(first + sum(appends), kind, seed=first)
    held = first
    for count, tree in zip([0, *appends], _grown(key, first, appends, leaf_keys), strict=True):
        held += count
        _assert_sound(tree, key[:held], room=SLACK * leaf_keys)
        assert held <= max(leaf_keys, ROOT_FILL * SLACK * leaf_keys * len(tree.members))


@given(first=st.integers(1, 200), appends=APPENDS, kind=st.sampled_from(["normal", "one spike", "drift"]))
@settings(max_examples=30, deadline=None)
def test_a_key_goes_down_to_the_leaf_that_holds_it(first, appends, kind):
    """Without ties, from the root every key of a grown tree ends in its own leaf."""
    key = _keys(first + sum(appends), kind, seed=first)
    tree = _grown(key, first, appends, leaf_keys=5)[-1]
    assert torch.equal(tree.leaf_of(key), _leaf_of_member(tree))


def test_ties_are_split_evenly_although_they_go_down_one_way():
    """Equal keys all go down to one leaf, yet no leaf holds more than its room of them."""
    key = torch.zeros(401, 3)
    tree = _grown(key, 101, [100, 100, 100], leaf_keys=5)[-1]
    assert len(tree.leaf_of(key).unique()) == 1
    assert len(_leaf_of_member(tree).unique()) == len(tree.members)


@given(first=st.integers(1, 200), appends=APPENDS, kind=st.sampled_from(KINDS))
@settings(max_examples=30, deadline=None)
def test_growing_repeats_exactly_and_leaves_the_old_tree_as_it_was(first, appends, kind):
    """The same appends give the same tree, and each tree on the way is what it was before it was extended."""
    key = _keys(first + sum(appends), kind, seed=first)
    trees, again = (_grown(key, first, appends, leaf_keys=5) for _ in range(2))
    assert all(_same(one, other) for one, other in zip(trees, again, strict=True))
    for cut, tree in enumerate(trees):
        assert _same(tree, _grown(key, first, appends[:cut], leaf_keys=5)[-1])


def test_a_small_append_changes_few_leaves():
    """Seven keys touch at most seven leaves while these have room, and one that overflows its surroundings only."""
    key = _keys(4099 + 7, "normal", seed=0)
    tree = content_tree(key[:4099])
    grown = tree.extended(key)
    assert torch.equal(grown.direction, tree.direction)
    assert torch.equal(grown.threshold, tree.threshold)
    width = tree.members.shape[1]
    assert int((grown.members[:, :width] != tree.members).any(dim=1).sum()) <= 7
    crowd = torch.cat([key[:4099], key[:1] + 1e-3 * key[-29:]])
    grown = tree.extended(crowd)
    same = (grown.direction == tree.direction).all(dim=1) & (grown.threshold == tree.threshold)
    assert 1 <= int((~same).sum()) <= 7
    width = min(width, grown.members.shape[1])
    changed = (grown.members[:, :width] != tree.members[:, :width]).any(dim=1)
    assert int(changed.sum()) <= 8


@pytest.mark.parametrize("kind", ["drift", "constant", "normal"])
def test_appending_one_by_one_moves_few_keys_each(kind):
    """In the worst orders of arrival too, an append moves keys of the order of the squared depth on average."""
    count, first = 1511, 503
    key = _keys(count, kind, seed=1)
    tree, moved = content_tree(key[:first], leaf_keys=4), 0
    for held in range(first + 1, count + 1):
        grown = tree.extended(key[:held], leaf_keys=4)
        moved += int((_leaf_of_member(grown)[:-1] != _leaf_of_member(tree)).sum())
        tree = grown
    assert moved / (count - first) <= tree.levels**2


def test_a_tree_that_is_full_is_built_again_with_more_leaves():
    """One key beyond the root's bound, and the tree is the one that is built over all keys."""
    key = _keys(401, "normal", seed=2)
    tree = content_tree(key[:128])
    full = int(ROOT_FILL * SLACK * LEAF_KEYS * len(tree.members))
    assert len(tree.extended(key[:full]).members) == len(tree.members)
    assert _same(tree.extended(key[: full + 1]), content_tree(key[: full + 1]))


def test_appending_nothing_changes_nothing():
    """The keys of the tree alone give the tree."""
    key = _keys(101, "normal", seed=3)
    tree = content_tree(key)
    assert _same(tree.extended(key), tree)


def test_keys_that_cannot_be_the_trees_are_refused():
    """Fewer keys than the tree holds, or keys of another dimension, are named."""
    key = _keys(59, "normal", seed=4)
    tree = content_tree(key)
    remedy = "hand in the old keys, then the new ones"
    with pytest.raises(UsageError, match=rf"holds 59 keys of dimension 5, got \(53, 5\); {remedy}"):
        tree.extended(key[:53])
    with pytest.raises(UsageError, match=rf"holds 59 keys of dimension 5, got \(59, 3\); {remedy}"):
        tree.extended(key[:, :3])
    with pytest.raises(UsageError, match="0 keys in leaves of 16; needs 1 key, leaves of 2"):
        content_tree(key[:0])


def test_a_leaf_holds_keys_that_are_alike():
    """Keys of distant clusters never share a leaf when the clusters fill leaves exactly."""
    centre = torch.arange(8).repeat_interleave(16)[:, None] * torch.tensor([[100.0, 37.0]])
    key = centre + torch.randn(128, 2, generator=torch.Generator().manual_seed(0))
    key = key[torch.randperm(128, generator=torch.Generator().manual_seed(1))]
    members = key[content_tree(key).members]
    assert float((members - members.mean(dim=1, keepdim=True)).norm(dim=2).max()) < 10.0


def test_huge_keys_stay_numbers():
    """Single-precision keys of norm 1e18, whose squares are near the largest number, split like any others."""
    key = torch.randn(503, 7, generator=torch.Generator().manual_seed(5))
    key = key / key.norm(dim=1, keepdim=True) * 1e18
    tree = content_tree(key[:401]).extended(key)
    _assert_sound(tree, key, room=SLACK * LEAF_KEYS)
    assert torch.equal(tree.leaf_of(key), _leaf_of_member(tree))


def test_the_tree_is_stored_as_tensors_and_comes_back():
    """A grown tree survives its tensors and grows on from them; a missing one is named."""
    key = _keys(101, "normal", seed=6)
    tree = content_tree(key[:53]).extended(key[:71])
    tensors = tree.to_tensors("head0.")
    again = ContentTree.from_tensors(tensors, "head0.")
    assert _same(again, tree)
    assert _same(again.extended(key), tree.extended(key))
    del tensors["head0.direction"]
    with pytest.raises(UsageError, match=r"tensor 'head0.direction' is missing; build the tree again"):
        ContentTree.from_tensors(tensors, "head0.")


@pytest.mark.parametrize("count", [1, 3, 40])
def test_leaves_beside_a_point_are_others_than_its_own_and_none_comes_twice(count):
    """Best bins first, without the leaf the point falls into; never more than there are."""
    key = torch.randn(211, 5, generator=torch.Generator().manual_seed(0))
    tree = content_tree(key)
    points = torch.randn(53, 5, generator=torch.Generator().manual_seed(1))
    beside = tree.leaves_beside(points, count)
    assert beside.shape == (53, min(count, len(tree.members) - 1))
    for own, row in zip(tree.leaf_of(points).tolist(), beside.tolist(), strict=True):
        assert len({own, *row}) == 1 + len(row)


def test_the_leaf_beside_a_point_is_the_one_across_the_nearest_threshold():
    """On a line the leaf beside is the neighbour on the nearer side."""
    key = torch.arange(64.0)[:, None]
    tree = content_tree(key, leaf_keys=4)
    points = torch.tensor([[4.4], [6.6], [30.9], [0.0], [63.0]])
    own = tree.members[tree.leaf_of(points)].amin(dim=1)
    beside = tree.members[tree.leaves_beside(points, 1)[:, 0]].amin(dim=1)
    assert own.tolist() == [4, 4, 28, 0, 60]
    assert beside.tolist() == [0, 8, 32, 4, 56]
