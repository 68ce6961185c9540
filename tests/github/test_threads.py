"""Issues, comments, labels and reviews behave as on GitHub."""

from datetime import UTC, datetime, timedelta
from itertools import count

from tests.github.caller import Caller, said
from tests.github.server import GitHubServer
from tests.github.setup import TestRepository


def test_a_pull_request_is_an_issue(churn: TestRepository, bot: Caller) -> None:
    """They share numbers; the issue of a pull request can be read, labelled and closed."""
    churn.push("feature", {"a.txt": "x\n"})
    bot.made("/issues", title="First")
    bot.propose("feature")

    issues = bot.read("/issues", params={"state": "all"})

    assert [(it["number"], "pull_request" in it) for it in issues] == [(2, True), (1, False)]
    assert bot.patch("/issues/2", state="closed", labels=["late"]).status_code == 200
    shown = bot.read("/pulls/2")
    assert (shown["state"], shown["labels"][0]["name"]) == ("closed", "late")
    assert bot.get("/pulls/1").status_code == 404


def test_who_did_it_is_a_user_or_a_bot_with_an_id(bot: Caller, ada: Caller) -> None:
    """Authors have type and id; what an app wrote names the app; closing names the closer."""
    opened = bot.made("/issues", title="Incident")
    assert (opened["user"]["type"], opened["user"]["login"]) == ("Bot", "ml-gitops[bot]")
    assert opened["performed_via_github_app"]["slug"] == "ml-gitops"

    ada.patch("/issues/1", state="closed", state_reason="not_planned")

    closed = bot.read("/issues/1")
    assert (closed["closed_by"]["type"], closed["state_reason"]) == ("User", "not_planned")
    assert closed["closed_at"] == closed["updated_at"]
    assert ada.patch("/issues/1", state="open").json()["closed_by"] is None


def test_times_are_those_of_the_clock(server: GitHubServer, bot: Caller, ada: Caller) -> None:
    """A comment updates its thread; reading updates nothing."""
    seconds = count()
    start = datetime(2030, 1, 1, tzinfo=UTC)
    server.clock = lambda: start + timedelta(seconds=next(seconds))
    opened = bot.made("/issues", title="Time")
    note = ada.made("/issues/1/comments", body="Hm.")

    first = bot.get("/issues/1")
    ada.patch(f"/issues/comments/{note['id']}", body="Well.")
    after = bot.read("/issues/1/comments")[0]

    assert opened["created_at"].startswith("2030-01-01T00:00:")
    assert first.json()["updated_at"] >= note["created_at"] > opened["updated_at"]
    assert bot.read("/issues/1")["updated_at"] == after["updated_at"] > after["created_at"]
    assert first.headers["Date"].startswith("Tue, 01 Jan 2030")


def test_texts_have_limits(bot: Caller) -> None:
    """65,536 characters of a body, 256 of a title, 50 of a label are the most."""
    bot.made("/issues", title="x" * 256, body="é" * 65_536)

    for path, body in (
        ("/issues", {"title": "x" * 257}),
        ("/issues", {"title": "x", "body": "x" * 65_537}),
        ("/issues", {"title": "x", "labels": ["x" * 51]}),
        ("/issues/1/comments", {"body": "x" * 65_537}),
        ("/issues/1/comments", {"body": " "}),
        ("/issues", {"title": ""}),
    ):
        status, words = said(bot.post(path, **body))
        assert status == 422, path
        assert words.startswith("Validation Failed ")
    assert len(bot.read("/issues")) == 1


def test_comments_are_edited_and_deleted(bot: Caller, ada: Caller, eve: Caller) -> None:
    """They come oldest first, for one thread or for all; strangers change only their own."""
    bot.made("/issues", title="One")
    first = bot.made("/issues/1/comments", body="one")
    second = eve.made("/issues/1/comments", body="two")

    assert ada.patch(f"/issues/comments/{first['id']}", body="uno").status_code == 200
    assert eve.patch(f"/issues/comments/{first['id']}", body="mine").status_code == 403
    assert [it["body"] for it in bot.read("/issues/1/comments")] == ["uno", "two"]
    assert [it["user"]["login"] for it in bot.read("/issues/comments")] == ["ml-gitops[bot]", "eve"]
    assert eve.delete(f"/issues/comments/{second['id']}").status_code == 204
    assert bot.get(f"/issues/comments/{second['id']}").status_code == 404
    assert bot.read("/issues/1")["comments"] == 1


