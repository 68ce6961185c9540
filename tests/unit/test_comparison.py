"""Candidate and champion on the same rows."""

import numpy as np
import pytest
from scipy import stats

from ml_gitops.document import Missing
from ml_gitops.model.comparison import Comparison, Flips, compare
from ml_gitops.model.evaluation import Answers, Evaluation
from ml_gitops.model.metric_change import Change, change_of
from ml_gitops.model.metrics import metrics_of

DIGEST = "sha256:" + "0" * 64


def binary(chances: np.ndarray, classes: tuple[str, str] = ("0", "1")) -> Answers:
    """Answer with chances of the second class."""
    return Answers("binary", classes, np.column_stack([1 - chances, chances]))


@pytest.fixture
def models() -> tuple[np.ndarray, Answers, Answers, Answers]:
    """Make a truth, a better candidate, a champion and a dummy over 1,000 rows."""
    random = np.random.default_rng(0)
    signal = random.normal(size=1000)
    truth = (random.random(1000) < 1 / (1 + np.exp(-2 * signal))).astype(int)
    ours, theirs = (
        binary(1 / (1 + np.exp(-signal - noise * random.normal(size=1000)))) for noise in (0.5, 1)
    )
    return truth, ours, theirs, binary(np.full(1000, truth.mean()))


def against(
    models: tuple[np.ndarray, Answers, Answers, Answers],
    champion: Answers | Missing,
    **more: object,
) -> Comparison:
    """Compare the candidate with a champion by ROC AUC."""
    truth, ours, _, dummy = models
    return compare(truth, ours, champion, dummy, primary="roc_auc", holdout_digest=DIGEST, **more)  # type: ignore[arg-type]


def test_differences_are_oriented_so_that_plus_is_better(
    models: tuple[np.ndarray, Answers, Answers, Answers],
) -> None:
    """A better model has positive differences, for scores and for losses alike."""
    comparison = against(models, models[2], champion_name="m@v1.0.0")

    assert comparison.champion == "m@v1.0.0"
    assert comparison.changes[0].metric == "roc_auc"
    for name in ("roc_auc", "log_loss", "brier", "accuracy"):
        change = comparison.change(name)
        assert change is not None
        assert change.difference.estimate > 0, name
    loss = comparison.change("log_loss")
    assert loss is not None
    assert loss.difference.estimate == pytest.approx(loss.baseline - loss.candidate)


def test_swapping_the_models_turns_every_sign(
    models: tuple[np.ndarray, Answers, Answers, Answers],
) -> None:
    """Comparing A with B is minus comparing B with A, in every metric and slice."""
    truth, ours, theirs, dummy = models
    slices = {"side": np.arange(1000) % 3}
    forth, back = (
        compare(truth, one, other, dummy, primary="log_loss", holdout_digest=DIGEST, slices=slices)
        for one, other in ((ours, theirs), (theirs, ours))
    )

    pairs = list(zip(forth.changes, back.changes, strict=True))
    pairs += [(a.change, b.change) for a, b in zip(forth.slices, back.slices, strict=True)]
    for one, other in pairs:
        assert one.difference.estimate == pytest.approx(-other.difference.estimate)
        assert one.difference.low == pytest.approx(-other.difference.high)


def test_a_metric_that_is_not_defined_says_of_whom_and_why(
    models: tuple[np.ndarray, Answers, Answers, Answers],
) -> None:
    """A champion that calls no row positive has no precision, and the comparison says so."""
    truth, ours, _, dummy = models
    timid = binary(np.full(1000, 0.2))
    slices = {"half": np.arange(1000) < 500}
    comparison = compare(
        truth, ours, timid, dummy, primary="recall", holdout_digest=DIGEST, slices=slices
    )
    nobody = compare(0 * truth, timid, timid, dummy, primary="brier", holdout_digest=DIGEST)

    reason = "of the other model, no row is predicted to be of class 1"
    assert comparison.undefined == {"precision": reason}
    assert comparison.baseline.undefined == {"precision": reason.partition(", ")[2]}  # type: ignore[union-attr]
    assert nobody.undefined["f1"] == "no row is, or is predicted to be, of class 1"
    for found in (comparison, nobody):
        named = {one.metric for one in found.changes} | set(found.undefined)
        assert named == set(metrics_of("binary"))
        assert Comparison.from_json(found.to_json(), where="test") == found


