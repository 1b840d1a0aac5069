"""The shipped samples as files: `python -m logscan.demo.samples DIR` makes them."""

from __future__ import annotations

import sys
from pathlib import Path

from logscan.demo.orders import orders
from logscan.demo.pump_station import pump_station
from logscan.errors import OutputError
from logscan.results.atomic import write_bytes

SAMPLES = {"pump_station": pump_station, "orders": orders}


def write_samples(folder: Path) -> None:
    """Write every sample, `NAME.csv`, and its labels, `NAME.labels.csv`, into `folder`.

    The bytes are the same on every machine. The folder is made where it is missing.

    Raises:
        OutputError: The folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            str(folder), f"cannot be made a folder ({error.strerror})", "name another folder"
        ) from error
    for name, make in SAMPLES.items():
        sample = make()
        write_bytes(folder / f"{name}.csv", sample.csv)
        write_bytes(folder / f"{name}.labels.csv", sample.labels_csv())


if __name__ == "__main__":
    write_samples(Path(sys.argv[1]))
