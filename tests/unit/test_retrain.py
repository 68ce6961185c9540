"""Retraining: labelled harm decides, drift corroborates, broken data forbids."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_gitops.monitoring.contract import Break, find_breaks
from ml_gitops.monitoring.counts import Cells, ColumnCounts
from ml_gitops.monitoring.drift import ColumnDrift, DriftReport, DriftVerdict
from ml_gitops.monitoring.health import HealthReport, HealthVerdict, MetricHealth, WindowHealth
from ml_gitops.monitoring.profile import ColumnProfile
from ml_gitops.monitoring.retrain import (
    RetrainDecision,
    RetrainPolicy,
    WatchedRelease,
    decide_retraining,
)

SINCE, UNTIL = datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 8, tzinfo=UTC)
STABLE: list[DriftVerdict] = ["stable", "stable", "stable"]
ALARMS: list[DriftVerdict] = ["stable", "alarm", "alarm"]


def watched(**changes: Any) -> WatchedRelease:
    """Return a release with enough to learn from."""
    usual = {
        "release": "churn@v1.0.0",
        "trained_until": date(2024, 2, 15),
        "train_rows": 1000,
        "labelled": 600,
        "as_of": date(2024, 3, 22),
    }
    return WatchedRelease.model_validate({**usual, **changes})


def health(verdict: HealthVerdict, *, bad: int = 0, numbers: str = "") -> HealthReport:
    """Return a report whose metric has some bad windows."""
    windows = tuple(
        WindowHealth(since=SINCE, until=UNTIL, usable=True, bad=n < bad, text="") for n in range(3)
    )
    text = f"ROC AUC is {verdict}{numbers}"
    metric = MetricHealth(
        metric="roc_auc",
        verdict=verdict,
        reference=None,
        allowed=0.02,
        windows=windows,
        text=text,
    )
    return HealthReport(model="churn", verdict=verdict, metrics=(metric,), text=text)


def column(name: str, *, drifted: bool) -> ColumnDrift:
    """Return a column that drifted or not."""
    return ColumnDrift(
        name=name,
        weight=0.5,
        rows=100,
        effect=0.5,
        psi=0.1,
        js=0.1,
        q=0.001,
        null_rate=0.0,
        null_rate_reference=0.0,
        null_q=1.0,
        reasons=("distribution",) if drifted else (),
        text=name,
    )


def drift(verdict: DriftVerdict, *breaks: str, name: str = "load") -> DriftReport:
    """Return a window's report with broken contracts."""
    return DriftReport(
        model="churn",
        since=SINCE,
        until=UNTIL,
        rows=100,
        verdict=verdict,
        share=0.5,
        prediction=column("score", drifted=False),
        columns=(column(name, drifted=verdict == "alarm"), column("wear", drifted=False)),
        breaks=tuple(
            Break(column="load", kind="null rate", severity="error", text=text) for text in breaks
        ),
        text=f"{name} drifted",
    )


def decide(
    verdict: HealthVerdict = "healthy",
    windows: list[DriftVerdict] = STABLE,
    *,
    bad: int = 0,
    policy: RetrainPolicy | None = None,
    **changes: Any,
) -> RetrainDecision:
    """Decide from a health verdict and the drift of three windows."""
    reports = [drift(one) for one in windows]
    policy = policy or RetrainPolicy()
    return decide_retraining(watched(**changes), health(verdict, bad=bad), reports, policy)


@pytest.mark.parametrize(
    ("verdict", "windows", "bad", "want"),
    [
        ("healthy", STABLE, 0, "nothing"),
        ("insufficient", STABLE, 0, "nothing"),
        ("healthy", STABLE, 1, "nothing"),
        ("healthy", ["stable", "stable", "alarm"], 0, "nothing"),
        ("healthy", ["stable", "stable", "alarm"], 1, "nothing"),
        ("healthy", ALARMS, 0, "watch"),
        ("insufficient", ALARMS, 0, "watch"),
        ("healthy", ALARMS, 1, "retrain"),
        ("degraded", STABLE, 2, "retrain"),
        ("degraded", ALARMS, 2, "retrain"),
        ("healthy", ["warning"] * 3, 0, "nothing"),
        ("healthy", ["insufficient"] * 3, 0, "nothing"),
    ],
)
def test_what_follows_from_quality_and_drift(
    verdict: HealthVerdict, windows: list[DriftVerdict], bad: int, want: str
) -> None:
    """Harm retrains, and drift with some harm; drift alone is watched; one odd week is calm."""
    assert decide(verdict, windows, bad=bad).want == want


@pytest.mark.parametrize("verdict", ["healthy", "degraded", "insufficient"])
def test_broken_data_is_never_learned_from(verdict: HealthVerdict) -> None:
    """However bad the quality, a broken contract pauses retraining and calls people."""
    reports = [drift("alarm"), drift("alarm", "load is missing in 40% of rows")]

    decision = decide_retraining(
        watched(), health(verdict, bad=3), reports, RetrainPolicy(max_age_days=1)
    )

    assert decision.want == "incident"
    assert decision.reasons == ("load is missing in 40% of rows",)
    assert "retraining is paused" in decision.headline


