"""Assertions for the checks of a model repository, and the record of their outcomes.

Each returns a `Verdict`, so that `assert at_least(...)` fails with its sentence. A model is
anything with `predict(frame) -> Answers`. After Ribeiro et al. 2020, "CheckList": minimum
functionality, invariance and directional expectation.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from ml_gitops.document import Document, Missing, Part
from ml_gitops.model.evaluation import Answers, measure, truth_of
from ml_gitops.model.metric_change import change_of
from ml_gitops.model.metrics import metric_named
from ml_gitops.model.policy import CheckPolicy
from ml_gitops.model.verdict import Verdict, limited, not_worse

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

UNSEEN = "a value never seen"


class Model(Protocol):
    """Anything that answers rows."""

    def predict(self, frame: "pd.DataFrame") -> Answers:
        """Answer n rows."""
        ...


class CheckOutcome(Part):
    """What one check found.

    Attributes:
        nodeid: pytest's name of the check.
        about: the first line of its docstring.
        outcome: passed, failed or skipped.
        message: why it did not pass, one line.
        seconds: how long it took.
    """

    nodeid: str
    about: str = ""
    outcome: Literal["passed", "failed", "skipped"]
    message: str = ""
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """What people call it: its sentence, with the case that pytest ran it for."""
        case = self.nodeid.partition("[")[2].removesuffix("]")
        said = self.about or self.nodeid.partition("[")[0]
        return f"{said.rstrip('.')} [{case}]" if case else said


class CheckOutcomes(Document):
    """What all checks of a model repository found."""

    file_name: ClassVar[str] = "checks.json"

    outcomes: tuple[CheckOutcome, ...] = ()

    def count(self, outcome: str) -> int:
        """Return how many checks passed, failed or were skipped."""
        return sum(one.outcome == outcome for one in self.outcomes)

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return self.count("failed") == 0


def at_least(
    model: Model, frame: "pd.DataFrame", target: Any, metric: str, limit: float
) -> Verdict:
    """Expect a metric to be at least a limit (a loss: at most).

    Args:
        model: the model to ask.
        frame: n rows with its features.
        target: the name of a column of the frame, or n true values.
        metric: such as `roc_auc` or `log_loss`.
        limit: in the metric's unit; the point value is held to it.

    Raises:
        ConfigError: the metric does not fit the task.
    """
    answers = model.predict(frame)
    known = metric_named(metric, answers.task)
    truth, days = truth_of(_column(frame, target), answers), CheckPolicy.of(frame).days(frame)
    if days is not None and len(set(days.tolist())) < 2:
        # The value is held to the limit, and one day has one; only its interval is that of rows.
        days = None
    values, undefined = measure(truth, answers, [metric], days)
    if undefined:
        text = f"{known.label} of {len(frame):,} rows is not defined: {undefined[metric]}"
        return Verdict(ok=None, rule="minimum", text=text)
    return limited(known, values[metric], limit)


def no_worse(
    model: Model,
    champion: Model,
    frame: "pd.DataFrame",
    target: Any,
    metric: str,
    *,
    margin: float | None = None,
) -> Verdict:
    """Expect a model to be not worse than another by more than a margin, beyond doubt.

    Args:
        model, champion: the two to compare on the same rows.
        frame, target, metric: as `at_least`.
        margin: the allowed loss, as in `[gate]`; if None, what the gate allows of this metric.

    Raises:
        ConfigError: the metric does not fit the task.
    """
    ours, theirs, policy = model.predict(frame), champion.predict(frame), CheckPolicy.of(frame)
    known = metric_named(metric, ours.task)
    if ours.classes != theirs.classes:
        return Verdict(ok=None, rule="champion", text="the champion has other classes")
    truth = truth_of(_column(frame, target), ours)
    change = change_of(metric, truth, ours, theirs, policy.days(frame))
    if isinstance(change, Missing):
        text = f"{known.label} is not defined: {change.reason}"
        return Verdict(ok=None, rule="champion", text=text)
    if margin is None:
        margin = policy.gate.margin_of(known, ours.task)
    return not_worse(change, margin, least=policy.gate.least)


def invariant(
    model: Model,
    frame: "pd.DataFrame",
    column: str,
    values: Sequence[Any],
    *,
    tolerance: float = 0.01,
    share: float = 0.99,
) -> Verdict:
    """Expect answers not to depend on a column.

    Args:
        model: the model to ask.
        frame: rows with its features.
        column: set to each of the values in turn, in every row.
        values: what to set it to.
        tolerance: change of a score that does not matter, in the score's unit.
        share: the share of rows that must hold it, 0 to 1.
    """
    import numpy as np

    before = _scores(model.predict(frame))
    moved = np.zeros(len(frame))
    for value in values:
        after = _scores(model.predict(frame.assign(**{column: value})))
        moved = np.maximum(moved, np.abs(after - before).max(axis=1))
    return _hold(
        frame, moved, tolerance, share, "invariance", f"the answer does not depend on {column}"
    )


def directional(
    model: Model,
    frame: "pd.DataFrame",
    change: "Mapping[str, Callable[[pd.Series[Any]], Any] | Any]",
    direction: Literal["up", "down"],
    *,
    tolerance: float = 0.01,
    share: float = 0.99,
) -> Verdict:
    """Expect a change of the input never to move the score the wrong way.

    Args:
        model: a binary or regression model.
        frame: rows with its features.
        change: column to its new value, or to a function of the column.
        direction: where the score may go; staying is fine.
        tolerance: wrong movement that does not matter, in the score's unit.
        share: the share of rows that must hold it, 0 to 1.
    """
    new = {name: value(frame[name]) if callable(value) else value for name, value in change.items()}
    before, after = model.predict(frame), model.predict(frame.assign(**new))
    wrong = (before.scores - after.scores) * (1 if direction == "up" else -1)
    word = "lowers" if direction == "up" else "raises"
    text = f"changing {', '.join(change)} never {word} the score"
    return _hold(frame, wrong, tolerance, share, "direction", text)


def handles_missing(
    model: Model, frame: "pd.DataFrame", columns: str | Sequence[str] | None = None
) -> Verdict:
    """Expect an answer to every row when each column in turn is missing everywhere.

    Args:
        model: the model to ask.
        frame: rows with its features.
        columns: those that may be missing; all that are missing somewhere if None.
    """
    if columns is None:
        columns = [str(name) for name in frame.columns[frame.isna().any()]]
    blanks = {name: _blank(frame[name]) for name in _names(columns)}
    return _survives(model, frame, blanks, "missing", "answers every row without")


def handles_unseen(
    model: Model, frame: "pd.DataFrame", columns: str | Sequence[str], value: Any = UNSEEN
) -> Verdict:
    """Expect an answer to every row when each column in turn has a value never seen.

    Args:
        model: the model to ask.
        frame: rows with its features.
        columns: those that take new values, such as a new airport.
        value: the new value.
    """
    return _survives(
        model,
        frame,
        dict.fromkeys(_names(columns), value),
        "unseen",
        "answers every row with a new",
    )


def _column(frame: "pd.DataFrame", target: Any) -> Any:
    return frame[target].to_numpy() if isinstance(target, str) else target


def _names(columns: str | Sequence[str]) -> Sequence[str]:
    return [columns] if isinstance(columns, str) else columns


def _scores(answers: Answers) -> "NDArray[np.float64]":
    """Return one column per score that can move: the values, or every class's probability."""
    predicted = answers.predicted
    return predicted if predicted.ndim == 2 else predicted[:, None]


