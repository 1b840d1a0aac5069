"""Sentences about reading in English and Japanese: notes, reasons why rows and columns are not used."""

# ruff: noqa: E501  (a sentence stands whole on its line, beside its translation)

from __future__ import annotations

from logscan.messages.message import Message

# What happened to the log as a whole or to one of its files.
NOTES: dict[str, Message] = {
    # rows that are lost
    "files-empty": Message(
        "{count} of {files} files hold no rows and were skipped: {names:3}.",
        "{files}ファイル中{count}ファイルにはデータ行がないため、読み飛ばしました：{names:3}。",
        "lost",
    ),
    "archive-members-skipped": Message(
        "{count} {count#file|files} of the archive skipped: no table by name.",
        "書庫内の{count}ファイルは、名前が表のものでないため読み飛ばしました。",
        "lost",
    ),
    "sheets-not-read": Message(
        "{count} more {count#sheet|sheets} not read: {names:3}; --sheet NAME reads another one.",
        "ほかの{count}シートは読み込んでいません：{names:3}。--sheet シート名 で指定できます。",
        "lost",
    ),
    "keys-not-read": Message(
        "Keys that first appear after {megabytes} MB are not read: {names:3}.",
        "{megabytes}MBより後に初めて現れるキーは読み込んでいません：{names:3}。",
        "lost",
    ),
    "import-repeated": Message(
        "{rows} rows repeat a stretch of this log row by row: an import that came twice. They were dropped; --repeats count keeps them.",
        "{rows}行が同じ記録の一部をそのまま繰り返しているため、二重取り込みとして除外しました。残すには --repeats count を指定してください。",
        "lost",
    ),
    "last-line-left": Message(
        "The last line has no line end yet and was left for the next run.",
        "最終行は書き込み途中（改行なし）のため、次回の実行で読み込みます。",
        "lost",
    ),
    "set-aside-status": Message(
        "'{column}' tells when the machine stands: {steps} of {of} steps are set aside, neither judged nor learned from.",
        "「{column}」により停止と判断した{steps}ステップ（全{of}）を除外しました。評価にも学習にも使用しません。",
        "lost",
    ),
    "set-aside-status-found": Message(
        "'{column}' tells when the machine stands: {steps} of {of} steps are set aside, neither judged nor learned from; pass --ignore {column} to judge them.",
        "「{column}」により停止と判断した{steps}ステップ（全{of}）を除外しました。評価にも学習にも使用しません。評価するには --ignore {column} を指定してください。",
        "lost",
    ),
    "set-aside-holidays": Message(
        "Public holidays of {country}: {steps} of {of} steps are set aside, neither judged nor learned from.",
        "祝日（{country}）として{steps}ステップ（全{of}）を除外しました。評価にも学習にも使用しません。",
        "lost",
    ),
    "set-aside-calendar": Message(
        "Days of {calendar}: {steps} of {of} steps are set aside, neither judged nor learned from.",
        "カレンダー（{calendar}）により{steps}ステップ（全{of}）を除外しました。評価にも学習にも使用しません。",
        "lost",
    ),
    "set-aside-holidays-calendar": Message(
        "Public holidays of {country} and days of {calendar}: {steps} of {of} steps are set aside, neither judged nor learned from.",
        "祝日（{country}）とカレンダー（{calendar}）により{steps}ステップ（全{of}）を除外しました。評価にも学習にも使用しません。",
        "lost",
    ),
    # values that are changed
    "rows-averaged-told-apart": Message(
        "{share:%} of the rows share their time with another one and were averaged; {columns} {count#tells|tell} them apart: pass {options} to read one series each.",
        "{share:%}の行がほかの行と同時刻のため平均しました。{columns}で区別できます。{options} を指定すると、別々の系列として読み込みます。",
        "changed",
    ),
    "rows-averaged": Message(
        "{share:%} of the rows share their time with another one and were averaged; pass --kind events to count and add them up, --entity to read one series per machine, or --time row to make each a step.",
        "{share:%}の行がほかの行と同時刻のため平均しました。件数として数える場合は --kind events、機械ごとに分ける場合は --entity、行ごとに1ステップとする場合は --time row を指定してください。",
        "changed",
    ),
    "step-coarsened": Message(
        "The log is too long to be kept at its own step of {own}: read as means of {taken} (--every sets the step).",
        "ログが長いため、本来の間隔（{own}）でなく {taken} ごとの平均として読み込みました（--every で変更できます）。",
        "changed",
    ),
    "sampling-intervals-differ": Message(
        "Sampling intervals differ; the grid takes the longest, {step}, and averages {names:3} over it (--every sets another).",
        "計測間隔が異なるため、最長の {step} に揃え、{names:3} は平均しました（--every で変更できます）。",
        "changed",
    ),
    "sampling-interval-long": Message(
        "{names:3}: sampled so much more rarely than the others that most steps stay empty; read it as a log of its own, or pass a longer step with --every.",
        "{names:3}：ほかより計測がきわめて少なく、大半のステップが空です。別のログとして読み込むか、--every で間隔を長くしてください。",
        "changed",
    ),
    "characters-replaced": Message(
        "{count} characters are not {encoding}, read as '\ufffd'.",
        "{encoding} として読めない{count}文字を「\ufffd」に置き換えました。",
        "changed",
    ),
    "bytes-removed": Message(
        "{count} NUL or end-of-file bytes were left out.",
        "NUL とファイル終端の制御文字、計{count}バイトを除きました。",
        "changed",
    ),
    "units-removed": Message(
        "Units removed: {units:plain}.",
        "単位を取り除きました（{units:plain}）。",
        "changed",
    ),
    "prefixes-applied": Message(
        "{cells} {cells#cell|cells} of '{column}' carry a prefix such as k behind the number; it was multiplied out.",
        "「{column}」の{cells}個の値は、数値の後の k などの接頭語を掛けた値として読み込みました。",
        "changed",
    ),
    "unit-of-column": Message("'{column}' {unit}", "「{column}」{unit}"),
    "quality-flags-removed": Message(
        "{cells} cells carry a quality flag such as * or # after their number, in {columns:4}; read as the number.",
        "数値の後に品質記号（*、#など）の付いた値{cells}個（列{columns:4}）を、記号を除いた数値として読み込みました。",
        "changed",
    ),
    "sentinel-values-missing": Message(
        "{cells} cells hold {codes:plain} and were read as missing.",
        "{codes:plain} の値 {cells}個を欠測として扱いました。",
        "changed",
    ),
    "hour-repeated": Message(
        "{rows} {rows#row lies|rows lie} in an hour that occurs twice (end of summer time); read as its first pass.",
        "{rows}行が夏時間の終了で重複する時間帯にあるため、1回目の時刻として読み込みました。",
        "changed",
    ),
    "hour-missing": Message(
        "{rows} {rows#row lies|rows lie} in an hour that does not exist (begin of summer time); read with the offset of the day before.",
        "{rows}行が夏時間の開始で存在しない時間帯にあるため、前日の時差で読み込みました。",
        "changed",
    ),
    "copies-counted": Message(
        "{rows} rows are exact copies of another row and were counted; --repeats drop leaves them out.",
        "{rows}行がほかの行と完全に同じですが、数に含めました（--repeats drop で除外できます）。",
        "changed",
    ),
    "copies-unchecked": Message(
        "Too many rows to look for imports that came twice; all were counted.",
        "行数が多いため二重取り込みの確認を省略し、すべて数えました。",
        "changed",
    ),
    "channels-unknown": Message(
        "The model does not know these channels; they are ignored: {names:plain}.",
        "モデルにないチャンネルは使用していません：{names:plain}。",
        "changed",
    ),
    "channels-dead": Message(
        "These channels of the model have no values in this log; the score ignores them: {names:plain}.",
        "このログに数値がないため、次のチャンネルを除いて評価しました：{names:plain}。",
        "lost",
    ),
    "quality-bad": Message(
        "{rows} {rows#row is|rows are} not marked good in '{column}'; their readings are taken as missing (--ignore {column} reads them).",
        "「{column}」が良好でない{rows}行の値を欠測として扱いました（--ignore {column} で読み込めます）。",
        "changed",
    ),
    # what was guessed
    "entity-found": Message(
        "{columns} tells rows of one time apart ({share:%} of the rows share their time): one series each. --entity none averages them instead.",
        "{columns}により同時刻の行（{share:%}）を区別し、別々の系列として読み込みました。--entity none を指定すると平均します。",
        "guessed",
    ),
    "entity-folders": Message(
        "Folders name the machines by {columns}: one series each. --entity none reads them as one.",
        "フォルダー名の{columns}を機械の名前とみなし、別々の系列として読み込みました。--entity none を指定すると1つの系列にします。",
        "guessed",
    ),
    "events-shared-times": Message(
        "Read as events: {share:%} of the rows share their time with another one, times are irregular and '{column}' holds text; use --kind samples for regular readings.",
        "発生記録として読み込みました（{share:%}の行がほかの行と同時刻で、間隔が不規則、「{column}」が文字列のため）。一定間隔の計測値の場合は --kind samples を指定してください。",
        "guessed",
    ),
    "events-irregular-text": Message(
        "Read as events: times are irregular and '{column}' holds text; use --kind samples for regular readings.",
        "発生記録として読み込みました（間隔が不規則で、「{column}」が文字列のため）。一定間隔の計測値の場合は --kind samples を指定してください。",
        "guessed",
    ),
    "events-irregular-names": Message(
        "Read as events: times are irregular and the columns name things; use --kind samples for regular readings.",
        "発生記録として読み込みました（間隔が不規則で、列名が出来事を示すため）。一定間隔の計測値の場合は --kind samples を指定してください。",
        "guessed",
    ),
    "events-varying-text": Message(
        "Read as events: the number of rows per time varies and '{column}' holds text; use --kind samples for regular readings.",
        "発生記録として読み込みました（時刻ごとの行数が一定でなく、「{column}」が文字列のため）。一定間隔の計測値の場合は --kind samples を指定してください。",
        "guessed",
    ),
    "events-varying-names": Message(
        "Read as events: the number of rows per time varies and the columns name things; use --kind samples for regular readings.",
        "発生記録として読み込みました（時刻ごとの行数が一定でなく、列名が出来事を示すため）。一定間隔の計測値の場合は --kind samples を指定してください。",
        "guessed",
    ),
    "long-format": Message(
        "Long format: '{sensor}' names the channel of a row and '{value}' holds its reading; use --ignore {sensor} to read it otherwise.",
        "縦持ち形式として読み込みました（「{sensor}」がチャンネル名、「{value}」が値）。--ignore {sensor} で解除できます。",
        "guessed",
    ),
    "long-format-possible": Message(
        "Rows of different '{sensor}' alternate and '{value}' reads differently in each; if they are sensors, pass --sensor {sensor_option} --value {value_option}, if they are machines --entity {sensor_option}.",
        "「{sensor}」の異なる行が交互に並び、それぞれ「{value}」の値の大きさが違います。センサの名前であれば --sensor {sensor_option} --value {value_option}、機械の名前であれば --entity {sensor_option} を指定してください。",
        "guessed",
    ),
    "wide-table": Message(
        "Wide table: columns '{first}' to '{last}' are {kind}; each row was read as {count} readings, '{value}' at '{time}' (--channels with their names reads them as channels).",
        "横持ち形式：列「{first}」～「{last}」は{kind}を表すため、1行を{count}個の計測値（「{time}」と「{value}」）として読み込みました（--channels に列名を指定すると、それぞれをチャンネルとして読み込みます）。",
        "guessed",
    ),
    "wide-hours": Message("hours of the day", "1日の各時"),
    "wide-clocks": Message("times of the day", "1日の各時刻"),
    "wide-months": Message("months of the year", "1年の各月"),
    "wide-times": Message("times", "日時"),
    "no-header": Message(
        "There is no header line; columns are called 'column 1', 'column 2' ...",
        "見出し行がないため、列名を「column 1」「column 2」…としました。",
        "guessed",
    ),
    "no-time": Message(
        "No time column was found or wanted; the row number is the step.",
        "時刻の列がないため、行番号をステップとしました。",
        "guessed",
    ),
    "header-too-short": Message(
        "The header names {names} columns, the rows hold {cells}; the last have no name.",
        "見出し行は{names}列、データは{cells}列のため、末尾の列には名前がありません。",
        "guessed",
    ),
    "header-too-long": Message(
        "The header names {names} columns, the rows hold {cells}; without cells: {extra:3}.",
        "見出し行は{names}列、データは{cells}列です。値のない列：{extra:3}。",
        "guessed",
    ),
    "negatives-counted": Message(
        "'{column}' is negative in {rows} rows (returns, cancellations): its sum is net, and such rows are counted as channel '{channel}'.",
        "「{column}」は{rows}行で負の値です（返品・取消）。合計は差引後の値で、該当行の数を「{channel}」として別に数えました。",
        "guessed",
    ),
    # what is only told
    "lines-quoted": Message("Quotes around whole lines taken off.", "行全体を囲む引用符を外しました。"),
    "marks-left": Message(
        "Columns that repeat their name in every row left out: {columns:3}.",
        "全行で列名と同じ値が入っている列を除きました：{columns:3}。",
        "guessed",
    ),
    "line-above-header": Message(
        "Line {line:plain} above the header skipped.", "見出し行より上の{line:plain}行目を読み飛ばしました。"
    ),
    "lines-above-header": Message(
        "Lines {first:plain} to {last:plain} above the header skipped.",
        "見出し行より上の{first:plain}～{last:plain}行目を読み飛ばしました。",
    ),
    "line-above-data": Message(
        "Line {line:plain} above the data skipped.", "データより上の{line:plain}行目を読み飛ばしました。"
    ),
    "lines-above-data": Message(
        "Lines {first:plain} to {last:plain} above the data skipped.",
        "データより上の{first:plain}～{last:plain}行目を読み飛ばしました。",
    ),
    "line-below-header": Message(
        "Line {line:plain} below the header skipped.", "見出し行より下の{line:plain}行目を読み飛ばしました。"
    ),
    "lines-below-header": Message(
        "Lines {first:plain} to {last:plain} below the header skipped.",
        "見出し行より下の{first:plain}～{last:plain}行目を読み飛ばしました。",
    ),
    "promise-without-clock": Message(
        "The log has no clock time, so the promise of false alarms is 1 per 10,000 steps; set it in rows, such as 1/rows:10000.",
        "時刻のないログのため、誤報の目安は1万ステップに1回としました。1/rows:10000 のように行数で指定できます。",
        "guessed",
    ),
    "as-written": Message("{text}", "{text}"),
}

