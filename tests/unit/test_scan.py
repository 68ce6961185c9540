"""The log reduced to counts: held against counting row by row in Python."""

# ruff: noqa: S311 (draws of a simulation)

import gzip
import itertools
import json
import math
import random
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_gitops.adapters.warehouse import DuckDBWarehouse
from ml_gitops.errors import DataError
from ml_gitops.monitoring.counts import Cells, ColumnCounts, Counts, LeftOut, Scan
from ml_gitops.monitoring.log import LogFiles
from ml_gitops.monitoring.look import look_at
from ml_gitops.monitoring.scan import scan, sql_types

START = datetime(2013, 4, 1, tzinfo=UTC)
DAYS = [START + timedelta(days=7 * i) for i in range(4)]
WEEKS = list(itertools.pairwise(DAYS))
RELEASE = "delay@v1.0.0"
ODD = "a \"quoted\"\n'name'; DROP TABLE x; -- é 漢"
COLUMNS = [
    Cells(name="temp", kind="numeric", edges=(-5.0, 0.0, 0.1, 10.0)),
    Cells(name=ODD, kind="categorical", values=("it's", 'say "x"\nñ', "", "EWR")),
    Cells(name="late", kind="boolean", values=("false", "true")),
]
SCORE = Cells(name="score", kind="numeric", edges=(0.25, 0.5, 0.75))


@pytest.fixture
def engine() -> Iterator[DuckDBWarehouse]:
    """Give an engine of its own to every test."""
    with DuckDBWarehouse(threads=1) as warehouse:
        yield warehouse


def record(number: int, **changes: Any) -> dict[str, Any]:
    """Return one prediction as the service logs it."""
    features = {"temp": 1.0, ODD: "EWR", "late": True} | changes.pop("features", {})
    return {
        "id": f"row-{number}",
        "time": "2013-04-02T05:15:00Z",
        "release": RELEASE,
        "digest": "sha256:00",
        "features": features,
        "score": 0.3,
        "label": "false",
        **changes,
    }


def write(path: Path, records: Sequence[dict[str, Any]]) -> LogFiles:
    """Write records as JSON lines."""
    path.write_text("".join(json.dumps(one) + "\n" for one in records))
    return LogFiles(paths=(str(path),))