def _blank(column: "pd.Series[Any]") -> Any:
    """Return what missing is for a column: None in text, NaN in numbers."""
    numeric = column.dtype.kind in "iufb"
    return float("nan") if numeric else None


def _hold(
    frame: "pd.DataFrame",
    wrong: "NDArray[np.float64]",
    tolerance: float,
    share: float,
    rule: str,
    text: str,
) -> Verdict:
    """Judge how far each row, shape (n,), went the wrong way; show the worst one."""
    import numpy as np

    if not len(wrong):
        return Verdict(ok=None, rule=rule, text=f"{text}: there are no rows to ask")
    # An answer that is no number holds nothing.
    fine = float(np.mean(wrong <= tolerance))
    worst = int(np.argmax(np.nan_to_num(wrong, nan=np.inf)))
    data: dict[str, float | int | str | None] = {"share": fine, "worst row": worst}
    said = f"{text} in {fine:.1%} of {len(wrong):,} rows (asked: {share:.1%}, within {tolerance:g})"
    if fine < share:
        said += f"; worst by {wrong[worst]:.3g} in row {frame.index[worst]!r}"
    return Verdict(ok=fine >= share, rule=rule, text=said, data=data)


def _survives(
    model: Model, frame: "pd.DataFrame", changes: Mapping[str, Any], rule: str, text: str
) -> Verdict:
    """Ask once per column with one value in every row; neither a crash nor NaN is an answer."""
    import numpy as np

    if not changes:
        return Verdict(ok=None, rule=rule, text="there is no column to change; name some")
    for name, value in changes.items():
        column = [value] * len(frame)
        try:
            answers = model.predict(frame.assign(**{name: column}))
        except Exception as error:  # noqa: BLE001  (any crash is what this check looks for)
            message = f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"
            return Verdict(ok=False, rule=rule, text=f"{text} {name}: no, {message}")
        if bad := int((~np.isfinite(_scores(answers)).all(axis=1)).sum()):
            said = f"{text} {name}: no, {bad:,} of {len(frame):,} answers are not finite"
            return Verdict(ok=False, rule=rule, text=said, data={"column": name, "rows": bad})
    return Verdict(ok=True, rule=rule, text=f"{text} {', '.join(changes)}")
