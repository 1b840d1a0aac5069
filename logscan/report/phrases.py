"""Sentences of the data layer in the reader's language: what `check` says in English, told in Japanese.

A phrase that is not listed here stands as it is: better English than silence.
"""

# ruff: noqa: E501  (a phrase stands whole on its line, beside its translation)

from __future__ import annotations

import re

from logscan.report.format import Lang

_JA = (
    # rows that were not used
    (r"time does not parse", "時刻を解釈できない"),
    (r"entity is empty", "対象の列が空"),
    (r"entity or sensor is empty", "対象またはセンサの列が空"),
    (r"repeat an import", "二重取り込み"),
    (r"tells when the machine stands", "停止の判断に使用"),
    (r"time too far from all others", "時刻がほかの行から離れすぎている"),
    (r"another number of cells than the header \((\d+)\)", r"列の数が見出し行（\1列）と異なる"),
    # columns that are not channels
    (r"is kept aside", "別の用途に使用"),
    (r"is ignored as asked", "指定により除外"),
    (r"is not among --channels", "--channels に含まれない"),
    (r"holds text, such as '(.*)'", r"文字列（例「\1」）"),
    (r"holds no numbers?( in any row)?", "数値なし"),
    (r"holds (.*), not numbers", r"数値でなく \1"),
    (r"has neither name nor values", "列名も値もない"),
    (r"looks like a label.*", "ラベルとみられる"),
    (r"is the time again", "時刻の列と同じ内容"),
    (r"is a place, a sum of it means nothing", "位置を表し、合計しても意味がない"),
    (r"is a row index", "行番号"),
    (r"looks like an identifier.*", "識別番号とみられ、合計しても意味がない"),
    # grades
    (r"no reading", "値がない"),
    (r"too short: (\d+) readings?", r"データ不足（\1個）"),
    (r"short: (\d+) readings?", r"データがやや不足（\1個）"),
    (r"(\d+%) missing", r"\1が欠測"),
    (r"longest gap ([\d,]+) steps?", r"最長の欠測 \1ステップ"),
    (r"constant at (\S+)", r"一定値 \1"),
    (r"stuck for ([\d,]+) steps?", r"\1ステップにわたり固着"),
    (r"only (\d+) distinct values?", r"値の種類が\1種のみ"),
    (r"(\d+) extreme outliers?, such as (\S+)", r"極端な外れ値 \1個（例 \2）"),
    (r"unit jump by (\S+), from about (\S+) to (\S+) for ([\d,]+) steps?", r"一時的な単位の変化（\1倍、約\2から\3へ、\4ステップ）"),
    (r"unit jump by (\S+), from about (\S+) to (\S+)", r"単位の変化（\1倍、約\2から\3へ）"),
    (r"(\S+) in ([\d,]+) steps, a code for no reading\?", r"\1（\2ステップ）は欠測を表す値とみられる"),
    (r"quantised in steps of (\S+)", r"分解能が粗い（刻み \1）"),
    (r"only rises, like a meter.*", "増え続ける積算値とみられる（差分のほうが有用）"),
    (r"drifts from about (\S+) to (\S+)", r"約\1から\2へのドリフト"),
    (r"the same as (.*)", r"「\1」と同じ値"),
    (r"moves exactly as (.*)", r"「\1」と比例する値"),
    (r"lasting jump of level from about (\S+) to (\S+)", r"水準の持続的な変化（約\1から\2へ）"),
    # notes
    (r"There is no header line; columns are called 'column 1', 'column 2' \.\.\.", "見出し行がないため、列名を「column 1」「column 2」…としました。"),
    (r"No time column was found or wanted; the row number is the step\.", "時刻の列がないため、行番号をステップとしました。"),
    (r"(\d+) rows lie in an hour that occurs twice.*", r"\1行が夏時間の終了で重複する時間帯にあるため、1回目の時刻として読み込みました。"),
    (r"(\d+) rows lie in an hour that does not exist.*", r"\1行が夏時間の開始で存在しない時間帯にあるため、前日の時差で読み込みました。"),
    (r"Read as events: (\d+%) of the rows.*'(.*)' holds text.*", r"発生記録として読み込みました（\1の行がほかの行と同時刻で、間隔が不規則、「\2」が文字列のため）。一定間隔の計測値の場合は --kind samples を指定してください。"),
    (r"(\d+%) of the rows share their time with another one and were averaged; '(.*)', '(.*)' tell them apart.*", r"\1の行がほかの行と同時刻のため平均しました。「\2」と「\3」で区別できます。--entity を指定すると、別々の系列として読み込みます。"),
    (r"(\d+%) of the rows share their time with another one and were averaged; '(.*)' tells? them apart.*", r"\1の行がほかの行と同時刻のため平均しました。「\2」で区別できます。--entity を指定すると、別々の系列として読み込みます。"),
    (r"(\d+%) of the rows share their time with another one and were averaged; pass --kind events.*", r"\1の行がほかの行と同時刻のため平均しました。件数として数える場合は --kind events、機械ごとに分ける場合は --entity、行ごとに1ステップとする場合は --time row を指定してください。"),
    (r"Read as events: times are irregular and '(.*)' holds text; .*", r"発生記録として読み込みました（間隔が不規則で、「\1」が文字列のため）。一定間隔の計測値の場合は --kind samples を指定してください。"),
    (r"Read as events: times are irregular and its columns name things; .*", "発生記録として読み込みました（間隔が不規則で、列名が出来事を示すため）。一定間隔の計測値の場合は --kind samples を指定してください。"),
    (r"Read as events: the number of rows per time varies and '(.*)' holds text; .*", r"発生記録として読み込みました（時刻ごとの行数が一定でなく、「\1」が文字列のため）。一定間隔の計測値の場合は --kind samples を指定してください。"),
    (r"Read as events: the number of rows per time varies and its columns name things; .*", "発生記録として読み込みました（時刻ごとの行数が一定でなく、列名が出来事を示すため）。一定間隔の計測値の場合は --kind samples を指定してください。"),
    (r"(.*): columns '(.*)' to '(.*)' are (?:hours|times|months).*: each row was read as (\d+) readings, .*", r"\1：列「\2」～「\3」は時刻や月を表すため、1行を\4個の計測値として読み込みました（--channels に列名を指定すると、それぞれをチャンネルとして読み込みます）。"),
    (r"channels the model does not know are ignored: (.*)", r"モデルにないチャンネルは使用していません：\1"),
    (r"'(.*)' tells when the machine stands: ([\d,]+) of ([\d,]+) steps are set aside.*", r"「\1」により停止と判断した\2ステップ（全\3）を除外しました。評価にも学習にも使用しません。"),
    (r"public holidays of (\S+): ([\d,]+) of ([\d,]+) steps are set aside,.*", r"祝日（\1）として\2ステップ（全\3）を除外しました。評価にも学習にも使用しません。"),
    (r"public holidays of (\S+) and days of (.*): ([\d,]+) of ([\d,]+) steps are set aside,.*", r"祝日（\1）とカレンダー（\2）により\3ステップ（全\4）を除外しました。評価にも学習にも使用しません。"),
    (r"days of (.*): ([\d,]+) of ([\d,]+) steps are set aside,.*", r"カレンダー（\1）により\2ステップ（全\3）を除外しました。評価にも学習にも使用しません。"),
    (r"Rows of different '(.*)' alternate and '(.*)' reads differently in each; .*", r"「\1」の異なる行が交互に並び、それぞれ「\2」の値の大きさが違います。センサの名前であれば --sensor と --value、機械の名前であれば --entity を指定してください。"),
    (r"Long format: '(.*)' names the channel of a row and '(.*)' holds its reading; use --ignore (.*) to read it otherwise\.", r"縦持ち形式として読み込みました（「\1」がチャンネル名、「\2」が値）。--ignore \3 で解除できます。"),
    (r"'(.*)' is negative in ([\d,]+) rows .* channel '(.*)'\.", r"「\1」は\2行で負の値です（返品・取消）。合計は差引後の値で、該当行の数を「\3」として別に数えました。"),
    (r"([\d,]+) rows repeat a stretch of this log row by row: .*", r"\1行が同じ記録の一部をそのまま繰り返しているため、二重取り込みとして除外しました（--repeats count で残せます）。"),
    (r"([\d,]+) rows are exact copies of another row and were counted; .*", r"\1行がほかの行と完全に同じですが、数に含めました（--repeats drop で除外できます）。"),
    (r"Too many rows to look for imports that came twice; all were counted\.", "行数が多いため二重取り込みの確認を省略し、すべて数えました。"),
    (r"([\d,]+) cells carry a sign such as \* or # behind their number, in '(.*)'(?:, \.\.\.)?; read as the number\.", r"数値の後に記号（*、#など）の付いた値\1個（列「\2」）を、記号を除いた数値として読み込みました。"),
    (r"([\d,]+) cells hold (.*) and were read as missing\.", r"\2 の値 \1個を欠測として扱いました。"),
    (r"Readings come at different intervals; the grid takes the longest, (.*), and averages (.*) over it .*", r"計測間隔が異なるため、最長の \1 に揃え、\2 は平均しました（--every で変更できます）。"),
    (r"(.*): read so much more rarely than the others .*", r"\1：ほかより計測がきわめて少なく、大半のステップが空です。別のログとして読み込むか、--every で間隔を長くしてください。"),
    (r"channels of the model hold no number in this log and are judged around: (.*)", r"このログに数値がないため、次のチャンネルを除いて評価しました：\1"),
    (r"The log is too long to be kept at its own step of (.*): read as means of (.*) \(--every sets the step\)\.", r"ログが長いため、本来の間隔（\1）でなく \2 ごとの平均として読み込みました（--every で変更できます）。"),
    (r"(.*): line (\d+) above the header passed over\.", r"\1：見出し行より上の\2行目を読み飛ばしました。"),
    (r"(.*): lines (\d+) to (\d+) above the header passed over\.", r"\1：見出し行より上の\2～\3行目を読み飛ばしました。"),
    (r"(.*): line (\d+) above the data passed over\.", r"\1：データより上の\2行目を読み飛ばしました。"),
    (r"(.*): lines (\d+) to (\d+) above the data passed over\.", r"\1：データより上の\2～\3行目を読み飛ばしました。"),
    (r"(.*): line (\d+) below the header passed over\.", r"\1：見出し行より下の\2行目を読み飛ばしました。"),
    (r"(.*): lines (\d+) to (\d+) below the header passed over\.", r"\1：見出し行より下の\2～\3行目を読み飛ばしました。"),
    (r"(.*): The header names (\d+) columns, the rows hold (\d+); the last have no name\.", r"\1：見出し行は\2列、データは\3列のため、末尾の列には名前がありません。"),
    (r"(.*): The header names (\d+) columns, the rows hold (\d+); without cells: (.*)\.", r"\1：見出し行は\2列、データは\3列です。値のない列：\4。"),
    (r"(.*): the last line has no line end yet and was left for the next run\.", r"\1：最終行は書き込み途中（改行なし）のため、次回の実行で読み込みます。"),
    (r"(.*): ([\d,]+) characters are not (\S+), read as '(.)'\.", r"\1：\3 として読めない\2文字を「\4」に置き換えました。"),
    (r"(.*): ([\d,]+) NUL or end-of-file bytes were left out\.", r"\1：NUL とファイル終端の制御文字、計\2バイトを除きました。"),
    (r"(.*): units taken off: (.*)\.", r"\1：単位を取り除きました（\2）。"),
    (r"(.*): (\d+) files? of the archive passed over, no table by name\.", r"\1：書庫内のファイルのうち、表とみられない名前の\2個を読み飛ばしました。"),
    (r"(\d+) of (\d+) files hold no rows and were passed over: (.*)\.", r"\2ファイル中\1ファイルはデータ行がないため読み飛ばしました：\3"),
    # stages
    (r"load", "モデル読み込み"),
    (r"read", "入力読み込み"),
    (r"score", "スコア計算"),
    (r"write", "書き出し"),
)  # fmt: skip
_PATTERNS = tuple((re.compile(english, re.DOTALL), japanese) for english, japanese in _JA)


def said(phrase: str, lang: Lang) -> str:
    """`phrase` of the data layer in `lang`; as it stands where there is no translation."""
    if lang == "en":
        return phrase
    for pattern, japanese in _PATTERNS:
        found = pattern.fullmatch(phrase)
        if found:
            return found.expand(japanese)
    return phrase
