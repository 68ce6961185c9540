"""A failure of the pipeline that comes from its hyper-parameters names their file and key."""

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from ml_gitops.config import parse_params
from ml_gitops.config.hyperparameters import blame
from ml_gitops.errors import MlGitopsError, TrainingError


def spread(params: dict[str, Any]) -> Any:
    """Give all to the estimator."""
    return LogisticRegression(**params)


def in_a_table(params: dict[str, Any]) -> Any:
    """Give a table to the estimator."""
    return LogisticRegression(**params["model"])


def by_step(params: dict[str, Any]) -> Any:
    """Set the parameters of steps by their long names."""
    return Pipeline([("logistic", LogisticRegression())]).set_params(**params)


def by_name(params: dict[str, Any]) -> Any:
    """Ask for what is needed."""
    return LogisticRegression(C=params["C"])


def deep(params: dict[str, Any]) -> Any:
    """Ask a table for what is needed."""
    return LogisticRegression(C=params["model"]["C"])


def of_their_own(params: dict[str, Any]) -> Any:
    """Fail for a reason that no parameter has."""
    return {"a": 1}["C"] + len(params)


def failure_of(build: Callable[[dict[str, Any]], Any], text: str) -> MlGitopsError:
    """Return what the author's code raised, as the adapters tell it."""
    try:
        build(parse_params(text, where="p.toml")).fit([[0.0], [1.0]], [0, 1])
    except Exception as error:  # noqa: BLE001  (whatever an author's code raises)
        told = TrainingError("it failed", hint="correct the pipeline", where="pipeline.py:1")
        told.__cause__ = error
        return told
    raise AssertionError("it passed")


BLAMED = [
    (spread, "# c\nCee = 1", "p.toml:2: LogisticRegression takes no 'Cee'; did you mean 'C'?"),
    (spread, "max_itr = 1", "p.toml:1: LogisticRegression takes no 'max_itr'; did you mean 'max_"),
    (spread, "zzz = 1", "p.toml:1: LogisticRegression takes no 'zzz'; remove it, or use one of "),
    (
        spread,
        "C = -1.0",
        "p.toml:1: C = -1.0 is refused: LogisticRegression wants a float in the range (0.0, inf]",
    ),
    (in_a_table, "[model]\nCee = 1", "p.toml:2: LogisticRegression takes no 'Cee'; did you mean"),
    (deep, "[model]\nCee = 1", "p.toml:2: deep asks for 'C', which is not there; is 'Cee' missp"),
    (in_a_table, "C = 1", "p.toml: in_a_table asks for 'model', which is not there; add it"),
    (by_step, "logistic__Cee = 1", "p.toml:1: LogisticRegression takes no 'Cee'; did you mean 'C'"),
    (by_step, "logistc__C = 1", "p.toml:1: Pipeline takes no 'logistc'; write the name of a step"),
    (by_step, "a = 1\n", "p.toml:1: Pipeline takes no 'a'; remove it, or use one of memory, "),
    (by_step, "logistic__C = 'x'", "p.toml:1: logistic__C = 'x' is refused: LogisticRegression w"),
    (by_name, "c = 1", "p.toml: by_name asks for 'C', which is not there; add it"),
]


@pytest.mark.parametrize(("build", "text", "said"), BLAMED)
def test_a_parameter_is_blamed_where_it_stands(
    build: Callable[[dict[str, Any]], Any], text: str, said: str
) -> None:
    """What nothing takes, what is refused, and what is asked for in vain: file, line, remedy."""
    assert str(blame(failure_of(build, text), text.encode(), where="p.toml")).startswith(said)


def test_other_failures_stay_those_of_the_code() -> None:
    """A key that the code lacks by itself, and a failure without a cause, are let be."""
    failure = failure_of(of_their_own, "x = 1")
    alone = TrainingError("it failed", hint="look")

    assert blame(failure, b"x = 1", where="p.toml") is failure
    assert blame(alone, b"x = 1", where="p.toml") is alone
