"""One look at a synthetic log in a process of its own, so that memory and time are its own."""

# Statements are composed of quoted literals and numbers.
# ruff: noqa: S608

import json
import resource
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ml_gitops.adapters.warehouse import DuckDBWarehouse
from ml_gitops.data.schema import Feature, Window
from ml_gitops.monitoring.labels import LabelFiles
from ml_gitops.monitoring.log import LogFiles, log_table
from ml_gitops.monitoring.look import look_at
from ml_gitops.monitoring.profile import Profile, build_profile
from ml_gitops.monitoring.quality import count_labelled, scan_quality
from ml_gitops.monitoring.rollback import answered_rows
from ml_gitops.monitoring.scan import scan, sql_types
from ml_gitops.monitoring.sql import literal
from ml_gitops.monitoring.unread import find_unread

START = datetime(2013, 4, 1, tzinfo=UTC)
WINDOWS = [(START + timedelta(days=7 * n), START + timedelta(days=7 * n + 7)) for n in range(3)]
RELEASE = "delay@v1.0.0"
FEATURES = [
    *(Feature(name=f"number {n}", type="number", nullable=True) for n in range(11)),
    *(Feature(name=f"place{'x' * n}", type="string", nullable=True) for n in range(3)),
]
"""As many as the template's model has."""


def write_traces(folder: Path, rows: int) -> None:
    """Write a profile, a log of three weeks as JSON lines, and labels of 19 in 20 of its ids."""
    features = ", ".join(f"{literal(one.name)}: {_value(one)}" for one in FEATURES)
    when = f"TIMESTAMPTZ '{START}' + to_seconds(i * 1814400 // {rows:d})"
    columns = (
        f"md5(i::VARCHAR) AS id, strftime({when}, '%Y-%m-%dT%H:%M:%SZ') AS time, time AS received,"
        f" '{RELEASE}' AS release, {{{features}}} AS features, random() AS score, 'false' AS label"
    )
    with DuckDBWarehouse() as engine:
        engine.rows(
            f"COPY (SELECT {columns} FROM range({rows:d}) t(i))"
            f" TO '{folder / 'log.jsonl'}' (FORMAT json)"
        )
        engine.rows(
            f"COPY (SELECT md5(i::VARCHAR) AS id, i % 3 = 0 AS y FROM range({rows:d}) t(i)"
            f" WHERE i % 20 > 0 ORDER BY hash(i)) TO '{folder / 'labels.csv'}' (HEADER)"
        )
        engine.rows(
            f"CREATE TABLE seen AS SELECT features.*, score FROM (SELECT {columns}"
            " FROM range(50000) t(i))"
        )
        profile = build_profile(
            engine,
            model="delay",
            task="binary",
            features=FEATURES,
            train="seen",
            holdout="seen",
            window=Window(start=START.date() - timedelta(days=90), until=START.date()),
        )
    (folder / Profile.file_name).write_text(profile.to_json())


def _value(feature: Feature) -> str:
    """Return the SQL of a value, one in fifty missing; places have up to 64 values."""
    many = 4 ** (len(feature.name) - 4)
    value = f"'v' || i % {many}" if feature.type == "string" else "round(random() * 1000, 1)"
    return f"CASE WHEN hash(i, {literal(feature.name)}) % 50 > 0 THEN {value} END"


def look_once(profile: Profile, folder: Path) -> None:
    """Answer everything that the monitor asks of log and labels, but for another model's scores."""
    log = LogFiles(paths=(str(folder / "log.jsonl"),))
    labels = LabelFiles(paths=(str(folder / "labels.csv"),), target="y")
    with (
        DuckDBWarehouse() as engine,
        look_at(
            engine,
            log,
            labels,
            fields=sql_types(profile.cells),
            spans=WINDOWS,
            releases=[RELEASE],
        ) as look,
    ):
        found = scan(look, profile.cells, profile.prediction.cells, windows=WINDOWS)
        quality = scan_quality(look, labels, task="binary", windows=WINDOWS)
        find_unread(look, task="binary", classes=(), windows=WINDOWS)
        labelled = count_labelled(look, since=START.date())
        rows = answered_rows(look, FEATURES, WINDOWS)
        paired = sum(len(batch) for batch in engine.batches(rows, (), 10_000))
    assert sum(one.rows for one in found.windows) > labelled == paired
    assert all("roc_auc" in one.metrics for one in quality.windows)
    assert "pandas" not in sys.modules, "a look built a frame"


def parse_once(profile: Profile, folder: Path) -> None:
    """Only parse the log: what no engine can do without."""
    with DuckDBWarehouse() as engine:
        table = log_table(engine, [str(folder / "log.jsonl")], sql_types(profile.cells))
        engine.rows(f"SELECT count(COLUMNS(*)) FROM ({table.sql})", table.parameters)


def main() -> None:
    """Write, look or parse: `python -m benchmarks.look_once write|look|parse FOLDER [ROWS]`.

    Looking and parsing print their processor seconds and peak memory in MB as JSON.
    """
    verb, folder = sys.argv[1], Path(sys.argv[2])
    if verb == "write":
        write_traces(folder, int(sys.argv[3]))
        return
    path = folder / Profile.file_name
    profile = Profile.from_json(path.read_bytes(), where=str(path))
    started = time.process_time()
    {"look": look_once, "parse": parse_once}[verb](profile, folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps({"seconds": time.process_time() - started, "peak": peak}))


if __name__ == "__main__":
    main()
