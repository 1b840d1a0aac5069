"""The options that commands share, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

_INPUT = "Input"
_SHAPE = "From rows to channels"

Inputs = Annotated[
    list[str], typer.Argument(metavar="INPUT...", help="CSV or Parquet files, globs or folders; - is stdin.")
]
Time = Annotated[
    str | None,
    typer.Option(
        "--time", envvar="LOGSCAN_TIME", help="Time column; 'row' if there is none.", rich_help_panel=_INPUT
    ),
]
Entity = Annotated[
    list[str] | None,
    typer.Option(
        "--entity", envvar="LOGSCAN_ENTITY", help="Column naming the machine or line.", rich_help_panel=_INPUT
    ),
]
Channels = Annotated[
    str | None,
    typer.Option(
        "--channels",
        envvar="LOGSCAN_CHANNELS",
        help="Channels to use, comma-separated.",
        rich_help_panel=_INPUT,
    ),
]
Ignore = Annotated[
    list[str] | None,
    typer.Option("--ignore", envvar="LOGSCAN_IGNORE", help="Column to leave out.", rich_help_panel=_INPUT),
]
Kind = Annotated[
    Literal["samples", "events"] | None,
    typer.Option(
        "--kind",
        envvar="LOGSCAN_KIND",
        help="Regular readings, or one row per thing that happened.",
        rich_help_panel=_INPUT,
    ),
]
Every = Annotated[
    str | None,
    typer.Option(
        "--every",
        envvar="LOGSCAN_EVERY",
        help="Grid step, such as 1min, 1h or 1month.",
        rich_help_panel=_INPUT,
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        "--encoding", envvar="LOGSCAN_ENCODING", help="Text encoding, such as cp932.", rich_help_panel=_INPUT
    ),
]
Delimiter = Annotated[
    str | None,
    typer.Option("--delimiter", envvar="LOGSCAN_DELIMITER", help="CSV separator.", rich_help_panel=_INPUT),
]
Decimal = Annotated[
    str | None,
    typer.Option("--decimal", envvar="LOGSCAN_DECIMAL", help="Decimal mark, . or ,", rich_help_panel=_INPUT),
]
Quote = Annotated[
    str | None,
    typer.Option(
        "--quote",
        envvar="LOGSCAN_QUOTE",
        help="Character around cells: single, double or none.",
        rich_help_panel=_INPUT,
    ),
]
Header = Annotated[
    str | None,
    typer.Option(
        "--header",
        envvar="LOGSCAN_HEADER",
        help="Line of the header such as 3, lines such as 3-5, or none.",
        rich_help_panel=_INPUT,
    ),
]
DataFrom = Annotated[
    int | None,
    typer.Option(
        "--data-from",
        envvar="LOGSCAN_DATA_FROM",
        min=1,
        help="Line of the first row of data.",
        rich_help_panel=_INPUT,
    ),
]
Units = Annotated[
    bool,
    typer.Option(
        "--units",
        envvar="LOGSCAN_UNITS",
        help="Take units off numbers, such as 12.5 kPa.",
        rich_help_panel=_INPUT,
    ),
]
DateOrder = Annotated[
    Literal["dmy", "mdy", "ymd"] | None,
    typer.Option(
        "--date-order",
        envvar="LOGSCAN_DATE_ORDER",
        help="Order of day, month and year where the dates do not tell.",
        rich_help_panel=_INPUT,
    ),
]
Timezone = Annotated[
    str | None,
    typer.Option(
        "--timezone",
        envvar="LOGSCAN_TIMEZONE",
        help="Zone of times without one, such as Asia/Tokyo.",
        rich_help_panel=_INPUT,
    ),
]
Missing = Annotated[
    list[str] | None,
    typer.Option(
        "--missing",
        envvar="LOGSCAN_MISSING",
        help="Number that stands for no reading, such as -999.",
        rich_help_panel=_INPUT,
    ),
]
Aggregate = Annotated[
    list[str] | None,
    typer.Option(
        "--aggregate",
        envvar="LOGSCAN_AGGREGATE",
        help="How the values of one step become one: mean, last, min, max, sum, count ..., or COLUMN=HOW.",
        rich_help_panel=_SHAPE,
    ),
]
Sensor = Annotated[
    str | None,
    typer.Option(
        "--sensor",
        envvar="LOGSCAN_SENSOR",
        help="Long format: column that names the channel of a row.",
        rich_help_panel=_SHAPE,
    ),
]
Value = Annotated[
    str | None,
    typer.Option(
        "--value",
        envvar="LOGSCAN_VALUE",
        help="Long format: column that holds the reading.",
        rich_help_panel=_SHAPE,
    ),
]
Split = Annotated[
    str | None,
    typer.Option(
        "--split",
        envvar="LOGSCAN_SPLIT",
        help="Events: column whose most frequent values are counted apart.",
        rich_help_panel=_SHAPE,
    ),
]
Top = Annotated[
    int | None,
    typer.Option(
        "--top",
        envvar="LOGSCAN_TOP",
        min=1,
        max=100,
        help="Events: how many values of --split are counted apart (5).",
        rich_help_panel=_SHAPE,
    ),
]
Repeats = Annotated[
    Literal["count", "drop"] | None,
    typer.Option(
        "--repeats",
        envvar="LOGSCAN_REPEATS",
        help="Events: count or drop rows that repeat a row (drops imports that came twice).",
        rich_help_panel=_SHAPE,
    ),
]
Status = Annotated[
    str | None,
    typer.Option(
        "--status",
        envvar="LOGSCAN_STATUS",
        help="Column that tells when the machine stands; stops are not judged.",
        rich_help_panel=_SHAPE,
    ),
]
Running = Annotated[
    list[str] | None,
    typer.Option(
        "--running",
        envvar="LOGSCAN_RUNNING",
        help="Value of --status in which the machine runs, or a condition such as '>0'.",
        rich_help_panel=_SHAPE,
    ),
]
Holidays = Annotated[
    str | None,
    typer.Option(
        "--holidays",
        envvar="LOGSCAN_HOLIDAYS",
        help="Country (and region) whose public holidays are not judged, such as JP or DE-BY.",
        rich_help_panel=_SHAPE,
    ),
]
Calendar = Annotated[
    str | None,
    typer.Option(
        "--calendar",
        envvar="LOGSCAN_CALENDAR",
        help="The plant's own calendar: CSV of date, or of start,end; not judged.",
        rich_help_panel=_SHAPE,
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", envvar="LOGSCAN_CONFIG", help="TOML file; default: logscan.toml here, if any."),
]
ModelFolder = Annotated[Path, typer.Option("--model", envvar="LOGSCAN_MODEL", help="Model folder.")]
Device = Annotated[
    Literal["auto", "cpu", "cuda"],
    typer.Option("--device", envvar="LOGSCAN_DEVICE", help="Where attention runs."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
