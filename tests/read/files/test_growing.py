"""A file that is still written to: its last line is read when it is whole, and not a cell sooner."""

import numpy as np
import pytest

from logscan.config import InputConfig
from logscan.errors import InputError
from logscan.read import read_log
from tests.words import words

LINES = [
    f"2024-01-15 {row // 60:02d}:{row % 60:02d}:00,{100 + row * 37 % 900},{row * 0.37:.2f}"
    for row in range(97)
]
HEAD = "time,flow,temp"


def read(path, text, encoding="utf-8"):
    """The log of a file with `text` in it."""
    path.write_bytes(text.encode(encoding))
    return read_log([path], InputConfig())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "cp932"])
def test_a_half_written_line_is_left_for_the_next_run(tmp_path, encoding):
    """Wherever the file is cut, the rows before the cut are those of the whole file, and the cut is told."""
    path = tmp_path / "x.csv"
    whole = read(path, "\n".join(["時刻,流量,温度", *LINES, ""]), encoding)
    for length in (1, 9, 17, len(LINES[60]) - 6, len(LINES[60]) - 1):
        log = read(path, "\n".join(["時刻,流量,温度", *LINES[:60], LINES[60][:length]]), encoding)
        assert log.counts.rows_read == 60
        np.testing.assert_array_equal(log.series[0].values, whole.series[0].values[:60])
        assert words(log.notes) == (
            f"{path}: The last line has no line end yet and was left for the next run.",
        )


def test_a_whole_last_line_without_its_end_is_read(tmp_path):
    """A last cell with the decimals of all the others, or a word they hold too, is whole."""
    path = tmp_path / "x.csv"
    assert read(path, "\n".join([HEAD, *LINES])).counts.rows_read == 97
    words = [f"{line},{'Yes' if place % 3 else 'No'}" for place, line in enumerate(LINES)]
    assert read(path, "\n".join([HEAD + ",ok", *words])).counts.rows_read == 97
    quoted = [",".join(f'"{cell}"' for cell in line.split(",")) for line in LINES]
    assert read(path, "\n".join([HEAD, *quoted])).counts.rows_read == 97
    integers = [f"{line},{place * 7}" for place, line in enumerate(LINES)]
    assert read(path, "\n".join([HEAD + ",n", *integers])).counts.rows_read == 96


def test_a_single_line_and_an_end_of_file_byte_are_kept(tmp_path):
    """Without a line before it nothing tells that a line is cut; the old end-of-file byte is no line."""
    path = tmp_path / "x.csv"
    assert read(path, "\r\n".join([HEAD, *LINES]) + "\r\n\x1a").counts.rows_read == 97
    assert "left for the next run" not in " ".join(read(path, "\n".join([HEAD, *LINES, "  "])).notes)


def test_what_is_written_while_reading_comes_next_time(tmp_path):
    """The size at opening is the end: rows added while the file is read belong to the next run."""
    path = tmp_path / "x.csv"
    path.write_text("\n".join([HEAD, *LINES[:60], ""]))

    def add(_rows):
        with path.open("a") as file:
            file.write("\n".join([*LINES[60:], ""]))

    assert read_log([path], InputConfig(), progress=add).counts.rows_read == 60


def test_a_rotated_log_that_has_no_row_yet_is_passed_over(tmp_path):
    """Empty files among others are told, wherever they stand; alone they are refused."""
    for name, text in (("a.csv", ""), ("b.csv", f"{HEAD}\n"), ("c.csv", "\n".join([HEAD, *LINES, ""]))):
        (tmp_path / name).write_text(text)
    log = read_log([tmp_path], InputConfig())
    assert log.counts.rows_read == 97
    assert log.schema.files == (f"{tmp_path}/c.csv",)
    assert words(log.notes) == (
        f"2 of 3 files hold no rows and were skipped: '{tmp_path}/a.csv', '{tmp_path}/b.csv'.",
    )
    with pytest.raises(InputError, match=r"a\.csv: the file is empty"):
        read_log([tmp_path / "a.csv", tmp_path / "b.csv"], InputConfig())
