"""A protected branch is moved by merges alone, and merges wait for what it asks."""

import subprocess
from pathlib import Path

from tests.github.caller import Caller, said
from tests.github.server import GitHubServer
from tests.github.setup import TestRepository


def test_a_merge_waits_for_checks_and_approvals(
    server: GitHubServer, churn: TestRepository, bot: Caller, ada: Caller, eve: Caller
) -> None:
    """Each refusal is 405 with what is missing; approvals of strangers count for nothing."""
    churn.protect("main", "ml-gitops", approvals=1)
    head = churn.push("feature", {"a.txt": "x\n"})
    bot.propose("feature")
    bob = Caller(server, server.token("bob"))

    eve.made("/pulls/1/reviews", event="APPROVE")
    approval = "At least 1 approving review is required by reviewers with write access."
    assert said(bot.put("/pulls/1/merge")) == (405, approval)
    bob.made("/pulls/1/reviews", event="REQUEST_CHANGES", body="No.")
    ada.made("/pulls/1/reviews", event="APPROVE")
    assert "Changes were requested" in said(bot.put("/pulls/1/merge"))[1]
    bob.made("/pulls/1/reviews", event="APPROVE")
    check = 'Required status check "ml-gitops" is expected.'
    assert said(bot.put("/pulls/1/merge")) == (405, check)
    run = bot.made("/check-runs", name="ml-gitops", head_sha=head, conclusion="failure")
    assert said(bot.put("/pulls/1/merge")) == (405, check)
    assert [bot.read("/pulls/1")["mergeable_state"] for _ in range(2)] == ["unknown", "blocked"]
    bot.patch(f"/check-runs/{run['id']}", conclusion="success")

    assert bot.read("/pulls/1")["mergeable_state"] == "clean"
    assert bot.put("/pulls/1/merge").status_code == 200


def test_nobody_pushes_to_it(
    server: GitHubServer, churn: TestRepository, ada: Caller, tmp_path: Path
) -> None:
    """Neither over JSON nor with Git, not even its admin; other branches are free."""
    old, new = churn.head(), churn.push("other", {"a.txt": "x\n"})
    churn.protect("main", approvals=1)
    folder = tmp_path / "clone"
    url = churn.clone_url.replace("://", f"://x:{server.token('ada')}@")
    subprocess.run(["git", "clone", "--quiet", url, str(folder)], check=True)
    command = ["git", "-C", str(folder), "push", "origin", "origin/other:refs/heads/"]

    refused = said(ada.patch("/git/refs/heads/main", sha=new))
    forced = said(ada.patch("/git/refs/heads/main", sha="0" * 40, force=True))
    put = said(ada.put("/contents/x.txt", message="m", content="eA=="))
    pushed = subprocess.run([*command[:-1], command[-1] + "main"], check=False, capture_output=True)
    free = subprocess.run([*command[:-1], command[-1] + "free"], check=False, capture_output=True)

    through = (422, "Changes must be made through a pull request.")
    assert (refused, put) == (through, through)
    assert forced == (422, "Object does not exist")
    assert b"GH006: Protected branch update failed for refs/heads/main." in pushed.stderr
    assert (free.returncode, churn.head(), churn.head("free")) == (0, old, new)


def test_its_rules_are_for_admins_to_read(
    server: GitHubServer, churn: TestRepository, ada: Caller, eve: Caller
) -> None:
    """Everybody sees that it is protected, and by which checks."""
    assert said(ada.get("/branches/main/protection")) == (404, "Branch not protected")
    churn.protect("main", "ml-gitops", approvals=2)

    rules = ada.read("/branches/main/protection")

    assert rules["required_status_checks"]["contexts"] == ["ml-gitops"]
    assert rules["required_pull_request_reviews"]["required_approving_review_count"] == 2
    assert eve.get("/branches/main/protection").status_code == 403
    app = Caller(server, server.token("ml-gitops[bot]", {"contents": "write"}))
    assert app.get("/branches/main/protection").status_code == 403
    shown = eve.read("/branches/main")
    assert shown["protection"]["required_status_checks"]["contexts"] == ["ml-gitops"]
    assert eve.read("/branches")[0]["protected"]
    assert eve.read("/rules/branches/main") == []
