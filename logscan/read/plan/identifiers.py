"""Columns of numbers that name things instead of measuring them, by their name and their values."""

from __future__ import annotations

import re

import numpy as np

from logscan.records import F64

_ID_TOKENS = frozenset(
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
_ID_WHOLES = frozenset(
    {
        "customer", "invoice", "order", "transaction", "receipt", "ticket", "user", "account", "member",
        "client", "store", "product", "item", "number", "order number", "invoice number", "customer number",
        "顧客", "会員", "伝票", "店舗", "商品", "得意先", "注文", "受注", "社員", "担当者",
    }
)  # fmt: skip
_ID_ASIAN = re.compile(
    r"(番号|コード|ＩＤ|ID|No\.?|№|编号|編號|单号|號碼|代码|代碼|번호|코드)([(（].*)?$", re.IGNORECASE
)
_AMOUNT = re.compile(
    r"price|amount|quantity|qty|total|sales|revenue|cost|value|金額|数量|価格|単価|売上|合計|個数",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"(.*[ _.])?(lat|latitude|lng|lon|long|longitude|緯度|経度|纬度|经度|위도|경도)", re.IGNORECASE
)


def is_identifier(name: str, values: F64) -> bool:
    """Whether whole numbers name things instead of measuring them.

    Args:
        name: of their column.
        values: (rows,) float64, none missing.
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    tokens = [token for token in re.split(r"[\s_./()\[\]-]+", spaced.strip().casefold()) if token]
    if _ID_TOKENS.intersection(tokens) or " ".join(tokens) in _ID_WHOLES or _ID_ASIAN.search(name):
        return True
    if _AMOUNT.search(name) or len(values) < 100:
        return False
    distinct = np.unique(values)
    running = len(distinct) > 0.05 * len(values) and float((np.diff(values) >= 0).mean()) > 0.99
    same_digits = values.min() >= 10_000 and len(str(int(values.min()))) == len(str(int(values.max())))
    return bool(running or same_digits)


def is_place(name: str) -> bool:
    """Whether a column holds a coordinate on the earth."""
    return _PLACE.fullmatch(name.strip()) is not None
