"""Vocabulary of column names and states in six languages: times, labels, status words, sensors, identifiers."""

from __future__ import annotations

import re

from logscan.time_units import MICROSECOND_NS, MILLISECOND_NS

# Times at which a row was handled, later than the time at which it was measured.
RECEIPT_WORD = re.compile(
    r"receiv|receipt|arriv|import|insert|process|upload|ingest|server|modif|updat|受信|取込|更新|接收|更新|수신",
    re.IGNORECASE,
)
# Words of a time by what they tell, for all that follows: the one list of what a column of times is called.
_DATE_WORDS = "date|datum|fecha|日時|日付|年月日|日期|일시|날짜|일자"
_MOMENT_WORDS = "time|stamp|zeit|horodatage|時刻|时间|時間|时刻|시간"
_MONTH_WORDS = "yyyymm|month|monat|mois|year[ _-]?month|年月|연월"
_HEADER_WORDS = r"hora|heure|data\b"  # only where a line is asked for: a name may hold them by chance
DATE_NAME = re.compile(_DATE_WORDS, re.IGNORECASE)
TIME_WORD = re.compile(f"{_DATE_WORDS}|{_MOMENT_WORDS}|{_MONTH_WORDS}", re.IGNORECASE)
HEADER_TIME_WORD = re.compile(f"{TIME_WORD.pattern}|{_HEADER_WORDS}", re.IGNORECASE)
_TIME_NAME = re.compile(
    r"(date|time|stamp|timestamp|date[_ /-]?time|time[_ ]?stamp|ts|t|step|tick|cycle|sample|seq|epoch|"
    r"unix([_ ]?(ts|time|timestamp))?|"
    r"(local|utc|measurement|record(ed)?|event|order|start|end)[_ ]?(date|time|timestamp)|"
    r"datum|zeit|uhrzeit|zeitstempel|zeitpunkt|messzeit|datum[ /+-]*(uhr)?zeit|fecha|fecha[ /]?hora|hora|heure|"
    r"horodatage|data|data[ /]?ora|dag|tijd|"
    r"(計測|測定|取得|記録|発生|受注|注文|収集|更新|登録|観測|取引|購入|売上|出荷|検知|警報|伝票|納品|入荷|入庫|出庫|製造|生産|作業|検査|開始|利用|予約)?(日時|時刻|日付|年月日|日)"
    r"|タイムスタンプ|(观测|觀測|采集|记录|监测|訂單|订单)?(日期|时间|時間|日期时间|时刻)|(측정|관측)?(일시|날짜|일자|연월일|시간|시각))"
    r"(\s*[\[(（].*)?",
    re.IGNORECASE,
)
CALENDAR_DATE_NAMES = frozenset({"date", "day", "日付", "日", "年月日", "休日"})  # of a file of days, folded
# Month names by their first letters: English, German, French, Spanish, Italian, Dutch, Portuguese.
_MONTHS = (
    "jan|jän|ene|gen", "feb|fév|fev", "mar|mär|mrz|maa|mrt", "apr|avr|abr", "may|mai|maj|mag|mei", "jun|juin|giu",
    "jul|juil|lug", "aug|aoû|aou|ago", "sep|set", "oct|okt|ott|out", "nov", "dec|dez|déc|dic",
)  # fmt: skip
_MONTH_NUMBERS = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names.split("|")}

