"""Numbers: text cells to float64, whole columns at a time; what is no number is counted."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logscan.records import F64, CastFailure

MISSING_WORDS = frozenset(
    {"", "na", "n/a", "#n/a", "#na", "<na>", "nan", "-nan", "null", "nil", "none", "#null!", "欠測", "欠損"}
)
_SIGNS = ")*#;"
_FLOAT64 = pa.float64()
_NAN = re.compile(r"[+-]?nan(\(\w*\))?")  # as C writes it, and as Arrow reads it
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_PLAIN = {".": _NUMBER, ",": r"^[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?$"}
_THOUSANDS = {".": r"^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?$", ",": r"^[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?$"}


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column as numbers."""

    cells: F64  # (rows,), NaN where missing, not a number or infinite
    failures: int  # cells that hold anything but a missing-value word and are not finite numbers
    example: str  # one of them, "" if none
    marked: int = 0  # cells that carry a sign behind their number, which was taken off

    @property
    def present(self) -> int:
        """Cells that hold anything but a missing-value word."""
        return int(np.isfinite(self.cells).sum()) + self.failures


def merged_failure(old: CastFailure | None, new: Numbers) -> CastFailure | None:
    """The failures of a column after one more batch."""
    if new.failures == 0:
        return old
    if old is None:
        return CastFailure(new.failures, new.example)
    return CastFailure(old.count + new.failures, min(old.example, new.example))


def is_text(kind: Any) -> bool:
    """Whether an Arrow type holds text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_number(kind: Any) -> bool:
    """Whether an Arrow type holds numbers (booleans too)."""
    types = pa.types
    return bool(
        types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind)
    )


def plain(column: Any) -> Any:
    """A column without chunks and dictionaries, text as `string`."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_large_string(column.type) or str(column.type) == "string_view":
        column = column.cast(pa.string())
    return column


def as_text(column: Any) -> Any:
    """Any plain column as text, null where missing."""
    return column if is_text(column.type) else column.cast(pa.string())


def numbers(column: Any, decimal: str) -> Numbers:
    """A plain Arrow column as float64.

    Args:
        column: (rows,) text, numbers or booleans.
        decimal: the decimal mark of text cells, `.` or `,`.
    """
    if column.type == _FLOAT64:  # the usual case, quickly
        return _finite(column.to_numpy(zero_copy_only=False), 0, "")
    if is_text(column.type):
        return _text_numbers(column, decimal)
    if not is_number(column.type):
        present = column.drop_null()
        example = str(present[0].as_py())[:40] if len(present) else ""
        return Numbers(np.full(len(column), np.nan), len(present), example)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return _finite(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), 0, "")


