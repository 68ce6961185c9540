"""The gate passes what is not worse, blocks what is, and says when it cannot tell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_gitops.document import Missing
from ml_gitops.errors import ConfigError
from ml_gitops.model.comparison import Comparison, compare
from ml_gitops.model.evaluation import Answers, Evaluation, ScoreHistogram
from ml_gitops.model.gate import GateVerdict, Power, judge
from ml_gitops.model.interval import Measurement, PairedDifference
from ml_gitops.model.metric_change import Change, SliceChange
from ml_gitops.model.metrics import METRICS
from ml_gitops.model.policy import GatePolicy
from ml_gitops.model.verdict import Verdict, not_worse

DIGEST = "sha256:" + "0" * 64


def change(
    estimate: float,
    error: float = 0.002,
    metric: str = "roc_auc",
    baseline: float = 0.7,
    n: int = 5000,
) -> Change:
    """Make a change with its interval."""
    difference = PairedDifference(
        estimate=estimate,
        standard_error=error,
        low=estimate - 1.645 * error,
        high=estimate + 1.645 * error,
        n=n,
    )
    candidate = baseline + METRICS[metric].sign * estimate
    return Change(metric=metric, baseline=baseline, candidate=candidate, difference=difference)


def evaluation(digest: str = DIGEST, value: float = 0.7) -> Evaluation:
    """Make the evaluation of one model."""
    measured = Measurement(value=value, standard_error=0.01, n=5000)
    return Evaluation(
        task="binary",
        n=5000,
        holdout_digest=digest,
        metrics={"roc_auc": measured},
        histogram=ScoreHistogram(edges=(0, 1), counts=(5000,)),
    )


def comparison(primary: Change, **other: object) -> Comparison:
    """Make a comparison in which only what is given stands out."""
    fields: dict = {
        "primary": "roc_auc",
        "champion": "delay@v1.0.0",
        "candidate": evaluation(),
        "baseline": evaluation(),
        "changes": (primary, change(0, metric="log_loss"), change(0, metric="brier")),
        "flips": Missing(reason="not counted"),
        "floor": change(0.2, baseline=0.5),
    }
    return Comparison(**(fields | other))


def piece(estimate: float, n: int = 500, error: float = 0.005, **other: object) -> SliceChange:
    """Make a slice that is large enough to be judged."""
    one = change(estimate, error, n=n).model_copy(update={"rarest": other.pop("rarest", 50)})
    fields: dict = {"column": "origin", "value": f"{estimate}", "n": n}
    return SliceChange(change=one, **(fields | other))


@pytest.mark.parametrize(
    ("estimate", "error", "outcome", "verdict"),
    [
        (0.02, 0.002, "better", "pass"),
        (0.0, 0.002, "not worse", "pass"),
        (-0.005, 0.002, "not worse", "pass"),
        (-0.02, 0.002, "worse", "block"),
        (-0.008, 0.003, "worse", "block"),
        (0.001, 0.02, "cannot tell", "warn"),
        (-0.001, 0.02, "cannot tell", "block"),
    ],
)
def test_the_interval_decides(estimate: float, error: float, outcome: str, verdict: str) -> None:
    """Above the margin passes, below it and below zero blocks, else the estimate breaks the tie."""
    said = judge(comparison(change(estimate, error)), GatePolicy())

    assert (said.outcome, said.verdict) == (outcome, verdict)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (
            change(0.02, metric="log_loss", baseline=0.5),
            (
                "log loss is better by 0.0200 (90% interval 0.0167 to 0.0233): "
                "0.4800 against 0.5000 of the champion, on 5,000 rows"
            ),
        ),
        (
            change(-0.02),
            (
                "ROC AUC is worse by 0.0200 (90% interval 0.0167 to 0.0233) where 0.0100 is "
                "allowed: 0.6800 against 0.7000 of the champion, on 5,000 rows"
            ),
        ),
        (
            change(-0.001),
            (
                "ROC AUC holds: 0.6990 against 0.7000 of the champion, worse by 0.0010 "
                "(90% interval −0.0023 to 0.0043); 0.0100 worse is allowed, on 5,000 rows"
            ),
        ),
        (
            change(0.001, 0.02),
            (
                "ROC AUC may be worse: 0.7010 against 0.7000 of the champion, better by 0.0010 "
                "(90% interval −0.0319 to 0.0339); 0.0100 worse is allowed, on 5,000 rows; "
                "about 123,652 rows would tell"
            ),
        ),
        (
            change(0, 0),
            (
                "ROC AUC holds: 0.7000 against 0.7000 of the champion, no better and no worse; "
                "0.0100 worse is allowed, on 5,000 rows"
            ),
        ),
        (
            change(-300, 100, metric="rmse", baseline=12345.6),
            (
                "RMSE is worse by 300 (90% interval 136 to 464) where 247 is allowed: "
                "12,646 against 12,346 of the champion, on 5,000 rows"
            ),
        ),
    ],
)
def test_the_sentence_says_which_way_and_how_far(one: Change, said: str) -> None:
    """Better and worse are words, the interval follows them, and all numbers match."""
    assert not_worse(one).text == said


@pytest.mark.parametrize(
    ("policy", "estimate", "verdict"),
    [("pass", -0.001, "warn"), ("block", 0.001, "block"), ("tie-break", 0.001, "warn")],
)
def test_what_the_rows_cannot_tell_is_the_teams_choice(
    policy: str, estimate: float, verdict: str
) -> None:
    """Strict teams block, lenient ones pass with a warning; it is never silently green."""
    said = judge(comparison(change(estimate, 0.02)), GatePolicy(on_inconclusive=policy))  # type: ignore[arg-type]

    assert (said.outcome, said.verdict) == ("cannot tell", verdict)


def test_a_losss_margin_is_relative() -> None:
    """A log loss of .5 may rise by .01 (2%), one of 5 by .1."""
    assert not_worse(change(-0.005, 0.002, "log_loss", baseline=0.5))
    assert not not_worse(change(-0.02, 0.002, "log_loss", baseline=0.5))
    assert not_worse(change(-0.02, 0.002, "log_loss", baseline=5))


def test_an_identical_model_passes() -> None:
    """The same answers give a difference of exactly nothing, which is not worse."""
    said = judge(comparison(change(0, 0)), GatePolicy())

    assert (said.outcome, said.verdict) == ("not worse", "pass")
    assert said.power == Power(unit="rows", units=5000, needed=30, detectable=0)


def test_a_model_that_learned_nothing_is_blocked() -> None:
    """A candidate whose advantage over the rates might be zero does not pass the floor."""
    said = judge(comparison(change(0), floor=change(0.003, baseline=0.5)), GatePolicy())

    assert said.verdict == "block"
    assert "0.5030 does not beat 0.5000 of a model that knows only how often" in said.headline


def test_the_minimum_holds_whatever_the_champion_has() -> None:
    """A point value below the author's own limit blocks."""
    held, missed = (
        judge(comparison(change(0.02)), GatePolicy(minimum=limit)) for limit in (0.7, 0.71)
    )

    assert (held.verdict, missed.verdict) == ("pass", "block")
    assert "0.7000 (90% interval 0.6836 to 0.7164) is not at least 0.7100" in missed.headline


