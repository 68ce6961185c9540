"""E14 to E16: one comment and one check run, of what still stands, telling only our own words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

from ml_gitops.model.gate import GateWord
from ml_gitops.ports import Forge
from ml_gitops.pull_request import PullRequest
from ml_gitops.render.tables import plain
from ml_gitops.report import Report
from ml_gitops.workflows.ci import keep
from ml_gitops.workflows.commit_files import CommitFiles
from ml_gitops.workflows.publishing.evidence import (
    hold_lineage,
    hold_report,
    hold_run,
    read_config,
    write_body,
)
from ml_gitops.workflows.publishing.origin import (
    Code,
    Document,
    Origin,
    Refusal,
    choose_pull_request,
    is_trusted,
    rule_changes,
)
from ml_gitops.workflows.publishing.package import (
    LARGEST,
    choose_artifact,
    hold_archive,
    hold_files,
)
from ml_gitops.workflows.reporting import post, report_marker

CHECK = "ml-gitops"
"""The name of the check run; branch rules can ask for it."""
Conclusion = Literal["success", "failure", "neutral"]
_CONCLUSIONS: Mapping[GateWord, Conclusion] = {
    "pass": "success",
    "warn": "neutral",
    "block": "failure",
}


class Runs(Protocol):
    """What the forge knows of runs of workflows, and of commits, without a checkout."""

    def pull_requests(self, owner: str, branch: str) -> Sequence[Document]:
        """Return the open pull requests of a branch."""
        ...

    def changed_files(self, number: int) -> list[str]:
        """Return the paths that a pull request changes."""
        ...

    def artifacts(self, run: int) -> Sequence[Document]:
        """Return the artifacts of a run."""
        ...

    def archive(self, artifact: int, limit: int) -> bytes:
        """Return an artifact as it was packed, at most one byte more than a limit."""
        ...

    def unpack(self, archive: bytes) -> Mapping[str, bytes] | None:
        """Return the files of an archive; None if it is one that nobody honest makes."""
        ...

    def paths(self, commit: str) -> Sequence[str] | None:
        """Return the regular files of a commit; None if they are too many or too large."""
        ...

    def file(self, commit: str, path: str) -> bytes:
        """Return one of them."""
        ...

    def check(
        self, commit: str, name: str, conclusion: Conclusion, title: str, summary: str, key: str
    ) -> None:
        """Leave one check run on a commit; the same key leaves no second one."""
        ...


@dataclass(frozen=True)
class Published:
    """What was done; nothing in it was written by the run.

    Attributes:
        code: `posted`, or the check that refused.
        reason: why nothing was posted; empty if it was.
        pull_request: where it stands.
        verdict: what the report says.
        posted: whether the comment was written or changed.
        trusted: whether the code that ran was.
    """

    code: Code | Literal["posted"]
    reason: str = ""
    pull_request: int | None = None
    verdict: GateWord | None = None
    posted: bool = False
    trusted: bool = False


def publish_left(
    forge: Forge,
    runs: Runs,
    read: Callable[[], Origin],
    variables: Mapping[str, str],
) -> Published:
    """Post the report that a run left, or refuse it; the same run leaves the same, ever.

    Args:
        forge: as the bot.
        runs: what it knows of runs.
        read: returns the origin of the report, see `read_origin`.
        variables: of this process, whose secrets must not be told.
    """
    origin: Origin | None = None
    try:
        origin = read()
        return _publish(forge, runs, origin, variables)
    except Refusal as refusal:
        # Who pushed again meanwhile gets the report of that; there is nothing to refuse.
        if origin is not None and refusal.code != "E03":
            runs.check(
                origin.commit,
                CHECK,
                "neutral",
                f"No report: {refusal.reason}",
                f"What the run left is not believed ({refusal.code}): {refusal.reason}.",
                origin.evidence,
            )
        return Published(refusal.code, refusal.reason)


def _publish(forge: Forge, runs: Runs, origin: Origin, variables: Mapping[str, str]) -> Published:
    listed = runs.pull_requests(origin.owner, origin.branch)
    number = choose_pull_request(origin, listed, forge.default_branch)
    trusted = is_trusted(origin, next(it for it in listed if it["number"] == number))
    rules = rule_changes(runs.changed_files(number))
    artifact = choose_artifact(origin, runs.artifacts(origin.run))
    archive = runs.archive(int(artifact["id"]), LARGEST)
    hold_archive(archive, artifact)
    unpacked = runs.unpack(archive)
    if unpacked is None:
        raise Refusal("E08", "it is no archive of plain files")
    files = hold_files(unpacked)
    paths = runs.paths(origin.commit)
    if paths is None:
        raise Refusal("E11", "the commit has more files than can be read")
    fetch = partial(runs.file, origin.commit)
    config = read_config(CommitFiles(paths, fetch))
    run = hold_run(config, files)
    commit = CommitFiles(paths, fetch, run.lineage.environment)
    hold_lineage(config, commit, run)
    report = hold_report(config, commit, forge, run, files)
    body = write_body(report, rules, variables, trusted=trusted)
    posted = False
    if is_current(forge.pull_request(number), origin):
        # A fork's report covers no release: what it found is its own word, so it names no run.
        marker = report_marker(run.model)
        if trusted:
            marker = report_marker(run.model, run.run_key, keep(forge, run, files))
        _, posted = post(forge, number, body, marker)
    conclusion, title = conclude(report, trusted=trusted)
    runs.check(origin.commit, CHECK, conclusion, title, body, origin.evidence)
    return Published("posted", "", number, report.verdict, posted, trusted)


def is_current(pull_request: PullRequest, origin: Origin) -> bool:
    """Say whether the pull request is still open at the commit that ran (E14)."""
    return pull_request.state == "open" and pull_request.head == origin.commit


def conclude(report: Report, *, trusted: bool) -> tuple[Conclusion, str]:
    """Return conclusion and title of the check run; a fork's own word passes nothing (E15)."""
    if not trusted:
        return "neutral", "Reported by code from a fork, and not verified"
    return _CONCLUSIONS[report.verdict], plain(report.headline, limit=200)