def _text_numbers(column: Any, decimal: str) -> Numbers:
    """Text as numbers: all at once where that succeeds, else by rule what is not plainly a number."""
    try:
        clean = column if decimal == "." else _with_point(column)
        return _finite(clean.cast(pa.float64()).to_numpy(zero_copy_only=False), 0, "")
    except pa.ArrowInvalid:
        pass
    good = pc.match_substring_regex(column, _PLAIN[decimal])
    text = pc.if_else(good, column, None)
    if decimal == ",":
        text = pc.replace_substring(text, ",", ".")
    values = np.array(text.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    rest = pc.invert(good).fill_null(False)
    found = _careful_numbers(column.filter(rest), decimal)
    values[rest.to_numpy(zero_copy_only=False)] = found.cells
    return replace(_finite(values, found.failures, found.example), marked=found.marked)


def _with_point(column: Any) -> Any:
    """Decimal commas as points; raises ArrowInvalid where a cell also holds points."""
    if pc.any(pc.match_substring(column, ".")).as_py():
        raise pa.ArrowInvalid("points beside decimal commas")
    return pc.replace_substring(column, ",", ".")


def _careful_numbers(column: Any, decimal: str) -> Numbers:
    """Cells cleaned by rule where they need it; what is left is looked at one distinct text at a time."""
    text = pc.utf8_trim_whitespace(column)
    grouped = pc.match_substring_regex(text, _THOUSANDS[decimal])
    separator = "," if decimal == "." else "."
    text = pc.if_else(grouped, pc.replace_substring(text, separator, ""), text)
    if decimal == ",":
        text = pc.replace_substring(text, ",", ".")
    text = pc.replace_substring_regex(text, r"\s*[%％]$", "")
    good = pc.fill_null(pc.match_substring_regex(text, _NUMBER), False)
    raw = pc.if_else(good, text, None).cast(pa.float64()).to_numpy(zero_copy_only=False)
    values = np.array(raw, dtype=np.float64)

    rest = pc.and_(pc.invert(good), pc.is_valid(column))
    positions = np.flatnonzero(rest.to_numpy(zero_copy_only=False))
    encoded = column.filter(rest).dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    codes = encoded.indices.to_numpy()
    counts = np.bincount(codes, minlength=len(distinct))
    cleaned = np.array([_cleaned(cell, decimal) for cell in distinct], dtype=np.float64)
    missing = np.array([_is_missing(cell) for cell in distinct], dtype=np.bool_)
    failed = np.isnan(cleaned) & ~missing
    if len(distinct):
        values[positions] = cleaned[codes]
    failures = int(counts[failed].sum())
    example = min((cell for cell, bad in zip(distinct, failed, strict=True) if bad), default="")
    signs = np.array(
        [cell.rstrip().endswith(tuple(_SIGNS)) and "(" not in cell for cell in distinct], dtype=np.bool_
    )
    marked = int(counts[signs & np.isfinite(cleaned)].sum())
    return replace(_finite(values, failures, example[:40]), marked=marked)


def _finite(values: F64, failures: int, example: str) -> Numbers:
    """Infinities read as missing and counted as failures."""
    with np.errstate(all="ignore"):
        if np.isfinite(values.sum()):  # one quick pass: a sum with an infinity in it is not finite
            return Numbers(values, failures, example)
    infinite = np.isinf(values)
    if infinite.any():
        example = example or ("inf" if values[infinite][0] > 0 else "-inf")
        failures += int(infinite.sum())
        values = np.where(infinite, np.nan, values)
    return Numbers(values, failures, example)


def _is_missing(cell: str) -> bool:
    word = cell.strip().casefold()
    return word in MISSING_WORDS or bool(_NAN.fullmatch(word))


def _cleaned(cell: str, decimal: str) -> float:
    """The number in a cell of unusual form, else NaN.

    Full-width digits, signs of typography, Excel's `="12"`, currency signs, thousands parted by blanks or
    apostrophes, a minus behind the number or brackets around it, a sign such as `)`, `*` or `#` behind it, and inf.
    """
    text = unicodedata.normalize("NFKC", cell).strip().replace("\u2212", "-").replace("\u3000", "")
    text = re.sub(r'^="(.*)"$', r"\1", text).strip()
    text = re.sub(r"^([+-]?)\s*[$€£¥\\]?\s*|\s*[$€£¥]$", r"\1", text)  # the yen sign of CP932 is a backslash
    text = re.sub(r"^\(\s*([\d.,' ]+)\s*\)$|^([\d.,' ]+)-$", r"-\1\2", text)
    # Nearly complete, estimated, of another instrument, as meteorologists mark it; the end of a record.
    text = re.sub(rf"^([+-]?[\d.,]+([eE][+-]?\d+)?)\s*[{_SIGNS}]$", r"\1", text)
    if re.match(r"^[+-]?\d{1,3}([ '’]\d{3})+([.,]\d*)?$", text):
        text = re.sub("[ '’]", "", text)
    if re.match(_THOUSANDS[decimal], text, re.ASCII):
        text = text.replace("," if decimal == "." else ".", "")
    if decimal == ",":
        text = text.replace(",", ".")
    text = text.removesuffix("%").rstrip()
    infinite = text.casefold().lstrip("+-") in {"inf", "infinity"}
    return float(text) if infinite or re.match(_NUMBER, text, re.ASCII) else float("nan")
