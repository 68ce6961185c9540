"""The four loops: how long the story takes, and how little happens when nothing changed."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.dvc_repro import unchanged
from benchmarks.figures import BUILD, Figure, cpu_seconds, exit_with
from benchmarks.look import look_figures
from benchmarks.memory import peak_memory
from benchmarks.overhead import overhead

COMMAND = [sys.executable, "-m", "ml_gitops"]
REPEATS = 5
HEAVY = ("numpy", "pandas", "sklearn", "bentoml", "onnx", "onnxruntime", "skl2onnx")


def main() -> None:
    """Measure every figure and print it beside its limit."""
    figures = [*_help(), *_story()]
    with tempfile.TemporaryDirectory() as folder:
        repository = _repository(Path(folder) / "delay")
        figures += [*_twice(repository), *_unchanged(repository), *_peer(Path(folder))]
        figures += _overhead(repository, Path(folder))
    figures += look_figures()
    exit_with("loops", figures)


def _help() -> list[Figure]:
    """Return the processor time of `--help`, and how many heavy libraries it imports."""
    seconds = statistics.median(cpu_seconds([*COMMAND, "--help"]) for _ in range(REPEATS))
    probe = (
        "import sys; from ml_gitops.cli.parser import make_parser; make_parser().format_help(); "
        f"print(sum(name in sys.modules for name in {HEAVY}))"
    )
    imported = subprocess.run(
        [sys.executable, "-c", probe], check=True, capture_output=True, text=True
    ).stdout
    return [
        Figure("ml-gitops --help, processor time", seconds * 1000, 150, "ms"),
        Figure("heavy libraries it imports", float(imported), 0, "libraries"),
    ]


def _story() -> list[Figure]:
    """Return time and memory of the whole demo."""
    folder = BUILD / "bench" / "demo"
    started = time.perf_counter()
    peak, done = peak_memory([*COMMAND, "demo", str(folder), "--json"])
    if done.returncode:
        raise SystemExit(f"the demo ended with {done.returncode}: {done.stderr.strip()}")
    seconds = time.perf_counter() - started
    record = json.loads((folder / "demo.json").read_text())
    fits = [step for step in record["steps"] if (step["outcome"] or {}).get("fitted")]
    return [
        Figure("the demo's story, wall time", seconds, 240, "s"),
        Figure("peak memory of all its processes together", peak, 2048, "MB"),
        Figure("peak memory of its largest process", record["peak_memory_mb"], None, "MB"),
        Figure("steps", len(record["steps"]), None, "steps"),
        Figure("candidates fitted by CI (the bot's are fitted once)", len(fits), None, "fits"),
    ]


def _repository(folder: Path) -> Path:
    """Return a model repository of the template, locked and trained once."""
    for arguments in (
        ["init", str(folder)],
        ["data", "lock", "--until", "2013-04-01", "-C", str(folder)],
        ["train", "-C", str(folder)],
    ):
        subprocess.run([*COMMAND, *arguments], check=True, capture_output=True)
    return folder


def _twice(repository: Path) -> list[Figure]:
    """Train the same inputs twice, in processes that hash differently, and compare digests."""
    import shutil

    digests = [_train(repository)["run"]["files"]["model.onnx"]]
    shutil.rmtree(repository / ".ml-gitops")
    again = _train(repository, seed="4711")
    digests.append(again["run"]["files"]["model.onnx"])
    return [
        Figure("ONNX digests of the same inputs trained twice", len(set(digests)), 1, "digests")
    ]


def _unchanged(repository: Path) -> list[Figure]:
    """Return the time of a `train` with nothing changed, and how many fits it made."""
    seconds, fits = [], 0
    for _ in range(REPEATS):
        started = time.perf_counter()
        fits += bool(_train(repository)["fitted"])
        seconds.append(time.perf_counter() - started)
    return [
        Figure("train with nothing changed, wall time", statistics.median(seconds), 1.5, "s"),
        Figure("fits it made", fits, 0, "fits"),
    ]


def _peer(folder: Path) -> list[Figure]:
    """Return the same for a peer, beside which ours is read."""
    seconds = unchanged(folder / "dvc", REPEATS)
    if seconds is None:
        return []
    return [Figure("dvc repro with nothing changed, wall time", seconds, None, "s")]


def _overhead(repository: Path, folder: Path) -> list[Figure]:
    """Return what CI costs beyond data, fit and the author's checks."""
    seconds, rows = overhead(repository, folder / "without-checks")
    return [
        Figure("CI beyond data, fit and checks, processor time", seconds, 10, "s"),
        Figure("rows of that training", rows, None, "rows"),
    ]


def _train(repository: Path, seed: str = "0") -> dict[str, dict[str, dict[str, str]]]:
    done = subprocess.run(
        [*COMMAND, "train", "--json", "-C", str(repository)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )
    return dict(json.loads(done.stdout))


if __name__ == "__main__":
    main()
