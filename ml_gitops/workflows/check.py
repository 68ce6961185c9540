"""Config and layout: is everything there that the loops will reach for?"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from ml_gitops.config import PATH as CONFIG_PATH
from ml_gitops.config import Config, parse_params
from ml_gitops.config.toml import decoded, place
from ml_gitops.data.columns import compare_columns, infer_features
from ml_gitops.data.lock import PATH as LOCK_PATH
from ml_gitops.data.lock import DataLock
from ml_gitops.data.schema import Feature, Window
from ml_gitops.document import Part
from ml_gitops.errors import MlGitopsError
from ml_gitops.ports import Progress, Workspace
from ml_gitops.render.numbers import count
from ml_gitops.workflows.init import PLACEHOLDER
from ml_gitops.workflows.training import load_frame

if TYPE_CHECKING:
    import pandas as pd


class Finding(Part):
    """One thing that was looked at.

    Attributes:
        what: the file, key or place.
        text: what was found.
        remedy: what to do about it; empty if there is nothing to do.
    """

    state: Literal["pass", "warn", "fail"]
    what: str
    text: str
    remedy: str = ""

    @classmethod
    def of(
        cls, error: MlGitopsError, what: str, state: Literal["warn", "fail"] = "fail"
    ) -> "Finding":
        """Return what an error says, in the place that it names."""
        return cls(state=state, what=error.where or what, text=error.problem, remedy=error.hint)


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
    lock = _lock(workspace)
    progress.step("Importing your code")
    source = _function(config.data.source, workspace)
    findings = [
        Finding(
            state="pass",
            what=CONFIG_PATH,
            text=f"{config.model.name}, {count(len(config.features), 'feature')}",
        ),
        *_placeholders(config, decoded(workspace.read(CONFIG_PATH) or b"")),
        _function(config.model.pipeline, workspace),
        source,
    ]
    unnamed: list[Feature] = []
    if load and source.state == "pass":
        day = _day(config, workspace)
        progress.step(f"Loading rows of {day}")
        try:
            frame = load_frame(config, workspace, day)
        except MlGitopsError as error:
            findings.append(Finding.of(error, config.data.source))
        else:
            unnamed = infer_features(frame, config.data_schema)
            findings += _columns(config, frame, day, unnamed)
    findings += [_params(config, workspace), _checks(workspace), lock]
    return Checked(findings=tuple(findings), unnamed=tuple(unnamed))


def _placeholders(config: Config, text: str) -> Iterator[Finding]:
    """Yield what is still to be filled in, with its line."""
    data = config.data
    asked = {
        ("data", "id"): (data.id, "name the column that identifies a row"),
        ("data", "time"): (data.time, "name the column with the time of the prediction"),
        ("data", "target"): (data.target, "name the column that is predicted"),
    }
    asked |= {
        ("features", name): (name, "name a column that the model sees, and give its type")
        for name in config.features
    }
    for path, (name, remedy) in asked.items():
        if name.startswith(PLACEHOLDER):
            yield Finding(
                state="fail",
                what=place(text, CONFIG_PATH, path),
                text=f"{name!r} is a placeholder",
                remedy=remedy,
            )


def _function(reference: str, workspace: Workspace) -> Finding:
    try:
        workspace.function(reference)
    except MlGitopsError as error:
        return Finding.of(error, reference)
    return Finding(state="pass", what=reference, text="is there and can be imported")


def _day(config: Config, workspace: Workspace) -> Window:
    """Return the day whose rows are looked at: the last locked one, else the first of all."""
    day = config.data.start
    content = workspace.read(LOCK_PATH)
    if content is not None:
        try:
            day = DataLock.from_json(content, where=LOCK_PATH).window.until - timedelta(days=1)
        except (MlGitopsError, OverflowError):
            day = config.data.start
    day = min(day, date.max - timedelta(days=1))
    return Window(start=day, until=day + timedelta(days=1))


def _columns(
    config: Config, frame: "pd.DataFrame", day: Window, unnamed: list[Feature]
) -> Iterator[Finding]:
    """Yield how the columns of the source differ from what the config says of them."""
    what = config.data.source
    if not len(frame):
        yield Finding(
            state="warn",
            what=what,
            text=f"it has no rows on {day.start}",
            remedy="set `start` in [data] to the first day that has rows",
        )
    broken = [
        one
        for one in compare_columns(frame, config.data_schema)
        if not one.column.startswith(PLACEHOLDER)
    ]
    names = ", ".join(one.name for one in unnamed[:8]) + (", ..." if len(unnamed) > 8 else "")
    for one in broken:
        yield Finding(
            state="fail",
            what=what,
            text=str(one),
            remedy=f"return it, or correct {CONFIG_PATH}"
            + (f"; the source also has {names}" if names else ""),
        )
    if not broken:
        text = f"{count(len(frame), 'row')} of {day.start}, with the columns of {CONFIG_PATH}"
        if unnamed:
            text += f"; unused: {names}"
        yield Finding(state="pass", what=what, text=text)


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
    files = [path for path in workspace.sources("checks") if "/test_" in path]
    if not files:
        return Finding(
            state="warn",
            what="checks/",
            text="no test_*.py; only the gate judges",
            remedy="write what must be true of the model, as plain pytest",
        )
    return Finding(state="pass", what="checks/", text=count(len(files), "file"))


def _lock(workspace: Workspace) -> Finding:
    content = workspace.read(LOCK_PATH)
    if content is None:
        remedy = "run `ml-gitops data lock --until DATE`"
        return Finding(state="warn", what=LOCK_PATH, text="no rows are locked yet", remedy=remedy)
    try:
        lock = DataLock.from_json(content, where=LOCK_PATH)
    except MlGitopsError as error:
        return Finding.of(error, LOCK_PATH)
    return Finding(state="pass", what=LOCK_PATH, text=f"{count(lock.rows, 'row')} of {lock.window}")
