"""From the nodes of GraphQL to the words of the port."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from ml_gitops.adapters.github.people import People
from ml_gitops.ports import Tag
from ml_gitops.pull_request import Actor, Comment, Issue, PullRequest, Review, State

Node = Mapping[str, Any]
_VERDICTS = {"APPROVED": "approve", "CHANGES_REQUESTED": "request-changes"}


def pull_request(node: Node, people: People) -> PullRequest:
    """Return a pull request."""
    state = cast("State", str(node["state"]).lower())
    commits = node["commits"]
    branch = str(node["headRefName"])
    if node["isCrossRepository"]:
        # A branch of a fork is not the branch of this name here.
        owner = (node.get("headRepositoryOwner") or {}).get("login") or "ghost"
        branch = f"{owner}:{branch}"
    return PullRequest(
        number=node["number"],
        title=node["title"],
        body=_text(node["body"]),
        branch=branch,
        base=node["baseRefName"],
        head=node["headRefOid"],
        author=people.actor(node["author"]),
        state=state,
        draft=node["isDraft"],
        labels=_labels(node),
        comments=_comments(node, people),
        reviews=_reviews(node, people),
        # A bot's proposal is one commit; more than a page of them are somebody's.
        human_commits=commits["totalCount"] > len(commits["nodes"])
        or people.any_person(it["commit"] for it in commits["nodes"]),
        created=moment(node["createdAt"]),
        updated=moment(node["updatedAt"]),
        closed_by=people.actor(node["mergedBy"]) if state == "merged" else _closer(node, people),
        merge_commit=(node["mergeCommit"] or {}).get("oid") if state == "merged" else None,
    )


def issue(node: Node, people: People) -> Issue:
    """Return an issue."""
    return Issue(
        number=node["number"],
        title=node["title"],
        body=_text(node["body"]),
        author=people.actor(node["author"]),
        state="open" if node["issueState"] == "OPEN" else "closed",
        labels=_labels(node),
        comments=_comments(node, people),
        created=moment(node["createdAt"]),
        updated=moment(node["updatedAt"]),
        closed_by=_closer(node, people) if node["issueState"] == "CLOSED" else None,
    )


def tag(node: Node) -> Tag | None:
    """Return an annotated tag of a commit; None for any other ref."""
    target = node["target"]
    if target["__typename"] != "Tag" or target["target"]["__typename"] != "Commit":
        return None
    made = (target.get("tagger") or {}).get("date")
    return Tag(
        name=node["name"],
        commit=target["target"]["oid"],
        message=str(target["message"] or "").strip(),
        created=moment(made or "1970-01-01T00:00:00Z"),
    )


def moment(text: str) -> datetime:
    """Return a time of the API."""
    return datetime.fromisoformat(text)


def comment(node: Node, people: People) -> Comment:
    """Return a comment."""
    return Comment(
        number=int(node["fullDatabaseId"]),
        author=people.actor(node["author"]),
        body=_text(node["body"]),
        created=moment(node["createdAt"]),
        updated=moment(node["updatedAt"]),
    )


def _comments(node: Node, people: People) -> tuple[Comment, ...]:
    return tuple(comment(it, people) for it in node["comments"]["nodes"])


def _reviews(node: Node, people: People) -> tuple[Review, ...]:
    return tuple(
        Review.model_validate(
            {
                "author": people.actor(it["author"]),
                "verdict": _VERDICTS.get(it["state"], "comment"),
                "body": _text(it["body"]),
                "created": moment(it["submittedAt"]),
            }
        )
        for it in node["reviews"]["nodes"]
        if it["submittedAt"] is not None
    )


def _labels(node: Node) -> tuple[str, ...]:
    return tuple(it["name"] for it in node["labels"]["nodes"])


def _closer(node: Node, people: People) -> Actor | None:
    events = [it for it in node["timelineItems"]["nodes"] if it]
    closed = node.get("state") == "CLOSED" or node.get("issueState") == "CLOSED"
    return people.actor(events[-1].get("actor")) if events and closed else None


def _text(body: str | None) -> str:
    """Return a text with the line ends that we write; the web page sends others."""
    return (body or "").replace("\r\n", "\n")
