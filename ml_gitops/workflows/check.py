"""Config and layout: is everything there that the loops will reach for?"""

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ml_gitops.config import Config, parse_params
from ml_gitops.config.hyperparameters import blame
from ml_gitops.config.toml import decoded
from ml_gitops.data.lock import DataLock
from ml_gitops.data.schema import Feature, Window
from ml_gitops.document import Part
from ml_gitops.errors import ConfigError, MlGitopsError
from ml_gitops.names import CHECKS_FOLDER, CONFIG_FILE, LOCK_FILE
from ml_gitops.ports import Progress, Workspace
from ml_gitops.render.numbers import count
from ml_gitops.workflows.check_source import compare_source, open_places, unnamed
from ml_gitops.workflows.finding import Finding
from ml_gitops.workflows.fitting import rehearse_export
from ml_gitops.workflows.training import load_frame

if TYPE_CHECKING:
    import pandas as pd


class Checked(Part):
    """What was found, and the columns that the source has and the config does not name."""

    findings: tuple[Finding, ...]
    unnamed: tuple[Feature, ...] = ()


def check_repository(
    config: Config, workspace: Workspace, progress: Progress, *, load: bool = True
) -> Checked:
    """Look at everything that the config points at.

    Args:
        config: it has been read, so its own rules hold.
        workspace: the work tree; the author's code in it is imported.
        progress: where it says that it imports and loads.
        load: whether to ask the source for a day of rows, to compare their columns.
    """
    lock, day = _lock(workspace), _day(config, workspace)
    progress.step("Importing your code")
    pipeline = _pipeline(config, workspace)
    frame: pd.DataFrame | None = None
    rows = [_function(config.data.source, "source", workspace)]
    if load and rows[0].state == "pass":
        progress.step(f"Loading rows of {day}")
        try:
            frame = load_frame(config, workspace, day)
        except MlGitopsError as error:
            rows = [Finding.of(error, config.data.source)]
        else:
            rows = list(compare_source(config, frame, day))
    text = decoded(workspace.read(CONFIG_FILE) or b"")
    findings = [
        *(list(open_places(config, text, frame)) or [_whole(config)]),
        pipeline,
        *rows,
        _params(config, workspace),
        _checks(workspace),
        lock,
    ]
    known = () if frame is None else tuple(unnamed(config, frame))
    return Checked(findings=tuple(findings), unnamed=known)


def _whole(config: Config) -> Finding:
    text = f"{config.model.name}, {count(len(config.features), 'feature')}"
    return Finding(state="pass", what=CONFIG_FILE, text=text)


def _pipeline(config: Config, workspace: Workspace) -> Finding:
    """Build the pipeline and export it from made-up rows: moments, where a fit may take hours."""
    reference, path = config.model.pipeline, config.model.params
    found = _function(reference, "pipeline", workspace)
    if found.state != "pass":
        return found
    try:
        content = workspace.read(path) or b""
        params = parse_params(content, where=path)
    except MlGitopsError:
        return found  # It has a finding of its own.
    try:
        built = workspace.call(reference, params)
    except MlGitopsError as error:
        return Finding.of(blame(error, content, where=path), reference)
    if not hasattr(built, "fit"):
        text = f"it returned {type(built).__name__}, no estimator"
        remedy = "return an unfitted scikit-learn Pipeline"
        return Finding(state="fail", what=reference, text=text, remedy=remedy)
    try:
        rehearse_export(config, workspace)
    except MlGitopsError as error:
        return Finding.of(error, reference)
    text = f"returns an unfitted {type(built).__name__} that can be exported"
    return Finding(state="pass", what=reference, text=text)


def _function(reference: str, key: str, workspace: Workspace) -> Finding:
    """Import a function that the config names under a key; where it is not, look for it."""
    try:
        workspace.function(reference)
    except ConfigError as error:
        name = reference.partition(":")[2]
        spelled = re.compile(rf"^def {re.escape(name)}\(".encode(), re.MULTILINE)
        files = workspace.sources(".", without=[CHECKS_FOLDER])
        there = next((path for path, text in files.items() if spelled.search(text)), None)
        found = Finding.of(error, reference)
        if there is None:
            return found
        return found.model_copy(
            update={"remedy": f'{there} has it: write {key} = "{there}:{name}"'}
        )
    except MlGitopsError as error:
        return Finding.of(error, reference)
    return Finding(state="pass", what=reference, text="is there and can be imported")


def _day(config: Config, workspace: Workspace) -> Window:
    """Return the day whose rows are looked at: the last locked one, else the first of all."""
    day = config.data.start
    content = workspace.read(LOCK_FILE)
    if content is not None:
        try:
            day = DataLock.from_json(content, where=LOCK_FILE).window.until - timedelta(days=1)
        except (MlGitopsError, OverflowError):
            day = config.data.start
    day = min(day, date.max - timedelta(days=1))
    return Window(start=day, until=day + timedelta(days=1))


def _params(config: Config, workspace: Workspace) -> Finding:
    path = config.model.params
    try:
        content = workspace.read(path)
        known = parse_params(content or b"", where=path)
    except MlGitopsError as error:
        return Finding.of(error, path)
    if content is None:
        text = "there is none; the pipeline gets no hyper-parameters"
        return Finding(state="warn", what=path, text=text, remedy=f"make an empty {path}")
    return Finding(state="pass", what=path, text=count(len(known), "parameter"))


def _checks(workspace: Workspace) -> Finding:
    files = [path for path in workspace.sources(CHECKS_FOLDER) if "/test_" in path]
    if not files:
        return Finding(
            state="warn",
            what="checks/",
            text="no test_*.py; only the gate judges",
            remedy="write what must be true of the model, as plain pytest",
        )
    return Finding(state="pass", what="checks/", text=count(len(files), "file"))


def _lock(workspace: Workspace) -> Finding:
    content = workspace.read(LOCK_FILE)
    if content is None:
        remedy = "run `ml-gitops data lock --until DATE`"
        return Finding(state="warn", what=LOCK_FILE, text="no rows are locked yet", remedy=remedy)
    try:
        lock = DataLock.from_json(content, where=LOCK_FILE)
    except MlGitopsError as error:
        return Finding.of(error, LOCK_FILE)
    return Finding(state="pass", what=LOCK_FILE, text=f"{count(lock.rows, 'row')} of {lock.window}")
