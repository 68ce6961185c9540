"""Does a review cover what is about to be released? Files, report, rules and pull request agree."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ml_gitops.config import Config
from ml_gitops.document import Missing
from ml_gitops.errors import DocumentError, ForgeError
from ml_gitops.model.lineage import Lineage
from ml_gitops.model.run import verify
from ml_gitops.names import LOCK_FILE
from ml_gitops.ports import Forge, Workspace
from ml_gitops.pull_request import Marker
from ml_gitops.report import artifact_name, files_digest, verify_report
from ml_gitops.workflows.registry import latest_release
from ml_gitops.workflows.reporting import posted_report
from ml_gitops.workflows.standing import find_champion, find_standing

NOBODY = "nobody reviewed this model: no report of it was posted on a pull request"
UNPROPOSED = "it came to the default branch without a pull request, so no report can cover it"
TAKE_BACK = (
    f"take it back: `git rm {LOCK_FILE}`, commit and push; "
    "then lock again on a branch, and open a pull request of it"
)


@dataclass(frozen=True)
class Reviewed:
    """The files of a run that were reviewed, and what the review does not cover.

    Attributes:
        files: name to content, each held to its digest.
        pull_request: the merged one that carries the report; None if nobody reviewed them.
        doubts: why nobody's review covers this, one clause each; empty if one does.
    """

    files: Mapping[str, bytes]
    pull_request: int | None
    doubts: tuple[str, ...]


def find_reviewed(
    config: Config, workspace: Workspace, forge: Forge, lineage: Lineage
) -> Reviewed | None:
    """Find what was reported on, and merged with its report, of the run that was merged.

    A report on a pull request that was not merged says nothing: somebody decided against it.

    Args:
        lineage: of the state that was merged.

    Returns:
        What was merged last; None if nothing was.

    Raises:
        ForgeError: the files of what was merged are kept no longer.
        DocumentError: what is kept is not what the report that was posted says.
    """
    model, run_key = config.model.name, lineage.run_key
    gone: list[int] = []
    for number, marker in _merged(forge, model, run_key):
        name = artifact_name(model, run_key, marker.content)
        files = forge.artifact(name)
        if files is None:
            gone.append(number)
            continue
        where = f"artifact {name}"
        if files_digest(files) != marker.content:
            raise DocumentError(
                f"it is not what the report on #{number} speaks of",
                hint="find out who exchanged it; then run `ml-gitops train` and `report "
                f"--pull-request {number}` at the head of #{number}",
                where=where,
            )
        run = verify(files, run_key, where=where)
        report = verify_report(files, run, config.gate, where=where)
        now = find_standing(config, workspace, find_champion(config, forge, run.split))
        others = [f"another {it}" for it in report.basis.standing.differences(now)]
        told = f"it was judged by {' and '.join(others)} than stand now that it is merged"
        return Reviewed(files, number, (told,) if others else ())
    if gone:
        raise ForgeError(
            f"#{gone[0]} was merged with a report, and the files it speaks of are kept no longer",
            hint="run `ml-gitops train` and `report` at the head of a new pull request, or ship "
            "it unreviewed with `release --train`",
            where=forge.address,
        )
    return None


def never_proposed(config: Config, forge: Forge) -> bool:
    """Say whether nothing was released yet, and nobody ever opened a pull request."""
    nothing = isinstance(latest_release(forge, config.model.name), Missing)
    return nothing and not forge.pull_requests()


def _merged(forge: Forge, model: str, run_key: str) -> Iterator[tuple[int, Marker]]:
    """Yield what was merged with a report of a run: number and marker, the newest first."""
    for pull_request in reversed(forge.pull_requests()):
        if (pull_request.state, pull_request.base) != ("merged", forge.default_branch):
            continue
        posted = posted_report(pull_request, model)
        if posted is not None and posted[1].fingerprint == run_key:
            yield pull_request.number, posted[1]
