"""Late labels as they come: in any format, half written, corrected, early, or no label at all."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ml_gitops.adapters.warehouse import DuckDBWarehouse
from ml_gitops.errors import DataError
from ml_gitops.monitoring.labels import LabelFiles
from ml_gitops.monitoring.log import LogFiles
from ml_gitops.monitoring.look import look_at
from ml_gitops.monitoring.unread import UnreadLabels, find_unread

START = datetime(2013, 4, 1, tzinfo=UTC)
WEEK = (START, START + timedelta(days=7))
RELEASE = "delay@v1.0.0"
TIME = "2013-04-01T00:00:00Z"
UUID = "6BA7B810-9DAD-11D1-80B4-00C04FD430C8"


@pytest.fixture
def engine() -> Iterator[DuckDBWarehouse]:
    """Give an engine of its own to every test."""
    with DuckDBWarehouse(threads=1) as warehouse:
        yield warehouse


def read(engine: DuckDBWarehouse, labels: LabelFiles) -> dict[str | None, str | None]:
    """Return the labels as they would be joined: the last one of every id."""
    table = labels.table(engine)
    if table is None:
        return {}
    rows = engine.rows(
        f"SELECT id, arg_max(y, position) FROM ({table.sql}) GROUP BY id",  # noqa: S608
        table.parameters,
    )
    return dict(rows)


def files(folder: Path, contents: dict[str, bytes]) -> LabelFiles:
    """Write files, and return them all as labels."""
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return LabelFiles(paths=(str(folder / "*"),), target="y")


TWO = {"a": "1", "b": "0"}
CSV = b"id,y\na,1\nb,0\n"
LINES = b'{"id": "a", "y": 1}\n{"id": "b", "y": 0}\n'


READABLE: dict[str, tuple[dict[str, bytes], dict[str | None, str | None]]] = {
    "plain": ({"a.csv": CSV}, TWO),
    "byte order mark": ({"a.csv": b"\xef\xbb\xbf" + CSV}, TWO),
    "line ends of Windows": ({"a.csv": CSV.replace(b"\n", b"\r\n")}, TWO),
    "tabs": ({"a.tsv": CSV.replace(b",", b"\t")}, TWO),
    "compressed": ({"a.csv.gz": gzip.compress(CSV)}, TWO),
    "empty file among others": ({"a.csv": b"", "b.csv": CSV}, TWO),
    "header alone among others": ({"a.csv": CSV, "b.csv": b"id,y\n"}, TWO),
    "empty file": ({"a.csv": b""}, {}),
    "header alone": ({"a.csv": b"id,y\n"}, {}),
    "being written, in the id": ({"a.csv": CSV + b"c"}, TWO),
    "being written, before the label": ({"a.csv": CSV + b"c,"}, TWO),
    "header twice": ({"a.csv": CSV + CSV}, {**TWO, "id": "y"}),
    "lines in a note": ({"a.csv": b'id,note,y\na,"two\nlines",1\nb,,0\n'}, TWO),
    "other columns": ({"a.csv": CSV, "b.csv": b"y,when,id\n1,now,b\n"}, {"a": "1", "b": "1"}),
    "JSON lines": ({"a.jsonl": LINES}, TWO),
    "JSON, lines of Windows": ({"a.jsonl": LINES.replace(b"\n", b"\r\n")}, TWO),
    "JSON being written": ({"a.jsonl": LINES + b'{"id": "c", "y'}, {**TWO, None: None}),
    "JSON, empty among others": ({"a.jsonl": b"", "b.jsonl": LINES}, TWO),
    "JSON compressed": ({"a.jsonl.gz": gzip.compress(LINES)}, TWO),
    "JSON of many types": (
        {"a.jsonl": b'{"id": 7, "y": true}\n{"id": "007", "y": "0"}\n'},
        {"7": "true", "007": "0"},
    ),
    "id like a UUID": ({"a.jsonl": b'{"id": "%s", "y": 1.0}\n' % UUID.encode()}, {UUID: "1.0"}),
    "id like a time": ({"a.jsonl": b'{"id": "2013-04-01T00:00:00Z", "y": 1}\n'}, {TIME: "1"}),
}


@pytest.mark.parametrize("name", READABLE)
def test_labels_are_read_as_they_were_written(
    engine: DuckDBWarehouse, tmp_path: Path, name: str
) -> None:
    """Marks, line ends, compression, empty files and a line being written change no label."""
    contents, expected = READABLE[name]

    assert read(engine, files(tmp_path, contents)) == expected


@pytest.mark.parametrize(
    ("contents", "problem"),
    [
        ({"a.csv": CSV.replace(b",", b";")}, r"a\.csv: there is no column 'id'; it has 1;"),
        ({"a.csv": CSV, "b.tsv": CSV}, r"the files have different formats: .*a\.csv, .*b\.tsv"),
        ({"a.csv": CSV, "b.jsonl": LINES}, r"the files have different formats: .*a\.csv"),
        ({"a.csv": CSV, "b.csv": b"\xff\xfe\x00"}, r"b\.csv:1: this is not UTF-8"),
        ({"a.csv": b"id,y\r\na,1\nb,0\r\n"}, r"a\.csv: this is no CSV file"),
        ({"a.csv": CSV + b'"c'}, r"a\.csv: this is no CSV file.* once it is whole"),
        ({"a.csv.gz": gzip.compress(CSV)[:-9]}, r"a\.csv\.gz: this is not a whole gzip file"),
        ({"a.jsonl": b'{"id": "a"}\n'}, r"a\.jsonl: there is no column 'y'; it has 1;"),
        ({"a.jsonl": b"no\nJSON\n"}, r"a\.jsonl: there is no column 'id'"),
        ({"a.txt": CSV}, r"a\.txt: the ending says no known format"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_label_file_is_named(
    engine: DuckDBWarehouse, tmp_path: Path, contents: dict[str, bytes], problem: str
) -> None:
    """A file that cannot be read is refused with its name; no label is taken from half of it."""
    with pytest.raises(DataError, match=problem):
        read(engine, files(tmp_path, contents))


def test_a_label_is_known_from_its_arrival_on(engine: DuckDBWarehouse, tmp_path: Path) -> None:
    """Before a day there are the labels that came before it; what says nothing was always there."""
    labels = files(
        tmp_path,
        {
            "a.csv": b"id,y,seen\n"
            b"a,0,2013-04-03\na,1,2013-04-05T12:00:00Z\n"
            b"b,1,2013-04-06T00:00:00+02:00\nc,1,2013-04-06\nd,1,\ne,1,soon\n",
            "b.csv": b"id,y\nf,1\n",
        },
    ).model_copy(update={"arrived": "seen", "as_of": datetime(2013, 4, 6, tzinfo=UTC)})
    before = labels.model_copy(update={"as_of": datetime(2013, 4, 4, tzinfo=UTC)})
    always = labels.model_copy(update={"as_of": None})

    assert read(engine, before) == {"a": "0", "d": "1", "e": "1", "f": "1"}
    assert read(engine, labels) == {"a": "1", "b": "1", "d": "1", "e": "1", "f": "1"}
    assert read(engine, always) == {"a": "1", "b": "1", "c": "1", "d": "1", "e": "1", "f": "1"}


def test_a_parquet_file_keeps_its_types(engine: DuckDBWarehouse, tmp_path: Path) -> None:
    """Numbers and times of a Parquet file need no text around them."""
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT 7 AS id, true AS y, TIMESTAMPTZ '2013-04-05 00:00:00+00' AS seen) TO"
            f" '{tmp_path / 'a.parquet'}' (FORMAT parquet)"
        )
    labels = files(tmp_path, {}).model_copy(update={"arrived": "seen"})

    early, late = (
        labels.model_copy(update={"as_of": datetime(2013, 4, day, tzinfo=UTC)}) for day in (5, 6)
    )

    assert (read(engine, early), read(engine, late)) == ({}, {"7": "true"})


def unread(engine: DuckDBWarehouse, folder: Path, lines: str, **changes: Any) -> UnreadLabels:
    """Ask which of these labels of a hundred predictions say nothing."""
    log = folder / "log.jsonl"
    records = [
        {"id": f"r{n}", "time": START.isoformat(), "release": RELEASE, "score": 0.5}
        for n in range(100)
    ]
    records += [{**records[0], "id": "later", "time": WEEK[1].isoformat()}]
    log.write_text("".join(json.dumps(one) + "\n" for one in records))
    (folder / "labels").mkdir()
    labels = files(folder / "labels", {"a.csv": b"id,y\n" + lines.encode()})
    asked: dict[str, Any] = {"task": "binary", "classes": (), "windows": [WEEK]} | changes
    where = LogFiles(paths=(str(log),))
    with look_at(engine, where, labels, spans=[WEEK], releases=[RELEASE]) as seen:
        return find_unread(seen, **asked)


def test_labels_that_say_nothing_are_counted_with_examples(
    engine: DuckDBWarehouse, tmp_path: Path
) -> None:
    """The most frequent come first; what was corrected or is of no prediction here is left out."""
    lines = "".join(f"r{n},{'n/a' if n < 9 else 'abc'}\n" for n in range(12))
    lines += f"r20,maybe\nr20,true\nr21,{'x' * 99}\nr22, 0 \nr23,\n,1\nlater,abc\nz,abc\n"

    found = unread(engine, tmp_path, lines)

    assert found == UnreadLabels(no_id=1, no_label=13, examples=("n/a", "abc", "x" * 40))
    assert found.text == (
        f"labels that cannot be read: 13, for example 'n/a', 'abc', '{'x' * 40}'; 1 without an id"
    )


def test_a_label_without_a_time_was_known_first(engine: DuckDBWarehouse, tmp_path: Path) -> None:
    """What says when it arrived corrects what does not, in whichever order the lines come."""
    for lines in ("a,1,2013-04-05\na,0,\n", "a,0,\na,1,2013-04-05\n"):
        labels = files(tmp_path, {"a.csv": f"id,y,seen\n{lines}".encode()})

        assert read(engine, labels.model_copy(update={"arrived": "seen"})) == {"a": "1"}


@pytest.mark.parametrize(
    ("task", "examples"),
    [("binary", ("7.5", "red", "blue")), ("regression", ("red", "blue", "inf"))],
)
def test_what_a_label_is_depends_on_the_task(
    engine: DuckDBWarehouse, tmp_path: Path, task: str, examples: tuple[str, ...]
) -> None:
    """A number is no class, and a word is no number."""
    lines = "r1,7.5\nr2,7.5\nr3,7.5\nr4,red\nr5,red\nr6,blue\nr8,1\nr9,blue\nr7,inf\nr10,red\n"

    assert unread(engine, tmp_path, lines, task=task).examples == examples


def test_a_class_that_the_model_does_not_know_is_shown(
    engine: DuckDBWarehouse, tmp_path: Path
) -> None:
    """A multiclass model cannot answer a class that it never saw; a person should hear of it."""
    found = unread(
        engine, tmp_path, "r1,red\nr2,it's\nr3,green\n", task="multiclass", classes=("red", "it's")
    )

    assert (found.no_label, found.examples) == (1, ("green",))


def test_sound_labels_and_none_say_nothing(engine: DuckDBWarehouse, tmp_path: Path) -> None:
    """Without anything to tell the text is empty."""
    assert unread(engine, tmp_path, "r1,1\nr2,False\nr3,\n").text == ""