def test_the_accuracy_case_is_mcnemars(
    models: tuple[np.ndarray, Answers, Answers, Answers],
) -> None:
    """The paired difference of accuracies is (improved - worsened) / n with McNemar's spread."""
    comparison = against(models, models[2])
    flips, change = comparison.flips, comparison.change("accuracy")

    assert isinstance(flips, Flips)
    assert change is not None
    moved, n = flips.improved - flips.worsened, flips.n
    assert change.difference.estimate == pytest.approx(moved / n)
    rows = np.repeat(
        [1, -1, 0], [flips.improved, flips.worsened, n - flips.improved - flips.worsened]
    )
    assert change.difference.standard_error == pytest.approx(stats.sem(rows))


@pytest.mark.parametrize(
    ("metric", "step"), [("accuracy", 0.01), ("recall", 0.025), ("f1", 1 / 80)]
)
def test_decisions_that_all_agree_prove_only_as_much_as_their_rows(
    metric: str, step: float
) -> None:
    """Without a flip the next row may be one; only equal answers differ by nothing for sure."""
    truth = np.array([0] * 60 + [1] * 40)
    ours, theirs = (binary(np.abs(truth - doubt)) for doubt in (0.1, 0.2))

    agreeing, same = (change_of(metric, truth, ours, other) for other in (theirs, ours))

    assert isinstance(agreeing, Change)
    assert isinstance(same, Change)
    assert (agreeing.difference.estimate, agreeing.difference.standard_error) == (0, step)
    assert same.difference.standard_error == 0


def test_a_mean_loss_is_compared_by_the_paired_t_test(
    models: tuple[np.ndarray, Answers, Answers, Answers],
) -> None:
    """The log loss interval is scipy's paired one (with the normal quantile, n being 1,000)."""
    truth, ours, theirs, _ = models
    losses = [-np.log(one.predicted[np.arange(1000), truth]) for one in (ours, theirs)]
    difference = losses[1] - losses[0]

    change = against(models, theirs).change("log_loss")

    assert change is not None
    assert change.difference.low == pytest.approx(
        difference.mean() - stats.norm.ppf(0.95) * stats.sem(difference)
    )


def test_the_floor_stands_beside_the_candidate(
    models: tuple[np.ndarray, Answers, Answers, Answers],
) -> None:
    """A model that knows only the rate ranks at one half."""
    floor = against(models, Missing(reason="first model")).floor

    assert not isinstance(floor, Missing)
    assert floor.baseline == 0.5
    assert floor.difference.low > 0


@pytest.mark.parametrize(
    ("champion", "reason"),
    [
        (Missing(reason="nothing serves production"), "nothing serves production"),
        (binary(np.full(1000, 0.5), ("no", "yes")), "other classes: no, yes"),
        (binary(np.full(900, 0.5)), "answered 900 of 1000 rows"),
        (binary(np.full(1000, np.nan)), "not finite"),
        (Answers("regression", values=np.zeros(1000)), "is a regression model"),
    ],
)
def test_a_champion_that_cannot_be_compared_is_missing_with_its_reason(
    models: tuple[np.ndarray, Answers, Answers, Answers], champion: Answers | Missing, reason: str
) -> None:
    """Other classes, other rows or no answer: no change is reported, and the reason is."""
    comparison = against(models, champion, champion_name="m@v1.0.0")

    assert isinstance(comparison.baseline, Missing)
    assert reason in comparison.baseline.reason
    assert (comparison.changes, comparison.slices) == ((), ())
    assert isinstance(comparison.candidate, Evaluation)
    assert Comparison.from_json(comparison.to_json(), where="test") == comparison


