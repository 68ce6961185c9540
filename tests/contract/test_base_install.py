"""What a base install needs never imports what only training and serving bring."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import config_text, make_model_repo

HEAVY = ("numpy", "pandas", "scipy", "sklearn", "skl2onnx", "onnx", "onnxruntime", "bentoml")

PROBE = f"""
import sys
try:
    exec(compile(sys.stdin.read(), "probe", "exec"))
finally:
    heavy = {HEAVY!r}
    print("\\nimported:", *[name for name in heavy if name in sys.modules])
"""


def imported_by(code: str) -> list[str]:
    """Run code in a fresh process and return the heavy libraries that it imported."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE], input=code, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout.rpartition("imported:")[2].split()


def test_the_probe_sees_a_heavy_import() -> None:
    """The probe itself can fail: it names a library that was imported."""
    assert imported_by("import numpy") == ["numpy"]


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["monitor", "--help"],
        ["status", "--help"],
        ["train", "--help"],
        ["serve", "--help"],
        ["pr", "list", "--help"],
    ],
    ids=" ".join,
)
def test_help_is_light(words: list[str]) -> None:
    """Help of any command imports nothing heavy, nor an engine or a parser of documents."""
    code = f"""
from ml_gitops.cli import main
try:
    main({words!r})
finally:
    light = {{"duckdb", "rich", "pydantic", "github"}} & set(sys.modules)
    assert not light, light
"""
    assert imported_by(code) == []


@pytest.mark.parametrize("words", [["status"], ["pr", "list"]], ids=" ".join)
def test_reading_a_repository_is_light(tmp_path: Path, words: list[str]) -> None:
    """Asking a real repository what serves and what is proposed imports nothing heavy."""
    root = make_model_repo(tmp_path / "repo")

    heavy = imported_by(f"""
from ml_gitops.cli import main
assert main({[*words, "-C", str(root)]!r}) == 0
""")

    assert heavy == []


def test_a_monitor_without_a_release_is_light(tmp_path: Path) -> None:
    """A monitor that finds nothing deployed says so, without anything heavy."""
    root = make_model_repo(tmp_path / "repo")

    heavy = imported_by(f"""
from ml_gitops.cli import main
assert main({["monitor", "-C", str(root)]!r}) == 2
""")

    assert heavy == []


@pytest.mark.parametrize(
    "module",
    [
        "config",
        "monitoring.scan",
        "monitoring.quality",
        "monitoring.drift",
        "monitoring.health",
        "monitoring.retrain",
        "monitoring.rollback",
        "monitoring.profile",
        "workflows.cm",
        "workflows.status",
        "workflows.promotion",
        "adapters.local_forge.forge",
        "adapters.records",
        "adapters.warehouse",
        "cli.propose",
        "cli.status",
        "cli.watch",
        "cli.pull_requests",
        "cli.setting",
    ],
)
def test_the_rooms_of_a_monitor_are_light(module: str) -> None:
    """Every room that a monitor enters can be imported where nothing heavy is installed."""
    assert imported_by(f"import ml_gitops.{module}") == []


LOOK = """
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ml_gitops.adapters.warehouse import DuckDBWarehouse
from ml_gitops.config import parse_config
from ml_gitops.data.schema import Window
from ml_gitops.model.interval import Measurement
from ml_gitops.monitoring.drift import measure_drift
from ml_gitops.monitoring.health import assess
from ml_gitops.monitoring.observation import last_windows
from ml_gitops.monitoring.profile import build_profile
from ml_gitops.monitoring.quality import scan_quality
from ml_gitops.monitoring.labels import LabelFiles
from ml_gitops.monitoring.log import LogFiles
from ml_gitops.monitoring.look import look_at
from ml_gitops.monitoring.scan import scan, sql_types

folder = Path(FOLDER)
config = parse_config((folder / "ml-gitops.toml").read_text())
windows = last_windows(date(2024, 3, 22), 7, 3)
plans = ["basic", "plus", "pro"]
with (folder / "log.jsonl").open("w") as log, (folder / "labels.csv").open("w") as labels:
    print("customer,left", file=labels)
    for n in range(900):
        time = windows[0][0] + timedelta(minutes=33 * n)
        seen = {"load": n % 50 - 25.0, "wear": None if n % 9 == 0 else n % 7, "plan": plans[n % 3]}
        one = {"id": f"c{n}", "time": time.isoformat(), "release": "churn@v1.0.0",
               "features": seen, "score": n % 50 / 50, "label": None}
        print(json.dumps(one), file=log)
        print(f"c{n},{int(n % 50 > 25)}", file=labels)
with DuckDBWarehouse(threads=1) as engine:
    engine.rows("CREATE TABLE locked AS SELECT i % 50 - 25.0 AS load, i % 7 + 0.0 AS wear,"
                " ['basic', 'plus', 'pro'][i % 3 + 1] AS plan FROM range(1000) t(i)")
    engine.rows("CREATE TABLE answered AS SELECT i % 50 / 50 AS score, 'true' AS label"
                " FROM range(1000) t(i)")
    profile = build_profile(
        engine, model="churn", task="binary", features=config.data_schema.features,
        train="locked", holdout="answered",
        window=Window(start=date(2024, 1, 1), until=date(2024, 3, 1)),
        quality={"roc_auc": Measurement(value=0.9, standard_error=0.01, n=1000)},
    )
    log = LogFiles(paths=(str(folder / "log.jsonl"),))
    labels = LabelFiles(paths=(str(folder / "labels.csv"),), id="customer", target="left")
    fields = sql_types(profile.cells)
    ours = {"fields": fields, "spans": windows, "releases": ["churn@v1.0.0"]}
    with look_at(engine, log, labels, **ours) as look:
        seen = scan(look, profile.cells, profile.prediction.cells, windows=windows)
        quality = scan_quality(look, labels, task="binary", windows=windows)
health = assess(profile.quality, quality.windows, config.health, model="churn", primary="roc_auc")
drift = [measure_drift(profile, counts, config.drift) for counts in seen.windows]
assert [report.rows for report in drift] == [one.labelled for one in quality.windows]
assert health.verdict == "healthy", health
"""
"""Everything that a monitor does with live rows, from files to verdicts."""


def test_from_files_to_verdicts_is_light(tmp_path: Path) -> None:
    """Live rows become counts, drift and health without a data frame or an array."""
    (tmp_path / "ml-gitops.toml").write_text(config_text())

    heavy = imported_by(LOOK.replace("FOLDER", repr(str(tmp_path))))

    assert heavy == []
