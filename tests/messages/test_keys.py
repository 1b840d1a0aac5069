"""Keys and fields of notes against the messages that word them, and where sentences may stand; by syntax tree."""

import ast
import re
from pathlib import Path

import logscan
from logscan.messages import MESSAGES
from logscan.messages.report import TEXTS
from logscan.messages.template import fields_of

ROOT = Path(logscan.__file__).parent
JAPANESE = re.compile(r"[぀-ヿ一-鿿]")
SENTENCE = re.compile(r"[A-Za-z]\S* .*[.:;]$|(\b[A-Za-z']{2,}\b[ ,]+){3}")


def trees(folder="."):
    """Path and syntax tree of every module in a folder of logscan."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def made_notes():
    """Every call of `note`: where it stands, its first argument, the names of its fields; None: not literal."""
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "note":
                fields = [word.arg for word in node.keywords]
                yield f"{path}:{node.lineno}", node.args[0], None if None in fields else frozenset(fields)


def test_keys_of_notes_are_literals():
    """A key that is put together could not be compared with the messages."""
    for place, key, _ in made_notes():
        assert isinstance(key, ast.Constant), place
        assert isinstance(key.value, str), place


def test_keys_used_are_keys_worded():
    """Every note that is made has a message, and no message is left without a note."""
    assert {key.value for _, key, _ in made_notes()} == set(MESSAGES)


def test_notes_have_the_fields_their_messages_show():
    """Both languages show fields that the note has."""
    for place, key, fields in made_notes():
        if fields is None:  # given as a mapping; the test of every note fills its template
            continue
        message = MESSAGES[key.value]
        shown = fields_of(message.en) | fields_of(message.ja)
        assert shown <= fields, (place, shown - fields)
        assert fields_of(message.en) >= fields_of(message.ja), place


def test_both_languages_are_written():
    """No message is empty, and every Japanese one holds Japanese script, or fields and nothing else."""
    for key, message in MESSAGES.items():
        assert message.en.strip(), key
        bare = re.sub(r"\{[^}]*\}|''|[「」]", "", message.ja).strip()
        assert not bare or JAPANESE.search(bare), key


def docstrings(tree):
    """The nodes that are docstrings."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, kinds) and node.body and isinstance(node.body[0], ast.Expr):
            yield node.body[0].value


def in_errors(tree):
    """The strings of what is raised, and of names such as `remedy` that an error is given."""
    for node in ast.walk(tree):
        raised = isinstance(node, ast.Raise)
        named = isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in {"fact", "remedy"}
        if raised or named:
            yield from ast.walk(node)


def test_no_sentence_stands_in_the_report():
    """Only `messages` words what a report shows; errors stay English where they are raised."""
    found = []
    for path, tree in trees("report"):
        spared = {id(node) for node in (*docstrings(tree), *in_errors(tree))}
        found += [
            (path, node.lineno, node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in spared
            and (SENTENCE.search(node.value) or len(JAPANESE.findall(node.value)) > 4)
        ]
    # A policy for browsers, and fields that are a language of their own.
    assert [one for one in found if "default-src" not in one[2] and "base-uri" not in one[2]] == []


def test_texts_of_the_report_are_used():
    """No text of the report is left that no module and no template asks for."""
    sources = [path for path in (ROOT / "report").rglob("*") if path.suffix in {".py", ".j2"}]
    whole = "".join(path.read_text(encoding="utf-8") for path in sources)
    asked = set(re.findall(r"['\"](\w+)['\"]", whole)) | set(re.findall(r"t\('(\w+)' ~", whole))
    starts = set(re.findall(r"f\"(\w+_)\{", whole)) | set(re.findall(r"'(\w+_)' ~", whole))
    unused = {
        key
        for key in TEXTS
        if key not in asked
        and re.sub(r"_(one|many)$", "", key) not in asked
        and not any(key.startswith(start) for start in starts)
    }
    assert unused == set()
