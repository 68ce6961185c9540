"""Memory of a command with everything it started, read from the kernel while it runs."""

import subprocess
import threading
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

INTERVAL = 0.2
"""Seconds between two readings."""


def peak_memory(command: Sequence[str]) -> tuple[float, "subprocess.CompletedProcess[str]"]:
    """Run a command, and return the most that it and its descendants held at once, in MB.

    Pages that processes share are counted once (PSS, proportional set size).
    """
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        over, peak = threading.Event(), [0.0]

        def watch() -> None:
            while not over.wait(INTERVAL):
                peak[0] = max(peak[0], _held(process.pid))

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        out, err = process.communicate()
        over.set()
        watcher.join()
    return peak[0], subprocess.CompletedProcess(command, process.returncode, out, err)


def _held(root: int) -> float:
    """Return what a process and its descendants hold now, in MB."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            parent = _parent(folder)
            if parent is not None:
                children[parent].append(int(folder.name))
    waiting, total = [root], 0.0
    while waiting:
        pid = waiting.pop()
        waiting += children[pid]
        total += _proportional(pid)
    return total


def _parent(folder: Path) -> int | None:
    try:
        # The name in parentheses may hold anything, so what follows the last one is read.
        return int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it ended meanwhile
        return None


def _proportional(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    kilobytes = next((line.split()[1] for line in lines if line.startswith("Pss:")), "0")
    return int(kilobytes) / 1024
