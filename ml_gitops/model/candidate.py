"""Fitting the author's pipeline, and the simplest model that any candidate must beat."""

import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ml_gitops.data.schema import DataSchema
from ml_gitops.errors import DataError, MlGitopsError, TrainingError
from ml_gitops.model.evaluation import Answers
from ml_gitops.model.target import encode

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

BuildPipeline = Callable[[dict[str, Any]], Any]


def build_and_fit(
    build_pipeline: BuildPipeline,
    params: Mapping[str, Any],
    train_frame: "pd.DataFrame",
    schema: DataSchema,
    seed: int,
) -> Any:
    """Build the author's pipeline and fit it on the features, in the schema's order.

    Args:
        build_pipeline: the author's function.
        params: the hyper-parameters it gets.
        train_frame: rows with every feature and the target.
        schema: which columns those are.
        seed: for every step that has a `random_state` and none of its own.

    Returns:
        The fitted estimator.

    Raises:
        DataError: the target is missing somewhere, or has one class only.
        TrainingError: the author's code failed; its file and line are named.
    """
    target = train_frame[schema.target]
    if missing := int(target.isna().sum()):
        raise DataError(
            f"{missing} of {len(target)} rows to train on have no {schema.target!r}",
            hint="leave rows out of the data until their label is known",
        )
    if schema.task != "regression" and target.nunique() < 2:
        raise DataError(
            f"{schema.target!r} has one class only in the {len(target)} rows to train on",
            hint="lock a longer window, so that both classes occur",
        )
    with _author(build_pipeline):
        estimator = build_pipeline(dict(params))
        if not (hasattr(estimator, "fit") and hasattr(estimator, "get_params")):
            raise TrainingError(
                f"{build_pipeline.__name__} returned {type(estimator).__name__}, no estimator",
                hint="return a scikit-learn Pipeline",
                where=_definition(build_pipeline),
            )
        seeded = {
            name: seed
            for name, value in estimator.get_params(deep=True).items()
            if name.rpartition("__")[2] == "random_state" and value is None
        }
        return estimator.set_params(**seeded).fit(train_frame[schema.feature_names], target)


def dummy_answers(train_target: "NDArray[Any]", model: Answers) -> Answers:
    """Answer what a model would that learned nothing but the rates: the floor of the gate.

    Args:
        train_target: the classes or values of the rows the model learned from.
        model: a model's answers; the dummy answers as many rows of the same classes.

    Returns:
        The share of each class, or the mean, in every row.
    """
    if model.task == "regression":
        mean = float(np.asarray(train_target, dtype=np.float64).mean())
        return Answers(model.task, values=np.full(len(model), mean))
    codes = encode(train_target, model.task, model.classes)
    rates = np.bincount(codes, minlength=len(model.classes)) / len(codes)
    return Answers(model.task, model.classes, np.tile(rates, (len(model), 1)))


@contextmanager
def _author(function: BuildPipeline) -> Iterator[None]:
    """Turn a failure of the author's code into one line that names theirs."""
    try:
        yield
    except MlGitopsError:
        raise
    except Exception as error:
        message = " ".join(str(error).split())[:300] or "no message"
        raise TrainingError(
            f"{type(error).__name__}: {message}",
            hint=_remedy(message),
            where=_line(error, function),
        ) from error


def _remedy(said: str) -> str:
    """Say what to do about what scikit-learn says most often of a first pipeline."""
    if "could not convert string to float" in said:
        return "let the pipeline encode text features, for example with OneHotEncoder"
    if "contains NaN" in said:
        return "let the pipeline fill missing values, for example with SimpleImputer"
    return "correct the pipeline"


def _line(error: Exception, function: BuildPipeline) -> str:
    """Return `file:line` of the author's last line that ran, else of the function itself."""
    code = getattr(function, "__code__", None)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if code is not None and frame.filename == code.co_filename:
            return f"{frame.filename}:{frame.lineno}"
    return _definition(function)


def _definition(function: BuildPipeline) -> str:
    code = getattr(function, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(function)
