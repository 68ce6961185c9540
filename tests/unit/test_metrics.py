"""Every metric's value is scikit-learn's, and its standard error that of an independent formula."""

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from ml_gitops.errors import ConfigError
from ml_gitops.model.influence import UndefinedMetric
from ml_gitops.model.interval import standard_error
from ml_gitops.model.metrics import METRICS, metric_named, metrics_of
from ml_gitops.model.scores import score

SCIKIT: dict[str, Callable] = {
    "roc_auc": lambda y, p: sk.roc_auc_score(y, p[:, 1]),
    "average_precision": lambda y, p: sk.average_precision_score(y, p[:, 1]),
    "log_loss": sk.log_loss,
    "brier": lambda y, p: sk.brier_score_loss(y, p[:, 1]),
    "accuracy": lambda y, p: sk.accuracy_score(y, p.argmax(1)),
    "balanced_accuracy": lambda y, p: sk.balanced_accuracy_score(y, p.argmax(1)),
    "precision": lambda y, p: sk.precision_score(y, p.argmax(1)),
    "recall": lambda y, p: sk.recall_score(y, p.argmax(1)),
    "f1": lambda y, p: sk.f1_score(y, p.argmax(1)),
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "mse": sk.mean_squared_error,
    "r2": sk.r2_score,
}


def rows(task: str, n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Make targets and predictions that agree somewhat; scores are rounded, so that some tie."""
    random = np.random.default_rng(seed)
    if task == "regression":
        target = random.gamma(2, 3, n)
        return target, target + random.normal(0, 1.5, n)
    classes = 2 if task == "binary" else 3
    target = random.integers(0, classes, n)
    logits = random.normal(0, 1, (n, classes)) + 1.2 * np.eye(classes)[target]
    odds = np.exp(logits).round(1) + 0.1
    return target, odds / odds.sum(1, keepdims=True)


@pytest.mark.parametrize("name", [*metrics_of("binary"), *metrics_of("regression")])
def test_values_are_those_of_scikit_learn(name: str) -> None:
    """Binary and regression metrics give scikit-learn's value."""
    target, predicted = rows(METRICS[name].tasks[0])

    ours = score(name, target, predicted).value

    assert ours == pytest.approx(SCIKIT[name](target, predicted), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("roc_auc", lambda y, p: sk.roc_auc_score(y, p, multi_class="ovr", average="macro")),
        ("average_precision", lambda y, p: sk.average_precision_score(np.eye(3)[y], p)),
        ("log_loss", sk.log_loss),
        ("brier", lambda y, p: sk.brier_score_loss(y, p, scale_by_half=True)),
        ("balanced_accuracy", lambda y, p: sk.balanced_accuracy_score(y, p.argmax(1))),
        ("precision", lambda y, p: sk.precision_score(y, p.argmax(1), average="macro")),
        ("recall", lambda y, p: sk.recall_score(y, p.argmax(1), average="macro")),
        ("f1", lambda y, p: sk.f1_score(y, p.argmax(1), average="macro")),
    ],
)
def test_three_classes_are_averaged_one_against_rest(name: str, theirs: Callable) -> None:
    """Over three classes a metric is scikit-learn's unweighted mean."""
    target, predicted = rows("multiclass")

    assert score(name, target, predicted).value == pytest.approx(theirs(target, predicted))


@pytest.mark.parametrize("name", list(METRICS))
def test_standard_errors_agree_with_the_bootstrap(name: str) -> None:
    """Every closed-form standard error is within a tenth of the bootstrap's."""
    target, predicted = rows(METRICS[name].tasks[0], n=800)
    random = np.random.default_rng(1)
    draws = (random.integers(0, 800, 800) for _ in range(1000))

    closed = standard_error(score(name, target, predicted).influence)

    resampled = np.std([score(name, target[d], predicted[d]).value for d in draws])
    assert closed == pytest.approx(resampled, rel=0.1)


def test_three_classes_have_the_bootstraps_standard_error_too() -> None:
    """The error of an average over classes respects that the classes share their rows."""
    target, predicted = rows("multiclass", n=800)
    random = np.random.default_rng(1)
    draws = [random.integers(0, 800, 800) for _ in range(600)]

    for name in metrics_of("multiclass"):
        closed = standard_error(score(name, target, predicted).influence)
        resampled = np.std([score(name, target[d], predicted[d]).value for d in draws])
        assert closed == pytest.approx(resampled, rel=0.12), name