YEAR = ("year", re.compile(r"year|yr|yy|yyyy|jahr|année|annee|año|ano|anno|rok|年|西暦|연도", re.IGNORECASE))
MONTH = ("month", re.compile(r"month|mon|mnth|mm|mo|mn|monat|mois|mes|mese|月", re.IGNORECASE))
QUARTER = ("quarter", re.compile(r"q(uarter|tr)?|trimestre|quartal|四半期", re.IGNORECASE))
DAYS = (
    ("day", re.compile(r"day|dd|dy|day[ _]?of[ _]?month|dom|tag|jour|d[ií]a|giorno|dag|日", re.IGNORECASE)),
    (
        "day of year",
        re.compile(r"doy|day[ _]?of[ _]?(the )?year|j(ulian)?[ _-]?day|yday|年間通算日", re.IGNORECASE),
    ),
)
CLOCKS = (
    ("hour", re.compile(r"hours?|hr|hh(24)?|stunde|heure|hora|ora|uur|時|時間", re.IGNORECASE)),
    ("minute", re.compile(r"minutes?|min|mi|mm|mn|分", re.IGNORECASE)),
    ("second", re.compile(r"seconds?|sec|ss|秒", re.IGNORECASE)),
)
HOUR = re.compile(
    r"(hour|hr|hours|hour of day|時|時間|時間帯|時刻|时间|时刻|小时|时|시간|시각|시)", re.IGNORECASE
)
CLOCK_NAME = re.compile(
    rf"({HOUR.pattern}|time|hhmm(ss)?|clock|uhrzeit|zeit|hora|heure|時分)",
    re.IGNORECASE,
)
CLOCK_WORD = re.compile(rf"(?<![^\W_\d])({CLOCK_NAME.pattern})(?![^\W_\d])", re.IGNORECASE)
# Columns that count periods of the day: half hours of a power exchange, quarters of an hour, five minutes.
PERIOD_NAME = re.compile(
    r"(時刻|時間帯?|コマ|期間)(コード|番号|No\.?)|コマ|時限|sp|half[ _-]?hour"
    r"|((settlement|trading|dispatch|delivery|time|half[ _-]?hour)[ _-]?)?"
    r"(period|interval|slot)([ _-]?(id|no|number|code))?",
    re.IGNORECASE,
)
FRACTIONS = (
    (
        MILLISECOND_NS,
        re.compile(r"(ms|msec|millis?|milli[ -]?seconds?|ミリ秒|毫秒)(\s*[\[(（].*)?", re.IGNORECASE),
    ),
    (
        MICROSECOND_NS,
        re.compile(r"([uμµ]s|usec|micros?|micro[ -]?seconds?|マイクロ秒|微秒)(\s*[\[(（].*)?", re.IGNORECASE),
    ),
)
DURATION = re.compile(r"時間|시간", re.IGNORECASE)  # hours of the clock only where dates repeat
STEP_NAME = re.compile(
    r"(t|ts|time|step|steps|tick|ticks|cycle|cycles|seq|timestamp|time[_ ]?(step|ms|us|ns|s)|year|jahr|年|年度|西暦"
    r"|(sample|scan|frame)s?([ _]?(#|no\.?|nr|number|index))?)(\s*[\[(（].*)?",
    re.IGNORECASE,
)
SERIAL = re.compile(r"シリアル値|serial|経過|elapsed", re.IGNORECASE)

