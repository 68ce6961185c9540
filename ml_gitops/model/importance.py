"""What a model uses: how much worse it answers when one feature is shuffled."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ml_gitops.model.evaluation import Answers, Importance, truth_of
from ml_gitops.model.influence import Score, UndefinedMetric
from ml_gitops.model.interval import standard_error
from ml_gitops.model.metrics import metric_named
from ml_gitops.model.scores import score

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 5_000
"""Enough to tell a feature that is used from one that is not; more rows cost only time."""


def permutation_importance(
    predict: "Callable[[pd.DataFrame], Answers]",
    frame: "pd.DataFrame",
    target: NDArray[Any],
    features: Sequence[str],
    *,
    metric: str,
    seed: int,
    repeats: int = 3,
    told: Callable[[float], None] = lambda _: None,
) -> tuple[Importance, ...]:
    """Measure the loss in a metric when each feature's values are shuffled (Breiman 2001).

    Args:
        predict: answers a frame of rows.
        frame: rows of the holdout; at most 5,000 of them are drawn.
        target: their true classes or values, shape (n,).
        features: the columns to shuffle, one at a time.
        metric: a name of `metrics.METRICS`.
        seed: decides the rows and the shuffles.
        repeats: shuffles per feature.
        told: hears which share of the features is done (0 to 1).

    Returns:
        One importance per feature, in the order given; the error is that over rows. None at all
        where the rows do not define the metric, for example without a row of one class.
    """
    random = np.random.default_rng(seed)
    rows = np.sort(random.permutation(len(frame))[:MAX_ROWS])
    frame = frame.iloc[rows].reset_index(drop=True)
    answers = predict(frame)
    truth = truth_of(np.asarray(target)[rows], answers)
    sign = metric_named(metric, answers.task).sign
    shuffles = [random.permutation(len(rows)) for _ in range(repeats)]
    found = []
    try:
        whole = score(metric, truth, answers.predicted)
        for done, feature in enumerate(features):
            told(done / len(features))
            shuffled = [
                score(metric, truth, predict(_shuffle(frame, feature, order)).predicted)
                for order in shuffles
            ]
            found.append(_loss(feature, sign, whole, shuffled))
    except UndefinedMetric:
        return ()
    return tuple(found)


def _loss(feature: str, sign: int, whole: Score, shuffled: list[Score]) -> Importance:
    """Return the mean loss; rows are paired, so their terms subtract before they are squared."""
    value = sign * (whole.value - float(np.mean([one.value for one in shuffled])))
    influence = whole.influence - np.mean([one.influence for one in shuffled], axis=0)
    return Importance(feature=feature, value=value, standard_error=standard_error(influence))


def _shuffle(frame: "pd.DataFrame", feature: str, order: NDArray[np.intp]) -> "pd.DataFrame":
    return frame.assign(**{feature: frame[feature].iloc[order].reset_index(drop=True)})
