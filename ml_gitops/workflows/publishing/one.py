"""One model of a pull request: its artifact is held to the commit, and its report is posted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from ml_gitops.config import Config
from ml_gitops.model.gate import GateWord
from ml_gitops.model.run import Run
from ml_gitops.ports import Forge
from ml_gitops.pull_request import PullRequest
from ml_gitops.report import artifact_name, files_digest
from ml_gitops.workflows.commit_files import CommitFiles
from ml_gitops.workflows.folder import in_folder
from ml_gitops.workflows.models import Placed
from ml_gitops.workflows.publishing.evidence import (
    config_for,
    hold_lineage,
    hold_report,
    hold_run,
    write_body,
)
from ml_gitops.workflows.publishing.origin import Code, JsonObject, Origin, Refusal, rule_changes
from ml_gitops.workflows.publishing.package import hold_archive, hold_files
from ml_gitops.workflows.reporting import facts_of, noted, post, report_marker

Note = Callable[[Config, Forge], str]


class Archives(Protocol):
    """What runs of workflows left."""

    def archive(self, artifact: int, limit: int) -> bytes:
        """Return an artifact as it was packed, at most one byte more than a limit."""
        ...

    def unpack(self, archive: bytes) -> Mapping[str, bytes] | None:
        """Return the files of an archive; None if it is one that nobody honest makes."""
        ...


@dataclass(frozen=True)
class Scene:
    """What one model of a pull request is held to.

    Attributes:
        forge: as the bot, from the top of the repository.
        archives: what runs left.
        origin: of what was left.
        commit: its files.
        number, changed: of the pull request: its number, and paths that it changes.
        trusted: whether the code that ran was.
        variables: of this process, whose secrets must not be told.
        note: returns what else a reviewer should know of a model, by its config.
    """

    forge: Forge
    archives: Archives
    origin: Origin
    commit: CommitFiles
    number: int
    changed: Sequence[str]
    trusted: bool
    variables: Mapping[str, str]
    note: Note


@dataclass(frozen=True)
class Told:
    """What was done about one model; its name is the commit's, and all else is ours.

    Attributes:
        code: `posted`, or the check that refused.
        reason: why nothing was posted; empty if it was.
        verdict: what the report says.
        posted: whether the comment was written or changed.
    """

    model: str
    code: Code | Literal["posted"]
    reason: str = ""
    verdict: GateWord | None = None
    posted: bool = False


@dataclass(frozen=True)
class Shown:
    """What people read of one model: the report, or why there is none."""

    told: Told
    headline: str
    body: str


def report_on(model: Placed, scene: Scene, find: Callable[[], tuple[JsonObject, bytes]]) -> Shown:
    """Hold what was left of a model to the commit, and post its report; or say why not.

    Args:
        find: returns the artifact of the model, as GitHub lists it and as it came.
    """
    try:
        return _report(model, scene, *find())
    except Refusal as refusal:
        reason = refusal.reason
        if refusal.code == "E06" and not scene.trusted and model.config.data.sample is None:
            reason += "; forks have no credentials for data, and [data] names no sample"
        told = Told(model.name, refusal.code, reason)
        text = f"What the run left is not believed ({refusal.code}): {reason}."
        return Shown(told, f"No report: {reason}", text)


def _report(model: Placed, scene: Scene, artifact: JsonObject, archive: bytes) -> Shown:
    files = hold_files(unpack(scene.archives, artifact, archive))
    run = hold_run(model.config, files)
    forge = in_folder(scene.forge, model.folder)
    commit = scene.commit.below(model.folder, run.lineage.environment)
    config = config_for(model.config, run)
    hold_lineage(config, commit, run, files)
    report = hold_report(config, commit, forge, run, files)
    content = hold_name(artifact, run, files)
    rules = rule_changes(scene.changed, model.folder)
    body = write_body(report, rules, scene.variables, trusted=scene.trusted)
    posted = False
    if is_current(scene.forge.pull_request(scene.number), scene.origin):
        # A fork's report covers no release: what it found is its own word, so it names no run.
        # Nor does one of the sample.
        marker = report_marker(run.model)
        if scene.trusted and not run.sample:
            marker = report_marker(run.model, run.run_key, content, facts_of(report))
        # What is none of the run's own is told beside what the run said of itself.
        note = scene.note(model.config, forge) if scene.trusted else ""
        _, posted = post(scene.forge, scene.number, noted(body, note), marker)
    told = Told(model.name, "posted", "", report.verdict, posted)
    return Shown(told, report.headline, body)


def unpack(archives: Archives, artifact: JsonObject, archive: bytes) -> Mapping[str, bytes]:
    """Return the files of an artifact, as GitHub lists it and as it came.

    Raises:
        Refusal: E07 or E08 it is another one, or cannot be opened.
    """
    hold_archive(archive, artifact)
    files = archives.unpack(archive)
    if files is None:
        raise Refusal("E08", "it is no archive of plain files")
    return files


def hold_name(artifact: JsonObject, run: Run, files: Mapping[str, bytes]) -> str:
    """Hold that a merge finds the files under the name that they came by; return their digest.

    Raises:
        Refusal: E11 it would look for another name.
    """
    content = files_digest(files)
    if artifact["name"] != artifact_name(run.model, run.run_key, content):
        raise Refusal("E11", "it has another name than a merge would look for")
    return content


def is_current(pull_request: PullRequest, origin: Origin) -> bool:
    """Say whether the pull request is still open at the commit that ran (E14)."""
    return pull_request.state == "open" and pull_request.head == origin.commit
