"""Late labels: files of outcomes as a table, as they were known on a day, and what is no label."""

# Statements are composed of quoted identifiers and literals (`sql.py`) and of parameters.
# ruff: noqa: S608

from collections.abc import Sequence
from datetime import datetime

from ml_gitops.data.schema import Task
from ml_gitops.document import Part, canonical_json, sha256
from ml_gitops.monitoring.query import (
    Engine,
    LogFiles,
    Span,
    Table,
    describe,
    find_files,
    inside,
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
EXAMPLES, LONGEST_EXAMPLE = 3, 40


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

        The files are read once, while they stay as they are: a look asks for them many times,
        and finding out how a CSV is written costs more than reading it. What has an id and no
        outcome is no label yet; what has no id is kept, to be counted.

        Args:
            engine: asked which files there are and what they hold; it keeps what was read.

        Raises:
            DataError: a file is missing, is no file of its kind, or lacks a column.
        """
        files = find_files(engine, self.paths)
        if not files:
            return None
        state = engine.rows("SELECT size, last_modified::VARCHAR FROM read_blob(?)", [files])
        name = f"labels {sha256(canonical_json([self.model_dump_json(), files, state]).encode())}"
        kept = "SELECT 1 FROM information_schema.tables WHERE table_name = ?"
        if not engine.rows(kept, [name]):
            self._read(engine, files, name)
        return Table(f"SELECT * FROM {identifier(name)}")

    def _read(self, engine: Engine, files: list[str], name: str) -> None:
        """Read the files into a table of the engine."""
        columns = [self.id, self.target, *([self.arrived] if self.arrived else [])]
        source, typed = _sources(reader_of(files), columns)
        present = {name for name, _ in describe(engine, f"SELECT * FROM {source}", [files])}
        require(columns, present, where=files[0])
        id_, target = identifier(self.id), identifier(self.target)
        arrived = f"TRY_CAST({identifier(self.arrived)} AS TIMESTAMPTZ)" if self.arrived else "NULL"
        known = f" AND coalesce({arrived} < {instant(self.as_of)}, true)" if self.as_of else ""
        # Files come in the order of their names and rows in the order of the file.
        engine.rows(
            f"CREATE TEMP TABLE {identifier(name)} AS"
            f" SELECT {id_}::VARCHAR AS id, {target}::VARCHAR AS y,"
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


class UnreadLabels(Part):
    """Labels that say nothing, so that quality is measured without them.

    Attributes:
        no_id: labels without an id, and lines that are no record.
        no_label: labelled predictions whose label is no number, or no class of the model.
        examples: the most frequent of those, shortened.
    """

    no_id: int = 0
    no_label: int = 0
    examples: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """How many there are, in one line with examples; empty if there are none."""
        shown = ", ".join(repr(example) for example in self.examples)
        parts = [f"{self.no_label:,}, for example {shown}"] if self.no_label else []
        parts += [f"{self.no_id:,} without an id"] if self.no_id else []
        return f"labels that cannot be read: {'; '.join(parts)}" if parts else ""


def find_unread(
    engine: Engine,
    log: LogFiles,
    labels: LabelFiles,
    *,
    task: Task,
    classes: Sequence[str],
    windows: Sequence[Span],
    releases: Sequence[str],
) -> UnreadLabels:
    """Count the labels of these windows' predictions that are none, and keep examples.

    Args:
        engine: where the rows are.
        log, labels: of a repeated id the last label counts.
        task: decides what a label is.
        classes: the classes of a multiclass model; what is none of them counts as a miss.
        windows, releases: whose predictions are asked about.
    """
    predictions, truth = log.table(engine), labels.table(engine)
    if predictions is None or truth is None:
        return UnreadLabels()
    is_none = f"NOT coalesce({_is_label(task, classes)}, false)"
    no_id, doubtful = engine.rows(
        f"SELECT count(*) - count(id), count(id) FILTER (WHERE {is_none}) FROM ({truth.sql})",
        truth.parameters,
    )[0]
    if not doubtful:  # The log need not be read once more.
        return UnreadLabels(no_id=no_id)
    asked = inside(predictions, windows, releases)
    found = engine.rows(
        f"WITH asked AS (SELECT DISTINCT id FROM ({asked.sql})),"
        f" known AS (SELECT id, arg_max(y, position) AS y FROM ({truth.sql})"
        " SEMI JOIN asked USING (id) GROUP BY id)"
        f" SELECT y, sum(count(*)) OVER () FROM known WHERE {is_none}"
        f" GROUP BY y ORDER BY count(*) DESC, y LIMIT {EXAMPLES}",
        (*asked.parameters, *truth.parameters),
    )
    return UnreadLabels(
        no_id=no_id,
        no_label=int(found[0][1]) if found else 0,
        examples=tuple(text[:LONGEST_EXAMPLE] for text, _ in found),
    )


def _is_label(task: Task, classes: Sequence[str]) -> str:
    """Return the SQL that says whether `y` is a label."""
    if task == "binary":
        return f"{TRUTH.format('y', 'y')} IS NOT NULL"
    if task == "regression":
        return "isfinite(TRY_CAST(y AS DOUBLE))"
    return f"y IN ({', '.join(literal(name) for name in classes)})"
