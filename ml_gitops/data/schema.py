"""What the rows must look like: the features a model may see, and what it may not."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ml_gitops.document import Part

FeatureType = Literal["number", "integer", "boolean", "string"]
Task = Literal["binary", "multiclass", "regression"]


def _column_name(name: str) -> str:
    if not name.strip() or name != name.strip() or not name.isprintable():
        raise ValueError(f"{name!r} is no name of a column; remove blanks and invisible signs")
    return name


ColumnName = Annotated[str, AfterValidator(_column_name)]
"""A column as people write it: not empty, no blanks around it, nothing invisible."""


class Window(Part):
    """A half-open span of days: `start` is in it, `until` is not."""

    start: date
    until: date

    def __str__(self) -> str:
        """Return the span as `2013-01-01..2013-04-01`."""
        return f"{self.start}..{self.until}"

    @property
    def days(self) -> int:
        """How many days the span has."""
        return (self.until - self.start).days


class Feature(Part):
    """One column that the model sees, in training and in every request."""

    name: ColumnName
    """The column."""
    type: FeatureType
    """number (float64), integer (int64), boolean or string."""
    nullable: bool = False
    """Whether a value may be missing; of an integer or a boolean, never."""
    minimum: float | None = None
    """The smallest value that makes sense."""
    maximum: float | None = None
    """The largest value that makes sense."""
    values: tuple[str, ...] | None = None
    """The strings that make sense. Others break the contract of training data; the service
    answers them, and the monitor counts them as unseen."""
    about: str = ""
    """One line for people: what it is, and in which unit."""

    @model_validator(mode="after")
    def _bounds_fit_the_type(self) -> "Feature":
        ordered = self.type in ("number", "integer")
        if not ordered and (self.minimum is not None or self.maximum is not None):
            key = "maximum" if self.minimum is None else "minimum"
            raise ValueError(f"{key} needs a number, and the type is {self.type}; remove it")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(
                f"minimum {self.minimum:g} is above maximum {self.maximum:g}; swap them"
            )
        for key, bound in (("minimum", self.minimum), ("maximum", self.maximum)):
            if self.type == "integer" and bound is not None and bound % 1:
                raise ValueError(f"{key} {bound:g} is no whole number, and the type is integer")
        if self.values is not None and self.type != "string":
            raise ValueError(f"values need a string, and the type is {self.type}; remove them")
        if self.values is not None and len(set(self.values)) < max(1, len(self.values)):
            problem = "name one value twice" if self.values else "are empty"
            raise ValueError(f"values {problem}; list each once, or leave the key out")
        if self.nullable and self.type in ("integer", "boolean"):
            raise ValueError(
                f"nullable has no exact form where the type is {self.type}; declare it as number"
            )
        return self


class DataSchema(Part):
    """The columns of a model's data and the part each plays.

    Attributes:
        features: what the model sees, in this order.
        target: what it predicts.
        id: identifies a row; predictions and late labels are joined on it.
        time: when the prediction is made; windows and the holdout are cut on it.
        forbidden: columns that would leak the answer; they may exist, no model sees them.
    """

    task: Task
    features: tuple[Feature, ...] = Field(min_length=1)
    target: str
    id: str
    time: str
    forbidden: tuple[str, ...] = ()

    @property
    def feature_names(self) -> list[str]:
        """The names of the features, in order."""
        return [feature.name for feature in self.features]
