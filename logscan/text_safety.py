"""Control characters in text from data, made visible before a terminal shows them."""

from __future__ import annotations

import re

# Control characters move the cursor, colour or rename a terminal; marks of direction turn text around.
_BEYOND = "\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
_UNSAFE = re.compile(f"[\x00-\x1f{_BEYOND}]")
_UNSAFE_IN_JSON = re.compile(f"[{_BEYOND}]")


def visible(text: str) -> str:
    r"""`text` with every character that a terminal would obey as its escape, such as `\x1b`."""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def visible_json(document: str) -> str:
    """A JSON document with the characters that JSON itself does not escape as its own escapes."""
    return _UNSAFE_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", document)
