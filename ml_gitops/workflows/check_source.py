"""The columns of the source beside the config: what each place could hold, and what contradicts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ml_gitops.config import Config
from ml_gitops.config.toml import place
from ml_gitops.data.columns import compare_columns, guess_parts, infer_features
from ml_gitops.data.lookalikes import strange_names
from ml_gitops.data.schema import Feature, Window
from ml_gitops.model.target import class_name
from ml_gitops.names import CONFIG_FILE
from ml_gitops.render.numbers import count, number
from ml_gitops.workflows.finding import Finding
from ml_gitops.workflows.init import PLACEHOLDER

if TYPE_CHECKING:
    import pandas as pd

FEW = 8
"""Names that fit into a line."""


def open_places(config: Config, text: str, frame: "pd.DataFrame | None") -> Iterator[Finding]:
    """Yield what is still to be filled in, with its line and the columns that could stand there.

    Args:
        text: the config as it is spelled.
        frame: rows of the source; None if it gave none.
    """
    data = config.data
    could = guess_parts(frame, config.model.task) if frame is not None and len(frame) else None
    asked = {
        ("data", "id"): (
            data.id,
            "name the column that identifies a row",
            _some(could.id if could else [], "have no value twice", "has no value twice"),
        ),
        ("data", "time"): (
            data.time,
            "name the column with the time of the prediction",
            _some(could.time if could else [], "hold times", "holds times"),
        ),
        ("data", "target"): (
            data.target,
            "name the column that is predicted",
            _some(could.target if could else [], "could be a target", "could be a target"),
        ),
    }
    asked |= {
        ("features", name): (name, "name a column that the model sees, and give its type", "")
        for name in config.features
    }
    for path, (name, remedy, found) in asked.items():
        if name.startswith(PLACEHOLDER):
            yield Finding(
                state="fail",
                what=place(text, CONFIG_FILE, path),
                text=f"{name!r} is a placeholder",
                remedy=remedy + found,
            )


def compare_source(config: Config, frame: "pd.DataFrame", day: Window) -> Iterator[Finding]:
    """Yield how the columns of the source differ from what the config says of them.

    Args:
        frame: the rows of a day.
        day: the day.
    """
    what, broken = config.data.source, False
    if not len(frame):
        yield Finding(
            state="warn",
            what=what,
            text=f"it has no rows on {day.start}",
            remedy="set `start` in [data] to the first day that has rows",
        )
    others = _names([it.name for it in unnamed(config, frame)])
    for one in compare_columns(frame, config.data_schema, day):
        if one.column.startswith(PLACEHOLDER):
            continue
        remedy = one.remedy
        if not remedy:
            remedy = f"return it, or correct {CONFIG_FILE}" if one.missing else "correct the source"
            remedy += f"; the source also has {others}" if one.missing and others else ""
        yield Finding(
            state="fail" if one.severity == "error" else "warn",
            what=what,
            text=str(one),
            remedy=remedy,
        )
        broken = broken or one.severity == "error"
    for name, strange in strange_names(frame.columns):
        remedy = "rename it in the function that loads the rows"
        yield Finding(state="warn", what=what, text=f"column {name!a} {strange}", remedy=remedy)
    if len(frame) and not broken:
        yield Finding(state="pass", what=what, text=_found(config, frame, day, others))


def unnamed(config: Config, frame: "pd.DataFrame") -> list[Feature]:
    """Return the columns that could be features; none before id, time and target are named."""
    if any(it.startswith(PLACEHOLDER) for it in _keys(config).values()):
        return []
    return infer_features(frame, config.data_schema)


def _keys(config: Config) -> dict[str, str]:
    return {"id": config.data.id, "time": config.data.time, "target": config.data.target}


def _found(config: Config, frame: "pd.DataFrame", day: Window, others: str) -> str:
    """Say what there is, and which column plays which part."""
    rows = f"{count(len(frame), 'row')} for {day.start}"
    if any(name.startswith(PLACEHOLDER) for name in _keys(config).values()):
        return f"{rows}; its columns are {_names(list(frame.columns))}"
    parts = ", ".join(f"{part} {name!r}" for part, name in _keys(config).items())
    said = f"{rows}; {parts}{_values(config, frame)}"
    return f"{said}; unused: {others}" if others else said


def _values(config: Config, frame: "pd.DataFrame") -> str:
    """Say which classes the target has here, or from where to where it reaches."""
    target = frame[config.data.target].dropna()
    if not len(target):
        return ""
    if config.model.task == "regression":
        return f" from {number(float(target.min()))} to {number(float(target.max()))}"
    counted = target.map(class_name).value_counts().sort_index()
    told = [f"{name} {rows:,}" for name, rows in counted.items()]
    return (
        f" ({', '.join(told)})"
        if len(told) <= FEW
        else f" ({count(len(told), 'class', 'classes')})"
    )


def _names(names: list[str]) -> str:
    return ", ".join(names[:FEW]) + (", ..." if len(names) > FEW else "")


def _some(names: list[str], are: str, is_: str) -> str:
    """Say which columns could stand in a place; nothing if there is none."""
    if not names:
        return ""
    shown = _names([repr(name) for name in names])
    return f"; {shown} {is_ if len(names) == 1 else are}"
