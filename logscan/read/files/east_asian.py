"""Frequent characters of Chinese, Korean and Russian logs: tables for the choice of an encoding."""

from __future__ import annotations

import re

_JAPANESE = frozenset(
    "日時刻年月分秒間期点数値電圧流力温度湿速風気水位高低強状態運転停止設備機械番号名称単価金額合計平均最大小測定計局所地域県市区町村"
    "東京都阪北海道上下左右中前後入出口給排回量制御正常異警報発生復旧信接続切断作業工程品受注文取引商店舗顧客得意先売返税率備考曜火木"
    "土祝休降雪積照射天概況雲方向現面蒸露実績予想需要供使用万太陽光原子揚連系線蓄池他統格始終安均約件種別項目基準属性欠全会社株式比較"
    "対同増減総人輸国外買仕掛庫在室内空調冷却熱源負荷消費有効無相者製造検査結果"
)
_KOREAN = frozenset(
    "가각간갈감강개거건검게격결경계고공과관광교구국군권규균그근금급기길김나난남내너년농능다단달담당대더데도동되된두드등디라락란람"
    "량러력련령로록료류르른를름리린마만말매머면명모목무문물미민바반발방배번법별병보복본부북분불비사산삼상새색생서석선설성세센소속"
    "손송수순스습시식신실심아안압액야약양어업에여역연열영예오온올와완왕외요용우운울원월위유육율으은을음의이인일임입있자작장재저적"
    "전절점정제조족종주준중증지직진질집차착참창처천철청체초총최추축출충측치코크타탄태택터테토통투특파판패평포표품풍프플피하한함합"
    "항해행향허현형호화확환황회후"
)
_SIMPLIFIED = frozenset(
    "的一是不在有人中大上下个国年月日时分秒间期点数据量电压流功率温度湿速风力水气位高低强频开关状态运行停机设备编号名称代码单价格"
    "金额总计合平均最小值序列测站类型地区城市域省县光照辐射发系统负荷无相线路表能用户订买家商品款支付实际退收货址创建备注正常异报警"
    "故障信息事件内容来源段周星天今前后左右东西南北京海广州深圳午产质检传感器空调室外环境污染浓臭氧指粒物二化硫氮碳降雨向级阴晴云转"
    "角轴承振动油冷却入出口进送回泵阀炉煤烟热汽效成本销售客员部门业务交易盘涨跌幅消费"
)
_TRADITIONAL = frozenset(
    "日期時間測站項名稱氣溫度濕壓風速向雨量降水臺台北西東南中高屏基隆新竹苗栗彰化雲林嘉義花蓮宜蘭澎湖金門縣市區鄉鎮年月分秒點數值電"
    "力用發負載總計平均最大小單位號碼編額價格銷售商品客戶訂交易收盤開漲跌成股票代證券類別細懸浮微粒臭氧二硫氮碳指標狀態污染物等級觀候"
    "資料來源更備註正常異警報設機組容流入出庫蓄有效百率相對溼的一是不在人上下個國"
)
_EVERYDAY = {"cp949": _KOREAN, "gb18030": _SIMPLIFIED, "big5": _TRADITIONAL}
_KANA = re.compile("[ぁ-ヺー｡-ﾟ]")
_LETTERS = re.compile("[぀-ヿ㐀-䶿一-鿿가-힣｡-ﾟÀ-ɏ]")
_RUSSIAN_WORD = re.compile("[\u0400-\u04ff]{3,}")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
_LEAST = 4  # everyday characters
_SHARE = 0.5  # of all characters beyond ASCII
_CERTAIN = 0.8
_AHEAD = 0.25  # of what Japanese makes of them


def neighbour(evidence: bytes, japanese: str | None, *, western: bool) -> str | None:
    """The encoding of Chinese, Korean or Russian text; None where it speaks for none of them.

    They share the bytes of Japanese and Western encodings. What tells them apart is which characters they make: the
    few hundred that stand in names of columns, places and states again and again, or any of ten thousand.

    Args:
        evidence: lines with bytes beyond ASCII.
        japanese: the Japanese encoding that fits best, None where none fits.
        western: whether it makes good Western text: then more must speak against it.
    """
    shares = {name: _share(evidence, name, everyday) for name, everyday in _EVERYDAY.items()}
    best = max(shares, key=lambda name: shares[name])
    rival = _share(evidence, japanese, _JAPANESE) if japanese is not None else 0.0
    if shares[best] >= (_CERTAIN if western else _SHARE) and shares[best] >= rival + _AHEAD:
        return best
    return "cp1251" if japanese is None and not western and _is_russian(evidence) else None


def _share(evidence: bytes, encoding: str, everyday: frozenset[str]) -> float:
    """The share of letters that are everyday ones; 0 where the text does not decode or holds too few."""
    text = _decoded(evidence, encoding)
    letters = _LETTERS.findall(text)
    usual = sum(letter in everyday for letter in letters)
    if everyday is _JAPANESE:
        usual += len(_KANA.findall(text))
    return usual / len(letters) if usual >= _LEAST else 0.0


def _is_russian(evidence: bytes) -> bool:
    """Whether bytes beyond ASCII stand in words of small Cyrillic letters."""
    text = _decoded(evidence, "cp1251")
    words = "".join(_RUSSIAN_WORD.findall(text))
    small = sum(letter.islower() for letter in words)
    return len(words) >= 2 * _LEAST and small >= 0.6 * len(words) >= 0.4 * len(_CYRILLIC.findall(text))


def _decoded(evidence: bytes, encoding: str) -> str:
    """The text, empty where more than its last character does not decode."""
    try:
        return evidence.decode(encoding)
    except UnicodeDecodeError as error:
        return evidence[: error.start].decode(encoding) if error.start >= len(evidence) - 4 else ""
