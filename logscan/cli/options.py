"""Options that commands share: those of the input are made from the fields of `InputConfig`."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import typer
from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from logscan.config import COMMON, InputConfig, Option

F = TypeVar("F", bound=Callable[..., Any])

Inputs = Annotated[
    list[str],
    typer.Argument(metavar="INPUT", help="Files, globs or folders of CSV or Parquet; - is stdin."),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="LOGSCAN_CONFIG",
        help="TOML file; default: logscan.toml here, if any.",
        rich_help_panel=COMMON,
    ),
]
ModelFolder = Annotated[Path, typer.Option("--model", envvar="LOGSCAN_MODEL", help="Model folder.")]
Device = Annotated[
    Literal["auto", "cpu", "cuda"],
    typer.Option("--device", envvar="LOGSCAN_DEVICE", help="Where attention runs."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


def input_options(command: F) -> F:
    """Give a command one option for every field of `InputConfig`, and `--help-all`, which shows the rare ones too.

    The command takes what was given as `given`: field -> value, `None` or empty where the option was not given.
    """
    hints = typing.get_type_hints(command, include_extras=True)
    own = [
        parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in inspect.signature(command).parameters.items()
        if name != "given"
    ]
    made = [_parameter(name, field) for name, field in InputConfig.model_fields.items()]
    # Required parameters first; `KEYWORD_ONLY` leaves the order of the help to the panels.
    parameters = [*own, *made, _HELP_ALL]

    @functools.wraps(command)
    def run(**values: Any) -> Any:
        values.pop(_HELP_ALL.name)
        given = {name: _given(values.pop(name), field) for name, field in InputConfig.model_fields.items()}
        return command(**values, given=given)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    del run.__wrapped__  # Typer would read the annotations of what is wrapped
    return run  # type: ignore[return-value]


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    """One option of the command line."""
    option = _option(field)
    kind = _shown_type(field)
    shown = f" [default: {field.default}]" if isinstance(field.default, int) and kind is not bool else ""
    made = typer.Option(
        f"--{name.replace('_', '-')}",
        envvar=f"LOGSCAN_{name.upper()}",
        help=f"{field.description}{shown}",
        metavar=_metavar(kind),
        rich_help_panel=option.panel,
        hidden=option.panel != COMMON,
        show_default=False,
        show_envvar=False,
        min=_bound(field, Ge, "ge"),
        max=_bound(field, Le, "le"),
    )
    default = False if kind is bool else None
    annotation = bool if kind is bool else kind | None
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[annotation, made]
    )


def _option(field: FieldInfo) -> Option:
    return next(one for one in field.metadata if isinstance(one, Option))


def _bound(field: FieldInfo, kind: type, name: str) -> int | None:
    return next((getattr(one, name) for one in field.metadata if isinstance(one, kind)), None)


def _shown_type(field: FieldInfo) -> Any:
    """The type of the option: that of the field without None; several texts are a list, or one text with commas."""
    kind = field.annotation
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(one for one in get_args(kind) if one is not type(None))
    if get_origin(kind) is tuple:
        return str if _option(field).comma else list[str]
    return kind


def _metavar(kind: Any) -> str | None:
    """What stands for the value in the help; a list is an option that can be given several times."""
    if kind == list[str]:
        return "TEXT ..."
    return {str: "TEXT", int: "N"}.get(kind)


def _given(value: Any, field: FieldInfo) -> Any:
    """The value of a field as it goes into the configuration; None where the option was not given."""
    if value is None or value is False or value == []:
        return None
    if _option(field).comma:
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(value) if isinstance(value, list) else value


def _show_all(context: typer.Context, wanted: bool) -> None:
    """Print the help with the rare options and end."""
    if not wanted:
        return
    for parameter in context.command.params:
        parameter.hidden = False  # type: ignore[attr-defined]
    typer.echo(context.get_help())
    raise typer.Exit


_HELP_ALL = inspect.Parameter(
    "help_all",
    inspect.Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[
        bool,
        typer.Option(
            "--help-all", is_eager=True, callback=_show_all, help="This help with the rare options too."
        ),
    ],
)
