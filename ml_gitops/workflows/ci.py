"""A pull request: lock, validate, train, judge, report."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from ml_gitops.config import Config
from ml_gitops.data.lock import DataLock, split
from ml_gitops.data.schema import Window
from ml_gitops.data.validation import ValidationReport, validate
from ml_gitops.errors import DataError, DocumentError
from ml_gitops.model.lineage import Lineage
from ml_gitops.model.run import Run, run_name, verify
from ml_gitops.names import HOLDOUT_FILE, LOCK_FILE, TRAIN_FILE
from ml_gitops.ports import Forge, FrameWarehouse, KeptRun, Progress, Records, Workspace
from ml_gitops.pull_request import Comment
from ml_gitops.render.ci_report import to_markdown
from ml_gitops.report import (
    Basis,
    Report,
    TrainingRecord,
    artifact_name,
    files_digest,
    verify_report,
)
from ml_gitops.workflows.differences import tell_differences
from ml_gitops.workflows.judging import judge_run
from ml_gitops.workflows.recording import record_training
from ml_gitops.workflows.reporting import facts_of, noted, post, report_marker
from ml_gitops.workflows.standing import Champion, find_basis, find_champion
from ml_gitops.workflows.training import (
    hold_to_lock,
    load,
    load_frame,
    read_lock,
    run_training,
    trace_run,
)


@dataclass(frozen=True)
class Left:
    """What a training leaves to whoever posts it: no rows, and nothing that has to be run.

    Attributes:
        files: name to content, the run's and the report's own among them.
    """

    run: Run
    report: Report
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Trained:
    """A run and what the judges say of it.

    Attributes:
        fitted: whether this call fitted a model; an unchanged run is not fitted again.
        judged: whether this call judged it; the same run is judged the same way.
        kept: its files, and where they are.
    """

    run: Run
    report: Report
    fitted: bool
    judged: bool
    kept: KeptRun

    @property
    def left(self) -> Left:
        """What of it may travel."""
        return Left(self.run, self.report, self.kept.files)


def lock_data(
    config: Config, workspace: Workspace, progress: Progress, until: date
) -> tuple[DataLock, bool]:
    """Pin the rows from the configured start to a day, and say whether that changed the lock.

    Raises:
        DataError: the window is empty, or its rows break the contract.
    """
    lock = make_lock(config, workspace, progress, until)
    changed = workspace.read(LOCK_FILE) != lock.to_json().encode()
    if changed:
        workspace.write({LOCK_FILE: lock.to_json().encode()})
    return lock, changed


def make_lock(config: Config, workspace: Workspace, progress: Progress, until: date) -> DataLock:
    """Load the rows from the configured start to a day, and return the lock that pins them.

    The lock ends with the last day that has rows: a holdout of empty days would judge nothing.
    """
    from ml_gitops.data.dataset import columns_digest

    asked = _window(config, until)
    split(asked, config.data.holdout_days)  # refuses a window that no training could use
    dataset = load(config, workspace, asked, progress).dataset
    split(dataset.filled, config.data.holdout_days)
    return DataLock(
        source=config.data.source,
        window=dataset.filled,
        rows=len(dataset.frame),
        digest=dataset.digest,
        schema_digest=columns_digest(dataset.frame),
    )


def _window(config: Config, until: date) -> Window:
    if until <= config.data.start:
        raise DataError(
            f"the window {config.data.start}..{until} has no day",
            hint="name a day after `start` in [data]",
            where="--until",
        )
    return Window(start=config.data.start, until=until)


def validate_data(
    config: Config, workspace: Workspace, progress: Progress, until: date | None, today: date
) -> ValidationReport:
    """Hold rows to the contract and list every violation.

    Args:
        until: the day the rows end before; the lock's, if not given.
        today: instead of the lock's, where nothing is locked yet.
    """
    from ml_gitops.data.dataset import make_dataset

    locked = until is None and workspace.read(LOCK_FILE) is not None
    lock = read_lock(workspace) if locked else None
    window = lock.window if lock else _window(config, until or today)
    progress.step(f"Loading rows of {window}")
    frame = load_frame(config, workspace, window)
    progress.step("Validating")
    report = validate(frame, config.data_schema, window)
    if lock is not None and report.passed and not config.sampled:
        hold_to_lock(lock, make_dataset(frame, config.data_schema, window))
    return report


def train(
    config: Config,
    workspace: Workspace,
    forge: Forge | None,
    warehouse: FrameWarehouse,
    progress: Progress,
    lock: DataLock | None = None,
) -> Trained:
    """Train and judge what the work tree holds; do nothing that was done before.

    Args:
        forge: where the champion is; without one the candidate is held to the floors only.
        warehouse: counts the reference for the profile.
        lock: rows to use instead of those the work tree has locked; of a sample, those of the
            same window.

    Raises:
        DataError, TrainingError, ExportError: with one line for the user.
    """
    if lock is None:
        lock = read_lock(workspace)
        if config.sampled:
            lock = make_lock(config, workspace, progress, lock.window.until)
    with workspace.alone(lambda: progress.step("Waiting for another training here")):
        lineage = trace_run(config, workspace, lock)
        kept = _kept_run(workspace, lineage, config.model.name)
        fitted = kept is None
        if kept is None:
            files, frames = run_training(config, workspace, warehouse, progress, lock, lineage)
            kept = workspace.keep_run(run_name(config.model.name, lineage.run_key), files, frames)
        run = verify(kept.files, lineage.run_key, where=kept.place)
        champion = find_champion(config, forge, run.split)
        basis = find_basis(config, workspace, forge, champion)
        report = _kept_report(config, run, kept, basis)
        if report is not None:
            return Trained(run, report, fitted=False, judged=False, kept=kept)
        told: tuple[str, ...] = ()
        if isinstance(champion, Champion):
            told = tell_differences(config, workspace, forge, lineage, lock, champion.release)
        report = judge_run(config, workspace, progress, run, kept, champion, basis, told)
        kept = workspace.add_to_run(kept, {Report.file_name: report.to_json().encode()})
        return Trained(run, report, fitted=fitted, judged=True, kept=kept)


def _kept_report(config: Config, run: Run, kept: KeptRun, basis: Basis) -> Report | None:
    """Return the report that was kept, if judging again would say the same."""
    try:
        report = verify_report(kept.files, run, config.gate, where=kept.place)
    except DocumentError:
        return None
    return report if (report.basis, report.about) == (basis, config.model.about) else None


def judged_report(config: Config, workspace: Workspace, forge: Forge | None) -> Trained:
    """Return the run of the work tree with its report, as `train` left them.

    Raises:
        DataError: this state was not trained yet, or is judged by something else now.
        DocumentError: the report does not follow from the run.
    """
    lineage = trace_run(config, workspace)
    kept = _kept_run(workspace, lineage, config.model.name)
    if kept is None or Report.file_name not in kept.files:
        raise DataError("what is here was not trained yet", hint="run `ml-gitops train`")
    run = verify(kept.files, lineage.run_key, where=kept.place)
    report = verify_report(kept.files, run, config.gate, where=kept.place)
    champion = find_champion(config, forge, run.split)
    if (report.basis, report.about) != (
        find_basis(config, workspace, forge, champion),
        config.model.about,
    ):
        raise DataError(
            "champion, gate, checks or base branch are not what this was judged by",
            hint="run `ml-gitops train`; what is fitted is not fitted again",
        )
    return Trained(run, report, fitted=False, judged=False, kept=kept)


def _kept_run(workspace: Workspace, lineage: Lineage, model: str) -> KeptRun | None:
    """Return a whole run; a damaged one counts as none."""
    kept = workspace.kept_run(run_name(model, lineage.run_key))
    if kept is None or not kept.frames >= {TRAIN_FILE, HOLDOUT_FILE}:
        return None
    try:
        verify(kept.files, lineage.run_key, where=kept.place)
    except Exception:  # noqa: BLE001  (whatever is wrong with a cache, training again cures it)
        return None
    return kept


def publish(
    forge: Forge, records: Records, left: Left, number: int, *, note: str = ""
) -> tuple[Comment | None, bool]:
    """Keep the run's files and its record, and show its report on a pull request, once.

    Args:
        left: by a training.
        number: the pull request.
        note: what else a reviewer should know, of this repository and not of the candidate.

    Returns:
        The comment, and whether it was written or changed.
    """
    content = keep(forge, left.run, left.files)
    record_training(records, TrainingRecord.of(left.run, left.report, number))
    facts = facts_of(left.report)
    marker = report_marker(left.run.model, left.run.run_key, content, facts)
    return post(forge, number, noted(to_markdown(left.report), note), marker)


def keep(forge: Forge, run: Run, files: Mapping[str, bytes]) -> str:
    """Keep the files of a run where the merge finds them, and return their digest."""
    content = files_digest(files)
    forge.store_artifact(artifact_name(run.model, run.run_key, content), files)
    return content
