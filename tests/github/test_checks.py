"""Check runs and statuses behave as on GitHub."""

from tests.github.caller import Caller, said
from tests.github.server import GitHubServer
from tests.github.setup import TestRepository

NOTE = {
    "path": "a.txt",
    "start_line": 1,
    "end_line": 1,
    "annotation_level": "warning",
    "message": "Look.",
}


def output(count: int, summary: str = "s") -> dict[str, object]:
    """Return an output with annotations."""
    return {"title": "t", "summary": summary, "annotations": [NOTE] * count}


def test_annotations_come_in_fifties_and_add_up(churn: TestRepository, bot: Caller) -> None:
    """A call takes 50 and each adds to the others; more are 422, and add nothing."""
    head = churn.head()
    run = bot.made("/check-runs", name="report", head_sha=head, output=output(50))

    bot.patch(f"/check-runs/{run['id']}", output=output(7))
    many = bot.patch(f"/check-runs/{run['id']}", output=output(51))

    assert many.status_code == 422
    assert "No more than 50 items are allowed; 51 were supplied." in many.json()["message"]
    assert bot.read(f"/check-runs/{run['id']}")["output"]["annotations_count"] == 57
    listed = bot.read(f"/check-runs/{run['id']}/annotations", params={"per_page": "100"})
    assert len(listed) == 57


def test_check_runs_are_for_apps(
    server: GitHubServer, churn: TestRepository, bot: Caller, ada: Caller
) -> None:
    """People are refused; an app changes only its own."""
    head = churn.head()
    run = bot.made("/check-runs", name="report", head_sha=head)
    other = Caller(server, server.token("github-actions[bot]"))

    assert said(ada.post("/check-runs", name="mine", head_sha=head)) == (
        403,
        "You must authenticate via a GitHub App.",
    )
    assert said(other.patch(f"/check-runs/{run['id']}", status="in_progress"))[0] == 403
    assert ada.read(f"/check-runs/{run['id']}")["app"]["slug"] == "ml-gitops"


def test_a_conclusion_completes(churn: TestRepository, bot: Caller) -> None:
    """Completed without a conclusion, an unknown commit and a long text are 422."""
    head = churn.head()
    run = bot.made("/check-runs", name="r", head_sha=head, external_id="7:1", status="in_progress")
    done = bot.patch(f"/check-runs/{run['id']}", conclusion="neutral").json()

    assert (done["status"], done["conclusion"], done["external_id"]) == (
        "completed",
        "neutral",
        "7:1",
    )
    assert done["completed_at"]
    for body in (
        {"name": "r", "head_sha": head, "status": "completed"},
        {"name": "r", "head_sha": "0" * 40},
        {"name": "r", "head_sha": head, "output": output(0, "x" * 65_536)},
    ):
        assert bot.post("/check-runs", **body).status_code == 422


def test_the_list_gives_the_last_of_each_name(churn: TestRepository, bot: Caller) -> None:
    """`filter=all` gives every one; `check_name` and `app_id` choose."""
    head = churn.head()
    runs = [bot.made("/check-runs", name=name, head_sha=head) for name in ("a", "a", "b")]

    def listed(**query: str) -> list[int]:
        found = bot.read(f"/commits/{head}/check-runs", params=query)
        assert found["total_count"] == len(found["check_runs"])
        return [it["id"] for it in found["check_runs"]]

    first, second, third = (it["id"] for it in runs)
    assert listed() == [third, second]
    assert listed(filter="all") == [third, second, first]
    assert listed(check_name="a") == [second]
    assert listed(app_id="1") == []


def test_pull_requests_of_forks_are_not_named(
    server: GitHubServer, churn: TestRepository, bot: Caller, eve: Caller
) -> None:
    """A check run names the open pull requests of its commit, but those of forks never."""
    head = churn.push("feature", {"a.txt": "x\n"})
    bot.propose("feature")
    fork = server.create_fork("acme/churn", "eve").push("feature", {"b.txt": "y\n"}, by="eve")
    eve.propose("eve:feature")

    ours = bot.made("/check-runs", name="r", head_sha=head)
    theirs = bot.made("/check-runs", name="r", head_sha=fork)

    assert [it["number"] for it in ours["pull_requests"]] == [1]
    assert theirs["pull_requests"] == []


def test_the_worst_status_of_all_contexts_counts(churn: TestRepository, ada: Caller) -> None:
    """The newest of a context replaces the older ones."""
    head = churn.head()
    for context, state in (("a", "failure"), ("b", "success"), ("a", "success")):
        ada.made(f"/statuses/{head}", context=context, state=state)

    combined = ada.read(f"/commits/{head}/status")

    assert (combined["state"], combined["total_count"]) == ("success", 2)
    ada.made(f"/statuses/{head}", context="c", state="error")
    assert ada.read("/commits/main/status")["state"] == "failure"
    assert len(ada.read(f"/commits/{head}/statuses")) == 4
