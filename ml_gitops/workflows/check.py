"""Config and layout: is everything there that the loops will reach for?"""

from typing import Literal

from ml_gitops.config import Config, parse_params
from ml_gitops.data.lock import PATH as LOCK_PATH
from ml_gitops.data.lock import DataLock
from ml_gitops.document import Part
from ml_gitops.errors import MlGitopsError
from ml_gitops.ports import Workspace


class Finding(Part):
    """One thing that was looked at."""

    state: Literal["pass", "warn", "fail"]
    text: str


def check_repository(config: Config, workspace: Workspace) -> list[Finding]:
    """Look at everything that the config points at; the author's code is imported, not called.

    Args:
        config: it has been read, so its own rules hold.
        workspace: the work tree.
    """
    features = len(config.features)
    return [
        Finding(state="pass", text=f"ml-gitops.toml: {config.model.name}, {features} features"),
        _function(config.model.pipeline, workspace),
        _function(config.data.source, workspace),
        _params(config, workspace),
        _checks(workspace),
        _lock(workspace),
    ]


def _function(reference: str, workspace: Workspace) -> Finding:
    try:
        workspace.function(reference)
    except MlGitopsError as error:
        return Finding(state="fail", text=str(error))
    return Finding(state="pass", text=reference)


def _params(config: Config, workspace: Workspace) -> Finding:
    path = config.model.params
    content = workspace.read(path)
    if content is None:
        text = f"{path}: there is none; build_pipeline gets no hyper-parameters"
        return Finding(state="warn", text=text)
    try:
        known = parse_params(content, where=path)
    except MlGitopsError as error:
        return Finding(state="fail", text=str(error))
    return Finding(state="pass", text=f"{path}: {len(known)} hyper-parameters")


def _checks(workspace: Workspace) -> Finding:
    files = [path for path in workspace.sources("checks") if "/test_" in path]
    if not files:
        return Finding(state="warn", text="checks/: no test_*.py; only the gate judges")
    return Finding(state="pass", text=f"checks/: {len(files)} files")


def _lock(workspace: Workspace) -> Finding:
    content = workspace.read(LOCK_PATH)
    if content is None:
        return Finding(state="warn", text=f"{LOCK_PATH}: none yet; run `ml-gitops data lock`")
    try:
        lock = DataLock.from_json(content, where=LOCK_PATH)
    except MlGitopsError as error:
        return Finding(state="fail", text=str(error))
    return Finding(state="pass", text=f"{LOCK_PATH}: {lock.rows:,} rows of {lock.window}")
