"""Certified error bounds of the coarse correction.

A node `B` of the cover stands for `n` keys that were not taken. They lie in a ball around its mean, so each logit
lies in an interval `[a_B, z_B]` (Cauchy-Schwarz; for distance attention the triangle inequality, which is tighter),
and the node's true mass in `[n e^a_B, n e^z_B]`; by Jensen's inequality it is at least `n e^(mean logit)` where no
key of the node is missing. With `m_B` the mass the correction gave the node, shares of Ẑ throughout:

    1 + Σ (low_B - m_B)  <=  Z / Ẑ  <=  1 + Σ (high_B - m_B)
    ‖o - ô‖  <=  Σ [max(high_B - m_B, m_B - low_B) ‖v̄_B - ô‖ + high_B ρ_B] Ẑ / Z

where ρ_B is the radius of the node's values. Rounding of the logits is bounded too (Higham, Accuracy and Stability
of Numerical Algorithms, section 3.1). Everything here is computed in float64.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from logscan.attention.layout import KeyBlocks
from logscan.attention.nodes import Nodes
from logscan.attention.problem import AttentionResult, Problem
from logscan.attention.tile import TileResult
from logscan.attention.tile_records import TileRows


@dataclass(frozen=True, slots=True)
class NodeBounds:
    """Balls around the nodes' means that hold their keys and values, float64."""

    key: Tensor  # (nodes, d)
    key_radius: Tensor  # (nodes,)
    least: Tensor  # (nodes,) of the bias less c ‖k‖² / 2
    most: Tensor  # (nodes,)
    value: Tensor  # (nodes, dv)
    value_radius: Tensor  # (nodes,)
    mean_bias: Tensor  # (nodes,)
    curvature: float

    @staticmethod
    @torch.no_grad()
    def of(by_leaf: KeyBlocks, nodes: Nodes, curvature: float) -> NodeBounds:
        """From keys and values by leaf."""
        empty = by_leaf.position[:-1] < 0
        keys, values = (rows.double() for rows in by_leaf.rows())
        bias = keys[:, :, -1] - 0.5 * curvature * keys[:, :, :-1].square().sum(dim=2)
        key, value = nodes.key.double(), nodes.value.double()
        leaf = slice(len(key) - len(keys), None)

        def radius(rows: Tensor, centre: Tensor) -> Tensor:
            gap = (rows - centre[leaf][:, None]).norm(dim=2).masked_fill(empty, 0.0).amax(dim=1)
            return _enclosing(gap, centre, nodes.count)

        return NodeBounds(
            key=key[:, :-1],
            key_radius=radius(keys[:, :, :-1], key[:, :-1]),
            least=-_largest(-bias.masked_fill(empty, torch.inf).amin(dim=1)),
            most=_largest(bias.masked_fill(empty, -torch.inf).amax(dim=1)),
            value=value,
            value_radius=radius(values, value),
            mean_bias=key[:, -1],
            curvature=curvature,
        )


@dataclass(frozen=True, slots=True)
class Rounding:
    """What rounding can do to logits and values, at most."""

    key: float  # largest norm of a key
    bias: float
    value: float
    unit: float  # unit roundoff times the length of a sum

    @staticmethod
    @torch.no_grad()
    def of(problem: Problem) -> Rounding:
        """From the problem's largest numbers."""
        value = problem.key[:, :0] if problem.value is None else problem.value
        return Rounding(
            key=float(problem.key[:, :-1].double().norm(dim=1).amax()),
            bias=float(problem.key[:, -1].double().abs().amax()),
            value=float(value.double().norm(dim=1).amax()),
            unit=torch.finfo(problem.key.dtype).eps * (problem.key.shape[1] + 4),
        )


