"""The warehouse keeps its promises: rows or one line that says what is wrong and where."""

# ruff: noqa: S608 (our own statements)

import gzip
import os
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from ml_gitops.adapters.warehouse import DuckDBWarehouse
from ml_gitops.errors import DataError
from ml_gitops.ports import Warehouse

COLUMNS = "columns = {id: 'VARCHAR', score: 'DOUBLE'}, format = 'newline_delimited'"


def test_it_is_a_warehouse_and_reads_frames() -> None:
    """A registered frame is a table; NaN in it is null; parameters are values, never SQL."""
    frame = pd.DataFrame({"x": [1.0, None, 3.0], "name": ["a", "'; DROP TABLE t; --", None]})

    with DuckDBWarehouse(memory_limit="200MB", threads=1) as duck:
        warehouse: Warehouse = duck
        duck.register("odd name", frame)

        assert warehouse.rows('SELECT count(x), count(name) FROM "odd name"') == [(2, 2)]
        assert warehouse.rows(
            'SELECT count(*) FROM "odd name" WHERE name = ?', ["'; DROP TABLE t; --"]
        ) == [(1,)]


@pytest.mark.parametrize(
    ("name", "content", "sql", "says"),
    [
        ("gone.jsonl", None, f"read_json(?, {COLUMNS})", "gone.jsonl: there is no such file;"),
        ("gone.parquet", None, "read_parquet(?)", "gone.parquet: there is no such file;"),
        (
            "cut.parquet",
            b"PAR1" + b"x" * 500,
            "read_parquet(?)",
            "cut.parquet: this is not a whole Parquet file;",
        ),
        (
            "tiny.parquet",
            b"PAR1",
            "read_parquet(?)",
            "tiny.parquet: this is not a whole Parquet file;",
        ),
        (
            "bad.jsonl",
            b'{"id": "a"}\n{"id": oops}\n{"id": "b"}\n',
            f"read_json(?, {COLUMNS})",
            "bad.jsonl:2: a line is not JSON: unexpected character;",
        ),
        (
            "torn.jsonl",
            b'{"id": "a"}\n{"id": "b", "sc',
            f"read_json(?, {COLUMNS})",
            "torn.jsonl:2: a line is not JSON: unexpected end of data;",
        ),
        (
            "bytes.csv",
            b"id,y\na,1\nb,\xff\xfe\x00\n",
            "read_csv(?, header = true, all_varchar = true)",
            "bytes.csv:3: this is not UTF-8;",
        ),
        (
            "noise.csv",
            bytes(range(256)) * 9,
            "read_csv(?, header = true, all_varchar = true)",
            "noise.csv: this is no CSV file that can be read;",
        ),
        (
            "wide.csv",
            b"id,y\n" + b"a,1\n" * 30_000 + b"b,1,2,3\n",
            "read_csv(?, header = true, all_varchar = true)",
            "wide.csv:30002: a row has more columns than the header: Expected Number of Columns: 2",
        ),
        (
            "cut.csv.gz",
            gzip.compress(b"id,y\n" + bytes(range(48, 58)) * 999, mtime=0)[:-9],
            "read_csv(?, header = true, all_varchar = true)",
            "cut.csv.gz: this is not a whole gzip file;",
        ),
        (
            "plain.jsonl.gz",
            b'{"id": "a"}\n',
            f"read_json(?, {COLUMNS})",
            "plain.jsonl.gz: this is not a whole gzip file;",
        ),
        (
            "type.jsonl",
            b'{"score": 1}\n{"score": "high"}\n',
            f"read_json(?, {COLUMNS})",
            "a value does not have the type of its column: Failed to cast value to numerical; ",
        ),
        (
            "list.jsonl",
            b'{"score": 1}\n["secret"]\n',
            f"read_json(?, {COLUMNS})",
            "list.jsonl:2: a value does not have the type of its column: Expected OBJECT, but got ",
        ),
        (
            "long.jsonl",
            b'{"id": "' + b"x" * 2**25 + b'"}\n',
            f"read_json(?, {COLUMNS})",
            "long.jsonl: a line is longer than 16 MiB;",
        ),
        (
            "cast.jsonl",
            b'{"id": "secret"}\n',
            f"(SELECT id::INTEGER FROM read_json(?, {COLUMNS}))",
            "DuckDB cannot read this: Conversion Error: Could not convert string … to INT32",
        ),
    ],
)
def test_what_cannot_be_read_is_one_line(
    tmp_path: Path, name: str, content: bytes | None, sql: str, says: str
) -> None:
    """A missing, cut or malformed file is named with its line and the remedy, in one line."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    with DuckDBWarehouse(threads=1) as warehouse, pytest.raises(DataError) as refusal:
        warehouse.rows(f"SELECT * FROM {sql}", [str(path)])

    assert says in str(refusal.value)
    assert "secret" not in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert refusal.value.__suppress_context__


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to the superuser")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    """What the system refuses is told with the file and its reason."""
    path = tmp_path / "a.jsonl"
    path.touch(mode=0o000)

    with DuckDBWarehouse(threads=1) as warehouse, pytest.raises(DataError) as refusal:
        warehouse.rows(f"SELECT * FROM read_json(?, {COLUMNS})", [str(path)])

    assert "a.jsonl: the system does not let it be read: Permission denied;" in str(refusal.value)


def test_a_missing_column_is_named() -> None:
    """A column that is not there is named."""
    with DuckDBWarehouse() as warehouse, pytest.raises(DataError, match="missing: delay"):
        warehouse.rows("SELECT delay FROM (SELECT 1 AS late)")


def test_a_mistake_in_our_sql_is_no_data_error() -> None:
    """A statement that does not parse is our bug and is never blamed on the data."""
    with DuckDBWarehouse() as warehouse, pytest.raises(duckdb.ParserException):
        warehouse.rows("SELEKT 1")


def test_it_reaches_for_nothing_outside() -> None:
    """No extension is downloaded, no Python variable is read, and no setting can be undone."""
    frame = pd.DataFrame({"x": [1]})
    assert len(frame) == 1

    with DuckDBWarehouse() as warehouse:
        with pytest.raises(DataError):
            warehouse.rows("SELECT * FROM frame")
        with pytest.raises(DataError):
            warehouse.rows("SELECT * FROM 'https://127.0.0.1:1/a.parquet'")
        with pytest.raises(DataError):
            warehouse.rows("SET autoinstall_known_extensions = true")


def test_what_it_spills_is_private_and_removed() -> None:
    """The spill directory is readable by its owner only and gone after closing."""
    warehouse = DuckDBWarehouse()
    spill = Path(warehouse.rows("SELECT current_setting('temp_directory')")[0][0])
    mode = spill.stat().st_mode & 0o777

    warehouse.close()

    assert mode == 0o700
    assert not os.path.lexists(spill)
