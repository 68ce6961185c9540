"""What is reported on and released is what a commit holds, whatever Git was told to overlook."""

from ml_gitops.config import Config
from ml_gitops.errors import GitError
from ml_gitops.names import CONFIG_FILE, LOCK_FILE
from ml_gitops.ports import Forge, Repository, Workspace
from ml_gitops.workflows.standing import check_files
from ml_gitops.workflows.training import trace_run


def require_committed(
    config: Config, workspace: Workspace, repository: Repository, *, hint: str
) -> None:
    """Refuse a work tree from which a run, or its judgement, is not what its commit would give.

    Args:
        hint: what to do about it.

    Raises:
        GitError: a file differs from the commit, or decides and is not in it.
    """
    dirty = repository.dirty_paths()
    if dirty:
        told = ", ".join(dirty[:3])
        raise GitError(f"the work tree differs from its commit: {told}", hint=hint)
    inputs = {CONFIG_FILE, LOCK_FILE, config.model.params, *trace_run(config, workspace).paths}
    overlooked = repository.overlooked({*inputs, *check_files(workspace)})
    if overlooked:
        told = ", ".join(overlooked[:3])
        raise GitError(
            f"Git is told to overlook what decides here, and the commit has it otherwise: {told}",
            hint=f"see `git ls-files -v` and `git check-ignore -v`; {hint}",
        )


def require_tip(config: Config, workspace: Workspace, repository: Repository, forge: Forge) -> str:
    """Refuse a work tree that is not the tip of the default branch; return its commit.

    Where several models share a repository, what others committed elsewhere in it meanwhile
    makes no difference.

    Raises:
        GitError: it is another commit, or differs from its own.
    """
    hint = "commit or stash; only what is in Git is trusted here"
    require_committed(config, workspace, repository, hint=hint)
    return require_at_tip(repository, forge)


def require_at_tip(repository: Repository, forge: Forge) -> str:
    """Refuse a clone that is not at the tip of the default branch; return its commit.

    Raises:
        GitError: another commit is checked out.
    """
    head, tip = repository.head(), forge.head(forge.default_branch)
    if tip is not None and (head == tip or _same_folder(repository, forge, head, tip)):
        return head
    raise GitError(
        f"the work tree is at {head[:12]}, {forge.default_branch} at {(tip or 'nothing')[:12]}",
        hint=f"run `git switch {forge.default_branch}` and `git pull`; push what you committed",
    )


def _same_folder(repository: Repository, forge: Forge, head: str, tip: str) -> bool:
    """Say whether a commit was merged, and its folder has not changed since."""
    return forge.content_id(ref=tip) == repository.content_id() and forge.landed(head)
