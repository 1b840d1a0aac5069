"""Formulas in data are escaped in files that a spreadsheet opens, and read back."""

from __future__ import annotations

ESCAPED_FORMULA = r"^'('*[=+\-@\t\r])"  # which reading takes off again


def safe_text(text: str) -> str:
    """A text from the data that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip("'")[:1] in set("=+-@\t\r") and text.lstrip("'") else text
