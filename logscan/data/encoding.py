"""Which text encoding a file has, by evidence, and its text as a stream of UTF-8."""

from __future__ import annotations

import codecs
import io
import re
from typing import BinaryIO

from logscan.errors import UsageError

_READ_BYTES = 1 << 20
_EVIDENCE_BYTES = 1 << 18
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_JAPANESE = re.compile("[\u3000-\u30ff\u4e00-\u9fff\uff01-\uff5e]")
_NON_ASCII_RUN = re.compile("[^\x00-\x7f]+")
_WESTERN = re.compile("[\u00a1-\u00ff\u20ac\u2013\u2014\u2018-\u201d\u2022\u2026]")


def known_encoding(name: str) -> str:
    """The codec called `name`, in Python's spelling; raises UsageError where there is none."""
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError) as error:
        raise UsageError(
            "--encoding", f"unknown encoding '{name}'", "try utf-8, cp932, utf-16 or cp1252"
        ) from error
    if not getattr(codec, "_is_text_encoding", True):
        raise UsageError(
            "--encoding", f"'{name}' is not a text encoding", "try utf-8, cp932, utf-16 or cp1252"
        )
    return codec.name


def found_encoding(sample: bytes) -> str:
    """The encoding of the text that begins with `sample`; `ascii` where nothing tells it apart yet.

    The trap is that most Latin-1 text also decodes as CP932. In Japanese text the characters beyond
    ASCII stand in runs; in Western text they stand alone among ASCII letters.
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
        return "ascii"
    if _decodes(sample, "utf-8"):
        return "utf-8"
    evidence = b"\n".join(line for line in sample[:_EVIDENCE_BYTES].splitlines() if not line.isascii())
    scores = {"cp932": _japanese_score(evidence), "cp1252": _western_score(evidence)}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] > 0:
        return best
    return "cp1252" if _decodes(evidence, "cp1252") else "latin-1"


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)("strict").decode(sample, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _japanese_score(evidence: bytes) -> float:
    """How far the characters beyond ASCII make sense as Japanese, -1 to 1."""
    if not _decodes(evidence, "cp932"):
        return -1.0
    text = evidence.decode("cp932", errors="ignore")
    good = bad = 0
    for run in _NON_ASCII_RUN.finditer(text):
        characters = run.group()
        if len(characters) >= 2:
            good += len(characters)
        elif _JAPANESE.match(characters):
            # A lone kanji between Latin letters is an accented letter that swallowed its neighbour.
            beside = text[max(run.start() - 1, 0) : run.start()] + text[run.end() : run.end() + 1]
            bad, good = (bad + 1, good) if any(letter.isalpha() for letter in beside) else (bad, good + 1)
        elif "\uff61" <= characters <= "\uff9f":
            bad += 1  # a lone half-width kana is a Latin-1 degree sign or accent
        else:
            good += 1  # a symbol such as the degree sign of JIS
    return (good - bad) / max(good + bad, 1)


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
    the encoding does not know become U+FFFD.
    """

    def __init__(self, raw: BinaryIO | io.RawIOBase, encoding: str | None) -> None:
        self._raw = raw
        self._ready = bytearray()
        self._ended = False
        self._decoder: codecs.IncrementalDecoder | None = None
        self.encoding = encoding or "ascii"
        if encoding is not None:
            self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._first = True

    def readable(self) -> bool:
        """Always."""
        return True

    def sample(self, size: int) -> bytes:
        """The first `size` bytes of what is to come, not taken; fewer only at the end."""
        while len(self._ready) < size and not self._ended:
            self._fill()
        return bytes(self._ready[:size])

    def read(self, size: int = -1) -> bytes:
        """Take up to `size` bytes; fewer only at the end."""
        while (size < 0 or len(self._ready) < size) and not self._ended:
            self._fill()
        size = len(self._ready) if size < 0 else size
        data = bytes(self._ready[:size])
        del self._ready[:size]
        return data

    def _fill(self) -> None:
        data = self._raw.read(_READ_BYTES) or b""
        self._ended = not data
        if self._decoder is None and (self._first or not data.isascii()):
            self.encoding = found_encoding(data)
            if self.encoding != "ascii":
                self._decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        self._first = False
        if self._decoder is None:
            self._ready += data
        elif data.isascii() and data and self.encoding in {"utf-8", "cp1252", "latin-1"}:
            self._ready += self._passed(data)
        else:
            self._ready += self._decoder.decode(data, final=self._ended).encode("utf-8", errors="replace")

    def _passed(self, data: bytes) -> bytes:
        """ASCII through a decoder that may still hold half a character."""
        assert self._decoder is not None
        if not self._decoder.getstate()[0]:
            return data
        return self._decoder.decode(data, final=False).encode("utf-8", errors="replace")
