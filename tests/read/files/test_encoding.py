"""Encodings told apart by evidence, with the traps that Japanese and Western text set."""

import io

import pytest

from logscan.config import InputConfig
from logscan.read import read_log
from logscan.read.files.encoding import Utf8Stream, found_encoding, known_encoding
from tests.words import words

JAPANESE = [
    "日時,温度(℃),圧力(kPa),流量(L/min)\n2024-01-01,1,2,3\n",
    "時刻,モーター電流,ポンプ圧力,コンプレッサー\n1,2,3,4\n",
    "日,値\n1,2\n",
    "とき,おんど\n1,2\n",
    "time,状態,x\n1,運転,2\n2,停止,3\n",
    "時刻,攪拌機トルク,溶鉱炉の温度\n1,2\n",
]
WESTERN = [
    "Date;Brébeuf;Température °C\n",
    "t;Größe;Öl\n",
    "Zeit;Temp (°C);Druck\n",
    "fecha;señal;año\n",
    "flow m³/h;x\n",
    "Größe;Höhe;Übergröße;größer\n",
    "dT±;x\n",
    "œuvre;€;‘quoted’\n",
]
NEIGHBOURS = {
    "cp949": ["지점,지점명,일시,기온(°C)\n", "날짜,시간,공급량\n", "일시,전력수요(MW),상태\n1,2,정상\n"],
    "gb18030": ["时间,风速(m/s),功率(kW)\n", "日期,负荷,温度\n", "订单编号,总金额,订单创建时间\n"],
    "big5": [
        "日期,測站,測項,00,01\n" + "2014/1/1,台西,CO,1,2\n" * 40,
        "觀測時間(hour),測站氣壓(hPa),氣溫(℃)\n",
    ],
    "cp1251": ["Дата;Время;Температура;Давление\n", "Дата,Цена,Объём\n"],
}
HALF_WIDTH = [
    "時刻,ｵﾝﾄﾞ,ｱﾂﾘｮｸ,ﾘｭｳﾘｮｳ\n",
    "TIME,ﾓｰﾀ電流,ﾎﾟﾝﾌﾟ\n",
    "TIME,ｵﾝﾄﾞ,ｱﾂﾘｮｸ\n1,2,3\n",
    "t,ﾗｲﾝ\n1,ﾗｲﾝA\n",
    "日付,ｹﾞｰｼﾞ圧,ﾀﾝｸ液位\n",
]


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "euc_jp", "iso2022_jp_ext"])
@pytest.mark.parametrize("text", JAPANESE, ids=range(len(JAPANESE)))
def test_japanese_text_is_told_apart(text, encoding):
    """Kanji, kana and signs speak for the encoding in which they make words."""
    assert found_encoding(text.encode(encoding)) == encoding


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
@pytest.mark.parametrize("text", WESTERN, ids=range(len(WESTERN)))
def test_western_text_is_no_japanese(text, encoding):
    """Accents and degree signs between Latin letters are Western although most decode as CP932 too."""
    assert found_encoding(text.encode(encoding)) == encoding


@pytest.mark.parametrize(
    ("encoding", "text"), [(encoding, text) for encoding, texts in NEIGHBOURS.items() for text in texts]
)
def test_chinese_korean_and_russian_text_is_no_mojibake(encoding, text):
    """Everyday characters of names tell encodings apart whose bytes Japanese and Western ones know too."""
    assert found_encoding(text.encode(encoding)) == encoding


@pytest.mark.parametrize("encoding", ["utf-8", "cp932"])
@pytest.mark.parametrize("text", HALF_WIDTH, ids=range(len(HALF_WIDTH)))
def test_half_width_kana_are_no_trap(text, encoding):
    """Half-width kana, whose bytes are those of EUC-JP and of Latin-1 accents, are read as such."""
    assert found_encoding(text.encode(encoding)) == encoding


@pytest.mark.parametrize("encoding", ["utf-32", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_marks_and_zeros_tell_unicode(encoding):
    """Byte order marks, and the zeros of UTF-16 without one."""
    found = found_encoding("time,温度\n2024-01-01 00:00,1.5\n2024-01-01 00:01,2.5\n".encode(encoding))
    assert found == encoding


def test_a_damaged_character_does_not_change_the_encoding():
    """UTF-8 with one broken character stays UTF-8, and the character is told."""
    rows = "".join(f"2024-01-15 00:{minute:02d}:00,運転,{minute}\n" for minute in range(40))
    data = f"時刻,状態,温度\n{rows}".encode().replace("転".encode(), b"\xe8\xbb", 1)
    log = read_log(["-"], InputConfig(), stdin=io.BytesIO(data))
    assert log.schema.encoding == "utf-8"
    assert words(log.notes) == ("standard input: 1 characters are not utf-8, read as '\ufffd'.",)


def test_an_encoding_that_shows_late_is_found():
    """A file is ASCII until its first other byte, however late it comes."""
    head = b"time,x,state\n" + b"2024-01-15 00:00:00,1,run\n" * 60_000
    for text, encoding in (("停止", "iso2022_jp_ext"), ("停止", "euc_jp"), ("Störung", "cp1252")):
        stream = Utf8Stream(io.BytesIO(head + text.encode(encoding)), None)
        assert stream.read().decode().endswith(text)
        assert stream.encoding == encoding


def test_the_user_decides():
    """A given encoding is not questioned, under any of its names."""
    data = "時刻,温度\n2024-01-15,1\n2024-01-16,2\n".encode("euc-jp")
    for name in ("EUC-JP", "eucjp", "ujis"):
        log = read_log(["-"], InputConfig(encoding=name), stdin=io.BytesIO(data))
        assert log.schema.channels == ("温度",)
        assert log.schema.encoding == "euc_jp"
    assert known_encoding("ISO-2022-JP") == "iso2022_jp_ext"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "cp932", "euc_jp", "iso2022_jp_ext", "gb18030", "big5", "cp949"]
)
def test_ascii_that_needs_no_decoding_is_not_taken_out_of_its_place(monkeypatch, encoding):
    """Wherever pieces end, in the middle of a character too, the text is what decoding all of it gives."""
    text = "1,2\n" * 5 + "中,A0B\n" + "3,4\n" * 9 + "中" + "5,6\n" * 3
    data = text.encode(encoding)
    for size in range(1, 12):
        monkeypatch.setattr("logscan.read.files.encoding._READ_BYTES", size)
        assert Utf8Stream(io.BytesIO(data), encoding).read().decode() == text
