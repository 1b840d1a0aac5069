"""Documents say what the code says: paths exist, the reference is made from the code, sentences are short."""

import ast
import re
from pathlib import Path

import pytest

from logscan.cli.reference import reference

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
READ_BY_USERS = ("README.md", "CONTRIBUTING.md", "guide.md", "reference.md", "formats.md", "design.md")
LONGEST_SENTENCE_WORDS = 30
LONGEST_CELL = 120
MOST_WORDS = 12_000


def prose(page: Path) -> str:
    """A page without code."""
    return re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_the_reference_is_made_from_the_code() -> None:
    """Options, notes, limits and exit codes of the page are those of the code."""
    assert (ROOT / "docs" / "reference.md").read_text(encoding="utf-8") == reference()


@pytest.mark.parametrize("name", ["docs/architecture.md", "CONTRIBUTING.md", "docs/design.md"])
def test_every_path_of_a_page_exists(name: str) -> None:
    """A path in backticks leads somewhere."""
    for path in re.findall(r"`((?:logscan|benchmarks|tests|docs)(?:/[\w./]*)?)`", (ROOT / name).read_text()):
        assert (ROOT / path).exists(), path


def test_links_between_pages_lead_somewhere() -> None:
    """A link to a file of the repository finds it."""
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_folder_says_what_belongs_there() -> None:
    """The first file of a folder says what belongs there and what does not."""
    for file in (ROOT / "logscan").rglob("__init__.py"):
        told = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        assert file.parent.name == "logscan" or ("Belongs here:" in told and "Does not:" in told), file


def test_what_users_read_has_short_sentences_and_cells() -> None:
    """No sentence of more than 30 words, no cell of a table of more than 120 characters."""
    for page in PAGES:
        if page.name not in READ_BY_USERS:
            continue
        text = prose(page)
        for sentence in re.split(r"(?<=[.!?])\s+|\n\n|\n[-*|#]", text):
            assert "|" in sentence or len(sentence.split()) <= LONGEST_SENTENCE_WORDS, (
                f"{page.name}: {sentence}"
            )
        for line in text.splitlines():
            if line.startswith("|"):
                for cell in line.split("|"):
                    assert len(cell.strip()) <= LONGEST_CELL, f"{page.name}: {cell}"


def test_documents_stay_short() -> None:
    """All pages but the logs of experiments and changes together: what a person reads in an afternoon."""
    counted = [page for page in PAGES if page.name not in {"log.md", "CHANGELOG.md", "README.ja.md"}]
    words = {
        page.name: len(re.findall(r"\S*\w\S*", prose(page))) for page in counted
    }  # bars of tables are none
    assert sum(words.values()) <= MOST_WORDS, words
