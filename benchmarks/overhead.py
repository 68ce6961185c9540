"""What CI costs beyond the author's own work: loading, fitting and their checks."""

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.figures import cpu_seconds

UNTIL = "2013-05-02"
"""With the template's holdout the flights before it are about 110,000 rows."""

AUTHOR = """\
import sys, tomllib
from datetime import date
sys.path.insert(0, ".")
from model.data import load
from model.pipeline import build_pipeline
config = tomllib.load(open("ml-gitops.toml", "rb"))
rows = load(config["data"]["start"], date.fromisoformat(sys.argv[1]))
features = list(config["features"])
pipeline = build_pipeline(tomllib.load(open("params.toml", "rb")))
pipeline.fit(rows[features], rows[config["data"]["target"]])
print(len(rows))
"""


def overhead(repository: Path, copy: Path) -> tuple[float, int]:
    """Return the processor seconds of lock, train and report beyond a plain script, and the rows.

    The script loads the same rows and fits the same pipeline; the repository has no checks, so
    none of theirs are in the difference.

    Args:
        repository: a model repository of the template.
        copy: where a copy without checks is made.
    """
    shutil.copytree(repository, copy, ignore=shutil.ignore_patterns(".ml-gitops", "checks"))
    program = [sys.executable, "-m", "ml_gitops"]
    subprocess.run(
        [*program, "data", "lock", "--until", UNTIL, "-C", str(copy)],
        check=True,
        capture_output=True,
    )
    script = [sys.executable, "-c", AUTHOR, UNTIL]
    rows = subprocess.run(script, cwd=copy, check=True, capture_output=True, text=True).stdout
    theirs = cpu_seconds(script, cwd=copy)
    ours = cpu_seconds([*program, "train", "-C", str(copy)], accept=(0, 1))
    ours += cpu_seconds([*program, "report", "-C", str(copy)], accept=(0, 1))
    return ours - theirs, int(rows)
