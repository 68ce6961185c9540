"""The documents of a local forge, and how they follow the branches they are about."""

from collections.abc import Mapping

from ml_gitops.adapters.file_name import to_file_name
from ml_gitops.adapters.git.history import Commit, is_ancestor, log
from ml_gitops.adapters.git.repository import HEADS, GitRepository
from ml_gitops.document import Document
from ml_gitops.pull_request import Issue, PullRequest


class PullRequestRecord(Document):
    """A pull request as it is written down.

    Attributes:
        base_head: where the base was when the head was last looked at.
        written: the head that the bot itself wrote. Any other is a person's, whatever address
            its commits are signed with: everybody knows the bot's.
    """

    pull_request: PullRequest
    base_head: str
    written: str | None = None


class IssueRecord(Document):
    """An issue as it is written down."""

    issue: Issue


Record = PullRequestRecord | IssueRecord


def folder(kind: str, name: str) -> str:
    """Return the folder of a named thing; any text is a name.

    Raises:
        ForgeError: the name is empty.
    """
    return f"{kind}/{to_file_name(name)}/"


def followed(
    repository: GitRepository, stored: Mapping[int, Record], refs: Mapping[str, str]
) -> list[PullRequestRecord]:
    """Return the open pull requests as their branches tell them now.

    A branch may have moved, have been deleted, or have come into its base by
    hand: then its pull request is closed or merged, as on any forge.
    """
    waiting: dict[str, list[PullRequestRecord]] = {}
    for record in stored.values():
        if isinstance(record, PullRequestRecord) and record.pull_request.state == "open":
            base = refs.get(HEADS + record.pull_request.base)
            if base is not None:
                waiting.setdefault(base, []).append(record)
    followed = []
    for base, records in waiting.items():
        tips = [refs.get(HEADS + it.pull_request.branch, it.pull_request.head) for it in records]
        history = {commit.id: commit for commit in log(repository, *tips, exclude=[base])}
        for record, tip in zip(records, tips, strict=True):
            own = _reached(history, tip)
            followed.append(_judged(repository, record, tip, own, base, refs))
    return followed


def _judged(
    repository: GitRepository,
    record: PullRequestRecord,
    tip: str,
    own: list[Commit],
    base: str,
    refs: Mapping[str, str],
) -> PullRequestRecord:
    """Return one open pull request as its branch tells it.

    Args:
        tip: of the branch, or the last one known.
        own: the commits that the base does not have.
        base: the tip of the base.
    """
    pull_request = record.pull_request
    if not own and not is_ancestor(repository, tip, record.base_head):
        update: dict[str, object] = {"state": "merged", "head": tip, "merge_commit": tip}
    elif not own or HEADS + pull_request.branch not in refs:
        update = {"state": "closed"}
    else:
        human = record.written not in (None, tip) or any(not commit.by_bot for commit in own)
        update = {"head": tip, "human_commits": human}
        if tip != pull_request.head:
            record = record.model_copy(update={"base_head": base})
    return record.model_copy(update={"pull_request": pull_request.model_copy(update=update)})


def _reached(history: Mapping[str, Commit], tip: str) -> list[Commit]:
    """Return the commits of a history that a tip reaches."""
    found: dict[str, Commit] = {}
    waiting = [tip]
    while waiting:
        id_ = waiting.pop()
        if id_ in history and id_ not in found:
            found[id_] = history[id_]
            waiting += history[id_].parents
    return list(found.values())
