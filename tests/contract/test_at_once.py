"""What runs at once opened side by side, which no forge keeps them from, becomes one again."""

import pytest

from ml_gitops.pull_request import IssueSpec, plan, signed_text
from ml_gitops.workflows.incident import apply_incident
from ml_gitops.workflows.reconciliation import apply, decide
from ml_gitops.workflows.reporting import post, report_marker
from tests.contract.forges import Harness
from tests.contract.test_forge import spec
from tests.contract.test_manners import records_of


def test_two_reports_of_runs_at_once_become_one(harness: Harness) -> None:
    """The first report stays, and says what the last run found."""
    forge = harness.forge()
    forge.open_pull_request(spec())
    marker = report_marker("delay", "run", "files")
    first, _ = [forge.comment(1, signed_text("Better.", marker)) for _ in range(2)]

    comment, written = post(forge, 1, "Better still.", marker)

    left = forge.pull_request(1).comments
    assert [(it.number, it.body) for it in left] == [
        (first.number, signed_text("Better still.", marker))
    ]
    assert (comment and comment.number, written) == (first.number, True)


@pytest.mark.parametrize("last", ["keep", "update"])
def test_two_proposals_of_runs_at_once_become_one(harness: Harness, last: str) -> None:
    """The first proposal stays, whatever is done next; the other one is closed with its branch."""
    forge = harness.forge()
    first = forge.open_pull_request(spec())
    forge.open_pull_request(spec(branch="ml-gitops/retrain-delay-may", fingerprint="may"))
    wanted = spec() if last == "keep" else spec(fingerprint="may", title="Retrain again")

    apply(forge, decide(forge, "retrain", "delay", wanted))

    found = [(it.number, it.state) for it in forge.pull_requests()]
    assert found == [(first.number, "open"), (2, "closed")]
    assert forge.head("ml-gitops/retrain-delay-may") is None
    assert forge.pull_request(2).comments[-1].body == "#1 was opened first, and one is enough."


def test_what_a_person_took_over_is_not_cleared_away(harness: Harness) -> None:
    """A second proposal with commits of a person stays theirs."""
    forge = harness.forge()
    forge.open_pull_request(spec())
    second = forge.open_pull_request(spec(branch="ml-gitops/other", fingerprint="may"))
    harness.push(second.branch, {"b.txt": b"mine\n"}, onto=second.branch)

    apply(forge, decide(forge, "retrain", "delay", spec()))

    assert [it.state for it in harness.forge().pull_requests()] == ["open", "open"]


def test_two_issues_of_runs_at_once_become_one(harness: Harness) -> None:
    """The first issue stays."""
    forge = harness.forge()
    issue = IssueSpec("incident", "delay", "rows", "Rows are gone", "Look.")
    for _ in range(2):
        forge.open_issue(issue.title, issue.full_body)

    action = plan("incident", "delay", issue, forge.issues())
    kept = apply_incident(forge, records_of(harness), action)

    assert [(it.number, it.state) for it in forge.issues()] == [(1, "open"), (2, "closed")]
    assert kept is not None
    assert kept.number == 1