def as_parquet(log: LogFiles, path: Path) -> LogFiles:
    """Copy a log of JSON lines into Parquet."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT * FROM read_json($log, format = 'newline_delimited',"
            " sample_size = -1)) TO $path (FORMAT parquet)",
            {"log": log.paths[0], "path": str(path)},
        )
    return LogFiles(paths=(str(path),))


def look(engine: DuckDBWarehouse, log: LogFiles, **changes: Any) -> Scan:
    """Scan a log over three weeks."""
    asked: dict[str, Any] = {"windows": WEEKS, "releases": [RELEASE], "columns": COLUMNS} | changes
    columns, windows = asked.pop("columns"), asked["windows"]
    with look_at(
        engine, log, fields=sql_types(columns), spans=windows, releases=asked.pop("releases")
    ) as seen:
        return scan(seen, columns, SCORE, **asked)


def draw_records(rows: int, seed: int) -> list[dict[str, Any]]:
    """Draw records with every oddity a log may have."""
    draw = random.Random(seed)
    places = ["it's", 'say "x"\nñ', "", "EWR", "other", "новый", None]
    return [
        record(
            i,
            time=(START + timedelta(hours=draw.randrange(-48, 24 * 23))).isoformat(),
            release=draw.choice([RELEASE, RELEASE, RELEASE, "delay@v0.9.0"]),
            features={
                "temp": draw.choice([None, -0.0, 0.0, 0.1, -5.0, 10.0, 10**25, draw.gauss(0, 5)]),
                ODD: draw.choice(places),
                "late": draw.choice([True, False, None]),
            },
            score=draw.random(),
        )
        for i in range(rows)
    ]


def count_by_hand(
    records: Sequence[dict[str, Any]], cells: Cells, span: tuple[datetime, datetime]
) -> ColumnCounts:
    """Count one column of one window row by row."""
    tally, nulls = [0] * cells.size, 0
    for one in records:
        inside = span[0] <= datetime.fromisoformat(one["time"]) < span[1]
        if not inside or one["release"] != RELEASE:
            continue
        value = one["score"] if cells is SCORE else one["features"][cells.name]
        if value is None:
            nulls += 1
        elif cells.kind == "numeric":
            tally[bisect_left(cells.edges, float(value))] += 1
        else:
            text = str(value).lower() if isinstance(value, bool) else value
            listed = text in cells.values
            tally[cells.values.index(text) if listed else -1] += 1
    return ColumnCounts(nulls=nulls, cells=tuple(tally))


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_scan_counts_as_one_would_by_hand(
    engine: DuckDBWarehouse, tmp_path: Path, form: str
) -> None:
    """Every cell of every window equals a count row by row, for odd names and odd values."""
    records = draw_records(600, seed=1)
    log = write(tmp_path / "a.jsonl", records)
    log = as_parquet(log, tmp_path / "it's [a].parquet") if form == "parquet" else log
    log = LogFiles(paths=(str(tmp_path / f"*.{form}"),))

    found = look(engine, log)

    for span, window in zip(WEEKS, found.windows, strict=True):
        assert window.columns == {
            cells.name: count_by_hand(records, cells, span) for cells in COLUMNS
        }
        assert window.prediction == count_by_hand(records, SCORE, span)
        assert window.rows == window.prediction.rows > 100


@settings(max_examples=10, derandomize=True, deadline=None)
@given(cut=st.integers(0, 120), seed=st.integers(0, 99))
def test_counts_of_parts_add_up_to_the_whole(
    tmp_path_factory: pytest.TempPathFactory, cut: int, seed: int
) -> None:
    """Cut a log anywhere, count the parts, add in any order: the counts of the whole."""
    folder, records = tmp_path_factory.mktemp("parts"), draw_records(120, seed)
    whole = write(folder / "whole.jsonl", records)
    first, second = (
        write(folder / "first.jsonl", records[:cut]),
        write(folder / "second.jsonl", records[cut:]),
    )

    with DuckDBWarehouse(threads=1) as engine:
        total, left, right = (look(engine, log) for log in (whole, first, second))

    for window, a, b in zip(total.windows, left.windows, right.windows, strict=True):
        assert a + b == b + a == window
    assert left.left_out + right.left_out == total.left_out


def test_counts_are_a_commutative_monoid() -> None:
    """Addition of counts is associative and commutative, and empty counts change nothing."""
    draw = random.Random(5)

    def some(*, empty: bool = False) -> Counts:
        def column() -> ColumnCounts:
            numbers = [0 if empty else draw.randrange(9) for _ in range(4)]
            return ColumnCounts(nulls=numbers[0], cells=tuple(numbers[1:]))

        return Counts(
            since=DAYS[0], until=DAYS[1], rows=0, columns={"a": column()}, prediction=column()
        )

    a, b, c, nothing = some(), some(), some(), some(empty=True)

    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + nothing == a
    with pytest.raises(ValueError, match="different profiles"):
        _ = a + a.model_copy(update={"columns": {}})


def test_rows_left_out_are_counted_with_their_reason(
    engine: DuckDBWarehouse, tmp_path: Path
) -> None:
    """Another release, a repeated id, a time that is none and a time outside: each is counted."""
    records = [
        record(1),
        record(1, features={"temp": 99.0}, time="2013-04-03T00:00:00Z"),
        record(2, release="delay@v0.9.0"),
        record(3, release=None),
        record(4, time="yesterday"),
        record(5, time=None),
        record(6, time="2013-04-22T00:00:00Z"),
        record(7, time="2013-04-08T01:00:00+02:00"),
        record(8, id=None),
        record(9, id=None),
    ]

    found = look(engine, write(tmp_path / "a.jsonl", records))

    assert found.left_out == LeftOut(no_time=2, outside=1, other_release=2, repeated_id=1)
    assert [window.rows for window in found.windows] == [4, 0, 0]
    assert found.windows[0].columns["temp"].cells == (0, 0, 0, 4, 0)


def test_what_was_left_out_is_said_where_it_matters() -> None:
    """Unreadable lines, missing times and repeated ids are told; other releases are usual."""
    assert LeftOut(outside=7, other_release=9).text == ""
    assert LeftOut(unreadable=1, no_time=2, repeated_id=3_000).text == (
        "rows of the log that are not counted: 1 unreadable, 2 without a time,"
        " 3,000 with an id that came before"
    )


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_repeating_an_id_moves_nothing(engine: DuckDBWarehouse, tmp_path: Path, form: str) -> None:
    """However often an id comes back, with whatever time and values, the first answer counts."""
    first = record(1, received="2013-04-02T05:15:00Z")
    others = [record(n, received=f"2013-04-02T05:15:{n:02d}Z") for n in range(2, 50)]
    again = [
        record(
            1,
            time="2013-04-01T00:00:00Z",
            received=f"2013-04-03T00:00:00.{n:06d}Z",
            features={"temp": 99.0, ODD: "other", "late": None},
            score=0.99,
        )
        for n in range(5_000)
    ]
    alone = look(engine, write(tmp_path / "alone.jsonl", [first, *others]))
    log = write(tmp_path / "flood.jsonl", [*again[:99], first, *others, *again[99:]])
    log = as_parquet(log, tmp_path / "flood.parquet") if form == "parquet" else log

    flooded, capped = look(engine, log), look(engine, log, row_cap=49)

    assert flooded.windows == alone.windows == capped.windows
    assert flooded.left_out == LeftOut(repeated_id=5_000)


def line(number: int) -> bytes:
    """Return one prediction as a line of the log."""
    return json.dumps(record(number)).encode() + b"\n"


@pytest.mark.parametrize(
    ("contents", "rows", "unreadable"),
    [
        ({"a.jsonl": line(1) + line(2)[:-30]}, 1, 1),
        ({"a.jsonl": line(1)[:-30], "b.jsonl": line(2) + line(3)[:1]}, 1, 2),
        ({"a.jsonl": line(1) + "é".encode()[:1]}, 1, 1),
        ({"a.jsonl": b"", "b.jsonl": line(1)}, 1, 0),
        ({"a.jsonl": line(1).replace(b"\n", b"\r\n") + b"\r\n\n" + line(2)}, 2, 0),
        ({"a.jsonl": line(1) + b"\xef\xbb\xbf" + line(2) + line(3)}, 2, 1),
        ({"a.jsonl.gz": gzip.compress(line(1), mtime=0), "b.jsonl": line(2)}, 2, 0),
        ({"a.jsonl": line(1)[:-2] + b', "more": {"x": [1]}}\n' + line(2)}, 2, 0),
    ],
    ids=["torn", "two torn", "torn in a letter", "empty", "Windows", "mark", "gzip", "more keys"],
)
def test_a_line_that_is_being_written_is_counted_and_passed_over(
    engine: DuckDBWarehouse, tmp_path: Path, contents: dict[str, bytes], rows: int, unreadable: int
) -> None:
    """The service writes while the monitor reads: half a line at the end of a file is no damage."""
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)

    found = look(engine, LogFiles(paths=(str(tmp_path / "*"),)))

    assert found.windows[0].rows == rows
    assert found.left_out == LeftOut(unreadable=unreadable)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (line(1) + b"{oops}\n{oops}\n" + line(2), r"a\.jsonl:2: a line is not JSON"),
        (line(1) + b"[1]\n[2]\n", r"a\.jsonl:2: a value does not have the type"),
        (b"\0" * 4096 + b"\n" + line(1) + b"\0\n", r"a\.jsonl:1: a line is not JSON"),
    ],
    ids=["no JSON", "lists", "zeros"],
)
def test_a_damaged_log_is_refused_with_its_line(
    engine: DuckDBWarehouse, tmp_path: Path, content: bytes, problem: str
) -> None:
    """More than one line of a file that is no record is damage, and the first one is named."""
    (tmp_path / "a.jsonl").write_bytes(content)

    with pytest.raises(DataError, match=problem):
        look(engine, LogFiles(paths=(str(tmp_path / "a.jsonl"),)))


def test_one_log_has_one_format(engine: DuckDBWarehouse, tmp_path: Path) -> None:
    """Parquet beside JSON lines is refused, with a file of each."""
    as_parquet(write(tmp_path / "a.jsonl", [record(1)]), tmp_path / "b.parquet")

    with pytest.raises(DataError, match=r"different formats: .*a\.jsonl, .*b\.parquet"):
        look(engine, LogFiles(paths=(str(tmp_path / "*"),)))


def test_windows_may_leave_a_gap(engine: DuckDBWarehouse, tmp_path: Path) -> None:
    """A row between two windows is outside, and a bound belongs to the later window."""
    times = ["2013-04-01T00:00:00Z", "2013-04-08T00:00:00Z", "2013-04-15T00:00:00Z"]
    log = write(tmp_path / "a.jsonl", [record(i, time=time) for i, time in enumerate(times)])

    found = look(engine, log, windows=[WEEKS[0], WEEKS[2]])

    assert [window.rows for window in found.windows] == [1, 1]
    assert found.left_out.outside == 1


@pytest.mark.parametrize("case", ["no file", "empty file", "other window", "no release"])
def test_an_empty_window_is_counted_as_empty(
    engine: DuckDBWarehouse, tmp_path: Path, case: str
) -> None:
    """No file, no row or no matching release give zero counts of the right shape."""
    records = [] if case == "empty file" else [record(1, time="2012-01-01T00:00:00Z")]
    write(tmp_path / "a.jsonl", records)
    log = LogFiles(paths=(str(tmp_path / ("*.parquet" if case == "no file" else "*.jsonl")),))

    found = look(engine, log, releases=[] if case == "no release" else [RELEASE])

    for window in found.windows:
        assert window.rows == 0
        assert {name: part.cells for name, part in window.columns.items()} == {
            cells.name: (0,) * cells.size for cells in COLUMNS
        }


def test_a_path_that_names_no_file_is_no_empty_log(engine: DuckDBWarehouse, tmp_path: Path) -> None:
    """A glob may match nothing yet; a file that is named outright has to be there."""
    with pytest.raises(DataError, match=r"gone\.jsonl: there is no such file; correct the path"):
        look(engine, LogFiles(paths=(str(tmp_path / "gone.jsonl"),)))


def test_a_file_whose_name_is_like_a_glob_is_read_itself(
    engine: DuckDBWarehouse, tmp_path: Path
) -> None:
    """What a glob found is read as it is called, not as a glob once more."""
    write(tmp_path / "day1.jsonl", [record(i) for i in range(5)])
    write(tmp_path / "day[1].jsonl", [record(i) for i in range(3)])
    log = LogFiles(paths=(str(tmp_path / "day[[]*.jsonl"),))

    assert look(engine, log).windows[0].rows == 3
    with pytest.raises(DataError, match=r"day\[1\]\.txt: there is no such file"):
        look(engine, LogFiles(paths=(str(tmp_path / "day[[]1].txt"),)))


def test_nan_is_no_value_and_infinity_is_one(engine: DuckDBWarehouse, tmp_path: Path) -> None:
    """NaN counts as missing, infinities fall into the outer bins, -0.0 beside 0.0."""
    values = [math.nan, math.inf, -math.inf, -0.0, 0.0]
    log = write(
        tmp_path / "a.jsonl", [record(i, features={"temp": x}) for i, x in enumerate(values)]
    )

    (window, *_) = look(engine, log).windows

    assert window.columns["temp"] == ColumnCounts(nulls=1, cells=(1, 2, 0, 0, 1))


def test_a_column_that_is_gone_counts_as_missing(engine: DuckDBWarehouse, tmp_path: Path) -> None:
    """A feature that no record has is counted as null in every row, in both formats."""
    records = [record(i) for i in range(5)]
    for one in records:
        del one["features"]["temp"]
    log = write(tmp_path / "a.jsonl", records)

    for form in (log, as_parquet(log, tmp_path / "a.parquet")):
        (window, *_) = look(engine, form).windows
        assert window.columns["temp"] == ColumnCounts(nulls=5, cells=(0,) * 5)


def test_edges_are_exact(engine: DuckDBWarehouse, tmp_path: Path) -> None:
    """A value equal to an edge, to the last bit, falls below it."""
    edges = (-1e300, -123456789.12345679, 1e-300, 0.1 + 0.2, 2.0**53 + 2)
    cells = Cells(name="temp", kind="numeric", edges=edges)
    records = [record(i, features={"temp": edge}) for i, edge in enumerate(edges)]

    found = look(engine, write(tmp_path / "a.jsonl", records), columns=[cells])

    assert found.windows[0].columns["temp"].cells == (1, 1, 1, 1, 1, 0)


def test_a_cap_takes_a_fair_part_of_the_rows(engine: DuckDBWarehouse, tmp_path: Path) -> None:
    """With a cap the same part of the rows is counted every time, in every column."""
    records = [record(i, features={"temp": i % 5 * 1.0}) for i in range(4000)]
    log = write(tmp_path / "a.jsonl", [*records, *(record(i, id=None) for i in range(50))])

    found, again = (look(engine, log, windows=WEEKS[:1], row_cap=1000) for _ in range(2))
    (window,) = found.windows

    assert found == again
    assert found.one_in == 5
    assert window.rows == pytest.approx(810, abs=120)
    assert {part.rows for part in window.columns.values()} == {window.rows}
    assert look(engine, log, row_cap=10**6).one_in == 1


def test_many_categorical_columns_fit(engine: DuckDBWarehouse, tmp_path: Path) -> None:
    """More categorical columns than one `GROUPING SETS` takes are counted all the same."""
    columns = [Cells(name=f"c{i}", kind="categorical", values=(f"v{i}",)) for i in range(130)]
    features = {f"c{i}": f"v{i}" for i in range(130)}
    log = write(tmp_path / "a.jsonl", [record(i, features=features) for i in range(3)])

    found = look(engine, log, columns=columns, windows=WEEKS[:1])

    assert all(part.cells == (3, 0) for part in found.windows[0].columns.values())


def test_a_csv_log_is_refused(engine: DuckDBWarehouse, tmp_path: Path) -> None:
    """Features are nested, so a CSV log is refused with the formats that work."""
    (tmp_path / "a.csv").write_text("id\n1\n")

    with pytest.raises(DataError, match="JSON lines or Parquet"):
        look(engine, LogFiles(paths=(str(tmp_path / "a.csv"),)))


def test_no_frame_of_the_live_window_is_built(tmp_path: Path) -> None:
    """A scan in a fresh process imports neither pandas nor numpy: rows stay in the engine."""
    write(tmp_path / "a.jsonl", draw_records(50, seed=2))
    code = (
        "import sys\n"
        "from datetime import datetime, UTC\n"
        "from ml_gitops.adapters.warehouse import DuckDBWarehouse\n"
        "from ml_gitops.monitoring.counts import Cells\n"
        "from ml_gitops.monitoring.drift import measure_drift\n"
        "from ml_gitops.monitoring.log import LogFiles\n"
        "from ml_gitops.monitoring.look import look_at\n"
        "from ml_gitops.monitoring.scan import scan, sql_types\n"
        "cells = [Cells(name='temp', kind='numeric', edges=(0.0,))]\n"
        "span = (datetime(2013, 1, 1, tzinfo=UTC), datetime(2014, 1, 1, tzinfo=UTC))\n"
        "with look_at(DuckDBWarehouse(), LogFiles(paths=(sys.argv[1],)),\n"
        f"    fields=sql_types(cells), spans=[span], releases=['{RELEASE}']) as look:\n"
        "    found = scan(look, cells, Cells(name='score', kind='numeric', edges=(0.5,)),\n"
        "        windows=[span])\n"
        "assert found.windows[0].rows > 0\n"
        "print(sorted({'pandas', 'numpy', 'sklearn'} & set(sys.modules)))\n"
    )

    answer = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.jsonl")],
        capture_output=True,
        text=True,
        check=True,
    )

    assert answer.stdout.strip() == "[]"
