"""Text encoding: detected, and decoded as a stream of UTF-8."""

from __future__ import annotations

import codecs
import io
import re
from collections import deque
from typing import BinaryIO

from logscan.errors import UsageError
from logscan.read.files.east_asian import neighbour

_READ_BYTES = 1 << 20
_EVIDENCE_BYTES = 1 << 18
_MOST_REMOVED = 64 << 20  # NUL bytes passed over before a file is taken for what it holds
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MARKED = ("utf-16", "utf-32")
# Escape sequences that switch to kanji, to half-width kana or to the Roman set of JIS.
_ISO_2022_JP = re.compile(rb"\x1b(?:\$[@B]|\([IJ]|\$\(D)")
# Between two characters, bytes of ASCII are ASCII: long stretches of numbers need no decoding.
_ASCII_AS_IT_IS = frozenset(
    (
        "utf-8",
        "latin-1",
        "iso8859-1",
        "cp1252",
        "cp1251",
        "cp932",
        "euc_jp",
        "gb18030",
        "gbk",
        "big5",
        "cp949",
    )
)
_TRIED = "try utf-8, cp932, euc-jp, iso-2022-jp, utf-16, cp1252, gb18030, big5, cp949 or cp1251"
_CLEARLY_WESTERN = 0.8
_LIKELY = 0.3
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_NON_ASCII_RUN = re.compile("[^\x00-\x7f]+")
_WESTERN = re.compile(
    "[\u00a1-\u00ff\u0152\u0153\u0160\u0161\u017d\u017e\u20ac\u2013\u2014\u2018-\u201d\u2022\u2026]"
)
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\u30fc]")
_MARK = re.compile(
    "[\u3000-\u303f\u30fb\uff01-\uff60\uffe0-\uffe6\u00b0\u00b1\u00d7\u00f7\u2010-\u2044\u2103\u2190-\u22ff\u2460-\u247f\u2500-\u25ff\u3200-\u33ff]"
)
_KANJI = re.compile("[\u4e00-\u9fff]")
_HALF_KANA = re.compile("[\uff61-\uff9f]")
# The voicing marks follow few kana, and small kana and the long mark begin no word.
_VOICED = frozenset("ｳｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎ")
_HALF_VOICED = frozenset("ﾊﾋﾌﾍﾎ")
_NEVER_FIRST = frozenset("ｧｨｩｪｫｬｭｮｯｰﾞﾟ｡､")


def known_encoding(name: str) -> str:
    """The codec called `name`, in Python's spelling; raises UsageError where there is none."""
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError) as error:
        raise UsageError("--encoding", f"unknown encoding '{name}'", _TRIED) from error
    if not getattr(codec, "_is_text_encoding", True):
        raise UsageError("--encoding", f"'{name}' is not a text encoding", _TRIED)
    return "iso2022_jp_ext" if codec.name == "iso2022_jp" else codec.name