# Why a row is not used.
DROPPED: dict[str, Message] = {
    "time-unreadable": Message("time does not parse", "時刻を解釈できない"),
    "time-too-far": Message("time too far from all others", "時刻がほかの行から離れすぎている"),
    "entity-empty": Message("entity is empty", "対象の列が空"),
    "sensor-empty": Message("entity or sensor is empty", "対象またはセンサの列が空"),
    "import-repeats": Message("repeat an import", "二重取り込み"),
    "json-broken": Message("is no JSON object", "JSONオブジェクトでない行"),
    "row-empty": Message("row is empty", "空の行"),
    "header-repeats": Message("repeats the header", "見出し行の繰り返し"),
    "comment": Message("comment", "コメント行"),
    "cells-differ": Message(
        "another number of cells than the header ({names})", "列の数が見出し行（{names}列）と異なる"
    ),
}

# Why a column is no channel.
COLUMNS: dict[str, Message] = {
    "kept-aside": Message("is kept aside", "別の用途に使用"),
    "ignored-as-asked": Message("is ignored as asked", "指定により除外"),
    "not-chosen": Message("is not among --channels", "--channels に含まれない"),
    "holds-type": Message("holds {type}, not numbers", "数値でなく {type}"),
    "holds-units": Message(
        "holds numbers with units, such as '{example}' (pass --units to read it)",
        "単位付きの数値（例「{example}」。--units で読み込めます）",
    ),
    "holds-text": Message("holds text, such as '{example}'", "文字列（例「{example}」）"),
    "holds-no-numbers": Message("holds no numbers", "数値なし"),
    "holds-no-number-anywhere": Message("holds no number in any row", "どの行にも数値なし"),
    "neither-name-nor-values": Message("has neither name nor values", "列名も値もない"),
    "label-empty": Message("looks like a label", "ラベルとみられる"),
    "label": Message(
        "looks like a label (use --channels to read it)", "ラベルとみられる（--channels で読み込めます）"
    ),
    "quality-flag": Message(
        "is a quality flag (use --channels to read it)", "品質を示す記号（--channels で読み込めます）"
    ),
    "row-index": Message("is a row index", "行番号"),
    "time-again": Message("is the time again", "時刻の列と同じ内容"),
    "elapsed-time": Message(
        "looks like a time in fractions, which the grid cannot use",
        "経過時間（小数）とみられ、格子には使用できない",
    ),
    "identifier": Message(
        "looks like an identifier, a sum of it means nothing", "識別番号とみられ、合計しても意味がない"
    ),
    "identifier-constant": Message(
        "names one thing throughout (use --channels to read it)",
        "全行で同じ識別番号（--channels で読み込めます）",
    ),
    "status-code": Message(
        "is a status or error code (use --channels to read it)",
        "状態やエラーを示すコード（--channels で読み込めます）",
    ),
    "code": Message(
        "holds codes such as '{example}' (use --channels to read it)",
        "「{example}」のようなコード（--channels で読み込めます）",
    ),
    "time-part": Message("is a part of the time", "時刻の一部"),
    "coordinate": Message("is a place, a sum of it means nothing", "位置を表し、合計しても意味がない"),
    "status": Message("tells when the machine stands", "停止の判断に使用"),
    "quality-obeyed": Message("tells which readings are good", "値の良否の判断に使用"),
    "partition": Message("is a partition, named by its folder", "フォルダー名による区分"),
}
