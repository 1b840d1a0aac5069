"""Sentences of the report in English and Japanese: verdict, notices, figures, events, timeline.

Texts are `str.format` templates. A key ending in `_one` is used for a count of one, `_many` otherwise.
"""

# ruff: noqa: E501  (a sentence stands whole on its line, beside its translation)

from __future__ import annotations

from logscan.messages.report_tables import TABLE_TEXTS
from logscan.messages.template import Lang, count

_FIRST_SCREEN: dict[str, tuple[str, str]] = {
    "title": ("logscan report", "logscan レポート"),
    "skip": ("Skip to the report", "本文へ移動"),
    "contents": ("Contents", "目次"),
    "scores_file": ("Scores", "スコアファイル"),
    "events_short": ("Events", "イベント"),
    "row_count": ("Rows", "行数"),
    "period": ("Period", "対象期間"),
    "step": ("Step", "時間間隔"),
    "times_in": ("Times in", "タイムゾーン"),
    "times_as_read": ("no time zone (as in the file)", "指定なし（入力のまま）"),
    "scored_on": ("Scored", "スコア計算日時"),
    "badge_events_one": ("1 event", "イベント 1件"),
    "badge_events_many": ("{n} events", "イベント {n}件"),
    "badge_quiet": ("Nothing unusual", "異常なし"),
    "badge_not_judged": ("Not judged", "判定不能"),
    "verdict_event_one": (
        "One unusual event: look at {where}, {when}.",
        "異常なイベントが1件あります。{where}（{when}）を確認してください。",
    ),
    "verdict_event_many": (
        "{n} unusual events since {since}: look first at {where}, {when}.",
        "{since}以降、異常なイベントが{n}件あります。まず{where}（{when}）を確認してください。",
    ),
    "where_channel": ("“{channel}”", "「{channel}」"),
    "where_entity": ("{entity}", "{entity}"),
    "where_both": ("“{channel}” on {entity}", "{entity} の「{channel}」"),
    "when_dated": ("{start}, for {duration}", "{start}から{duration}"),
    "when_open": (
        "since {start} and still going on at the end of the data",
        "{start}から、データの末尾まで継続",
    ),
    "when_step": ("from step {start}, for {duration}", "ステップ{start}から{duration}"),
    "verdict_quiet": (
        "Nothing unusual: nothing judged between {start} and {end} reached the alarm threshold.",
        "異常は見つかりませんでした。{start}から{end}までの判定できた範囲で、異常スコアがしきい値に達した箇所はありません。",
    ),
    "verdict_quiet_steps": (
        "Nothing unusual: nothing judged from step {start} to step {end} reached the alarm threshold.",
        "異常は見つかりませんでした。ステップ{start}から{end}までの判定できた範囲で、異常スコアがしきい値に達した箇所はありません。",
    ),
    "verdict_not_judged": (
        "Not judged: no score could be given, so this report cannot say whether anything was unusual.",
        "判定できませんでした。異常スコアを一つも計算できなかったため、異常の有無はこのレポートからは分かりません。",
    ),
    "detail_event": (
        "At its peak the score was {severity} times the alarm threshold.",
        "ピーク時の異常スコアはしきい値の{severity}倍です。",
    ),
    "detail_reading": (
        "“{channel}” read {observed} where {expected} was expected.",
        "「{channel}」は想定値 {expected} に対し、実測値 {observed} でした。",
    ),
    "detail_quiet": (
        "The highest score reached {share} of the threshold, on {when}.",
        "最大の異常スコアはしきい値の{share}でした（{when}）。",
    ),
    "detail_quiet_step": (
        "The highest score reached {share} of the threshold, at step {when}.",
        "最大の異常スコアはしきい値の{share}でした（ステップ{when}）。",
    ),
    "detail_not_judged": (
        "The usual causes are too little data around each point, long gaps, or channels the model does not know.",
        "主な原因として、各時点の前後のデータ不足、長い欠測、モデルの学習時と異なるチャンネル構成が考えられます。",
    ),
    "notices": ("Please note", "注意事項"),
    "notice_no_run": (
        "The run record ({file}) was not found, so this report is built from the scores alone. Not shown: observed and expected values, similar periods, data quality, rows read and dropped, model card, run cost.",
        "実行記録（{file}）が見つからないため、スコアファイルだけから作成しました。実測値と想定値、類似した期間、データ品質、読み込んだ行と除外した行、モデルカード、実行コストは表示していません。",
    ),
    "notice_mismatch": (
        "The run record ({file}) belongs to other scores, so this report is built from the scores alone. Score again to bring the two together.",
        "実行記録（{file}）がこのスコアファイルと一致しないため、スコアファイルだけから作成しました。一致させるには、スコア計算をやり直してください。",
    ),
    "notice_failed": (
        "The run that wrote these scores ended with an error (exit code {code}): {error}",
        "このスコアを出力した実行はエラーで終了しています（終了コード {code}）：{error}",
    ),
    "notice_skipped": (
        "Some input was skipped; see “Rows and notes”.",
        "入力の一部を読み飛ばしました。「行数と備考」をご覧ください。",
    ),
    "notice_coverage": (
        "Only {share} of the rows were judged. The others are missing, have too little around them, or were set aside (stops, holidays). Where there is no score, nothing is said either way.",
        "判定できたのは全体の{share}です（残りは欠測、前後のデータ不足、または停止・休日として除外）。異常スコアがない箇所については、正常とも異常とも言えません。",
    ),
    "notice_series": ("Not judged at all: {names}.", "まったく判定できなかった対象：{names}。"),
    "notice_channels": ("Channels of doubtful quality: {names}.", "品質に問題のあるチャンネル：{names}。"),
    "notice_dropped": (
        "{share} of the rows read were not used; see “Rows and notes”.",
        "読み込んだ行の{share}を使用していません。「行数と備考」をご覧ください。",
    ),
    "and_more": ("{names} and {n} more", "{names} ほか{n}件"),
    "figures": ("Key figures", "主な数値"),
    "fig_events": ("Events", "イベント"),
    "fig_events_of": ("in {n} of {total} entities", "{total}対象中{n}対象で発生"),
    "fig_severity": ("Highest severity", "最大の深刻度"),
    "fig_severity_note": ("times the alarm threshold", "しきい値に対する倍率"),
    "fig_peak_quiet": ("Highest score", "最大の異常スコア"),
    "fig_peak_note": ("of the alarm threshold", "しきい値に対する割合"),
    "fig_time": ("Time in events", "イベントの合計時間"),
    "fig_time_note": ("{share} of the judged time", "判定できた時間の{share}"),
    "fig_judged": ("Judged", "判定できた割合"),
    "fig_judged_note": ("{n} of {total} rows", "{total}行中{n}行"),
    "fig_size": ("Channels", "チャンネル数"),
    "fig_size_note_one": ("1 entity", "対象 1件"),
    "fig_size_note_many": ("{n} entities", "対象 {n}件"),
    "fig_rate": ("False alarms accepted", "誤報の許容頻度"),
    "fig_rate_note": ("set at training", "学習時に設定"),
    "rate_hour": ("{n} an hour", "1時間に{n}件"),
    "rate_day": ("{n} a day", "1日に{n}件"),
    "rate_week": ("{n} a week", "週に{n}件"),
    "rate_month": ("{n} a month", "月に{n}件"),
    "overview": ("The whole period at a glance", "全期間の概観"),
    "overview_alt": (
        "Score over the whole period; {n} events marked.",
        "全期間の異常スコアと{n}件のイベント。",
    ),
    "events": ("Events, most severe first", "イベント一覧（深刻度順）"),
    "rank": ("No.", "順位"),
    "when": ("When", "発生時期"),
    "duration": ("Duration", "継続時間"),
    "entity": ("Entity", "対象"),
    "severity": ("Severity", "深刻度"),
    "main_channels": ("Main channels", "主なチャンネル"),
    "times": ("{x}×", "{x}倍"),
    "times_threshold": ("{x}× threshold", "しきい値の{x}倍"),
    "ongoing": ("still going on", "継続中"),
    "channel": ("Channel", "チャンネル"),
    "share": ("Share of the score", "スコアへの寄与"),
    "observed": ("Observed", "実測値"),
    "expected": ("Expected", "想定値"),
    "difference": ("Difference", "差"),
    "at_peak": (
        "Values at the peak, {when}. Units are those of the input.",
        "ピーク時（{when}）の値。単位は入力データのとおりです。",
    ),
    "chart_alt": (
        "{channel} around the event: observed against expected.",
        "イベント前後の {channel} の実測値と想定値。",
    ),
    "peak": ("Peak", "ピーク"),
    "no_traces": (
        "No observed and expected values were stored for this event.",
        "このイベントの実測値と想定値は記録されていません。",
    ),
    "similar": ("It should have looked like", "本来似ているはずの期間"),
    "similar_note": (
        "The other periods from which the expected values were built, with their weight. Some may lie after the event.",
        "想定値の算出に使われた、ほかの期間とその重みです。イベントより後の期間が含まれることもあります。",
    ),
    "show_in_timeline": ("Show in timeline", "時系列で見る"),
    "events_cut": (
        "{n} further events are not listed here; the CSV and JSON reports hold all of them.",
        "残りの{n}件はここでは省略しています。CSV・JSON 形式のレポートには全件が含まれます。",
    ),
    "details_cut": (
        "The {n} most severe events are shown in detail.",
        "深刻度の高い{n}件について詳細を示します。",
    ),
    "no_events": ("No event in this period.", "この期間にイベントはありません。"),
    "no_events_unjudged": (
        "Without scores there are no events.",
        "異常スコアがないため、イベントはありません。",
    ),
    "other_channels": ("{n} further channels", "その他 {n}チャンネル"),
    "timeline": ("Timeline", "時系列"),
    "timeline_help": (
        "Drag to zoom, double-click to see everything again.",
        "ドラッグで拡大、ダブルクリックで全体表示に戻ります。",
    ),
    "timeline_silent": (
        "Grey: not judged, because readings are missing, too little lies around, or the time was set aside (stops, holidays).",
        "灰色の部分は判定していません（欠測、前後のデータ不足、または停止・休日として除外）。",
    ),
    "timeline_asinh": (
        "The vertical axis is compressed above the threshold.",
        "しきい値より上は縦軸を圧縮して表示しています。",
    ),
    "timeline_thinned": (
        "Drawn with the lowest and highest of each {n} rows.",
        "{n}行ごとの最小値と最大値を描画しています。",
    ),
    "timeline_events_cut": (
        "The {n} most severe of {total} events are marked.",
        "全{total}件のイベントのうち、深刻度の高い{n}件を示しています。",
    ),
    "timeline_series_cut": (
        "The {n} most noticeable of {total} entities are drawn.",
        "全{total}対象のうち、特に目立つ{n}対象を描画しています。",
    ),
    "score": ("Anomaly score", "異常スコア"),
    "threshold": ("Alarm threshold", "しきい値"),
    "time": ("Time", "時刻"),
    "step_axis": ("Step", "ステップ"),
    "zoom_in": ("Zoom in", "拡大"),
    "zoom_out": ("Zoom out", "縮小"),
    "earlier": ("Earlier", "前へ"),
    "later": ("Later", "次へ"),
    "reset": ("Whole period", "全期間"),
    "heat": ("Which channels contribute", "チャンネル別の寄与"),
    "heat_help": (
        "The stronger the red, the larger the part of the score.",
        "赤みが強いほど、異常スコアへの寄与が大きいことを示します。",
    ),
    "no_script": (
        "The timeline needs JavaScript; everything else can be read without it.",
        "時系列の表示には JavaScript が必要です。ほかの内容はそのままお読みいただけます。",
    ),
    "whole_entity": ("whole log", "ログ全体"),
}

# key -> English, Japanese
TEXTS = _FIRST_SCREEN | TABLE_TEXTS


def report_text(lang: Lang, key: str, **fields: str) -> str:
    """The text under `key` with its fields filled in; raises KeyError where there is none."""
    return TEXTS[key][0 if lang == "en" else 1].format(**fields)


def counted(lang: Lang, key: str, n: int, **fields: str) -> str:
    """The text for `n` things: `key_one` or `key_many`."""
    return report_text(lang, f"{key}_one" if n == 1 else f"{key}_many", n=count(n), **fields)
