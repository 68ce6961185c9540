"""The prediction log as an SQL table; names are quoted, values are parameters."""

# Statements are composed of quoted identifiers and literals (`sql.py`) and of parameters.
# ruff: noqa: S608

from collections.abc import Mapping, Sequence

from ml_gitops.document import Part
from ml_gitops.errors import DataError
from ml_gitops.monitoring.query import Engine, Table, describe, reader_of, require, unescaped
from ml_gitops.monitoring.sql import identifier, literal

_LOG_TYPES = {
    "id": "VARCHAR",
    "time": "VARCHAR",
    "received": "VARCHAR",
    "release": "VARCHAR",
    "score": "DOUBLE",
    "label": "VARCHAR",
}
_REQUIRED = ("id", "time", "release", "score")


class LogFiles(Part):
    """Where predictions are logged: JSON lines or Parquet, one record per prediction.

    Attributes:
        paths: files or globs; a glob that matches nothing is an empty log, and so is an empty
            file.
    """

    paths: tuple[str, ...]


def log_table(
    engine: Engine, files: Sequence[str], fields: Mapping[str, str], *, strict: bool = False
) -> Table:
    """Return the log as rows of t, id, received, release, score, label and `feature_column`s.

    A row is `received` when the service got the request; where nobody noted that, at its
    time. A line that is no record, such as one that is being written, is a row of nulls.

    Args:
        engine: asked what the files hold.
        files: all in one format; without any the table is empty.
        fields: feature to SQL type; features that the files lack read as null.
        strict: refuse lines that are no records, when they are read.

    Raises:
        DataError: the files lack a column, or are no log.
    """
    if not files:
        return _no_log(fields)
    reader = reader_of(files)
    if reader in ("read_csv", "read_tsv"):
        raise DataError(
            "a prediction log cannot be CSV: features are nested",
            hint="write JSON lines or Parquet",
            where=unescaped(files[0]),
        )
    if reader == "read_json":
        return _json_log(files, fields, strict=strict)
    return _parquet_log(engine, files, fields)


def feature_column(name: str) -> str:
    """Return the quoted column of a feature in a log's table; no other column has its name."""
    return identifier(f"feature {name}")


def together(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """Return the SQL types that serve both: text, where they differ, is what was written."""
    agreed = {
        name: kind if one.get(name, kind) == kind else "VARCHAR" for name, kind in other.items()
    }
    return {**one, **agreed}


def _no_log(fields: Mapping[str, str]) -> Table:
    features = "".join(f", NULL::{kind} AS {feature_column(it)}" for it, kind in fields.items())
    columns = ", ".join(f"NULL::{kind} AS {name}" for name, kind in _LOG_TYPES.items())
    return Table(
        f"SELECT {_times('time', 'received')}, id, release, score, label{features}"
        f" FROM (SELECT {columns}) WHERE false"
    )


def _json_log(files: Sequence[str], fields: Mapping[str, str], *, strict: bool) -> Table:
    types = dict(_LOG_TYPES)
    features = ""
    if fields:
        members = ", ".join(f"{identifier(name)} {kind}" for name, kind in fields.items())
        types["features"] = f"STRUCT({members})"
        features = "".join(
            f", features.{identifier(name)} AS {feature_column(name)}" for name in fields
        )
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in types.items())
    return Table(
        f"SELECT {_times('time', 'received')}, id, release, score, label{features}"
        f" FROM read_json(?, format = 'newline_delimited', columns = {{{columns}}},"
        f" ignore_errors = {str(not strict).lower()})",
        (files,),
    )


def _parquet_log(engine: Engine, files: Sequence[str], fields: Mapping[str, str]) -> Table:
    source = "read_parquet(?, union_by_name = true)"
    types = dict(describe(engine, f"SELECT * FROM {source}", [files]))
    require([*_REQUIRED, *(["features"] if fields else [])], types, where=files[0])
    time = "time" if types["time"].startswith("TIMESTAMP") else "time::VARCHAR"
    received = "received::VARCHAR" if "received" in types else "NULL"
    label = "label::VARCHAR" if "label" in types else "NULL::VARCHAR"
    features = ""
    if fields:
        members = describe(engine, f"SELECT unnest(features) FROM {source}", [files])
        there = {name for name, _ in members}
        features = "".join(
            f", TRY_CAST({f'features.{identifier(name)}' if name in there else 'NULL'} AS {kind})"
            f" AS {feature_column(name)}"
            for name, kind in fields.items()
        )
    return Table(
        f"SELECT {_times(time, received)}, id::VARCHAR AS id,"
        f" release::VARCHAR AS release, TRY_CAST(score AS DOUBLE) AS score, {label} AS label"
        f"{features} FROM {source}",
        (files,),
    )


def _times(time: str, received: str) -> str:
    """Return the SQL of both times of a row: what the client said, and when we heard it."""
    t = f"TRY_CAST({time} AS TIMESTAMPTZ)"
    return f"{t} AS t, coalesce(TRY_CAST({received} AS TIMESTAMPTZ), {t}) AS received"
