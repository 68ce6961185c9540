"""What holds of every verdict of the gate, whatever the rows: order, names, swaps, more quality."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_gitops.model.comparison import compare
from ml_gitops.model.evaluation import Answers
from ml_gitops.model.gate import GateVerdict, judge
from ml_gitops.model.metric_change import Change
from ml_gitops.model.policy import GatePolicy

DIGEST = "sha256:" + "0" * 64
ORDER = ("block", "warn", "pass")
LAW = settings(max_examples=60, derandomize=True, deadline=None)


@dataclass(frozen=True)
class Rivals:
    """A truth, two models and a dummy on the same rows of some days; one column to slice by."""

    truth: np.ndarray
    ours: np.ndarray
    theirs: np.ndarray
    day: np.ndarray
    side: np.ndarray

    @classmethod
    def draw(cls, seed: int, days: int, per_day: int, gap: float) -> "Rivals":
        """Draw rows whose days have their own luck, and models of which one sees less."""
        random = np.random.default_rng(seed)
        n = days * per_day
        day = np.repeat(np.arange(days), per_day)
        seen = random.normal(size=n)
        luck = random.normal(size=days)[day]
        truth = (random.random(n) < 1 / (1 + np.exp(-seen - luck))).astype(int)
        truth[:2] = (0, 1)
        ours, theirs = (
            1 / (1 + np.exp(-seen - noise * random.normal(size=n)))
            for noise in (0.3, 0.3 + abs(gap))
        )
        if gap < 0:
            ours, theirs = theirs, ours
        return cls(truth, ours, theirs, day, random.integers(0, 3, n))

    def take(self, rows: np.ndarray) -> "Rivals":
        """Return the same rows in another order."""
        return Rivals(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def swapped(self) -> "Rivals":
        """Return the same rows with the candidate as the champion."""
        return Rivals(self.truth, self.theirs, self.ours, self.day, self.side)

    def judge(self, metric: str, *, units: str) -> tuple[GateVerdict, Change | None]:
        """Compare and judge; the margin is absolute, so that a swap does not move it."""
        dummy = np.full(len(self.truth), 0.5)
        answers = (
            Answers("binary", ("0", "1"), np.column_stack([1 - one, one]))
            for one in (self.ours, self.theirs, dummy)
        )
        comparison = compare(
            self.truth,
            *answers,
            primary=metric,
            holdout_digest=DIGEST,
            slices={"side": self.side},
            days=self.day if units == "days" else None,
            champion_name="m@v1.0.0",
        )
        policy = GatePolicy(metric=metric, slices=("side",))
        return judge(comparison, policy), comparison.change(metric)


RIVALS = st.builds(
    Rivals.draw,
    seed=st.integers(0, 10_000),
    days=st.integers(2, 20),
    per_day=st.integers(3, 40),
    gap=st.floats(-2, 2),
)
UNITS = st.sampled_from(["days", "rows"])
METRIC = st.sampled_from(["roc_auc", "accuracy", "balanced_accuracy", "average_precision"])


@LAW
@given(rivals=RIVALS, metric=METRIC, units=UNITS, seed=st.integers(0, 100))
def test_the_order_of_rows_and_the_names_of_days_say_nothing(
    rivals: Rivals, metric: str, units: str, seed: int
) -> None:
    """Shuffled rows and days of other names get the same verdict and the same outcome."""
    random = np.random.default_rng(seed)
    shuffled = rivals.take(random.permutation(len(rivals.truth)))
    names = random.permutation(1000)[rivals.day]
    renamed = Rivals(rivals.truth, rivals.ours, rivals.theirs, names, rivals.side)

    said, change = rivals.judge(metric, units=units)
    others = (shuffled.judge(metric, units=units), renamed.judge(metric, units=units))

    for again, other in others:
        assert (again.verdict, again.outcome) == (said.verdict, said.outcome)
        assert (change is None) == (other is None)
        if change is not None and other is not None:
            ends = (change.difference.low, change.difference.high)
            np.testing.assert_allclose(
                (other.difference.low, other.difference.high), ends, atol=1e-9
            )


@LAW
@given(rivals=RIVALS, metric=METRIC, units=UNITS)
def test_two_models_are_not_both_better(rivals: Rivals, metric: str, units: str) -> None:
    """A swap turns the interval round: what was worse is better, and no evidence stays none."""
    forth, change = rivals.judge(metric, units=units)
    back, turned = rivals.swapped().judge(metric, units=units)

    if change is not None and turned is not None:
        assert abs(change.difference.low + turned.difference.high) < 1e-9
        assert (change.rarest, change.difference.days) == (turned.rarest, turned.difference.days)
    outcomes = (forth.outcome, back.outcome)
    for one, other in (outcomes, outcomes[::-1]):
        if one == "better":
            assert other in ("worse", "not worse")
        if one == "worse":
            assert other == "better"
    headlines = [said.headline for said in (forth, back)]
    assert ("cannot be judged" in headlines[0]) == ("cannot be judged" in headlines[1])


@LAW
@given(
    seed=st.integers(0, 10_000),
    days=st.integers(2, 20),
    per_day=st.integers(2, 30),
    gains=st.tuples(st.floats(0, 2), st.floats(0, 2)),
    units=UNITS,
    inconclusive=st.sampled_from(["tie-break", "pass", "block"]),
)
def test_a_better_candidate_is_never_judged_worse(
    seed: int,
    days: int,
    per_day: int,
    gains: tuple[float, float],
    units: str,
    inconclusive: str,
) -> None:
    """When every answer comes nearer to the truth by as much, the verdict rises or stays."""
    random = np.random.default_rng(seed)
    n = days * per_day
    day, side = np.repeat(np.arange(days), per_day), random.integers(0, 3, n)
    truth = random.normal(0, 6, n)
    off, theirs = 2 + random.gamma(2, 1, n), 1 + random.gamma(2, 1, n)
    policy = GatePolicy(
        metric="mae", secondary=(), slices=("side",), minimum=5.0, on_inconclusive=inconclusive
    )  # type: ignore[arg-type]

    verdicts = []
    for gain in sorted(gains):
        answers = (Answers("regression", values=truth + one) for one in (off - gain, theirs))
        comparison = compare(
            truth,
            *answers,
            Answers("regression", values=np.zeros(n)),
            primary="mae",
            holdout_digest=DIGEST,
            slices={"side": side},
            days=day if units == "days" else None,
            champion_name="m@v1.0.0",
        )
        said = judge(comparison, policy)
        assert judge(comparison, policy) == said
        assert GateVerdict.from_json(said.to_json(), where="test") == said
        verdicts.append(ORDER.index(said.verdict))

    assert verdicts == sorted(verdicts)
