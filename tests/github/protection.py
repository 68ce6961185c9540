"""Protected branches: nobody pushes to them, and merges wait for checks and approvals."""

from dataclasses import dataclass, field

from tests.github.answers import Refusal, not_found
from tests.github.documents import url_of
from tests.github.git import HEADS
from tests.github.request import Request
from tests.github.routing import route
from tests.github.world import Document, Pull, Repository

_PASSED = {"success", "neutral", "skipped"}


@dataclass
class Protection:
    """What a branch asks of a merge: checks by name, and how many approvals."""

    checks: list[str] = field(default_factory=list)
    approvals: int = 0


def refuse_push(request: Request, ref: str, *, forced: bool = False) -> None:
    """Refuse to move a protected branch other than by a merge.

    Raises:
        Refusal: 422, in the words of GitHub.
    """
    rules = request.repository.protected.get(ref.removeprefix(HEADS))
    if rules is None:
        return
    if forced:
        raise Refusal(422, "Cannot force-push to this branch")
    if rules.approvals:
        raise Refusal(422, "Changes must be made through a pull request.")
    for it in rules.checks:
        raise Refusal(422, f'Required status check "{it}" is expected.')


def refuse_deletion(request: Request, ref: str) -> None:
    """Refuse to delete a protected branch.

    Raises:
        Refusal: 422, in the words of GitHub.
    """
    if ref.removeprefix(HEADS) in request.repository.protected:
        raise Refusal(422, "Cannot delete this branch")


def missing(repository: Repository, pull: Pull) -> str:
    """Return what a pull request still waits for; nothing is an empty text."""
    rules = repository.protected.get(pull.base_branch, Protection())
    approving, blocking = _reviews(repository, pull)
    if blocking:
        return "Changes were requested by a reviewer with write access."
    if approving < rules.approvals:
        few = f"At least {rules.approvals} approving review is required"
        return f"{few} by reviewers with write access."
    waiting = [it for it in rules.checks if not _passed(repository, pull.head, it)]
    return f'Required status check "{waiting[0]}" is expected.' if waiting else ""


def _reviews(repository: Repository, pull: Pull) -> tuple[int, int]:
    """Return how many writers approve, and how many want changes: each by their last word."""
    last: dict[int, str] = {}
    for it in pull.reviews:
        if it.state in {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}:
            last[it.author.id] = it.state if repository.may(it.author, "write") else ""
    words = list(last.values())
    needed = pull.base_branch in repository.protected
    return words.count("APPROVED"), words.count("CHANGES_REQUESTED") * needed


def _passed(repository: Repository, sha: str, name: str) -> bool:
    """Whether the last check run or status of a name is good."""
    runs = [it.conclusion for it in repository.checks if (it.sha, it.name) == (sha, name)]
    states = [it.state for it in repository.statuses if (it.sha, it.context) == (sha, name)]
    return any(it[-1] in _PASSED for it in (runs, states) if it)


def summary(repository: Repository, branch: str) -> Document:
    """Return what branches tell of their protection."""
    rules = repository.protected.get(branch)
    checks = rules.checks if rules else []
    apps = [{"context": it, "app_id": None} for it in checks]
    required = {"contexts": checks, "checks": apps, "enforcement_level": "everyone"}
    if rules is None:
        required["enforcement_level"] = "off"
    return {"enabled": rules is not None, "required_status_checks": required}


@route("GET", "/repos/{owner}/{repo}/branches/{branch}/protection", "administration:read", "admin")
def protection(request: Request) -> Document:
    """Give the protection of a branch."""
    repository, branch = request.repository, request.params["branch"]
    if repository.branch(branch) is None:
        raise Refusal(404, "Branch not found")
    rules = repository.protected.get(branch)
    if rules is None:
        raise Refusal(404, "Branch not protected")
    url = f"{url_of(request.world, repository)}/branches/{branch}/protection"
    off = {name: {"enabled": False} for name in ("allow_force_pushes", "allow_deletions")}
    document: Document = {"url": url, "enforce_admins": {"url": url, "enabled": True}, **off}
    if rules.checks:
        apps = [{"context": it, "app_id": None} for it in rules.checks]
        checks = {"url": url, "strict": False, "contexts": rules.checks, "checks": apps}
        document["required_status_checks"] = checks | {"contexts_url": url + "/contexts"}
    if rules.approvals:
        reviews = {"url": url, "required_approving_review_count": rules.approvals}
        flags = dict.fromkeys(("dismiss_stale_reviews", "require_code_owner_reviews"), False)
        document["required_pull_request_reviews"] = reviews | flags
    return document


@route("GET", "/repos/{owner}/{repo}/rules/branches/{branch}")
def rules(request: Request) -> list[Document]:
    """Say that no ruleset is about a branch: this server knows only protections."""
    if not request.repository.refs:
        raise not_found()
    return []
