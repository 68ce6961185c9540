"""`dvc repro` with nothing changed: the same question to a peer in its own environment."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.figures import BUILD

VERSION = "3.67.1"
STAGE = """\
stages:
  train:
    cmd: python -c "open('model.txt', 'w').write('trained')"
    deps: [data.txt, train.py]
    outs: [model.txt]
"""


def unchanged(folder: Path, repeats: int) -> float | None:
    """Return the median wall time in seconds; None where DVC cannot be installed."""
    dvc = _installed()
    if dvc is None:
        return None
    folder.mkdir()
    (folder / "dvc.yaml").write_text(STAGE)
    (folder / "data.txt").write_text("rows")
    (folder / "train.py").write_text("# the model\n")
    for command in (["git", "init", "--quiet"], [dvc, "init", "--quiet"], [dvc, "repro"]):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        subprocess.run([dvc, "repro"], cwd=folder, check=True, capture_output=True)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def _installed() -> str | None:
    home = BUILD / "peers" / "dvc"
    dvc = home / "bin" / "dvc"
    if not dvc.exists():
        python = home / "bin" / "python"
        make = [sys.executable, "-m", "venv", str(home)]
        fill = [str(python), "-m", "pip", "install", "--quiet", f"dvc=={VERSION}"]
        for command in (make, fill):
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            if done.returncode:
                said = done.stderr.strip().splitlines()[-1:]
                print(f"not compared with DVC, which cannot be installed: {said}", file=sys.stderr)
                return None
    return str(dvc)
