"""Loops-only oracles: each recomputes a result the plain way. Nothing here may import logscan."""

import itertools
import math

# --- attention -----------------------------------------------------------------------------------


def attention_oracle(
    query,
    key,
    value,
    *,
    scale,
    key_bias=None,
    key_mask=None,
    query_time=None,
    key_time=None,
    exclusion=0,
    is_causal=False,
):
    """Attention of one head over lists: outputs, log-partitions, and per query its (weight, key) pairs."""
    outputs, log_partitions, ranked = [], [], []
    for i, q in enumerate(query):
        logits = {}
        for j, k in enumerate(key):
            if key_mask is not None and not key_mask[j]:
                continue
            if query_time is not None:
                lag = query_time[i] - key_time[j]
                if abs(lag) < exclusion or (is_causal and lag < exclusion):
                    continue
            logits[j] = scale * sum(a * b for a, b in zip(q, k, strict=True))
            logits[j] += 0.0 if key_bias is None else key_bias[j]
        width = len(value[0])
        if not logits:
            outputs.append([math.nan] * width)
            log_partitions.append(-math.inf)
            ranked.append([])
            continue
        top = max(logits.values())
        total = sum(math.exp(logit - top) for logit in logits.values())
        weights = {j: math.exp(logit - top) / total for j, logit in logits.items()}
        outputs.append([sum(weights[j] * value[j][c] for j in weights) for c in range(width)])
        log_partitions.append(top + math.log(total))
        ranked.append(sorted(((weight, j) for j, weight in weights.items()), reverse=True))
    return outputs, log_partitions, ranked


def overlap_mean_loops(tokens, starts, window_steps, steps):
    """Mean over every window that covers a step, NaN left out."""
    channels = len(tokens[0]) if len(tokens) else 0
    result = [[math.nan] * channels for _ in range(steps)]
    for step in range(steps):
        for channel in range(channels):
            values = [
                float(tokens[i][channel])
                for i, start in enumerate(starts)
                if start <= step < start + window_steps and not math.isnan(tokens[i][channel])
            ]
            if values:
                result[step][channel] = sum(values) / len(values)
    return result


def top_share_loops(heads, top_share):
    """Mean over heads of log1p of the mean of the highest `top_share` of each head's judged channels."""
    scores = []
    for step in range(len(heads[0])):
        per_head = []
        for head in heads:
            judged = sorted((float(v) for v in head[step] if not math.isnan(v)), reverse=True)
            if judged:
                kept = judged[: max(1, math.ceil(top_share * len(judged)))]
                per_head.append(math.log1p(sum(kept) / len(kept)))
        scores.append(sum(per_head) / len(per_head) if per_head else math.nan)
    return scores


# --- data ----------------------------------------------------------------------------------------


def grid_means_oracle(entities, keys, rows):
    """Mean of the finite values per (entity, key), sorted; rows are lists with NaN where missing."""
    cells = {}
    for entity, key, row in zip(entities, keys, rows, strict=True):
        cells.setdefault((entity, key), []).append(row)
    result = []
    for pair in sorted(cells):
        means = []
        for column in zip(*cells[pair], strict=True):
            finite = [value for value in column if not math.isnan(value)]
            means.append(sum(finite) / len(finite) if finite else math.nan)
        result.append((pair, means))
    return result


def bridge_oracle(column, bridge_steps, *, causal):
    """One column with its short gaps filled, and which cells were filled."""
    filled, marks = list(column), [False] * len(column)
    for step, value in enumerate(column):
        if not math.isnan(value):
            continue
        before = next((i for i in range(step, -1, -1) if not math.isnan(column[i])), None)
        after = next((i for i in range(step, len(column)) if not math.isnan(column[i])), None)
        if before is None:
            continue
        if causal:
            if step - before <= bridge_steps:
                filled[step], marks[step] = column[before], True
        elif after is not None and after - before - 1 <= bridge_steps:
            weight = (step - before) / (after - before)
            filled[step] = column[before] + weight * (column[after] - column[before])
            marks[step] = True
    return filled, marks


# --- events, metrics and thresholds --------------------------------------------------------------


def runs_oracle(flags):
    """The runs of true values as (start, end), end excluded."""
    found, start = [], None
    for i, flag in enumerate([*flags, False]):
        if flag and start is None:
            start = i
        elif not flag and start is not None:
            found.append((start, i))
            start = None
    return found


def alarm_events_oracle(score, threshold, merge_gap_steps, min_event_steps):
    """Events as (start, end, peak): walk the steps, close an event once the gap is too long."""
    found = []
    for i, value in enumerate(score):
        if not value > threshold:
            continue
        if found and i - found[-1][1] <= merge_gap_steps:
            found[-1][1] = i + 1
        else:
            found.append([i, i + 1])
    events = []
    for start, end in found:
        if end - start < min_event_steps:
            continue
        peak = None
        for i in range(start, end):
            if score[i] > threshold and (peak is None or score[i] > score[peak]):
                peak = i
        events.append((start, end, peak))
    return events


