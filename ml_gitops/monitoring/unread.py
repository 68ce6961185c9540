"""Labels that say nothing, counted with examples."""

# Statements are composed of quoted identifiers and literals (`sql.py`) and of parameters.
# ruff: noqa: S608

from collections.abc import Sequence

from ml_gitops.data.schema import Task
from ml_gitops.document import Part
from ml_gitops.monitoring.labels import TRUTH
from ml_gitops.monitoring.look import Look
from ml_gitops.monitoring.query import Span
from ml_gitops.monitoring.sql import literal

EXAMPLES, LONGEST_EXAMPLE = 3, 40


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
    look: Look, *, task: Task, classes: Sequence[str], windows: Sequence[Span]
) -> UnreadLabels:
    """Count the labels of these windows' predictions that are none, and keep examples.

    Args:
        look: log and labels as they were read.
        task: decides what a label is.
        classes: the classes of a multiclass model; what is none of them counts as a miss.
        windows: whose predictions are asked about.
    """
    found = look.engine.rows(
        f"SELECT y, sum(count(*)) OVER () FROM ({look.inside(windows)})"
        f" WHERE y IS NOT NULL AND NOT coalesce({_is_label(task, classes)}, false)"
        f" GROUP BY y ORDER BY count(*) DESC, y LIMIT {EXAMPLES}"
    )
    return UnreadLabels(
        no_id=look.no_id,
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
