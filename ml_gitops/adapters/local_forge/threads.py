"""What people and bots say on a local forge: issues, comments, reviews, labels."""

from collections.abc import Sequence

from ml_gitops.adapters.git.repository import GitRepository
from ml_gitops.adapters.limits import checked_body, checked_choice, checked_title
from ml_gitops.adapters.local_forge.records import IssueRecord
from ml_gitops.adapters.local_forge.state import ForgeState, Work
from ml_gitops.pull_request import Comment, Issue, PullRequest, Review, ReviewWord


class Threads:
    """The issues and conversations of a local forge."""

    _repository: GitRepository
    _state: ForgeState

    def comment(self, number: int, body: str) -> Comment:
        """Add a comment to a pull request or an issue."""
        return self._state.change(lambda work: self._add_comment(work, number, body))

    def edit_comment(self, number: int, comment: int, body: str) -> None:
        """Replace the body of a comment."""

        def step(work: Work) -> None:
            comments = {it.number: it for it in work.thread(number).comments}
            if comment not in comments:
                raise work.refusal(
                    f"#{number} has no comment {comment}", hint="add it as a new one"
                )
            if comments[comment].body != body:
                update = {"body": checked_body(body), "updated": self._repository.clock()}
                comments[comment] = comments[comment].model_copy(update=update)
            work.message = f"Edit a comment on #{number}"
            work.edit(number, comments=tuple(comments.values()))

        self._state.change(step)

    def delete_comment(self, number: int, comment: int) -> None:
        """Delete a comment; one that is gone stays gone."""

        def step(work: Work) -> None:
            kept = tuple(it for it in work.thread(number).comments if it.number != comment)
            work.message = f"Delete a comment on #{number}"
            work.edit(number, comments=kept)

        self._state.change(step)

    def edit_body(self, number: int, body: str) -> None:
        """Replace the body of a pull request or an issue."""

        def step(work: Work) -> None:
            work.message = f"Edit #{number}: {work.thread(number).title}"
            work.edit(number, body=checked_body(body))

        self._state.change(step)

    def review(self, number: int, verdict: str, body: str = "") -> Review:
        """Review a pull request: approve, request-changes or comment."""
        checked_choice(verdict, ReviewWord)

        def step(work: Work) -> Review:
            old = work.pull_request(number, to="review")
            review = Review.model_validate(
                {
                    "author": self._repository.actor,
                    "verdict": verdict,
                    "body": checked_body(body),
                    "created": self._repository.clock(),
                }
            )
            work.message = f"Review #{number}: {verdict}"
            work.edit(number, reviews=(*old.reviews, review))
            return review

        return self._state.change(step)

    def mark_ready(self, number: int) -> PullRequest:
        """Take the draft mark from a pull request."""

        def step(work: Work) -> PullRequest:
            work.pull_request(number, to="mark ready")
            work.message = f"Mark #{number} ready"
            work.edit(number, draft=False)
            return work.pull_request(number)

        return self._state.change(step)

    def label(self, number: int, labels: Sequence[str]) -> None:
        """Set the labels of a pull request or an issue."""

        def step(work: Work) -> None:
            work.thread(number)
            work.message = f"Label #{number}: {', '.join(labels) or 'nothing'}"
            work.edit(number, labels=tuple(dict.fromkeys(labels)))

        self._state.change(step)

    def issues(self) -> list[Issue]:
        """Return every issue, whatever its state, oldest first."""
        records = self._state.look().records.values()
        return [it.issue for it in records if isinstance(it, IssueRecord)]

    def open_issue(self, title: str, body: str, labels: Sequence[str] = ()) -> Issue:
        """Open an issue."""

        def step(work: Work) -> Issue:
            now = self._repository.clock()
            issue = Issue(
                number=work.next_number,
                title=checked_title(title),
                body=checked_body(body),
                author=self._repository.actor,
                state="open",
                labels=tuple(dict.fromkeys(labels)),
                created=now,
                updated=now,
            )
            work.message = f"Open issue #{issue.number}: {issue.title}"
            work.put(IssueRecord(issue=issue))
            return issue

        return self._state.change(step)

    def update_issue(self, number: int, title: str, body: str) -> None:
        """Replace title and body of an issue."""

        def step(work: Work) -> None:
            if isinstance(work.thread(number), PullRequest):
                raise work.refusal(f"#{number} is a pull request", hint="name an issue")
            work.message = f"Update issue #{number}: {title}"
            work.edit(number, title=checked_title(title), body=checked_body(body))

        self._state.change(step)

    def _add_comment(self, work: Work, number: int, body: str) -> Comment:
        thread = work.thread(number)
        now = self._repository.clock()
        comment = Comment(
            number=len(thread.comments) + 1,
            author=self._repository.actor,
            body=checked_body(body),
            created=now,
            updated=now,
        )
        work.message = f"Comment on #{number}: {thread.title}"
        work.edit(number, comments=(*thread.comments, comment))
        return comment
