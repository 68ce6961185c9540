"""E01 to E05: which run this is about, whose code it ran, and which pull request that is."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ml_gitops.names import CONFIG_FILE
from ml_gitops.workflows.check_changes import SETTINGS

Code = Literal[
    "E01", "E02", "E03", "E04", "E05", "E06", "E07", "E08",
    "E09", "E10", "E11", "E12", "E13", "E14", "E15", "E16",
]  # fmt: skip
JsonObject = Mapping[str, Any]
"""What GitHub says, as plain values; not one of our closed documents."""
WORKFLOWS = ".github/"
RULES = ("checks/", "reference/", CONFIG_FILE, *SETTINGS)
"""Files and folders of a model that decide how it is judged; workflows decide for all."""
_COMMIT = re.compile(r"[0-9a-f]{40}")
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}")
_LONGEST = 255


class Refusal(Exception):
    """Say why nothing is posted.

    Args:
        code: which check refused.
        reason: a sentence of ours; it quotes nothing that came from the run.
        quiet: whether nobody has to be told.
    """

    def __init__(self, code: Code, reason: str, *, quiet: bool = False) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.quiet = quiet


@dataclass(frozen=True)
class Origin:
    """The run that left a report.

    Attributes:
        run, attempt: which one.
        commit: what it ran on.
        base: id of the repository that the pull request is for.
        repository, owner, branch: where the commit comes from. The branch is whatever somebody
            called it: it is asked for, and never shown.
    """

    run: int
    attempt: int
    commit: str
    base: int
    repository: int
    owner: str
    branch: str

    @property
    def evidence(self) -> str:
        """What a check run of it stands on."""
        return f"{self.run}:{self.attempt}"


def read_origin(name: str, event: JsonObject, *, workflow: str, run: str, attempt: str) -> Origin:
    """Read which run an event is about; GitHub wrote the event.

    Args:
        name: of the event: `workflow_run`, or `pull_request` for a job of the same run.
        event: its document.
        workflow: path of the only workflow whose finished run counts.
        run, attempt: of this job.

    Raises:
        Refusal: E01 it is another event; E02 it lacks what it must have.
    """
    if name == "pull_request":
        return _same_run(event, run, attempt)
    if name != "workflow_run":
        raise Refusal("E01", "neither workflow_run nor pull_request started this")
    told = _table(event, "workflow_run", "E01")
    if event.get("action") != "completed" or told.get("event") != "pull_request":
        raise Refusal("E01", "this is no run of a pull request that has ended")
    # A fork can give its own file the same name; it cannot give it the path of ours.
    if not workflow or told.get("path") != workflow:
        raise Refusal("E01", "another workflow ran than the one that is reported on")
    base = _id(_table(event, "repository", "E01"), "E01")
    if _id(_table(told, "repository", "E01"), "E01") != base:
        raise Refusal("E01", "it ran in another repository")
    head = _table(told, "head_repository", "E02")
    return Origin(
        run=_number(told, "id"),
        attempt=_number(told, "run_attempt"),
        commit=_commit(told.get("head_sha")),
        base=base,
        repository=_id(head, "E02"),
        owner=_login(head),
        branch=_text(told.get("head_branch")),
    )


def _same_run(event: JsonObject, run: str, attempt: str) -> Origin:
    """Read the origin from the event that started this very run."""
    base = _id(_table(event, "repository", "E01"), "E01")
    head = _table(_table(event, "pull_request", "E01"), "head", "E02")
    source = _table(head, "repo", "E02")
    if _id(source, "E02") != base:
        # Its token may not write here; the run of the workflow that follows it may.
        raise Refusal("E01", "a fork's pull request is reported on by a workflow_run")
    if not (run.isdecimal() and attempt.isdecimal()):
        raise Refusal("E02", "GITHUB_RUN_ID and GITHUB_RUN_ATTEMPT are no numbers")
    return Origin(
        run=int(run),
        attempt=int(attempt),
        commit=_commit(head.get("sha")),
        base=base,
        repository=base,
        owner=_login(source),
        branch=_text(head.get("ref")),
    )


def choose_pull_request(origin: Origin, listed: Sequence[JsonObject], default: str) -> int:
    """Return the number of the one open pull request whose head is the commit that ran.

    The run itself may say any number; only GitHub's own list is asked.

    Args:
        origin: of the run.
        listed: open pull requests of that branch, as GitHub lists them.
        default: the branch that pull requests are reported on for.

    Raises:
        Refusal: E03 there is none, or more than one, or it goes to another branch: what is
            merged there is not what anybody is served.
    """
    found = [
        it
        for it in listed
        if it.get("state") == "open"
        and it["head"].get("sha") == origin.commit
        and (it["head"].get("repo") or {}).get("id") == origin.repository
        and (it["base"].get("repo") or {}).get("id") == origin.base
    ]
    numbers = [int(it["number"]) for it in found if it["base"].get("ref") == default]
    if found and not numbers:
        raise Refusal("E03", "only pull requests to the default branch are judged")
    if len(numbers) != 1:
        how = "no open pull request is" if not numbers else "more than one pull request is"
        # Who pushed again meanwhile gets the report of that; there is nothing to refuse.
        raise Refusal("E03", f"{how} at the commit that ran", quiet=True)
    return numbers[0]


def is_trusted(origin: Origin, pull: JsonObject) -> bool:
    """Say whether the code that ran came from somebody who may push to the repository (E04).

    Nobody else can make a branch there. What a fork reports is its own word.
    """
    source = (pull.get("head") or {}).get("repo") or {}
    return origin.repository == origin.base == source.get("id")


def rule_changes(paths: Iterable[str], folder: str = "") -> tuple[str, ...]:
    """Name the changed files that decide how a model is judged (E05).

    Args:
        paths: in the repository.
        folder: of the model, with a slash at its end; empty for the top.

    Raises:
        Refusal: E05 GitHub did not list all of them.
    """
    listed = list(paths)
    if len(listed) >= MOST_FILES:
        raise Refusal("E05", "the pull request changes more files than GitHub lists")
    rules = [WORKFLOWS, *(folder + rule for rule in RULES)]
    return tuple(
        sorted(
            path
            for path in listed
            if any(path == rule or (rule.endswith("/") and path.startswith(rule)) for rule in rules)
        )
    )


MOST_FILES = 3_000
"""GitHub lists no more of the files that a pull request changes."""


def _table(event: JsonObject, key: str, code: Code) -> JsonObject:
    value = event.get(key)
    if not isinstance(value, Mapping):
        raise Refusal(code, f"the event has no {key}")
    return value


def _id(document: JsonObject, code: Code) -> int:
    value = document.get("id")
    if type(value) is not int or value <= 0:
        raise Refusal(code, "the event names no repository")
    return value


def _number(document: JsonObject, key: str) -> int:
    value = document.get(key)
    if type(value) is not int or value <= 0:
        raise Refusal("E02", f"the event has no {key}")
    return value


def _commit(value: object) -> str:
    if not (isinstance(value, str) and _COMMIT.fullmatch(value)):
        raise Refusal("E02", "the event names no commit")
    return value


def _login(repository: JsonObject) -> str:
    value = _table(repository, "owner", "E02").get("login")
    if not (isinstance(value, str) and _LOGIN.fullmatch(value)):
        raise Refusal("E02", "the event names no owner")
    return value


def _text(value: object) -> str:
    if not (isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable()):
        raise Refusal("E02", "the event names no branch")
    return value
