"""A merge: what was reviewed is released, staged, and proposed to production."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from ml_gitops.config import Config
from ml_gitops.delivery.release import BENTO_FILE, Release, ServedRelease
from ml_gitops.delivery.version import Bump, bump_for, release_tag
from ml_gitops.document import Missing, sha256
from ml_gitops.errors import DocumentError, ForgeError
from ml_gitops.model.lineage import Lineage, short
from ml_gitops.model.run import verify
from ml_gitops.names import LOCK_FILE, MODEL_FILE, PROFILE_FILE, SIGNATURE_FILE
from ml_gitops.ports import Bentos, Forge, Progress, Repository, Workspace
from ml_gitops.pull_request import Action, PullRequest
from ml_gitops.render.proposal_body import release_notes
from ml_gitops.render.tables import unlinked
from ml_gitops.report import Report, verify_report
from ml_gitops.serving.signature import Signature
from ml_gitops.workflows.committed import require_tip
from ml_gitops.workflows.differences import tell_differences
from ml_gitops.workflows.promotion import declared, promote, record_assignments
from ml_gitops.workflows.registry import assigned, latest_release, released_file
from ml_gitops.workflows.review import (
    NOBODY,
    TAKE_BACK,
    UNPROPOSED,
    Reviewed,
    find_reviewed,
    never_proposed,
)
from ml_gitops.workflows.tagging import claim_tag, next_version
from ml_gitops.workflows.training import read_lock, trace_run

PROFILE_PATH = "reference/profile.json"
"""What the newest release learned from, for people; the monitor reads the one it serves."""
SHIPPED = (
    MODEL_FILE,
    SIGNATURE_FILE,
    "evaluation.json",
    "parity.json",
    "validation.json",
    PROFILE_FILE,
    "run.json",
    "report.json",
)


@dataclass(frozen=True)
class Delivered:
    """What CD did: the release that is out, and what it changed on the way there.

    Attributes:
        release: the release of the commit.
        is_new: whether this call made it.
        staged: the commit after which the first environment serves it.
        assigned: assignment tags that were created.
        promotion: the pull request that promotes it, if there is one.
        action: what was done about that pull request.
    """

    release: Release
    is_new: bool
    staged: str | None = None
    assigned: list[str] = field(default_factory=list)
    promotion: PullRequest | None = None
    action: Action | None = None


def deliver(
    config: Config,
    workspace: Workspace,
    repository: Repository,
    forge: Forge,
    bentos: Bentos,
    progress: Progress,
    train_again: Callable[[], Mapping[str, bytes]] | None = None,
) -> Delivered:
    """Release what the default branch holds, and bring the record of deployments up to date.

    Every step looks first at what is there, so a rerun after a crash goes on
    where the last one stopped.

    Args:
        train_again: trains what nobody reviewed; without it, that is not released.

    Raises:
        GitError: the work tree is dirty, or not the tip of the default branch.
        ForgeError: no report of this state was ever posted.
    """
    commit = require_tip(config, workspace, repository, forge)
    lineage = trace_run(config, workspace)
    before = latest_release(forge, config.model.name)
    if isinstance(before, Release) and before.run_key == lineage.run_key:
        release, is_new = before, False
    else:
        progress.step("Finding what was reviewed")
        reviewed = _reviewed(config, workspace, forge, lineage, train_again)
        release = _describe(config, forge, commit, before, lineage, reviewed)
        if isinstance(before, Release):
            rows = read_lock(workspace)
            told = tell_differences(config, workspace, forge, lineage, rows, before)
            release = release.model_copy(update={"differences": told})
        release = _publish(config, forge, bentos, progress, release, reviewed.files)
        is_new = True
    progress.step("Staging")
    staged = _stage(config, forge, release)
    tags = record_assignments(config, forge)
    promotion: PullRequest | None = None
    action: Action | None = None
    if len(config.delivery.environments) > 1:
        promotion, action = promote(config, forge, config.delivery.environments[1])
    return Delivered(release, is_new, staged, tags, promotion, action)


def _reviewed(
    config: Config,
    workspace: Workspace,
    forge: Forge,
    lineage: Lineage,
    train_again: Callable[[], Mapping[str, bytes]] | None,
) -> Reviewed:
    """Find what was reviewed; train what was not, if that is wanted."""
    with suppress(*([DocumentError, ForgeError] if train_again else [])):
        reviewed = find_reviewed(config, workspace, forge, lineage)
        if reviewed is not None:
            return reviewed
    if train_again is None and never_proposed(config, forge):
        raise ForgeError(
            UNPROPOSED, hint=f"{TAKE_BACK}; or ship it with `release --train`", where=LOCK_FILE
        )
    if train_again is None:
        raise ForgeError(
            f"no merged pull request carries a report of run {short(lineage.run_key)}, "
            "which is what was merged",
            hint="run `ml-gitops train` and `report --pull-request N` at the head of its pull "
            "request, or ship it unreviewed with `release --train`",
        )
    return Reviewed(train_again(), None, (NOBODY,))


def _describe(
    config: Config,
    forge: Forge,
    commit: str,
    before: Release | Missing,
    lineage: Lineage,
    reviewed: Reviewed,
) -> Release:
    """Write the record of a release, without the files that are still to be made."""
    files = reviewed.files
    run = verify(files, lineage.run_key, where="the reviewed run")
    report = verify_report(files, run, config.gate, where="the reviewed run")
    changed: list[str] = []
    bump: Bump = "patch"
    if isinstance(before, Release):
        signature = released_file(forge, before, Signature.file_name)
        old = Signature.from_json(signature, where=before.tag)
        new = Signature.from_json(files[Signature.file_name], where=Signature.file_name)
        changed = lineage.changes_from(before.lineage)
        bump = bump_for(changed, same_signature=old.same_form(new))
    version = next_version(config, forge, before, bump, lineage)
    return Release(
        model=config.model.name,
        version=str(version),
        tag=release_tag(config.model.name, version),
        commit=commit,
        run_key=lineage.run_key,
        lineage=lineage,
        trained=run.split.train,
        holdout=run.split.holdout,
        files={name: sha256(files[name]) for name in SHIPPED},
        metrics=report.metrics,
        verdict=report.headline,
        gate=report.verdict,
        changed=tuple(changed),
        pull_request=reviewed.pull_request or _merged_by(forge, commit),
        doubts=reviewed.doubts,
    )


def _publish(
    config: Config,
    forge: Forge,
    bentos: Bentos,
    progress: Progress,
    release: Release,
    files: Mapping[str, bytes],
) -> Release:
    """Build the Bento, then tag and publish; a tag without a page is a crash to go on from."""
    progress.step(f"Building the Bento of {release.tag}")
    served = ServedRelease(tag=release.tag, digest=sha256(files[MODEL_FILE]))
    bento = bentos.build(
        {
            MODEL_FILE: files[MODEL_FILE],
            Signature.file_name: files[Signature.file_name],
            ServedRelease.file_name: served.to_json().encode(),
        }
    )
    release = release.model_copy(update={"files": {**release.files, BENTO_FILE: sha256(bento)}})
    progress.step(f"Publishing {release.tag}")
    release = release.model_copy(update={"commit": claim_tag(config, forge, release)})
    report = Report.from_json(files[Report.file_name], where=Report.file_name)
    assets = {name: files[name] for name in SHIPPED}
    assets |= {BENTO_FILE: bento, Release.file_name: release.to_json().encode()}
    notes = release_notes(release, report)
    forge.create_release(release.tag, f"{release.model} {release.version}", notes, assets)
    return release


def _stage(config: Config, forge: Forge, release: Release) -> str | None:
    """Let the first environment serve a new release, and commit its profile as the reference.

    Once it was served there it is not staged again: whoever rolled it back meant it.
    """
    environment = config.delivery.environments[0]
    if release.tag in (past.tag for past in assigned(forge, config.model.name, environment)):
        return None
    path, state = declared(release, environment)
    changes = {path: state, PROFILE_PATH: released_file(forge, release, PROFILE_FILE)}
    message = f"Let {environment} serve {release.tag}\n\n{unlinked(release.verdict)}"
    return forge.commit(forge.default_branch, changes, message)


def _merged_by(forge: Forge, commit: str) -> int | None:
    """Return the pull request whose merge made a commit."""
    for pull_request in reversed(forge.pull_requests()):
        if pull_request.state == "merged" and pull_request.merge_commit == commit:
            return pull_request.number
    return None