def found_encoding(sample: bytes) -> str:
    """The encoding of the text that begins with `sample`; `ascii` where nothing tells it apart yet.

    Two traps. Most Latin-1 text also decodes as CP932: in Japanese text the characters beyond ASCII stand
    in runs, in Western text alone among ASCII letters. And all EUC-JP text also decodes as CP932, as
    half-width kana, which plant logs do hold: real half-width kana follow the rules of spelling and make
    rare kanji when they are read as EUC-JP. Chinese, Korean and Russian text decodes as either, to nonsense.
    """
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return name
    if len(sample) >= 4:
        even, odd = sample[0::2].count(0) / len(sample[0::2]), sample[1::2].count(0) / len(sample[1::2])
        if odd > 0.3 and even < 0.1:
            return "utf-16-le"
        if even > 0.3 and odd < 0.1:
            return "utf-16-be"
    if sample.isascii():
        return "iso2022_jp_ext" if _ISO_2022_JP.search(sample) else "ascii"
    first = _BEYOND_ASCII.search(sample)
    begin = sample.rfind(b"\n", 0, first.start() if first else 0) + 1
    lines = [line for line in sample[begin : begin + _EVIDENCE_BYTES].splitlines() if not line.isascii()]
    evidence = b"".join(line + b"\n" for line in lines)
    if _decodes(sample, "utf-8") or _nearly_utf8(evidence):
        return "utf-8"
    scores = {
        "cp932": _japanese_score(evidence, "cp932"),
        "euc_jp": _japanese_score(evidence, "euc_jp"),
        "cp1252": _western_score(evidence),
    }
    best = max(scores, key=lambda name: scores[name])
    rival = best if best != "cp1252" and scores[best] > _LIKELY else None
    other = neighbour(evidence, rival, western=scores["cp1252"] >= _CLEARLY_WESTERN)
    if other is not None:
        return other
    if scores[best] > 0:
        return best
    return "cp1252" if _decodes(evidence, "cp1252") else "latin-1"


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)("strict").decode(sample, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _nearly_utf8(evidence: bytes) -> bool:
    """Whether text is UTF-8 but for a few damaged characters: no other encoding makes its sequences by chance."""
    text = evidence.decode("utf-8", errors="replace")
    damaged = text.count("\ufffd")
    whole = sum(len(run.group()) for run in _NON_ASCII_RUN.finditer(text)) - damaged
    return whole >= 10 * max(damaged, 1)


def _japanese_score(evidence: bytes, encoding: str) -> float:
    """How far the characters beyond ASCII make sense as Japanese, -1 to 1."""
    if not _decodes(evidence, encoding):
        return -1.0
    text = evidence.decode(encoding, errors="ignore")
    total = 0.0
    characters = 0
    for run in _NON_ASCII_RUN.finditer(text):
        word = run.group()
        characters += len(word)
        if len(word) == 1:
            # A lone kanji between Latin letters is an accented letter that swallowed its neighbour, a
            # lone half-width kana a Latin-1 degree sign or accent.
            beside = text[max(run.start() - 1, 0) : run.start()] + text[run.end() : run.end() + 1]
            latin = any(letter.isalpha() for letter in beside)
            wrong = bool(_HALF_KANA.match(word)) or (latin and not _MARK.match(word))
            total += -1.0 if wrong else _weight(word)
        else:
            total += _word_score(word)
    return total / max(characters, 1)


def _word_score(word: str) -> float:
    """The sum of the weights of a run of characters."""
    total = 0.0
    before = ""
    for letter in word:
        total += _half_kana_weight(letter, before) if _HALF_KANA.match(letter) else _weight(letter)
        before = letter
    return total


def _half_kana_weight(letter: str, before: str) -> float:
    if letter == "ﾞ":
        return 0.9 if before in _VOICED else -1.0
    if letter == "ﾟ":
        return 0.9 if before in _HALF_VOICED else -1.0
    first = not _HALF_KANA.match(before) if before else True
    return -1.0 if first and letter in _NEVER_FIRST else 0.6


def _weight(letter: str) -> float:
    """How usual a character is in a Japanese log: kana and signs most, then the kanji taught at school."""
    if _KANA.match(letter) or _MARK.match(letter):
        return 1.0
    if _KANJI.match(letter):
        return 1.0 if _is_common_kanji(letter) else -0.5
    return -1.0


def _is_common_kanji(letter: str) -> bool:
    """Whether a kanji stands on the first level of JIS X 0208, which holds what is used every day."""
    code = letter.encode("euc_jp", errors="ignore")
    return len(code) == 2 and 0xB0 <= code[0] <= 0xCF


def _western_score(evidence: bytes) -> float:
    """The same for Western text."""
    if not _decodes(evidence, "cp1252"):
        return -1.0
    text = evidence.decode("cp1252", errors="ignore")
    good = bad = 0
    for run in _NON_ASCII_RUN.finditer(text):
        characters = run.group()
        plausible = len(characters) <= 2 and all(_WESTERN.match(letter) for letter in characters)
        good, bad = (good + 1, bad) if plausible else (good, bad + len(characters))
    return (good - bad) / max(good + bad, 1)


class Utf8Stream(io.RawIOBase):
    """The text of a byte stream as UTF-8 without byte order mark.

    As long as only ASCII was seen the encoding is open; the first other byte decides it. Bytes that
    the encoding does not know become U+FFFD; NUL and the end-of-file byte of old systems are left out.
    """

    def __init__(self, raw: BinaryIO | io.RawIOBase, encoding: str | None) -> None:
        self._raw = raw
        self._ready: deque[bytes] = deque()  # pieces as they come: text goes through uncopied
        self._size = 0  # of them all
        self._ended = False
        self._decoder: codecs.IncrementalDecoder | None = None
        self.encoding = encoding or "ascii"
        self.replaced = 0  # bytes that became U+FFFD, so far
        self.removed = 0  # NUL and end-of-file bytes left out, so far
        if encoding is not None:
            self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._first = True

    def readable(self) -> bool:
        """Always."""
        return True

    def sample(self, size: int) -> bytes:
        """The first `size` bytes of what is to come, not taken; fewer at the end, or among endless NUL bytes."""
        while self._size < size and not self._ended and self.removed < _MOST_REMOVED:
            self._fill()
        whole = b"".join(self._ready)
        self._ready = deque([whole])
        return whole[:size]

    def read(self, size: int = -1) -> bytes:
        """Take up to `size` bytes; fewer only at the end."""
        taken = []
        while size:
            piece = self.piece(size)
            if not piece:
                break
            taken.append(piece)
            size -= len(piece) if size > 0 else 0
        return b"".join(taken)

    def piece(self, size: int) -> bytes:
        """Take up to `size` bytes (-1: no matter how many) as they come, uncopied; nothing only at the end."""
        while not self._size and not self._ended:
            self._fill()
        while self._ready:
            piece = self._ready.popleft()
            if 0 <= size < len(piece):
                self._ready.appendleft(piece[size:])
                piece = piece[:size]
            self._size -= len(piece)
            if piece:
                return piece
        return b""

    def _fill(self) -> None:
        data = self._raw.read(_READ_BYTES) or b""
        self._ended = not data
        if self._decoder is None and (self._first or not data.isascii() or b"\x1b" in data):
            self.encoding = found_encoding(data)
            if self.encoding != "ascii":
                self._decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        elif (
            self._first and self.encoding in _MARKED and not data.startswith(tuple(mark for mark, _ in _BOMS))
        ):
            # Said by the user, but no byte order mark says which order.
            found = found_encoding(data)
            self.encoding = found if found.startswith(self.encoding) else f"{self.encoding}-le"
            self._decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        self._first = False
        if self._decoder is None:
            self._take(data)
        elif data.isascii() and data and self.encoding in _ASCII_AS_IT_IS:
            self._take(self._passed(data))
        else:
            self._take(self._decoded(data, final=self._ended))

    def _take(self, data: bytes) -> None:
        if b"\x00" in data or b"\x1a" in data:
            clean = data.translate(None, b"\x00\x1a")
            self.removed += len(data) - len(clean)
            data = clean
        self._ready.append(data)
        self._size += len(data)

    def _passed(self, data: bytes) -> bytes:
        """ASCII through a decoder that may still hold half a character."""
        assert self._decoder is not None
        if not self._decoder.getstate()[0]:
            return data
        return self._decoded(data, final=False)

    def _decoded(self, data: bytes, *, final: bool) -> bytes:
        assert self._decoder is not None
        try:
            text = self._decoder.decode(data, final=final)
        except (UnicodeError, ValueError) as error:  # of codecs that know no replacement
            raise UsageError("--encoding", f"the text is not {self.encoding}", _TRIED) from error
        self.replaced += text.count("\ufffd")
        return text.encode("utf-8", errors="replace")