def test_a_secondary_metric_warns() -> None:
    """Worse calibration is said and does not block."""
    changes = (change(0), change(-0.2, 0.01, "log_loss"))

    said = judge(comparison(change(0), changes=changes), GatePolicy(secondary=("log_loss",)))

    assert said.verdict == "warn"
    assert said.headline.startswith("Passes with a warning: log loss")


def test_a_metric_that_is_not_defined_warns_with_its_reason() -> None:
    """A secondary metric that rows do not define is a finding; a primary one decides nothing."""
    reasons = {"precision": "of the candidate, no row is predicted to be of class late"}
    policy = GatePolicy(secondary=("precision",))

    second = judge(comparison(change(0), undefined=reasons), policy)
    first = judge(
        comparison(change(0), changes=(), undefined={"roc_auc": "all rows are of one class"}),
        GatePolicy(secondary=()),
    )

    assert (second.verdict, first.outcome) == ("warn", "cannot tell")
    assert second.headline.endswith(f"precision is not defined: {reasons['precision']}")
    assert "ROC AUC is not defined: all rows are of one class" in first.headline


def test_one_bad_slice_blocks_and_is_named() -> None:
    """A slice that falls beyond doubt and by more than twice the margin blocks."""
    slices = (piece(-0.08, value="JFK"), piece(0.01), piece(0.02))

    said = judge(comparison(change(0), slices=slices), GatePolicy())

    assert said.verdict == "block"
    assert "ROC AUC of origin JFK is worse by 0.0800" in said.headline


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (piece(-0.015), "below twice the margin"),
        (piece(-0.3, n=99), "too few rows"),
        (piece(-0.3, rarest=9), "too few of the rarer class"),
        (piece(-0.03, error=0.03), "may be chance"),
        (
            SliceChange(column="a", value="b", n=900, change=Missing(reason="one class")),
            "undefined",
        ),
    ],
)
def test_slices_that_prove_nothing_do_not_block(one: SliceChange, why: str) -> None:
    """Small, noisy and undefined slices are left to the report."""
    assert judge(comparison(change(0), slices=(one,)), GatePolicy()).verdict == "pass", why


