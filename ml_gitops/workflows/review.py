"""Does a review cover what is about to be released? Files, report, rules and pull request agree."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ml_gitops.config import Config
from ml_gitops.errors import DocumentError
from ml_gitops.model.lineage import Lineage
from ml_gitops.model.run import artifact_name, verify
from ml_gitops.ports import Forge, Workspace
from ml_gitops.pull_request import Marker, PullRequest
from ml_gitops.report import substance, verify_report
from ml_gitops.workflows.ci import posted_report
from ml_gitops.workflows.standing import find_champion, find_standing

NOBODY = "nobody reviewed this model: no report of it was posted on a pull request"


@dataclass(frozen=True)
class Reviewed:
    """The files of a run that were reviewed, and what the review does not cover.

    Attributes:
        files: name to content, each held to its digest.
        pull_request: the merged one that carries the report, if any does.
        doubts: why nobody's review covers this, one clause each; empty if one does.
    """

    files: Mapping[str, bytes]
    pull_request: int | None
    doubts: tuple[str, ...]


def find_reviewed(
    config: Config, workspace: Workspace, forge: Forge, lineage: Lineage
) -> Reviewed | None:
    """Find what was reported on of the run that was merged; None if nothing was.

    Args:
        lineage: of the state that was merged.

    Raises:
        DocumentError: what is kept is not what its record, or the report that was posted, says.
    """
    model = config.model.name
    name = artifact_name(model, lineage.run_key)
    files = forge.artifact(name)
    posted = list(_posted(forge, model, lineage.run_key))
    if files is None or not posted:
        return None
    where = f"artifact {name}"
    run = verify(files, lineage.run_key, where=where)
    report = verify_report(files, run, config.gate, where=where)
    merged = [one for one in posted if one[0].state == "merged"]
    number = (merged or posted)[0][0].number
    if all(marker.content != substance(run, report) for _, marker in merged or posted):
        raise DocumentError(
            f"it is not what the report on #{number} speaks of",
            hint="find out who exchanged it; then run `ml-gitops train` and `report "
            f"--pull-request {number}` at the head of #{number}",
            where=where,
        )
    doubts = [] if merged else [f"its report stands on #{number}, which was not merged"]
    now = find_standing(config, workspace, find_champion(config, forge, run.split))
    others = report.basis.standing.differences(now)
    if others:
        told = " and ".join(f"another {word}" for word in others)
        doubts.append(f"it was judged by {told} than stand now that it is merged")
    return Reviewed(files, number if merged else None, tuple(doubts))


def _posted(forge: Forge, model: str, run_key: str) -> Iterator[tuple[PullRequest, Marker]]:
    """Yield the pull requests that carry a report of a run, the newest first."""
    for pull_request in reversed(forge.pull_requests()):
        posted = posted_report(pull_request, model)
        if posted is not None and posted[1].fingerprint == run_key:
            yield pull_request, posted[1]
