"""Names from data are shown as text: no terminal obeys them, and none becomes a path."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from logscan.text_safety import visible, visible_json
from tests.conftest import Run

BAD = "a\x1b[2J\x9bc\u202eb"


@given(st.text())
def test_what_is_shown_has_no_control_character(text: str) -> None:
    """Whatever a name holds, what is shown is one line, and JSON stays the same document."""
    shown = visible(text)
    assert len(shown.splitlines()) <= 1
    assert not set(shown) & {"\x1b", "\x7f", "\x9b", "\u202e"}
    document = json.dumps([text], ensure_ascii=False)
    assert json.loads(visible_json(document)) == [text]
    assert not set(visible_json(document)) & {"\x7f", "\x9b", "\u202e", "\u2028"}


def test_hostile_names_of_columns_entities_and_files(bench: Path, logscan: Run) -> None:
    """Escapes in names reach neither terminal nor disk, in tables, JSON, notes and errors."""
    rows = "".join(
        f"2024-01-{15 + row // 24:02d} {row % 24:02d}:00,../{BAD},{row % 7},{BAD}\n" for row in range(99)
    )
    name = f"{BAD}\n.csv"
    (bench / name).write_text(f"time,machine,{BAD},state{BAD}\n{rows}")
    before = sorted(bench.rglob("*"))
    runs = {(): 0, ("--json",): 0, ("--time", BAD): 4, ("--entity", f"{BAD}x"): 2}
    for options, code in runs.items():
        outcome = logscan("check", name, "--entity", "machine", *options)
        assert outcome.code == code
        shown = outcome.out + outcome.err
        assert not set(shown) & {"\x1b", "\x9b", "\u202e"}, options
        assert "a\\x1b[2J" in shown or "a\\u001b[2J" in shown, options
    assert sorted(bench.rglob("*")) == before
