"""The columns of a few rows beside their contract: what is missing, and what is there besides."""

from typing import TYPE_CHECKING, NamedTuple

from ml_gitops.data.keys import key_violations
from ml_gitops.data.remedy import task_of, time_form, type_of
from ml_gitops.data.schema import DataSchema, Feature, Task, Window
from ml_gitops.data.validation import table_violations, type_violation
from ml_gitops.data.violation import Violation

if TYPE_CHECKING:
    import pandas as pd


def compare_columns(frame: "pd.DataFrame", schema: DataSchema, window: Window) -> list[Violation]:
    """List what is wrong with names, types, ids, times and targets of a few days.

    What takes more rows to be judged is left to the validation of all: whether there is more than
    one class, and which values a feature has.

    Args:
        frame: rows as the source gave them; none at all still have names.
        schema: what the columns must look like.
        window: the days that were asked for.
    """
    named = [one for one in table_violations(frame, schema) if one.column]
    if frame.columns.has_duplicates or not len(frame):
        return named
    rest = frame.drop(columns=[one.column for one in named if one.column in frame])
    # A column without a value today may be of any type.
    present = [it for it in schema.features if it.name in rest and rest[it.name].notna().any()]
    typed = [type_violation(rest[feature.name], feature) for feature in present]
    return [*named, *filter(None, typed), *key_violations(rest, schema, window)]


class Parts(NamedTuple):
    """The columns that could play a part, judged by what they hold.

    Attributes:
        id: hold no value twice.
        time: hold times, or text that tells them.
        target: hold what the task predicts, and could not be an id.
    """

    id: list[str]
    time: list[str]
    target: list[str]


def guess_parts(frame: "pd.DataFrame", task: Task) -> Parts:
    """Return the columns that could be id, time and target; a time is nothing else."""
    names = [name for name in dict.fromkeys(frame.columns) if frame[name].ndim == 1]
    times = [name for name in names if _tells_time(frame[name])]
    others = [frame[it] for it in names if it not in times and type_of(frame[it])]
    ids = [it for it in others if type_of(it) in ("string", "integer") and it.is_unique]
    known = {str(it.name) for it in ids if len(it) > 1}
    rest = [it for it in others if it.name not in known and not it.isna().any()]
    return Parts(
        id=[str(it.name) for it in others if it.name in known],
        time=times,
        target=[str(it.name) for it in rest if _could_be_target(it, task)],
    )


def _could_be_target(column: "pd.Series", task: Task) -> bool:
    kind = type_of(column)
    if task == "regression":
        return kind in ("number", "integer")
    if task == "multiclass":
        return kind in ("string", "integer")
    return task_of(column) == "binary" or (kind != "number" and column.nunique() == 2)


def _tells_time(column: "pd.Series") -> bool:
    if column.dtype.kind == "M":
        return True
    form = time_form(column.dropna()) if type_of(column) == "string" else None
    # Digits in a row may as well number something.
    return form is not None and "%Y%m%d" not in form


def infer_features(frame: "pd.DataFrame", schema: DataSchema) -> list[Feature]:
    """Return the columns that the schema does not name and that a model could see, as features."""
    named = {*schema.feature_names, *schema.forbidden, schema.id, schema.time, schema.target}
    found = []
    for name in dict.fromkeys(frame.columns):
        visible = bool(name) and name == name.strip() and name.isprintable()
        kind = type_of(frame[name]) if visible and name not in named else None
        if kind is not None:
            nullable = kind in ("number", "string") and bool(frame[name].isna().any())
            found.append(Feature(name=name, type=kind, nullable=nullable))
    return found