def vus_oracle(labels, scores, window, thresholds=250):
    """VUS-PR and VUS-ROC, threshold by threshold and row by row, as Paparrizos et al. define them."""
    n, events = len(labels), runs_oracle(labels)
    descending = sorted(scores, reverse=True)
    places = [int(k * (n - 1) / (thresholds - 1)) for k in range(thresholds)]
    pr_total = roc_total = 0.0
    for width in range(window + 1):
        half = width // 2
        soft = [1.0 if label else 0.0 for label in labels]
        for start, end in events:
            for distance in range(1, half + 1):
                for row in (start - distance, end - 1 + distance):
                    if 0 <= row < n:
                        soft[row] += math.sqrt(1 - distance / width)
        soft = [min(value, 1.0) for value in soft]
        buffers = []
        for start, end in events:
            if buffers and buffers[-1][1] + half >= start - half:
                buffers[-1][1] = end - 1
            else:
                buffers.append([start, end - 1])
        curve, area = [(0.0, 0.0)], 0.0
        for place in places:
            level = descending[place]
            predicted = true = labelled = 0.0
            for row in range(n):
                if scores[row] >= level:
                    predicted += 1
                    true += soft[row]
                if labels[row] or scores[row] >= level:
                    labelled += soft[row]
            positives = (sum(labels) + labelled) / 2
            touched = 0
            for first, last in buffers:
                rows = range(max(first - half, 0), min(last + half, n - 1) + 1)
                touched += any(scores[row] >= level for row in rows)
            recall = min(true / positives, 1.0) * touched / len(buffers)
            area += (recall - curve[-1][1]) * true / predicted
            curve.append(((predicted - true) / (n - positives), recall))
        curve.append((1.0, 1.0))
        pr_total += area
        for (x0, y0), (x1, y1) in itertools.pairwise(curve):
            roc_total += (x1 - x0) * (y0 + y1) / 2
    return pr_total / (window + 1), roc_total / (window + 1)


def curve_areas_oracle(labels, scores):
    """Average precision, area under the ROC curve and best F1, over all distinct scores and all pairs."""
    positives, average, recall_before, best = sum(labels), 0.0, 0.0, 0.0
    for level in sorted(set(scores), reverse=True):
        predicted = [score >= level for score in scores]
        true = sum(1 for label, hit in zip(labels, predicted, strict=True) if label and hit)
        average += (true / positives - recall_before) * true / sum(predicted)
        recall_before = true / positives
        best = max(best, 2 * true / (sum(predicted) + positives))
    wins = pairs = 0.0
    for i, high in enumerate(scores):
        for j, low in enumerate(scores):
            if labels[i] and not labels[j]:
                pairs += 1
                wins += 1.0 if high > low else 0.5 if high == low else 0.0
    return average, wins / pairs, best


def event_figures_oracle(labels, alarms):
    """Detected events, alarms that meet no label, and the delay of each detected event."""
    delays, false_alarms = [], 0
    for start, end in runs_oracle(labels):
        for step in range(start, end):
            if alarms[step]:
                delays.append(step - start)
                break
    for start, end in runs_oracle(alarms):
        false_alarms += not any(labels[step] for step in range(start, end))
    return len(delays), false_alarms, delays


def period_oracle(series):
    """The lag of the highest inner local maximum of the autocorrelation at lags 4 to 399, else 125."""
    n = len(series)
    mean = sum(series) / n
    centred = [value - mean for value in series]
    correlation = [
        sum(centred[i] * centred[i + lag] for i in range(n - lag)) for lag in range(3, min(401, n))
    ]
    best = None
    for i in range(1, len(correlation) - 1):
        if correlation[i - 1] < correlation[i] > correlation[i + 1]:
            best = i if best is None or correlation[i] > correlation[best] else best
    return 125 if best is None or best < 3 or best > 300 else best + 3


def silent_oracle(times, values, step, shortest, wider):
    """Start and end of every stretch of time without a value: rows without one, and holes of the log."""
    gaps = sorted(later - earlier for earlier, later in itertools.pairwise(times))
    usual = (gaps[(len(gaps) - 1) // 2] + gaps[len(gaps) // 2]) // 2 if len(times) > 2 else math.inf
    spans = []
    for row, time in enumerate(times):
        after = times[row + 1] if row + 1 < len(times) else time + step
        hole = row + 1 < len(times) and after - time > max(3 * usual, wider)
        silent = [(time, after)] if math.isnan(values[row]) else [(time + usual, after)] if hole else []
        for start, end in silent:
            if spans and spans[-1][1] == start:
                spans[-1][1] = end
            else:
                spans.append([start, end])
    return [span for span in spans if span[1] - span[0] >= shortest]


def heat_oracle(times, contributions, spans):
    """The largest contribution of each channel in each of equal spans of time; -inf where there is none."""
    length = max(times[-1] - times[0], 1)
    highest = [[-math.inf] * len(contributions[0]) for _ in range(spans)]
    for time, parts in zip(times, contributions, strict=True):
        span = min(int(float(time - times[0]) / float(length) * spans), spans - 1)
        for channel, part in enumerate(parts):
            highest[span][channel] = max(highest[span][channel], part)
    return highest
