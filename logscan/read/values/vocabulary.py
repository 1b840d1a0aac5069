"""Names by which columns of times and their parts are known."""

from __future__ import annotations

import re

_STRONG = re.compile(
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
_WEAK = re.compile(
    r"date|time|stamp|datum|zeit|fecha|horodatage|yyyymm|month|monat|mois|year[ _-]?month|日時|時刻|日付|年月日|年月"
    r"|日期|时间|時間|时刻|일시|날짜|일자|연월|시간",
    re.IGNORECASE,
)
DATE_NAME = re.compile(r"date|datum|fecha|日時|日付|年月日|日期|일시|날짜|일자", re.IGNORECASE)
YEAR = ("year", re.compile(r"year|yr|yy|yyyy|jahr|année|annee|año|ano|anno|rok|年", re.IGNORECASE))
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
        1_000_000,
        re.compile(r"(ms|msec|millis?|milli[ -]?seconds?|ミリ秒|毫秒)(\s*[\[(（].*)?", re.IGNORECASE),
    ),
    (
        1_000,
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

_SAID_ORDERS = (
    ("dmy", re.compile(r"\b(dd?|tt|jj)[-/. ](mm?)[-/. ]?[yja]", re.IGNORECASE)),
    ("mdy", re.compile(r"\b(mm?)[-/. ](dd?|tt)[-/. ]?[yja]", re.IGNORECASE)),
)


def said_order(name: str) -> str | None:
    """The order of day, month and year that a name tells, as in `Date (MM/DD/YYYY)`; None where it tells none."""
    return next((order for order, pattern in _SAID_ORDERS if pattern.search(name)), None)


def name_score(name: str) -> int:
    """How sure a name says that its column is the time: 2, 1 or 0."""
    return 2 if _STRONG.fullmatch(name.strip()) else 1 if _WEAK.search(name) else 0
