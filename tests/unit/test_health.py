"""Health: one bad week is noise, two of three are decay, and too little is said to be."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from ml_gitops.model.interval import Measurement
from ml_gitops.monitoring.health import HealthPolicy, HealthReport, assess
from ml_gitops.monitoring.quality import WindowQuality

START = datetime(2013, 4, 1, tzinfo=UTC)
REFERENCE = {
    "roc_auc": Measurement(value=0.74, standard_error=0.005, n=5000),
    "log_loss": Measurement(value=0.36, standard_error=0.002, n=5000),
    "rmse": Measurement(value=30.0, standard_error=0.1, n=5000),
}


def week(number: int, value: float, metric: str = "roc_auc", **changes: object) -> WindowQuality:
    """Return the quality of one week, good enough to be judged."""
    error = changes.pop("error", 0.003)
    return WindowQuality(
        since=START + timedelta(days=7 * number),
        until=START + timedelta(days=7 * number + 7),
        **{
            "predictions": 5000,
            "labelled": 5000,
            "positives": 700,
            "metrics": {metric: Measurement(value=value, standard_error=error, n=5000)},
            **changes,
        },
    )


def judge(windows: list[WindowQuality], metric: str = "roc_auc", **policy: object) -> HealthReport:
    """Assess windows against the reference with one primary metric."""
    return assess(REFERENCE, windows, HealthPolicy(**policy), model="delay", primary=metric)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([0.74, 0.74, 0.74], "healthy"),
        ([0.80, 0.80, 0.80], "healthy"),
        ([0.74, 0.74, 0.60], "healthy"),
        ([0.60, 0.74, 0.70], "degraded"),
        ([0.70, 0.70, 0.70], "degraded"),
        ([0.60, 0.60, 0.74, 0.74], "healthy"),
        ([0.725, 0.725, 0.725], "healthy"),
    ],
)
def test_two_bad_windows_of_three_are_decay(values: list[float], verdict: str) -> None:
    """A single bad window, an old one, or a drop within the margin is not decay."""
    report = judge([week(i, value) for i, value in enumerate(values)])

    assert report.verdict == verdict
    assert HealthReport.from_json(report.to_json(), where="health.json") == report


@pytest.mark.parametrize(
    ("metric", "fine", "bad"), [("log_loss", 0.374, 0.385), ("rmse", 31.1, 32.0)]
)
def test_of_a_loss_more_is_worse(metric: str, fine: float, bad: float) -> None:
    """A loss degrades upwards, by more than 4% of the reference."""
    assert judge([week(i, fine, metric) for i in range(3)], metric).verdict == "healthy"
    assert judge([week(i, bad, metric) for i in range(3)], metric).verdict == "degraded"
    assert judge([week(i, fine / 2, metric) for i in range(3)], metric).verdict == "healthy"


def test_a_drop_that_chance_explains_is_not_bad() -> None:
    """A large drop with a large error is not significant; the same drop with a small one is."""
    noisy = judge([week(i, 0.70, error=0.03) for i in range(3)])
    sure = judge([week(i, 0.70, error=0.0) for i in range(3)])

    assert noisy.verdict == "healthy"
    assert noisy.metrics[0].windows[0].drop == pytest.approx(0.04)
    assert sure.verdict == "degraded"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"predictions": 0, "labelled": 0}, "no predictions"),
        ({"labelled": 3000}, "60% of 5,000 predictions are labelled, 80% are needed"),
        ({"predictions": 90, "labelled": 90}, "90 usable labels, 100 are needed"),
        ({"unusable": 4950}, "50 usable labels, 100 are needed"),
        ({"positives": 4}, "4 rows of the rarer class, 10 are needed"),
        ({"positives": 4995}, "5 rows of the rarer class, 10 are needed"),
        ({"metrics": {}}, "ROC AUC cannot be computed from the log"),
    ],
)
def test_what_cannot_be_judged_says_why(changes: dict[str, object], reason: str) -> None:
    """Windows without enough rows, labels or classes are not judged, and the reason is in words."""
    report = judge([week(i, 0.5, **changes) for i in range(3)])

    assert report.verdict == "insufficient"
    assert reason in report.text
    assert report.text.startswith("0 windows can be judged, 2 are needed: 2013-04-15..")


def test_unusable_windows_are_passed_over() -> None:
    """The last three usable windows are judged, whatever lies between them."""
    windows = [week(0, 0.6), week(1, 0.5, labelled=0), week(2, 0.74), week(3, 0.6)]

    report = judge(windows)

    assert report.verdict == "degraded"
    assert "ROC AUC got worse in 2 of the last 3 windows (0.6000, 0.7400, 0.6000)" in report.text


def test_no_window_and_no_reference_are_insufficient() -> None:
    """Without windows, or without a promised value, nothing can be judged."""
    nothing = judge([])
    unknown = assess({}, [week(0, 0.7)], HealthPolicy(), model="delay", primary="roc_auc")

    assert (nothing.verdict, unknown.verdict) == ("insufficient", "insufficient")
    assert unknown.text == "the profile has no ROC AUC to compare with"


def test_the_worst_metric_decides() -> None:
    """With several metrics watched, one that degraded is enough."""
    windows = [
        week(i, 0.74).model_copy(
            update={
                "metrics": {
                    "roc_auc": Measurement(value=0.74, standard_error=0.003, n=5000),
                    "log_loss": Measurement(value=0.50, standard_error=0.003, n=5000),
                }
            }
        )
        for i in range(3)
    ]

    report = judge(windows, metrics=("roc_auc", "log_loss"))

    assert report.verdict == "degraded"
    assert [metric.verdict for metric in report.metrics] == ["healthy", "degraded"]
    assert report.text.startswith("log loss")


@pytest.mark.parametrize("policy", [{"metrics": ("auc",)}, {"bad": 4, "of": 3}, {"margin": -0.1}])
def test_an_impossible_policy_is_refused(policy: dict[str, object]) -> None:
    """A metric nobody knows, a count that cannot be reached, a negative margin are refused."""
    with pytest.raises(ValidationError):
        HealthPolicy(**policy)