def test_many_slices_do_not_block_by_chance() -> None:
    """A drop that would be significant alone is not among forty slices (Holm)."""
    bad, fine = piece(-0.03, error=0.014), tuple(piece(0.001 * i) for i in range(39))

    alone = judge(comparison(change(0), slices=(bad,)), GatePolicy())
    among = judge(comparison(change(0), slices=(bad, *fine)), GatePolicy())

    assert (alone.verdict, among.verdict) == ("block", "pass")


def test_without_a_champion_only_the_floor_is_asked() -> None:
    """The first model passes on its own merits, and the verdict says that nobody was beaten."""
    nobody = Missing(reason="nothing serves production yet")

    said = judge(comparison(change(0), champion=nobody, baseline=nobody, changes=()), GatePolicy())

    assert (said.verdict, said.outcome, said.power) == ("pass", "no champion", None)
    assert "nothing serves production yet" in said.headline


@pytest.mark.parametrize(
    "other",
    [
        {"baseline": evaluation(digest="sha256:" + "1" * 64)},
        {"baseline": Missing(reason="it was trained on rows of the holdout"), "changes": ()},
    ],
)
def test_a_champion_on_other_rows_is_no_comparison(other: dict) -> None:
    """Different holdouts, or one that the champion knows: it blocks, or warns if that is asked."""
    strict = judge(comparison(change(0.1), **other), GatePolicy(on_inconclusive="pass"))
    lenient = judge(comparison(change(0.1), **other), GatePolicy(on_incomparable="warn"))

    assert (strict.verdict, lenient.verdict) == ("block", "warn")
    for said in (strict, lenient):
        assert (said.outcome, said.power) == ("cannot tell", None)
        assert {one.rule for one in said.findings} == {"floor", "champion"}
        assert ": not compared with delay@v1.0.0: " in said.headline
        assert "holdout" in said.headline


def short(one: Change, *, days: int | None = None, **other: int) -> Change:
    """Give a change other evidence: fewer days, rows, or rows of the rarer class."""
    rarest = other.pop("rarest", one.rarest)
    spread = one.difference.model_copy(update={"days": days, **other})
    return one.model_copy(update={"difference": spread, "rarest": rarest})


@pytest.mark.parametrize(
    ("evidence", "lacking", "needed"),
    [
        ({"days": 3}, "on 3 days, 5 are needed", 5),
        ({"days": 4, "n": 40_000, "rarest": 6}, "on 4 days, 5 are needed", 20),
        ({"days": 14, "rarest": 12}, "on 12 rows of the rarer class, 30 are needed", 35),
        ({"n": 20}, "on 20 rows, 30 are needed", 30),
    ],
)
@pytest.mark.parametrize(("estimate", "verdict"), [(0.05, "warn"), (-0.05, "block")])
def test_a_tiny_holdout_cannot_tell(
    evidence: dict, lacking: str, needed: int, estimate: float, verdict: str
) -> None:
    """However clear it looks, too little decides nothing, and how much is needed is said."""
    primary = short(change(estimate, 0.001), **evidence)

    said = judge(comparison(primary), GatePolicy(secondary=()))
    strict = judge(comparison(primary), GatePolicy(secondary=(), on_inconclusive="block"))

    assert (said.outcome, said.verdict, strict.verdict) == ("cannot tell", verdict, "block")
    assert f"ROC AUC cannot be judged {lacking}" in said.headline
    assert said.power is not None
    assert said.power.needed == needed


def test_a_first_model_on_a_tiny_holdout_passes_with_a_warning_only() -> None:
    """Where there is no champion, a floor of three days is no proof; a strict team is blocked."""
    nobody = Missing(reason="nothing serves production yet")
    alone = {"champion": nobody, "baseline": nobody, "changes": ()}
    few, worse = (short(change(one, baseline=0.5), days=3) for one in (0.2, -0.2))

    beats = judge(comparison(change(0), **alone, floor=few), GatePolicy())
    strict = judge(comparison(change(0), **alone, floor=few), GatePolicy(on_inconclusive="block"))
    behind = judge(comparison(change(0), **alone, floor=worse), GatePolicy(on_inconclusive="pass"))

    assert (beats.verdict, strict.verdict, behind.verdict) == ("warn", "block", "block")
    assert beats.headline.endswith("that cannot be judged on 3 days, 5 are needed")


