"""The columns of a few rows beside their contract: what is missing, and what is there besides."""

from typing import TYPE_CHECKING

from ml_gitops.data.schema import DataSchema, Feature, FeatureType
from ml_gitops.data.validation import (
    Violation,
    table_violations,
    time_violation,
    type_violation,
)

if TYPE_CHECKING:
    import pandas as pd


def compare_columns(frame: "pd.DataFrame", schema: DataSchema) -> list[Violation]:
    """List what is wrong with names and types alone; values need more rows to be judged.

    Args:
        frame: rows as the source gave them; none at all still have names.
        schema: what the columns must look like.
    """
    named = [one for one in table_violations(frame, schema) if one.column]
    if named or not len(frame):
        return named
    typed = [type_violation(frame[feature.name], feature) for feature in schema.features]
    typed.append(time_violation(frame[schema.time]))
    # A column without a value today may be of any type.
    return [one for one in typed if one is not None and frame[one.column].notna().any()]


def infer_features(frame: "pd.DataFrame", schema: DataSchema) -> list[Feature]:
    """Return the columns that the schema does not name and that a model could see, as features."""
    named = {*schema.feature_names, *schema.forbidden, schema.id, schema.time, schema.target}
    found = []
    for name in dict.fromkeys(frame.columns):
        visible = bool(name) and name == name.strip() and name.isprintable()
        kind = _type(frame[name]) if visible and name not in named else None
        if kind is not None:
            nullable = kind in ("number", "string") and bool(frame[name].isna().any())
            found.append(Feature(name=name, type=kind, nullable=nullable))
    return found


def _type(column: "pd.Series") -> FeatureType | None:
    """Return the type that holds a column without changing a value; None for times and the like."""
    if getattr(column, "ndim", 1) > 1:
        return None
    kind = column.dtype.kind
    if kind in "iu":
        return "integer"
    if kind == "f":
        return "number"
    if kind == "b":
        return "boolean"
    present = column.dropna()
    strings = kind in "OUT" and len(present) and all(isinstance(one, str) for one in present)
    return "string" if strings else None
