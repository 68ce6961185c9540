"""Late labels: files of outcomes as a table, as they were known on a day."""

# Statements are composed of quoted identifiers and literals (`sql.py`) and of parameters.
# ruff: noqa: S608

from collections.abc import Sequence
from datetime import datetime

from ml_gitops.document import Part
from ml_gitops.monitoring.query import (
    Engine,
    Table,
    describe,
    find_files,
    reader_of,
    require,
)
from ml_gitops.monitoring.sql import identifier, instant, literal

TRUE_WORDS, FALSE_WORDS = ("1", "1.0", "true", "t", "yes"), ("0", "0.0", "false", "f", "no")
TRUTH = (
    f"CASE WHEN lower(trim({{}})) IN ({', '.join(map(literal, TRUE_WORDS))}) THEN 1.0"
    f" WHEN lower(trim({{}})) IN ({', '.join(map(literal, FALSE_WORDS))}) THEN 0.0 END"
)
"""A binary label as a number; null for what is none."""
LARGEST_ERROR = 1e70
"""Of a regression: what is further off is no answer or no label, and its powers are no numbers."""


class LabelFiles(Part):
    """Where labels arrive: CSV, JSON lines or Parquet with an id and the target.

    Attributes:
        paths: files or globs; what arrived later corrects what came earlier, and where nothing says
            when, later files and later rows in a file do.
        id: the column that names the prediction.
        target: the column that holds the outcome.
        arrived: the column that says when the label became known, if there is one; a label that
            says nothing was always known.
        as_of: labels that arrived at this instant or later are not known yet.
    """

    paths: tuple[str, ...]
    id: str = "id"
    target: str
    arrived: str | None = None
    as_of: datetime | None = None

    def table(self, engine: Engine) -> Table | None:
        """Return the labels as rows of id, y and position (later corrects earlier).

        What has an id and no outcome is no label yet; what has no id is kept, to be counted.

        Args:
            engine: asked which files there are and what they hold.

        Raises:
            DataError: a file is missing, is no file of its kind, or lacks a column.
        """
        files = find_files(engine, self.paths)
        if not files:
            return None
        columns = [self.id, self.target, *([self.arrived] if self.arrived else [])]
        source, typed = _sources(reader_of(files), columns)
        present = {name for name, _ in describe(engine, f"SELECT * FROM {source}", [files])}
        require(columns, present, where=files[0])
        id_, target = identifier(self.id), identifier(self.target)
        arrived = f"TRY_CAST({identifier(self.arrived)} AS TIMESTAMPTZ)" if self.arrived else "NULL"
        known = f" AND coalesce({arrived} < {instant(self.as_of)}, true)" if self.as_of else ""
        # Files come in the order of their names and rows in the order of the file.
        return Table(
            f"SELECT {id_}::VARCHAR AS id, {target}::VARCHAR AS y,"
            # The engine takes a null for the latest; what was always known came first.
            f" {{'arrived': coalesce({arrived}, '-infinity'::TIMESTAMPTZ),"
            " 'row': row_number() OVER ()} AS position"
            f" FROM {typed} WHERE ({target} IS NOT NULL OR {id_} IS NULL){known}",
            (files,),
        )


def _sources(reader: str, columns: Sequence[str]) -> tuple[str, str]:
    """Return the files as a table to describe, and as one whose values are as they were written."""
    if reader == "read_parquet":
        source = "read_parquet(?, union_by_name = true)"
        return source, source
    if reader == "read_json":
        options = "?, format = 'newline_delimited', ignore_errors = true"
        # Left alone, the engine takes an id like a date or a UUID for one, and rewrites it.
        texts = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in columns)
        return (
            f"read_json({options}, union_by_name = true)",
            f"read_json({options}, columns = {{{texts}}})",
        )
    comma = "," if reader == "read_csv" else "\t"
    # A line that is being written lacks columns; such lines cannot be read in parallel.
    source = (
        f"read_csv(?, union_by_name = true, all_varchar = true, header = true, delim = '{comma}',"
        " quote = '\"', escape = '\"', null_padding = true, parallel = false)"
    )
    return source, source
