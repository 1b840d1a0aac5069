"""Every log of the corpus is read right, or asks; what is open is still wrong, and the page of formats says so."""

from pathlib import Path

import pytest

from tests.corpus.__main__ import page
from tests.corpus.scoring import HALVES, Case, cases, names_an_option, same_name, score

ALL = [case for half in HALVES for case in cases(half)]
PAGE = Path(__file__).parents[2] / "docs" / "formats.md"


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in ALL])
def test_a_log_is_read_right_or_asks(case: Case) -> None:
    """The result is right or a fair question; a case marked open is wrong, else the mark must go."""
    found = score(case)
    if case.open is None:
        assert found.result != "wrong", found.why
    else:
        assert found.result == "wrong", f"{case.name} is {found.result} now: take `open` out"


def test_every_case_says_what_is_right() -> None:
    """A case has files, a short title and facts beyond its kind."""
    for case in ALL:
        assert case.files, case.name
        assert 3 <= len(case.title) <= 100, case.name
        assert "|" not in case.title, case.name
        assert case.channels or case.values or case.first_time or case.rows_used, case.name


def test_the_corpus_stays_small() -> None:
    """All files together are below half a megabyte."""
    assert sum(path.stat().st_size for case in ALL for path in case.files) < 500_000


def test_the_page_of_formats_is_made_from_the_corpus() -> None:
    """The page is what `python -m tests.corpus` prints."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_names_are_compared_by_letters_and_digits() -> None:
    """A unit joined behind a name is free, another name is not."""
    assert same_name("CH1 [degC]", "CH1")
    assert same_name("Temp [Out]", "Temp Out")
    assert not same_name("CH12", "CH1")
    assert not same_name("CH1", "CH1 [degC]")


def test_a_remedy_counts_only_with_a_known_option() -> None:
    """A question names an option of the input."""
    assert names_an_option("pass --date-order dmy")
    assert not names_an_option("turn it into CSV")
    assert not names_an_option("pass --nothing")
