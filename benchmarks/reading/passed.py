"""Which modules of logscan a file passes while it is read, and which stations of the reader, in order of first call.

python -m benchmarks reading passed sample_data/pump_station.csv
"""

from __future__ import annotations

import argparse
import sys
import threading
from pathlib import Path
from types import FrameType

from logscan.config import InputConfig
from logscan.read import read_log

_STATIONS = ("files", "formats", "values", "plan", "grid")


def main() -> None:
    """Read the file with a profile function that notes every module whose code runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file")
    arguments = parser.parse_args()
    modules: dict[str, None] = {}

    def noted(frame: FrameType, event: str, _argument: object) -> None:
        name = frame.f_globals.get("__name__", "")
        if event == "call" and name.startswith("logscan."):
            modules.setdefault(name)

    threading.setprofile(noted)
    sys.setprofile(noted)
    try:
        read_log([Path(arguments.file)], InputConfig())
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    reader = [name for name in modules if name.startswith("logscan.read")]
    stations = dict.fromkeys(name.split(".")[2] for name in reader if name.count(".") > 1)
    print(f"{len(reader)} modules of the reader, {len(modules)} of logscan:")
    for name in modules:
        print(f"  {name}")
    print("stations in order:", ", ".join(name for name in stations if name in _STATIONS))


if __name__ == "__main__":
    main()
