"""What a run was made from, beside a release: read where Git still has both."""

from ml_gitops.config import Config, parse_config, parse_params
from ml_gitops.data.lock import DataLock
from ml_gitops.delivery.release import Release
from ml_gitops.errors import MlGitopsError
from ml_gitops.model.input_changes import Inputs, tell_changes
from ml_gitops.model.lineage import Lineage
from ml_gitops.names import CONFIG_FILE, LOCK_FILE
from ml_gitops.ports import Forge, Workspace


def tell_differences(
    config: Config,
    workspace: Workspace,
    forge: Forge | None,
    lineage: Lineage,
    lock: DataLock,
    release: Release,
) -> tuple[str, ...]:
    """Say what differs between a training of the work tree and a release.

    Args:
        lineage, lock: of the training.
        release: what it is compared with; read at the commit it was made from.
    """
    params = workspace.read(config.model.params) or b""
    ours = Inputs(parse_params(params, where=config.model.params), config.contract, lock)
    theirs = _inputs_at(forge, release.commit) if forge else Inputs()
    return tell_changes(lineage, release.lineage, ours, theirs)


def _inputs_at(forge: Forge, commit: str) -> Inputs:
    """Return what a commit holds; what this version cannot read is not there."""
    try:
        config = parse_config(forge.read(CONFIG_FILE, ref=commit) or b"")
        params = forge.read(config.model.params, ref=commit) or b""
        lock = forge.read(LOCK_FILE, ref=commit)
        return Inputs(
            parse_params(params, where=config.model.params),
            config.contract,
            DataLock.from_json(lock, where=LOCK_FILE) if lock else None,
        )
    except MlGitopsError:
        return Inputs()
