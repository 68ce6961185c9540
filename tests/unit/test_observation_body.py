"""The body of a retraining: what it brings, what it still lacks, and no table twice."""

import pytest

from ml_gitops.render.ci_report import to_markdown
from ml_gitops.render.observation_body import retraining_body
from tests.unit.test_ci_report import compared, report
from tests.unit.test_pages import observation


@pytest.mark.parametrize(("promised", "is_told"), [(0.5, True), (0.59, False)])
def test_a_candidate_below_what_was_promised_is_said_to_be(
    promised: float, *, is_told: bool
) -> None:
    """Better than a decayed champion can still be worse than what production once promised."""
    look, _ = observation(late=0.8)
    health = look.health.metrics[0]
    assert health.reference is not None
    reference = health.reference.model_copy(update={"value": promised})
    metrics = (health.model_copy(update={"reference": reference}),)
    seen = look.model_copy(update={"health": look.health.model_copy(update={"metrics": metrics})})

    first = retraining_body(seen, report(compared(rival=1.0))).split("\n\n")[1]

    told = first.startswith("**▲ Still 0.0966 worse than production's promise at release (0.5000):")
    assert told == is_told


def test_the_table_of_all_metrics_stands_in_the_report_alone() -> None:
    """The body has the metric that decides, and says where the others are."""
    look, _ = observation(late=0.8)
    made = report(compared(rival=1.0))

    body = retraining_body(look, made)

    assert "\n| log loss | " in body
    assert "\n| ROC AUC | " not in body
    assert "\n| ROC AUC | " in to_markdown(made)
    assert "The report in the comment below has every metric." in body