@torch.no_grad()
def error_bounds(
    bounds: NodeBounds,
    rounding: Rounding,
    nodes: Tensor,
    count: Tensor,
    under: Tensor,
    rows: TileRows,
    result: TileResult,
    coarse: Tensor,
) -> tuple[Tensor, Tensor]:
    """Bounds of |log Z - log Ẑ| and of ‖o - ô‖, (tiles, rows) each.

    Args:
        bounds: of all nodes.
        rounding: of the problem.
        nodes: (tiles, n) node numbers of the cover.
        count: (tiles, 1 or rows, n) keys that each stands for.
        under: (tiles, n) keys under each.
        rows: what the tiles were computed from.
        result: what came out.
        coarse: (tiles, rows, n) logarithm of the mass the correction gave each node.
    """
    query = rows.query[:, :, :-1].double()
    size = query.norm(dim=2, keepdim=True)

    def at(table: Tensor) -> Tensor:
        return table.index_select(0, nodes.flatten()).view(*nodes.shape, *table.shape[1:])

    radius, least, most, key = at(bounds.key_radius), at(bounds.least), at(bounds.most), at(bounds.key)
    mean = torch.bmm(query, key.transpose(1, 2))
    c = bounds.curvature
    if c < 0:
        gap = torch.cdist(query / -c, key, compute_mode="donot_use_mm_for_euclid_dist")
        nearest, furthest = (gap - radius[:, None]).clamp(min=0.0), gap + radius[:, None]
        peak = size.square() / (-2 * c)
        high, low = peak + 0.5 * c * nearest.square(), peak + 0.5 * c * furthest.square()
    else:
        high, low = mean + size * radius[:, None], mean - size * radius[:, None]
    high, low = high + most[:, None], low + least[:, None]
    whole = count >= under[:, None]
    jensen = mean + at(bounds.mean_bias)[:, None]
    low = torch.where(whole, torch.maximum(low, jensen), low)
    total = result.log_partition.double()[:, :, None]
    log_count = count.double().log()
    high, low, mass = ((part - total).exp() for part in (high + log_count, low + log_count, coarse.double()))
    most_z = 1 + (high - mass).sum(dim=2)
    least_z = (1 + (low - mass).sum(dim=2)).clamp(min=0.0)
    delta = rounding.unit * (
        size.squeeze(2) * rounding.key + rounding.bias + result.log_partition.double().abs()
    )
    columns = rows.time_key.shape[1] + rows.leaf_key.shape[1] + nodes.shape[1]
    slack = torch.expm1(2 * delta) + rounding.unit * columns
    log_bound = (
        torch.maximum(most_z.log(), -least_z.log()).clamp(min=0.0) + 2 * delta + rounding.unit * columns
    )
    output = result.output.double()
    away = torch.cdist(output, at(bounds.value), compute_mode="donot_use_mm_for_euclid_dist")
    off = torch.maximum(high - mass, mass - low)
    wrong = (off * away + high * at(bounds.value_radius)[:, None]).sum(dim=2)
    output_bound = wrong / least_z + slack * 2 * rounding.value
    # infinite masses differ by NaN: nothing is certified there
    log_bound, output_bound = (
        part.nan_to_num(nan=torch.inf, posinf=torch.inf) for part in (log_bound, output_bound)
    )
    return log_bound, output_bound


@torch.no_grad()
def rounding_bounds(problem: Problem, result: AttentionResult) -> AttentionResult:
    """The bounds of an exact result: what rounding can do."""
    assert result.log_partition is not None
    rounding = Rounding.of(problem)
    size = problem.query[:, :-1].double().norm(dim=1)
    delta = rounding.unit * (size * rounding.key + rounding.bias + result.log_partition.double().abs())
    delta = delta.nan_to_num(posinf=0.0) + 0.5 * rounding.unit * len(problem.key) ** 0.5
    output = None if problem.value is None else torch.expm1(2 * delta) * 2 * rounding.value
    return replace(result, log_partition_bound=2 * delta, output_bound=output)


def _enclosing(radius: Tensor, centre: Tensor, count: Tensor) -> Tensor:
    """Radii of all nodes from those of the leaves: a ball around the parent's centre that holds the children's."""
    levels = [radius]
    first = len(centre) - len(radius)
    while first:
        children = slice(first, 2 * first + 1)
        parents = slice((first - 1) // 2, first)
        gap = (
            centre[children].view(len(levels[-1]) // 2, 2, centre.shape[1]) - centre[parents][:, None]
        ).norm(dim=2)
        both = (gap + levels[-1].view(len(levels[-1]) // 2, 2)).masked_fill(
            count[children].view(-1, 2) == 0, 0.0
        )
        levels.append(both.amax(dim=1))
        first = (first - 1) // 2
    return torch.cat(levels[::-1])


def _largest(leaf: Tensor) -> Tensor:
    """The largest number under every node, from one per leaf."""
    levels = [leaf]
    while len(levels[-1]) > 1:
        levels.append(levels[-1].view(len(levels[-1]) // 2, 2).amax(dim=1))
    return torch.cat(levels[::-1])