def test_labels_are_made_when_they_are_used(bot: Caller, eve: Caller) -> None:
    """An unknown name becomes a grey label; the case of a name does not matter."""
    bot.made("/issues", title="One", labels=["Drift", "bug"])

    assert [it["name"] for it in bot.read("/issues/1/labels")] == ["Drift", "bug"]
    assert bot.read("/labels/drift")["color"] == "ededed"
    assert said(bot.post("/labels", name="DRIFT", color="ff0000")) == (
        422,
        "Validation Failed name already_exists",
    )
    assert [it["name"] for it in bot.put("/issues/1/labels", labels=["a"]).json()] == ["a"]
    assert [it["name"] for it in bot("POST", "/issues/1/labels", json=["b"]).json()] == ["a", "b"]
    assert bot.delete("/issues/1/labels/a").json()[0]["name"] == "b"
    assert said(bot.delete("/issues/1/labels/a")) == (404, "Label does not exist")
    assert bot.delete("/labels/b").status_code == 204
    assert bot.read("/issues/1/labels") == []
    assert eve.made("/issues", title="Mine", labels=["bug"])["labels"] == []
    assert eve.post("/issues/1/labels", labels=["bug"]).status_code == 403


def test_issues_filter_by_label_creator_and_time(bot: Caller, ada: Caller) -> None:
    """All labels have to be there; open is the default; `since` is by the last change."""
    bot.made("/issues", title="One", labels=["x", "y"])
    ada.made("/issues", title="Two", labels=["x"])
    ada.patch("/issues/2", state="closed")

    def numbers(**query: str) -> list[int]:
        return [it["number"] for it in bot.read("/issues", params=query)]

    assert numbers() == [1]
    assert numbers(state="all", labels="x") == [2, 1]
    assert numbers(state="all", labels="x,y") == [1]
    assert numbers(state="all", creator="ada") == [2]
    assert numbers(state="all", since="2999-01-01T00:00:00Z") == []


def test_reviews_keep_their_order_and_their_rules(
    churn: TestRepository, bot: Caller, ada: Caller
) -> None:
    """Nobody approves what is theirs; a request for changes needs words."""
    churn.push("feature", {"a.txt": "x\n"})
    bot.propose("feature")

    ada.made("/pulls/1/reviews", event="REQUEST_CHANGES", body="Why?")
    given = ada.made("/pulls/1/reviews", event="APPROVE")

    assert [it["state"] for it in bot.read("/pulls/1/reviews")] == ["CHANGES_REQUESTED", "APPROVED"]
    own = said(bot.post("/pulls/1/reviews", event="APPROVE"))
    assert own == (422, "Unprocessable Entity Review Can not approve your own pull request")
    assert ada.post("/pulls/1/reviews", event="REQUEST_CHANGES").status_code == 422
    dismissed = ada.put(f"/pulls/1/reviews/{given['id']}/dismissals", message="No.")
    assert dismissed.json()["state"] == "DISMISSED"


def test_reviewers_are_collaborators_but_not_the_author(
    churn: TestRepository, bot: Caller, ada: Caller
) -> None:
    """A review takes the request for it away."""
    churn.push("feature", {"a.txt": "x\n"})
    ada.propose("feature")

    def asked(*logins: str) -> tuple[int, str]:
        return said(bot.post("/pulls/1/requested_reviewers", reviewers=list(logins)))

    assert asked("ada") == (422, "Review cannot be requested from pull request author.")
    assert "not a collaborator of the acme/churn repository" in asked("eve")[1]
    bot.made("/pulls/1/requested_reviewers", reviewers=["bob"])
    assert [it["login"] for it in bot.read("/pulls/1/requested_reviewers")["users"]] == ["bob"]