LABEL_NAME = re.compile(
    r"(is[_ ]?)?(label|labels|anomaly|anomalies|anomalous|outlier|changepoint|ground[_ ]?truth)"
    r"|異常(ラベル)?|ラベル",
    re.IGNORECASE,
)
# What historians and OPC servers say of a reading.
QUALITY_COLUMN_NAME = re.compile(r"quality|qualität|qualite|品質|質量|품질|(^|[ _.])(qc|qs)$", re.IGNORECASE)
GOOD_QUALITY_WORDS = frozenset(
    {"good", "ok", "valid", "normal", "g", "confirmed", "gut", "良", "良好", "正常", "有効"}
)
BAD_QUALITY_WORDS = frozenset(
    {
        "bad", "uncertain", "invalid", "questionable", "doubtful", "suspect", "substituted", "stale", "error",
        "failed", "b", "u", "q", "i", "schlecht", "不良", "異常", "無効", "不明",
    }
)  # fmt: skip
# Keys of partitions that cut a log into files and name no machine.
PART_NAME = re.compile(
    r"(.*[_ ])?(part(ition)?|chunk|batch|shard|bucket|split|file|version|run|page|seq)(no|_?id|number)?",
    re.IGNORECASE,
)
# A label of several classes: 0 is normal.
CLASS_NAME = re.compile(
    r"class(es)?|target|(fault|failure|state)[_ ]?(label|class|type|id)|クラス", re.IGNORECASE
)
# What a logger says of itself beside its readings.
STATUS_CODE_NAME = re.compile(
    r"(.*[_ ])?(err(or)?s?|status|stat|fault)([_ ]?(code|word|no|number|flag)s?)?"
    r"|(エラー|ステータス|状態)(コード|番号)?"
    r"|(fehler|störung)(code|nummer)?",
    re.IGNORECASE,
)
# What the Japan Meteorological Agency and loggers write beside every reading.
QUALITY_FLAG_NAME = re.compile(
    r"(.* )?(品質情報|均質番号|現象なし情報)|.*[ _.](qc|qa|quality)([ _]?(flag|code))?|qn_?\d*", re.IGNORECASE
)
INDEX_NAME = re.compile(
    r"unnamed: [\d.]+|(.*[_ ])?(index|sequence|idx|rows?|rec(ord)?|recnum|entry|point|id|no\.?|nr\.?|number|seq)"
    r"|instant|udi|#"
    r"|連番|行番号|通番|番号|№",
    re.IGNORECASE,
)
ELAPSED_NAME = re.compile(
    r"(t|(test|relative|elapsed|run(ning)?)?[ _-]?time|elapsed|zeit|temps|seconds?([ _]elapsed)?|sec|x[_-](value|axis)"
    r"|経過時間|時間)(\s*[\[(（/].*)?",
    re.IGNORECASE,
)
# What is written down when something happens: orders, alarms, steps of a process.
EVENT_WORD = re.compile(
    r"\b(order|invoice|transaction|receipt|ticket|customer|product|purchase|basket|sku|event|alarm|alert|message|msg|"
    r"activity|concept|case|incident|sale|shipment|booking|trip|ride|rental|fare|payment|passenger|delivery)s?\b"
    r"|受注|注文|取引|伝票|返品|売上|出荷|商品|品番|顧客|得意先|警報|アラーム|イベント|メッセージ|発生|訂單|订单|交易|商品|报警"
    r"|주문|상품|고객|알람",
    re.IGNORECASE,
)
SENSOR_NAME = re.compile(
    r"_?((sensor|tag|signal|point|channel|variable|var|parameter|metric|measurement|measure|attribute|item|series|field|pid"
    r"|topic|entity|pollutant|quantity)([_ ]?(id|name|no|index))?|data[_ ]?point)|_name"
    r"|(センサー?|タグ|信号|計測点|測定点|測項|测点|測點|項目|项目|항목|点)(名|番号|ID)?|変数",
    re.IGNORECASE,
)
VALUE_NAME = re.compile(
    r"_?(var(iable)?|tag|sensor|numeric|measured)?[_ ]?(value|val)|readings?|data|payload|state|result"
    r"|(計測|測定)?値|データ",
    re.IGNORECASE,
)
# Numbers that stand beside a reading and are none: how good it is, which one it is, where it was taken.
BESIDE_READING_NAME = re.compile(
    r"_?(.*(quality|quality[_ ]?detail|status|confidence|validity|flag|questionable)|(.*[_ ])?id"
    r"|(tag|numeric)[_ ]?(id|index)|index|table|marker"
    r"|milli(s|tm)?|(time_?)?ms|lat(itude)?|lon(gitude)?|elevation|height)",
    re.IGNORECASE,
)
NUMBERED_SENSOR_NAME = re.compile(r"_?(tag|sensor|channel|signal|point)[_ ]?(id|no|index)?", re.IGNORECASE)
# Numbered things may be as many as hours, and each be there every day.
THING_WORD = re.compile(
    r"store|shop|station|machine|unit|turbine|sensor|channel|line|zone|region|area|customer|product|item|node|meter|plant"
    r"|site|building|room|tank|pump|cell|well|device|location|group|dept|team|(^|[^a-z])id([^a-z]|$)|(?<=[a-z])(Id|ID)$"
    r"|店|号機|装置|設備|機械|地点|局",
    re.IGNORECASE,
)
STATUS_NAME = re.compile(
    r"((machine|line|operation|operating|run|running|equipment|plant)[_ ]?)?(status|state|mode)"
    r"|(設備|機械|運転|稼働|ライン)?(状態|状況|ステータス|モード)|(设备|運行|运行|机组)?(状态|狀態)|(설비|운전|가동)?상태",
    re.IGNORECASE,
)
_RUNNING_WORDS = """
run running on auto automatic operation operating operational active production producing normal ok
運転 運転中 稼働 稼働中 自動 自動運転 生産 生産中 正常 正常運転
运行 运行中 開機 开机 자동 운전 운전중 가동 가동중 정상
"""
_STOPPED_WORDS = """
stop stopped stopping off idle idling standby stand-by maintenance maint pm down downtime shutdown offline setup
changeover cleaning inspection pause paused break
停止 停止中 休止 休止中 保全 保全中 メンテナンス メンテナンス中 メンテ 点検 点検中 段取り 段取り中 段取 待機 待機中
清掃 清掃中 計画停止 休憩
停机 停機 待机 待機 检修 维护 维修 정지 정지중 대기 점검
"""
WEAK_RUNNING_WORDS = frozenset(
    {"on", "ok", "normal", "active", "auto", "automatic", "正常", "自動"}
)  # of a part, perhaps
RUNNING_WORDS = frozenset(_RUNNING_WORDS.split())
STOPPED_WORDS = frozenset(_STOPPED_WORDS.split())
IDENTIFIER_TOKENS = frozenset(
    {
        "id",
        "ids",
        "no",
        "nr",
        "code",
        "codes",
        "key",
        "sku",
        "jan",
        "ean",
        "zip",
        "phone",
        "tel",
        "uuid",
        "barcode",
    }
)
IDENTIFIER_NAMES = frozenset(
    {
        "customer", "invoice", "order", "transaction", "receipt", "ticket", "user", "account", "member",
        "client", "store", "product", "item", "number", "nummer", "numéro", "número", "numero", "station", "stn",
        "order number", "invoice number", "customer number",
        "顧客", "会員", "伝票", "店舗", "商品", "得意先", "注文", "受注", "社員", "担当者",
    }
)  # fmt: skip
IDENTIFIER_ENDING = re.compile(
    r"(番号|コード|ＩＤ|ID|No\.?|№|编号|編號|单号|號碼|代码|代碼|번호|코드)([(（].*)?$", re.IGNORECASE
)
AMOUNT_WORD = re.compile(
    r"price|amount|quantity|qty|total|sales|revenue|cost|value|金額|数量|価格|単価|売上|合計|個数",
    re.IGNORECASE,
)
COORDINATE_NAME = re.compile(
    r"(.*[ _.])?(lat|latitude|lng|lon|long|longitude|緯度|経度|纬度|经度|위도|경도)", re.IGNORECASE
)

