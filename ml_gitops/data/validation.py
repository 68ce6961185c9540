"""Data QA: what in the rows breaks the contract, counted per column."""

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, ClassVar

from ml_gitops.data.keys import key_violations, one_class
from ml_gitops.data.remedy import correct_type, find_missing
from ml_gitops.data.schema import DataSchema, Feature, Window
from ml_gitops.data.violation import MISSING, Violation, examples_of
from ml_gitops.document import Document

if TYPE_CHECKING:
    import pandas as pd


class ValidationReport(Document):
    """What data QA found in the rows of a window."""

    file_name: ClassVar[str] = "validation.json"

    window: Window
    rows: int
    columns: int
    violations: tuple[Violation, ...]

    @property
    def errors(self) -> list[Violation]:
        """The violations that stop training."""
        return [violation for violation in self.violations if violation.severity == "error"]

    @property
    def passed(self) -> bool:
        """Whether nothing stops training."""
        return not self.errors


def validate(frame: "pd.DataFrame", schema: DataSchema, window: Window) -> ValidationReport:
    """Hold rows to the contract; every violation is listed.

    Where the table itself is not what the contract describes, its columns are not looked at.

    Args:
        frame: the rows as the source gave them.
        schema: what the columns must look like.
        window: the days the rows must belong to.
    """
    violations = list(table_violations(frame, schema))
    if not violations:
        for feature in schema.features:
            violations += _feature(frame[feature.name], feature)
        violations += key_violations(frame, schema, window)
        violations += one_class(frame[schema.target], schema)
    return ValidationReport(
        window=window, rows=len(frame), columns=frame.shape[1], violations=tuple(violations)
    )


def table_violations(frame: "pd.DataFrame", schema: DataSchema) -> Iterator[Violation]:
    """Yield what is wrong with the table as a whole: its names, its size, what cells hold."""
    doubled = sorted(set(frame.columns[frame.columns.duplicated()]))
    for name in doubled:
        yield Violation(column=str(name), problem="the name is used twice", rows=len(frame))
    needed = [schema.id, schema.time, *schema.feature_names, schema.target]
    others = [name for name in frame.columns if name not in needed]
    for name in needed:
        if name not in frame.columns:
            remedy = find_missing(name, others)
            yield Violation(column=name, problem=MISSING, rows=len(frame), remedy=remedy)
    if not len(frame):
        yield Violation(column="", problem="there are no rows in the window", rows=0)
    for name in frame.columns.difference(doubled):
        if frame[name].dtype == object and not _is_flat(frame[name]):
            problem = "holds values that are neither numbers, strings nor times; flatten it"
            yield Violation(column=name, problem=problem, rows=len(frame))


def _is_flat(column: "pd.Series") -> bool:
    """Say whether every value can be counted and compared; a list in a cell cannot."""
    return all(isinstance(value, Hashable) for value in column)


def _feature(column: "pd.Series", feature: Feature) -> Iterator[Violation]:
    name = feature.name
    mismatch = type_violation(column, feature)
    if mismatch is not None:
        yield mismatch
        return
    missing = column.isna()
    if missing.all():
        yield Violation(column=name, problem="every value is missing", rows=len(column))
        return
    if missing.any() and not feature.nullable:
        count = int(missing.sum())
        yield Violation(column=name, problem=f"{count:,} values are missing", rows=count)
    present = column[~missing]
    yield from _range(present, feature)
    if feature.values is not None:
        strange = present[~present.isin(feature.values)]
        if len(strange):
            yield Violation(
                column=name,
                problem=f"{len(strange):,} values are not among those declared",
                rows=len(strange),
                examples=examples_of(strange),
            )
    if (present == present.iloc[0]).all():
        yield Violation(
            column=name,
            problem="has one value only",
            rows=len(column),
            examples=examples_of(present),
            severity="warning",
        )


def type_violation(column: "pd.Series", feature: Feature) -> Violation | None:
    """Return what is wrong with a column's type; None if it holds the feature."""
    if fits(column, feature):
        return None
    return Violation(
        column=feature.name,
        problem=f"is {column.dtype}, not {feature.type}",
        rows=len(column),
        examples=examples_of(column.dropna()),
        remedy=correct_type(column, feature),
    )


def _range(present: "pd.Series", feature: Feature) -> Iterator[Violation]:
    if feature.type not in ("number", "integer"):
        return
    import numpy as np

    infinite = present[~np.isfinite(present.astype("float64"))]
    if len(infinite):
        yield Violation(
            column=feature.name,
            problem=f"{len(infinite):,} values are infinite",
            rows=len(infinite),
        )
    outside = []
    if feature.minimum is not None:
        outside.append((feature.minimum, present[present < feature.minimum], "below"))
    if feature.maximum is not None:
        outside.append((feature.maximum, present[present > feature.maximum], "above"))
    for bound, strange, word in outside:
        if len(strange):
            yield Violation(
                column=feature.name,
                problem=f"{len(strange):,} values are {word} {bound:g}",
                rows=len(strange),
                examples=examples_of(strange),
            )


def fits(column: "pd.Series", feature: Feature) -> bool:
    """Say whether a column's type can hold the feature without changing a value."""
    kind = column.dtype.kind
    if feature.type == "number":
        return kind in "iuf"
    if feature.type == "integer":
        return kind in "iu"
    if feature.type == "boolean":
        return kind == "b"
    if kind in "iufbMm":
        return bool(column.isna().all())
    return all(isinstance(value, str) for value in column.dropna().unique())