def test_two_broken_columns_are_two_pieces_of_evidence() -> None:
    """Who closes the incident of one column does not silence that of another."""
    fingerprints = set()
    for name in ("load", "wear"):
        (found,) = find_breaks(varied(name), alike(), ["distribution"])
        report = drift("alarm").model_copy(update={"breaks": (found,)})
        decided = decide_retraining(watched(), health("healthy"), [report], RetrainPolicy())
        fingerprints.add(decided.fingerprint)
        assert decided.want == "incident"

    assert len(fingerprints) == 2


def varied(name: str) -> ColumnProfile:
    """Return a reference whose values are of three kinds, as often each."""
    cells = Cells(name=name, kind="categorical", values=("a", "b", "c"))
    counts = ColumnCounts(nulls=0, cells=(30, 30, 30, 0))
    return ColumnProfile(cells=cells, counts=counts, weight=0.5)


def alike() -> ColumnCounts:
    """Return a window in which all values are one."""
    return ColumnCounts(nulls=0, cells=(90, 0, 0, 0))


def test_a_contract_that_holds_again_pauses_nothing() -> None:
    """Only the newest window's breaks count."""
    reports = [drift("alarm", "load is missing"), drift("alarm"), drift("alarm")]

    assert decide_retraining(watched(), health("degraded"), reports, RetrainPolicy()).want == (
        "retrain"
    )


@pytest.mark.parametrize(
    ("labelled", "train_rows", "want"),
    [
        (499, 1000, "incident"),
        (500, 1000, "retrain"),
        (999, 20_000, "incident"),
        (1000, 20_000, "retrain"),
    ],
)
def test_too_few_labels_call_people_instead(labelled: int, train_rows: int, want: str) -> None:
    """A retraining needs a number of new rows, and a share of the old ones."""
    decision = decide("degraded", bad=2, labelled=labelled, train_rows=train_rows)

    assert decision.want == want
    assert (f"{labelled:,} new labelled rows" in decision.headline) is (want == "incident")


@pytest.mark.parametrize(("as_of", "want"), [(16, "nothing"), (17, "retrain")])
def test_age_alone_retrains_only_if_asked_to(as_of: int, want: str) -> None:
    """The day after the last one allowed proposes; without a limit no age does."""
    late = date(2024, 3, as_of)
    policy = RetrainPolicy(max_age_days=30)

    assert decide(policy=policy, as_of=late).want == want
    assert decide(as_of=late).want == "nothing"


def test_quality_is_not_said_to_hold_where_nobody_knows() -> None:
    """Without labels the headline says that it is too early, drift or not."""
    for windows in (STABLE, ALARMS):
        headline = decide("insufficient", windows).headline

        assert "too early" in headline
        assert "quality holds" not in headline


def test_the_fingerprint_names_what_is_wrong_not_how_much() -> None:
    """Other numbers and a later day are the same evidence; another release or cause is not."""
    policy = RetrainPolicy()
    reports = [drift("alarm"), drift("alarm")]

    one = decide_retraining(watched(), health("degraded", numbers=" .71"), reports, policy)
    later = decide_retraining(
        watched(as_of=date(2024, 4, 5), labelled=999),
        health("degraded", numbers=" .66"),
        reports,
        policy,
    )
    others = [
        decide("degraded", release="churn@v1.1.0"),
        decide("healthy", ALARMS, bad=1),
        decide("degraded", labelled=0),
        decide("healthy"),
    ]

    assert one.fingerprint == later.fingerprint
    assert len({one.fingerprint, *(other.fingerprint for other in others)}) == 5


def test_other_columns_that_drift_are_other_evidence() -> None:
    """Where drift carries the decision, the drifted columns are part of it."""
    found = [
        decide_retraining(
            watched(), health("healthy", bad=1), [drift("alarm", name=name)] * 2, RetrainPolicy()
        )
        for name in ("load", "plan")
    ]

    assert [one.want for one in found] == ["retrain", "retrain"]
    assert found[0].fingerprint != found[1].fingerprint


VERDICTS: st.SearchStrategy[DriftVerdict] = st.sampled_from(
    ["stable", "warning", "alarm", "insufficient"]
)


@given(
    st.sampled_from(["healthy", "degraded", "insufficient"]),
    st.lists(VERDICTS, min_size=1, max_size=5),
    st.integers(min_value=0, max_value=3),
    st.integers(min_value=0, max_value=2000),
)
def test_nothing_is_retrained_without_harm_and_rows(
    verdict: HealthVerdict, windows: list[DriftVerdict], bad: int, labelled: int
) -> None:
    """Whatever comes in: a retraining has labelled harm and rows, and every decision says why."""
    decision = decide(verdict, windows, bad=bad, labelled=labelled)

    assert decision == decide(verdict, windows, bad=bad, labelled=labelled)
    assert decision.reasons
    assert decision.headline.startswith("churn@v1.0.0: ")
    if decision.want == "retrain":
        assert verdict == "degraded" or bad
        assert labelled >= 500
