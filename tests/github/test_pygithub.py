"""PyGithub, which knows nothing of this server, finds a GitHub here."""

from collections.abc import Iterator
from pathlib import Path

import github
import pytest
from github import Auth, Github, GithubIntegration, InputGitTreeElement
from github.Repository import Repository

from tests.github.server import GitHubServer
from tests.github.setup import TestRepository

HASTY = {"seconds_between_requests": 0, "seconds_between_writes": 0, "retry": None}


@pytest.fixture
def hub(server: GitHubServer, churn: TestRepository) -> Iterator[Github]:
    """Log in as the app's installation, with its key alone."""
    app = server.app("ml-gitops")
    auth = Auth.AppAuth(app.id, app.private_key)
    integration = GithubIntegration(auth=auth, base_url=server.url, **HASTY)
    number = integration.get_repo_installation("acme", "churn").id
    with integration.get_github_for_installation(number) as found:
        yield found


@pytest.fixture
def repository(hub: Github) -> Repository:
    """Return the repository as the app sees it."""
    return hub.get_repo("acme/churn")


def person(server: GitHubServer, login: str) -> Repository:
    """Return the repository as somebody sees it."""
    auth = Auth.Token(server.token(login))
    return Github(auth=auth, base_url=server.url, **HASTY).get_repo("acme/churn")


def test_the_life_of_a_pull_request(server: GitHubServer, repository: Repository) -> None:
    """It is committed, opened, labelled, reviewed, made ready, merged, and its branch deleted."""
    base = repository.get_branch("main").commit
    blob = repository.create_git_blob("four\n", "utf-8")
    new = InputGitTreeElement("a.txt", "100644", "blob", sha=blob.sha)
    gone = InputGitTreeElement("b.txt", "100644", "blob", sha=None)
    tree = repository.create_git_tree([new, gone], base.commit.tree)
    commit = repository.create_git_commit("Retrain", tree, [base.commit])
    branch = repository.create_git_ref("refs/heads/ml-gitops/retrain", commit.sha)

    opened = repository.create_pull("main", branch.ref[11:], title="Retrain", body="x", draft=True)
    opened.set_labels("retrain", "drift")
    opened.create_issue_comment("One.").edit("Two.")
    opened.create_review_request(reviewers=["ada"])
    ada = person(server, "ada")
    ada.get_pull(1).create_review(event="APPROVE", body="Good.")
    opened.mark_ready_for_review()
    assert [it.state for it in opened.get_reviews()] == ["APPROVED"]
    assert [it.filename for it in opened.get_files()] == ["a.txt", "b.txt"]
    assert [it.body for it in opened.as_issue().get_comments()] == ["Two."]
    assert ada.get_pull(1).merge(merge_method="squash", sha=commit.sha).merged
    branch.delete()

    merged = repository.get_pull(1)
    assert (merged.merged, merged.draft, merged.merged_by.login) == (True, False, "ada")
    assert {it.name for it in merged.labels} == {"retrain", "drift"}
    assert repository.get_contents("a.txt").decoded_content == b"four\n"
    assert [it.name for it in repository.get_branches()] == ["main"]


def test_reports_issues_and_releases(
    server: GitHubServer, repository: Repository, tmp_path: Path
) -> None:
    """Check runs with annotations, issues, tags and releases with files come back as they went."""
    head = repository.get_branch("main").commit
    note = {"path": "a.txt", "start_line": 1, "end_line": 1, "message": "Look."}
    output = {"title": "t", "summary": "s", "annotations": [note | {"annotation_level": "notice"}]}
    run = repository.create_check_run("report", head.sha, conclusion="success", output=output)
    repository.create_issue("Incident", labels=["incident"]).edit(state="closed")
    tag = repository.create_git_tag("v1", "One", head.sha, "commit")
    repository.create_git_ref("refs/tags/v1", tag.sha)
    (tmp_path / "m.onnx").write_bytes(b"\x00\x01" * 1000)
    release = repository.create_git_release("v1", "One", "Notes")
    release.upload_asset(str(tmp_path / "m.onnx"), content_type="application/x-onnx")

    assert [it.message for it in run.get_annotations()] == ["Look."]
    assert [it.name for it in head.get_check_runs()] == ["report"]
    assert repository.get_issue(1).closed_by.login == "ml-gitops[bot]"
    asset = repository.get_latest_release().get_assets()[0]
    # It trusts no other host of a GitHub Enterprise, so it cannot follow to the bytes.
    assert (asset.name, asset.size, asset.content_type) == ("m.onnx", 2000, "application/x-onnx")


def test_errors_are_its_exceptions(server: GitHubServer, repository: Repository) -> None:
    """What GitHub refuses comes as PyGithub's own classes."""
    with pytest.raises(github.UnknownObjectException):
        repository.get_pull(7)
    with pytest.raises(github.BadCredentialsException):
        Github(auth=Auth.Token("wrong"), base_url=server.url, **HASTY).get_repo("acme/churn")
    server.faults.add("403-secondary")
    with pytest.raises(github.RateLimitExceededException):
        repository.get_pull(7)
    with pytest.raises(github.GithubException, match="head"):
        repository.create_pull("main", "gone", title="x")
