"""The page that `--help` shows: plain, readable at 80 columns, options in groups from the common to the rare."""

from __future__ import annotations

from typing import Any

import typer.core

from logscan.config import COMMON

_EPILOG = (
    "Every input option can also be LOGSCAN_<NAME> in the environment or a key of [input] in logscan.toml."
)


class GroupedCommand(typer.core.TyperCommand):
    """A command whose help lists its options group by group."""

    def format_help_text(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  the signature is Click's
        """The example on a line of its own, to be copied, then what the command does."""
        example, _, rest = (self.help or "").partition("\n")
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write(f"{'':{formatter.current_indent}}{example}\n")
            formatter.write_paragraph()
            formatter.write_text(rest.strip())

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments, own options, then the groups of the input options."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                name = getattr(parameter, "rich_help_panel", None)
                argument = parameter.param_type_name == "argument"
                groups.setdefault("Arguments" if argument else name or "Options", []).append(record)
        for name, records in groups.items():
            with formatter.section(name):
                formatter.write_dl(records)
        if COMMON in groups:
            formatter.write_paragraph()
            formatter.write_text(_EPILOG)
