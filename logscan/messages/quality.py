"""Sentences about channels in English and Japanese: reasons of quality grades, and hints."""

# ruff: noqa: E501  (a sentence stands whole on its line, beside its translation)

from __future__ import annotations

from logscan.messages.message import Message

REASONS: dict[str, Message] = {
    "no-reading": Message("no reading", "値がない"),
    "too-short": Message("too short: {readings} {readings#reading|readings}", "データ不足（{readings}個）"),
    "short": Message("short: {readings} {readings#reading|readings}", "データがやや不足（{readings}個）"),
    "missing": Message("{share:%} missing", "{share:%}が欠測"),
    "long-gap": Message("longest gap {steps} {steps#step|steps}", "最長の欠測 {steps}ステップ"),
    "constant": Message("constant at {value}", "一定値 {value}"),
    "stuck": Message("stuck for {steps} {steps#step|steps}", "{steps}ステップにわたり固着"),
    "few-values": Message("only {count} distinct {count#value|values}", "値の種類が{count}種のみ"),
    "outliers": Message(
        "{count} extreme {count#outlier|outliers}, such as {example}",
        "極端な外れ値 {count}個（例 {example}）",
    ),
    "sentinel-value": Message(
        "{value} in {steps} {steps#step|steps}, a sentinel value for missing readings?",
        "{value}（{steps}ステップ）は欠測を表す値とみられる",
    ),
    "quantised": Message("quantised in steps of {resolution}", "分解能が粗い（刻み {resolution}）"),
    "meter": Message(
        "only rises, like a meter; its difference says more", "増え続ける積算値とみられる（差分のほうが有用）"
    ),
    "drift": Message("drifts from about {old} to {new}", "約{old}から{new}へのドリフト"),
    "same-as": Message("the same as {channel}", "「{channel}」と同じ値"),
    "moves-as": Message("moves exactly as {channel}", "「{channel}」と比例する値"),
    "unit-jump": Message(
        "unit jump by {factor}, from about {old} to {new}", "単位の変化（{factor}倍、約{old}から{new}へ）"
    ),
    "unit-jump-stretch": Message(
        "unit jump by {factor}, from about {old} to {new} for {steps} {steps#step|steps}",
        "一時的な単位の変化（{factor}倍、約{old}から{new}へ、{steps}ステップ）",
    ),
    "level-jump": Message(
        "lasting jump of level from about {old} to {new}", "水準の持続的な変化（約{old}から{new}へ）"
    ),
}

HINTS: dict[str, Message] = {
    "hint-sentinel-values": Message(
        "If {codes:plain} stands for no reading, pass {options}.",
        "{codes:plain} が欠測を表す値であれば、{options} を指定してください。",
    ),
    "hint-standstill": Message(
        "Half of the channels or more stand still together for {steps} steps in {stretches} {stretches#stretch|stretches}. If these are stops, a status column would tell (--status).",
        "半数以上のチャンネルが同時に動かない区間が{stretches}か所、計{steps}ステップあります。停止であれば、状態の列で判断できます（--status）。",
    ),
    "hint-standstill-entity": Message(
        "'{entity}': half of the channels or more stand still together for {steps} steps in {stretches} {stretches#stretch|stretches}. If these are stops, a status column would tell (--status).",
        "「{entity}」：半数以上のチャンネルが同時に動かない区間が{stretches}か所、計{steps}ステップあります。停止であれば、状態の列で判断できます（--status）。",
    ),
    "hint-standstill-level": Message(
        "Half of the channels or more stand still together for {steps} steps in {stretches} {stretches#stretch|stretches}. If these are stops, pass --status '{channel}' --running '>{level}'.",
        "半数以上のチャンネルが同時に動かない区間が{stretches}か所、計{steps}ステップあります。停止であれば、--status '{channel}' --running '>{level}' を指定してください。",
    ),
    "hint-standstill-level-entity": Message(
        "'{entity}': half of the channels or more stand still together for {steps} steps in {stretches} {stretches#stretch|stretches}. If these are stops, pass --status '{channel}' --running '>{level}'.",
        "「{entity}」：半数以上のチャンネルが同時に動かない区間が{stretches}か所、計{steps}ステップあります。停止であれば、--status '{channel}' --running '>{level}' を指定してください。",
    ),
}