def test_one_day_says_how_many_are_needed() -> None:
    """A holdout of one day defines nothing where days count, and the sentence says what would."""
    one_day = evaluation().model_copy(update={"days": 1})
    reasons = {"roc_auc": "all rows are of one day"}

    said = judge(
        comparison(change(0), changes=(), undefined=reasons, candidate=one_day),
        GatePolicy(secondary=()),
    )

    assert (said.outcome, said.verdict) == ("cannot tell", "block")
    assert said.headline.endswith("all rows are of one day; 5 days are needed")


def test_a_slice_of_few_days_is_left_to_the_report() -> None:
    """What happened on two days to one group is one story, not proof."""
    bad = piece(-0.3)
    few = bad.model_copy(update={"change": short(bad.change, days=2)})  # type: ignore[arg-type]

    assert judge(comparison(change(0), slices=(bad,)), GatePolicy()).verdict == "block"
    assert judge(comparison(change(0), slices=(few,)), GatePolicy()).verdict == "pass"


def test_a_verdict_reads_well_in_an_assertion() -> None:
    """Its text is its repr, short enough for pytest; "cannot tell" is not true and says so."""
    unsure = not_worse(change(0.001, 0.02))

    assert not unsure
    assert unsure.ok is None
    assert repr(unsure).startswith("cannot tell: ROC AUC")
    assert len(repr(unsure)) < 240
    assert repr(Verdict(ok=False, rule="x", text="no")) == "no"


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (GatePolicy(metric="rmse"), "gate.metric: 'rmse' is not a metric of binary"),
        (GatePolicy(secondary=("mae",)), "gate.secondary: 'mae' is not a metric of binary"),
        (GatePolicy(metric="accuracy"), "made for roc_auc, the gate asks for accuracy"),
    ],
)
def test_a_policy_that_does_not_fit_is_the_users_to_fix(policy: GatePolicy, message: str) -> None:
    """A metric of another task or another comparison is one line, not a wrong verdict."""
    with pytest.raises(ConfigError, match=message):
        judge(comparison(change(0)), policy)


def test_an_unknown_metric_does_not_enter_a_policy() -> None:
    """A misspelt metric is refused where the config is read."""
    with pytest.raises(ValueError, match="'roc' is not a metric"):
        GatePolicy(metric="roc")


@settings(max_examples=100, derandomize=True, deadline=None)
@given(
    estimate=st.floats(-0.1, 0.1),
    error=st.floats(0, 0.05),
    slices=st.lists(st.tuples(st.floats(-0.2, 0.2), st.integers(2, 2000)), max_size=6),
)
def test_the_same_comparison_gets_the_same_verdict(
    estimate: float, error: float, slices: list[tuple[float, int]]
) -> None:
    """Judging is deterministic, survives its file, and a better candidate is never judged worse."""
    pieces = tuple(piece(one, n) for one, n in slices)
    order = ["block", "warn", "pass"]

    said, again, better = (
        judge(comparison(change(one, error), slices=pieces), GatePolicy())
        for one in (estimate, estimate, estimate + 0.05)
    )

    assert said == again
    assert GateVerdict.from_json(said.to_json(), where="test") == said
    assert order.index(better.verdict) >= order.index(said.verdict)


@pytest.mark.parametrize(
    ("worse", "low", "high"), [(0.0, 0, 0.05), (0.6, 0.9, 1)], ids=["equal", "worse"]
)
def test_equal_models_are_rarely_blocked_and_bad_ones_nearly_always(
    worse: float, low: float, high: float
) -> None:
    """On 2,000 rows under 5% of equal pairs and over 90% of bad ones are blocked."""
    random = np.random.default_rng(7)
    blocked = 0
    for _ in range(100):
        signal = random.normal(size=2000)
        truth = (random.random(2000) < 1 / (1 + np.exp(1 - 1.5 * signal))).astype(int)
        noises = [0.15 + extra for extra in (worse, 0)]
        ours, theirs = (
            1 / (1 + np.exp(1 - signal - noise * random.normal(size=2000))) for noise in noises
        )
        models = [
            Answers("binary", ("0", "1"), np.column_stack([1 - one, one]))
            for one in (ours, theirs, np.full(2000, 0.3))
        ]
        slices = {"side": random.integers(0, 5, 2000)}
        paired = compare(truth, *models, primary="roc_auc", holdout_digest=DIGEST, slices=slices)
        blocked += judge(paired, GatePolicy(slices=("side",))).verdict == "block"

    assert low <= blocked / 100 <= high
