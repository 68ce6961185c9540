"""One look at log and labels: both are read once, and everything is answered from that."""

# Statements are composed of quoted identifiers and literals (`sql.py`) and of parameters.
# ruff: noqa: S608

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from ml_gitops.monitoring.labels import LabelFiles
from ml_gitops.monitoring.log import LogFiles, feature_column, log_table
from ml_gitops.monitoring.query import Engine, Span, find_files, ours, window_index
from ml_gitops.monitoring.sql import identifier

UNREADABLE = "t IS NULL AND id IS NULL AND release IS NULL AND score IS NULL"
"""The SQL that says whether a line of the log is no record."""


@dataclass(frozen=True)
class Look:
    """A log with its labels as a table that the engine keeps, a row per line of the log.

    Columns: what `log_table` gives, where features are kept of the rows that count; `y`, the last
    label of that id; `counts`, whether the row is of these releases, in one of these spans, and
    the one of its id that was received first.

    Args:
        engine: keeps the table, on disk where memory is short.
        name: the table, quoted.
        releases: whose answers count.
        label_rows: labels in the files.
        no_id: labels without an id, and lines that are no record.
    """

    engine: Engine
    name: str
    releases: tuple[str, ...]
    label_rows: int
    no_id: int

    def inside(self, windows: Sequence[Span], *, one_in: int = 1) -> str:
        """Return the SQL of the rows that count in these windows, each with the `w` of its own.

        Args:
            windows: spans that do not overlap, among those that were looked at.
            one_in: take this share of the rows, chosen by their id.
        """
        chosen = f" AND hash(coalesce(id, t::VARCHAR)) % {one_in:d} = 0" if one_in > 1 else ""
        return (
            f"SELECT * FROM (SELECT {window_index(windows)} AS w, * FROM {self.name} WHERE counts)"
            f" WHERE w IS NOT NULL{chosen}"
        )


@contextmanager
def look_at(
    engine: Engine,
    log: LogFiles,
    labels: LabelFiles | None = None,
    *,
    fields: Mapping[str, str] | None = None,
    spans: Sequence[Span],
    releases: Sequence[str],
) -> Iterator[Look]:
    """Read log and labels once, and forget them in the end.

    A client may repeat an id as often as it likes, and give any time it likes: what was answered
    first is what counts.

    Args:
        engine: where the rows are.
        log: the prediction log.
        labels: what arrived, if anybody asks for it.
        fields: feature to SQL type, of all that will be asked for.
        spans: every window that will be asked about; they may overlap.
        releases: whose answers count.

    Raises:
        DataError: a file is missing, damaged or lacks a column.
    """
    unique = uuid4().hex
    rows, outcomes = identifier(f"log {unique}"), identifier(f"labels {unique}")
    try:
        label_rows, no_id = _read_labels(engine, labels, outcomes)
        _read_log(engine, log, rows, outcomes, fields or {}, spans, releases)
        engine.rows(f"DROP TABLE {outcomes}")
        _count_ids_once(engine, rows)
        yield Look(engine, rows, tuple(releases), label_rows, no_id)
    finally:
        engine.rows(f"DROP TABLE IF EXISTS {outcomes}")
        engine.rows(f"DROP TABLE IF EXISTS {rows}")


def _read_labels(engine: Engine, labels: LabelFiles | None, name: str) -> tuple[int, int]:
    """Keep the last label of every id; return how many labels there are, and how many without."""
    found = labels.table(engine) if labels else None
    if found is None:
        engine.rows(f"CREATE TEMP TABLE {name} (id VARCHAR, y VARCHAR)")
        return 0, 0
    lines = identifier(f"lines of {name}")
    engine.rows(f"CREATE TEMP TABLE {lines} AS {found.sql}", found.parameters)
    try:
        engine.rows(
            f"CREATE TEMP TABLE {name} AS WITH repeated AS (SELECT id FROM {lines}"
            " WHERE id IS NOT NULL GROUP BY id HAVING count(*) > 1)"
            f" SELECT id, y FROM {lines} ANTI JOIN repeated USING (id)"
            " WHERE id IS NOT NULL UNION ALL"
            " SELECT id, arg_max(y, position)"
            f" FROM {lines} SEMI JOIN repeated USING (id) GROUP BY id"
        )
        ((label_rows, no_id),) = engine.rows(f"SELECT count(*), count(*) - count(id) FROM {lines}")
    finally:
        engine.rows(f"DROP TABLE {lines}")
    return label_rows, no_id


def _read_log(
    engine: Engine,
    log: LogFiles,
    name: str,
    labels: str,
    fields: Mapping[str, str],
    spans: Sequence[Span],
    releases: Sequence[str],
) -> None:
    """Keep the log, each row with its label."""
    files = find_files(engine, log.paths)
    lines = log_table(engine, files, fields)
    features = "".join(
        f", CASE WHEN counts THEN {column} END AS {column}"
        for column in (feature_column(name) for name in fields)
    )
    engine.rows(
        f"CREATE TEMP TABLE {name} AS SELECT t, received, log.id AS id, release, score, label,"
        f" y, counts{features} FROM (SELECT *,"
        f" {ours(releases)} AND {window_index(spans)} IS NOT NULL AS counts FROM ({lines.sql}))"
        f" AS log LEFT JOIN {labels} AS labels ON log.id = labels.id",
        lines.parameters,
    )
    ((unreadable,),) = engine.rows(f"SELECT count(*) FROM {name} WHERE {UNREADABLE}")
    if unreadable > len(files):
        # More than a line per file that is being written is damage: let the engine say where.
        strict = log_table(engine, files, {}, strict=True)
        engine.rows(f"SELECT count(t), count(id), count(score) FROM ({strict.sql})", (files,))


def _count_ids_once(engine: Engine, name: str) -> None:
    """Let only the row of an id count that was received first."""
    # Hashes of ids are compared: among n ids two differ unnoticed with chance n^2 / 2^65.
    ((named, distinct),) = engine.rows(
        f"SELECT count(id), count(DISTINCT hash(id)) FILTER (WHERE id IS NOT NULL)"
        f" FROM {name} WHERE counts"
    )
    if named > distinct:
        engine.rows(
            f"UPDATE {name} SET counts = false WHERE rowid IN (SELECT line FROM (SELECT"
            " rowid AS line, row_number() OVER (PARTITION BY id"
            " ORDER BY received, t, score, label, rowid) AS place"
            f" FROM {name} SEMI JOIN (SELECT id FROM {name} WHERE counts AND id IS NOT NULL"
            " GROUP BY id HAVING count(*) > 1) AS repeated USING (id) WHERE counts)"
            " WHERE place > 1)"
        )
