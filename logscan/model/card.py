"""The model card: what a person should know before trusting the model."""

from __future__ import annotations

from logscan.model.records import Model
from logscan.results.run_record import ModelCardRecord
from logscan.time_text import time_text


def model_card(model: Model) -> ModelCardRecord:
    """The card as a record, for the report and the run record."""
    first = model.entities[0]
    grids = [entity.grid for entity in model.entities]
    zone = first.grid.timezone
    return ModelCardRecord(
        model_id=model.model_id,
        created=model.created,
        logscan_version=model.logscan_version,
        trained_rows=model.trained_rows,
        trimmed_steps=model.trimmed_steps,
        excluded_steps=model.excluded_steps,
        set_aside_steps=model.set_aside_steps,
        training_start=time_text(first.grid.kind, min(grid.start for grid in grids), zone),
        training_end=time_text(
            first.grid.kind, max(grid.start + (grid.steps - 1) * grid.step for grid in grids), zone
        ),
        entities=[entity.entity for entity in model.entities],
        channels=list(model.schema.channels),
        scales=sorted({head.spec.window_steps for head in first.heads}),
        heads=[head.spec.name for head in first.heads],
        history_tokens=sum(len(head.starts) for entity in model.entities for head in entity.heads),
        fitted=model.validation.get("heads_where_training_ships", 0) > 0,
        validation=model.validation,
        false_alarms=model.config.alarm.false_alarms,
    )


def model_card_text(model: Model) -> str:
    """The card as Markdown, for the model folder."""
    card = model_card(model)
    figures = "\n".join(f"- {name}: {value:.4g}" for name, value in card.validation.items())
    return f"""# Model {card.model_id}

Made by logscan {card.logscan_version}.

- Trained on {card.trained_rows} rows, {card.training_start} to {card.training_end}.
- Cells of these rows left out, too far from the others to be readings: {model.left_out_cells}
- Steps of these rows left out of the history because they are unlike all others: {card.trimmed_steps}
- Steps of these rows left out as known failures: {card.excluded_steps}
- Steps of these rows set aside as stops or days of a calendar: {card.set_aside_steps}
- Entities: {_listed([name or "(one series)" for name in card.entities])}
- Channels: {_listed(card.channels)}
- Heads: {_listed(card.heads)} ({card.history_tokens} history tokens)
- Start of the encoder: {"trained layers ship where they beat it" if card.fitted else "closed form only"}
- Promise: {card.false_alarms} false alarms, thresholds frozen at training.

## Figures on held-back training rows

{figures or "None: the closed-form start was kept without training."}

## Limits

The model knows as normal what its training rows show. A fault in the training rows is normal to it, unless it
was labelled; a normal state they do not show is an alarm. Train again after a lasting change of the process.
"""


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name.replace('`', chr(39))}`" for name in names)
