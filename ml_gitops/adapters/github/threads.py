"""What people and bots say on GitHub: issues, comments, reviews, labels."""

from collections.abc import Mapping, Sequence
from typing import Any

from ml_gitops.adapters.github import questions, reading
from ml_gitops.adapters.github.answers import Refused
from ml_gitops.adapters.github.client import Document, GitHubClient
from ml_gitops.adapters.github.survey import Survey
from ml_gitops.adapters.limits import checked_body, checked_choice, checked_title
from ml_gitops.errors import ForgeError
from ml_gitops.pull_request import Actor, Comment, Issue, PullRequest, Review, ReviewWord

_EVENTS = {"approve": "APPROVE", "request-changes": "REQUEST_CHANGES", "comment": "COMMENT"}


class Threads:
    """The issues and conversations of a repository on GitHub."""

    _client: GitHubClient
    _survey: Survey

    def pull_requests(self) -> list[PullRequest]:
        """Return the 200 newest pull requests and all that the bot opened, oldest first."""
        nodes = self._survey.threads("pullRequests", questions.PULLS_PAGE)
        return [reading.pull_request(node, self._survey.people) for node in nodes]

    def pull_request(self, number: int) -> PullRequest:
        """Return one pull request."""
        return self._pull(number)[0]

    def issues(self) -> list[Issue]:
        """Return the 200 newest issues and all that the bot opened, oldest first."""
        nodes = self._survey.threads("issues", questions.ISSUES_PAGE)
        return [reading.issue(node, self._survey.people) for node in nodes]

    def comment(self, number: int, body: str) -> Comment:
        """Add a comment to a pull request or an issue."""
        checked_body(body)
        if not body.strip():
            raise self._refusal("a comment is empty", hint="write something")
        path = f"/issues/{number}/comments"

        def write() -> Comment:
            return self._comment(self._client.write("POST", path, {"body": body}))

        try:
            return self._client.settled(write, lambda: self._last_said(number, body))
        except Refused as refused:
            if refused.status == 404:
                self._thread(number)  # Says which number it is that nobody has.
            raise

    def edit_comment(self, number: int, comment: int, body: str) -> None:
        """Replace the body of a comment."""
        path = f"/issues/comments/{comment}"
        try:
            self._client.write("PATCH", path, {"body": checked_body(body)}, repeatable=True)
        except Refused as refused:
            if refused.status != 404:
                raise
            raise self._refusal(
                f"#{number} has no comment {comment}", hint="add it as a new one"
            ) from None

    def delete_comment(self, number: int, comment: int) -> None:
        """Delete a comment; one that is gone stays gone."""
        try:
            self._client.write("DELETE", f"/issues/comments/{comment}", repeatable=True)
        except Refused as refused:
            if refused.status != 404:
                raise
            self._thread(number)  # Says which number it is that nobody has.

    def edit_body(self, number: int, body: str) -> None:
        """Replace the body of a pull request or an issue."""
        self._thread(number)
        ask = {"body": checked_body(body)}
        self._client.write("PATCH", f"/issues/{number}", ask, repeatable=True)

    def review(self, number: int, verdict: str, body: str = "") -> Review:
        """Review a pull request: approve, request-changes or comment."""
        checked_choice(verdict, ReviewWord)
        body = checked_body(body)
        open_one, _ = self._pull(number, to="review")
        ask = {"event": _EVENTS[verdict], "commit_id": open_one.head} | (
            {"body": body} if body else {}
        )

        def write() -> Review:
            made = self._client.write("POST", f"/pulls/{number}/reviews", ask)
            told = {
                "author": self._actor(made["user"]),
                "verdict": verdict,
                "body": made["body"] or "",
                "created": made["submitted_at"],
            }
            return Review.model_validate(told)

        def look() -> Review | None:
            mine = [it for it in self._pull(number)[0].reviews if it.author.login == self._me.login]
            new = mine[len([it for it in open_one.reviews if it.author.login == self._me.login]) :]
            return new[-1] if new else None

        return self._client.settled(write, look)

    def mark_ready(self, number: int) -> PullRequest:
        """Take the draft mark from a pull request."""
        old, node = self._pull(number, to="mark ready")
        if not old.draft:
            return old
        self._mark(node["id"], questions.MARK_READY)
        return self._pull(number)[0]

    def label(self, number: int, labels: Sequence[str]) -> None:
        """Set the labels of a pull request or an issue; GitHub makes those that it lacks."""
        try:
            self._client.replace_labels(number, list(dict.fromkeys(labels)))
        except Refused as refused:
            if refused.status == 404:
                self._thread(number)
            raise

    def open_issue(self, title: str, body: str, labels: Sequence[str] = ()) -> Issue:
        """Open an issue."""
        ask = {
            "title": checked_title(title),
            "body": checked_body(body),
            "labels": list(dict.fromkeys(labels)),
        }

        def look() -> int | None:
            author = self._me.login
            same = [
                it["number"]
                for it in self._client.pages("/issues", creator=author, state="open")
                if (it["title"], it["body"] or "") == (ask["title"], body) and _is_issue(it)
            ]
            return max(same, default=None)

        number = self._client.settled(
            lambda: int(self._client.write("POST", "/issues", ask)["number"]), look
        )
        return reading.issue(self._there(number), self._survey.people)

    def update_issue(self, number: int, title: str, body: str) -> None:
        """Replace title and body of an issue."""
        ask = {"title": checked_title(title), "body": checked_body(body)}
        if self._thread(number)["__typename"] != "Issue":
            raise self._refusal(f"#{number} is a pull request", hint="name an issue")
        self._client.write("PATCH", f"/issues/{number}", ask, repeatable=True)

    # What the other rooms of this forge need

    @property
    def _me(self) -> Actor:
        return self._survey.people.myself

    def _thread(self, number: int) -> Document:
        """Return a pull request or an issue, as GraphQL tells it.

        Raises:
            ForgeError: there is none of this number.
        """
        node = self._survey.thread(number)
        if node is None:
            raise self._refusal(f"there is no #{number}", hint="look at `ml-gitops status`")
        return node

    def _there(self, number: int) -> Document:
        """Return a thread that was just made: replicas of GitHub may lag behind."""
        node = self._survey.thread(number)
        if node is None:
            self._client.patience.sleep(self._client.patience.between_writes)
            node = self._thread(number)
        return node

    def _pull(self, number: int, *, to: str = "") -> tuple[PullRequest, Document]:
        """Return a pull request with its node.

        Args:
            to: what is to be done with it that only an open one allows: `merge`.

        Raises:
            ForgeError: there is none of this number, or it is not open.
        """
        node = self._thread(number)
        if node["__typename"] != "PullRequest":
            raise self._refusal(f"#{number} is an issue", hint="name a pull request")
        found = reading.pull_request(node, self._survey.people)
        if to:
            self._require_open(found, to)
        return found, node

    def _require_open(self, found: PullRequest, to: str) -> None:
        if found.state != "open":
            raise self._refusal(
                f"cannot {to} #{found.number}: it is {found.state}",
                hint="open a new pull request",
            )

    def _mark(self, id_: str, change: str) -> None:
        """Make or take away the draft mark; a second time changes nothing."""
        ask = {"input": {"pullRequestId": id_}}

        def write() -> Document:
            return self._client.graphql(change, ask, change=True)

        self._client.settled(write, write)

    def _last_said(self, number: int, body: str) -> Comment | None:
        """Return our comment of these words, the newest one; None if we never said it."""
        node = self._survey.thread(number) or {"comments": {"nodes": []}}
        said = [reading.comment(it, self._survey.people) for it in node["comments"]["nodes"]]
        mine = [it for it in said if it.author.login == self._me.login and it.body == body]
        return mine[-1] if mine else None

    def _comment(self, made: Mapping[str, Any]) -> Comment:
        return Comment(
            number=made["id"],
            author=self._actor(made["user"]),
            body=made["body"] or "",
            created=made["created_at"],
            updated=made["updated_at"],
        )

    def _actor(self, account: Mapping[str, Any]) -> Actor:
        """Return who an account of the REST API is."""
        node = {
            "__typename": account["type"],
            "login": account["login"],
            "databaseId": account["id"],
        }
        return self._survey.people.actor(node)

    def _refusal(self, problem: str, *, hint: str) -> ForgeError:
        return ForgeError(problem, hint=hint, where=self._client.where)


def _is_issue(item: Mapping[str, Any]) -> bool:
    return "pull_request" not in item
