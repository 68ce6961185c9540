"""One scan of a synthetic log in a process of its own, so that its memory is its own."""

import resource
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ml_gitops.adapters.warehouse import DuckDBWarehouse
from ml_gitops.monitoring.profile import Profile
from ml_gitops.monitoring.query import LogFiles
from ml_gitops.monitoring.scan import scan

START = datetime(2013, 4, 1, tzinfo=UTC)
RELEASE = "delay@v1.0.0"


def write_log(profile: Profile, log: Path, rows: int) -> None:
    """Write a log of random rows with the features of a profile, as Parquet."""
    features = ", ".join(
        f"'{cells.name}': " + ("random() * 100" if cells.kind == "numeric" else "'x'")
        for cells in profile.cells
    )
    with DuckDBWarehouse() as engine:
        engine.rows(
            f"COPY (SELECT i::VARCHAR AS id, TIMESTAMPTZ '{START}' + to_seconds(i % 600000)"  # noqa: S608
            f" AS time, '{RELEASE}' AS release, random() AS score, 'false' AS label,"
            f" {{{features}}} AS features FROM range({rows:d}) t(i)) TO '{log}'"
        )


def scan_log(profile: Profile, log: Path) -> float:
    """Scan a log exactly and return the peak memory of this process, in MB."""
    with DuckDBWarehouse() as engine:
        found = scan(
            engine,
            LogFiles(paths=(str(log),)),
            profile.cells,
            profile.prediction.cells,
            windows=[(START, START + timedelta(days=7))],
            releases=[RELEASE],
        )
    assert found.windows[0].rows
    assert "pandas" not in sys.modules, "a scan built a frame"
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def main() -> None:
    """Write or scan: `python -m benchmarks.scan_once write|scan PROFILE LOG [ROWS]`."""
    verb, profile_path, log = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    profile = Profile.from_json(profile_path.read_bytes(), where=str(profile_path))
    if verb == "write":
        write_log(profile, log, int(sys.argv[4]))
    else:
        print(scan_log(profile, log))


if __name__ == "__main__":
    main()
