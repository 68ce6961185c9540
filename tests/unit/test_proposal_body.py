"""Bodies of proposals: a reviewer with two minutes knows why, what a merge does, and what then."""

from datetime import date
from typing import Any

import pytest

from ml_gitops.data.schema import Window
from ml_gitops.delivery.release import Release
from ml_gitops.document import sha256
from ml_gitops.model.lineage import Lineage
from ml_gitops.render.proposal_body import rollback_body
from tests.snapshots import assert_reads
from tests.unit.test_ci_report import compared, report
from tests.unit.test_pages import observation

DIGEST = sha256(b"anything")
DAYS = Window(start=date(2013, 1, 1), until=date(2013, 2, 1))


def release(version: str, **changes: Any) -> Release:
    """Return a release of the model that late flights are told by."""
    usual: dict[str, Any] = {
        "model": "delay",
        "version": version,
        "tag": f"delay@{version}",
        "commit": "0" * 40,
        "run_key": DIGEST,
        "lineage": Lineage(
            sources={},
            params=DIGEST,
            contract=DIGEST,
            data_lock=DIGEST,
            environment={},
            product="1",
        ),
        "trained": DAYS,
        "holdout": DAYS,
        "files": {"model.onnx": DIGEST},
        "metrics": {"log_loss": 0.5},
        "verdict": "Passes: it is good",
    }
    return Release(**{**usual, **changes})


BEFORE = release("v0.9.0", metrics={"log_loss": 0.4})
SERVING = release("v1.1.0", gate="block", pull_request=5)


def test_a_rollback_says_why_what_and_what_then() -> None:
    """The comparison, the gate's advice, and why a kept promise is no reason to stay."""
    look, _ = observation(rollback=True)

    body = rollback_body(BEFORE, SERVING, environment="production", seen=look)

    assert_reads("rollback.md", body)


def test_a_rollback_that_a_person_asks_for_claims_no_measurement() -> None:
    """What nobody measured is not called better."""
    body = rollback_body(BEFORE, SERVING, environment="production", seen=None)

    assert_reads("rollback-asked.md", body)


OTHER_DAYS = Window(start=date(2013, 7, 1), until=date(2013, 7, 15))


def test_numbers_of_other_days_are_no_before_and_after() -> None:
    """A hard fortnight beside an easy one argues for neither: the body says so before it."""
    serving = SERVING.model_copy(update={"holdout": OTHER_DAYS})

    body = rollback_body(BEFORE, serving, environment="production", seen=None)

    assert body.index("Nothing that is known compares the two") < body.index("0.4000")
    assert "|  | `delay@v1.1.0` on 2013-07-01..2013-07-15 | `delay@v0.9.0` on 2013-01-01" in body
    assert "after the merge" not in body


@pytest.mark.parametrize(
    ("champion", "word", "change"),
    [("delay@v0.9.0", "was worse on", "a change of −"), ("delay@v1.1.0", "was better on", "+")],
)
def test_what_both_did_on_the_same_rows_leads(champion: str, word: str, change: str) -> None:
    """Going back undoes what a report gained; going on brings what it promised."""
    made = compared(rival=1.0).model_copy(update={"champion": champion})
    serving = SERVING.model_copy(update={"holdout": OTHER_DAYS})

    body = rollback_body(BEFORE, serving, environment="production", seen=None, report=report(made))

    lead = body.split("\n\n")[1]
    assert f"**`delay@v0.9.0` {word} the same rows: log loss" in lead
    assert change in lead
    assert "0.4000" not in body


@pytest.mark.parametrize(
    ("late", "words"),
    [(0.5, "does keep its own promise: "), (0.8, "breaks its own promise, too: ")],
)
def test_a_promise_is_told_as_it_was_kept(late: float, words: str) -> None:
    """A release that fell below its own promise is said to have."""
    look, _ = observation(late=late, rollback=True)

    body = rollback_body(BEFORE, SERVING, environment="production", seen=look)

    assert f"- `delay@v1.1.0` {words}" in body