_SAID_ORDERS = (
    ("dmy", re.compile(r"\b(dd?|tt|jj)[-/. ](mm?)[-/. ]?[yja]", re.IGNORECASE)),
    ("mdy", re.compile(r"\b(mm?)[-/. ](dd?|tt)[-/. ]?[yja]", re.IGNORECASE)),
)


_TYPE_BEHIND = re.compile(
    r"\s*[\[(（](string|text|varchar|numeric|number|float|double|real|int(eger)?\d*|date ?time|date|bool(ean)?)"
    r"[)\]）]$",
    re.IGNORECASE,
)


def bare_name(name: str) -> str:
    """A name without the type that some exports write behind it, as in `Variable value(numeric)`."""
    return _TYPE_BEHIND.sub("", name.strip())


def said_order(name: str) -> str | None:
    """The order of day, month and year that a name tells, as in `Date (MM/DD/YYYY)`; None where it tells none."""
    return next((order for order, pattern in _SAID_ORDERS if pattern.search(name)), None)


def name_score(name: str) -> int:
    """How sure a name says that its column is the time: 2, 1 or 0."""
    return 2 if _TIME_NAME.fullmatch(name.strip()) else 1 if TIME_WORD.search(name) else 0


def month_number(name: str) -> int:
    """The month that a name in one of several languages begins with, 0 where it is none."""
    folded = name.lower()
    return _MONTH_NUMBERS.get(folded[:4], 0) or _MONTH_NUMBERS.get(folded[:3], 0)
