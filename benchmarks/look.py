"""One look of the monitor at JSON lines with their labels: what it costs, and how that grows."""

import json
import subprocess
import sys
import tempfile

from benchmarks.figures import Figure, exit_with

ROWS = (1_000_000, 4_000_000)
ONCE = [sys.executable, "-m", "benchmarks.look_once"]


def look_figures() -> list[Figure]:
    """Return time and memory of a look at few and at many rows, beside parsing alone."""
    figures, peaks = [], []
    for rows in ROWS:
        with tempfile.TemporaryDirectory() as folder:
            _once("write", folder, rows)
            parse, look = (json.loads(_once(verb, folder)) for verb in ("parse", "look"))
        peaks.append(look["peak"])
        of, ratio = f"a look at {rows:,} JSON lines with labels", look["seconds"] / parse["seconds"]
        figures += [
            Figure(f"{of}, processor time", look["seconds"], None, "s"),
            Figure(f"{of}, over parsing them once", ratio, 12, "times"),
            Figure(f"{of}, peak memory", look["peak"], 600, "MB"),
        ]
    name = f"memory of a look at {ROWS[1]:,} rows over one at {ROWS[0]:,}"
    return [*figures, Figure(name, peaks[1] / peaks[0], 1.5, "times")]


def _once(verb: str, *arguments: object) -> str:
    command = [*ONCE, verb, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    exit_with("look", look_figures())