def placements_by_hand(target: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return DeLong's placements by comparing every positive with every negative."""
    above, below = scores[target == 1][:, None], scores[target == 0][None, :]
    wins = (above > below) + 0.5 * (above == below)
    return wins.mean(1), wins.mean(0)


def test_the_roc_curve_has_delongs_variance() -> None:
    """Variance and paired covariance equal the O(mn) placements exactly, with ties."""
    target, first = rows("binary", n=150)
    _, second = rows("binary", n=150, seed=5)
    hands = [placements_by_hand(target, p[:, 1]) for p in (first, second)]
    v10 = np.cov(np.vstack([one[0] for one in hands]))
    v01 = np.cov(np.vstack([one[1] for one in hands]))
    contrast = np.array([1, -1])

    ours = score("roc_auc", target, first), score("roc_auc", target, second)

    covariance = v10 / (target == 1).sum() + v01 / (target == 0).sum()
    assert standard_error(ours[0].influence) ** 2 == pytest.approx(covariance[0, 0], rel=1e-12)
    paired = standard_error(ours[0].influence - ours[1].influence) ** 2
    assert paired == pytest.approx(contrast @ covariance @ contrast, rel=1e-12)


def test_a_mean_has_the_usual_standard_error() -> None:
    """For the mean of per-row losses the error is s / sqrt(n)."""
    target, predicted = rows("regression")
    losses = np.abs(predicted - target)

    ours = score("mae", target, predicted)

    assert standard_error(ours.influence) == pytest.approx(losses.std(ddof=1) / np.sqrt(400))


@settings(max_examples=60, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10_000), name=st.sampled_from(sorted(METRICS)), n=st.integers(5, 60))
def test_row_order_does_not_matter(seed: int, name: str, n: int) -> None:
    """Shuffled rows give the same value, and each row keeps its influence; the mean is zero."""
    target, predicted = rows(METRICS[name].tasks[0], n=n, seed=seed)
    order = np.random.default_rng(seed).permutation(n)

    try:
        straight = score(name, target, predicted)
    except UndefinedMetric:
        with pytest.raises(UndefinedMetric):
            score(name, target[order], predicted[order])
        return
    shuffled = score(name, target[order], predicted[order])

    assert shuffled.value == pytest.approx(straight.value, abs=1e-12)
    np.testing.assert_allclose(shuffled.influence, straight.influence[order], atol=1e-9)
    assert straight.influence.mean() == pytest.approx(0, abs=1e-9 * (1 + abs(straight.value)))


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "balanced_accuracy"])
def test_one_class_defines_no_rank(name: str) -> None:
    """Where all rows are of one class the metric is undefined, not zero."""
    with pytest.raises(UndefinedMetric, match="one class"):
        score(name, np.zeros(9, dtype=int), np.full((9, 2), 0.5))


def test_a_certain_mistake_costs_much_but_not_infinity() -> None:
    """A probability of zero that comes true gives a finite log loss."""
    target, predicted = np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]])

    assert 10 < score("log_loss", target, predicted).value < 20


def test_a_perfect_regression_has_no_error() -> None:
    """With all errors zero, RMSE and its standard error are zero and nothing divides by zero."""
    target = np.arange(9.0)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        perfect = score("rmse", target, target)

    assert (perfect.value, standard_error(perfect.influence)) == (0, 0)


def test_a_misspelt_metric_is_refused_with_the_nearest_name() -> None:
    """The error names the metric that was probably meant."""
    with pytest.raises(ConfigError, match="did you mean 'roc_auc'"):
        metric_named("rocauc", "binary")
    with pytest.raises(ConfigError, match="'rmse' is not a metric of binary models"):
        metric_named("rmse", "binary")


def test_a_margin_is_a_share_of_a_loss_and_a_part_of_a_score() -> None:
    """The default margin is .01 of a score and 2% of a loss."""
    assert METRICS["roc_auc"].allowed(None, 0.7) == 0.01
    assert METRICS["log_loss"].allowed(None, 0.5) == pytest.approx(0.01)
    assert METRICS["rmse"].allowed(0.1, 30) == pytest.approx(3)


@pytest.mark.parametrize(
    ("name", "value", "told", "said"),
    [
        ("roc_auc", 0.81234, {}, "0.8123"),
        ("roc_auc", -0.0004, {"signed": True}, "−0.0004"),
        ("roc_auc", 0.00001, {"signed": True}, "±0.0000"),
        ("roc_auc", -0.00001, {}, "0.0000"),
        ("r2", -0.5, {}, "−0.5000"),
        ("rmse", 18.2345, {}, "18.235"),
        ("rmse", 0.0123, {"signed": True, "beside": 18.2}, "+0.012"),
        ("mse", 1234567.8, {}, "1,234,568"),
        ("mse", 0.000123456, {}, "0.00012346"),
        ("mae", 0.0, {}, "0.0000"),
    ],
)
def test_a_value_reads_as_people_write_it(name: str, value: float, told: dict, said: str) -> None:
    """A true minus, thousands apart, no exponent, and a difference as precise as its value."""
    assert METRICS[name].text(value, **told) == said