def test_without_a_name_an_absent_champion_is_the_reason(
    models: tuple[np.ndarray, Answers, Answers, Answers],
) -> None:
    """The first model of a repository has no champion, which is a value and not an error."""
    assert against(models, Missing(reason="first")).champion == Missing(reason="first")


def test_rows_of_a_day_count_once() -> None:
    """Repeating every row of a day changes no error over days; over rows it would shrink."""
    random = np.random.default_rng(3)
    days = np.repeat(np.arange(20), 10)
    truth = (random.random(200) < random.uniform(0, 1, 20)[days]).astype(int)
    ours, theirs = (
        Answers("binary", ("false", "true"), np.column_stack([1 - p, p]))
        for p in (random.uniform(0.05, 0.95, 200), random.uniform(0.05, 0.95, 200))
    )
    twice = np.repeat(np.arange(200), 2)

    once = change_of("log_loss", truth, ours, theirs, days)
    doubled = change_of("log_loss", truth[twice], ours.take(twice), theirs.take(twice), days[twice])
    naive = change_of("log_loss", truth[twice], ours.take(twice), theirs.take(twice))

    assert isinstance(once, Change)
    assert isinstance(doubled, Change)
    assert isinstance(naive, Change)
    assert (once.difference.days, once.difference.n) == (20, 200)
    assert doubled.difference.standard_error == pytest.approx(
        once.difference.standard_error, rel=0.01
    )
    assert naive.difference.standard_error < 0.9 * once.difference.standard_error


def test_one_day_gives_no_error() -> None:
    """Rows of a single day define no change where days are what counts."""
    truth = np.array([0, 1] * 10)
    answers = Answers("binary", ("false", "true"), np.tile([0.4, 0.6], (20, 1)))

    assert isinstance(change_of("log_loss", truth, answers, answers, np.zeros(20)), Missing)


def rivals(
    random: np.random.Generator, days: int, storm: float
) -> tuple[np.ndarray, Answers, Answers, np.ndarray]:
    """Make 40 rows a day and two models of equal worth: which of them a day suits is a coin."""
    day = np.repeat(np.arange(days), 40)
    seen = random.normal(size=len(day))
    weather, taste = (storm * random.normal(size=days)[day] for _ in range(2))
    truth = (random.random(len(day)) < 1 / (1 + np.exp(1 - seen - weather))).astype(int)
    ours, theirs = (
        binary(
            1 / (1 + np.exp(1 - seen - 0.5 * weather - side - 0.4 * random.normal(size=len(day))))
        )
        for side in (0.4 * taste, -0.4 * taste)
    )
    return truth, ours, theirs, day


@pytest.mark.parametrize("days", [7, 14, 30])
@pytest.mark.parametrize("metric", ["roc_auc", "log_loss"])
@pytest.mark.parametrize("storm", [0.0, 0.8], ids=["independent rows", "days of one kind"])
def test_the_interval_of_days_covers_equal_models(storm: float, metric: str, days: int) -> None:
    """The 90% interval holds the truth as often as it says, at most a third wider than needed."""
    random = np.random.default_rng(days)
    found, naive = [], []
    for _ in range(1000):
        truth, ours, theirs, day = rivals(random, days, storm)
        for kept, clusters in ((found, day), (naive, None)):
            change = change_of(metric, truth, ours, theirs, clusters)
            assert isinstance(change, Change)
            kept.append(change.difference)

    needed = 1.645 * np.std([one.estimate for one in found])
    width = np.mean([one.high - one.low for one in found]) / (2 * needed)
    assert np.mean([one.low < 0 < one.high for one in found]) > 0.88
    assert width < 1.33
    if storm:
        assert np.mean([one.low < 0 < one.high for one in naive]) < 0.86
