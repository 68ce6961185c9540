"""From locked rows to a run: validate, fit, export, check parity, evaluate, profile."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ml_gitops import __version__
from ml_gitops.config import Config
from ml_gitops.data.lock import DataLock, Split, check_locked, split
from ml_gitops.data.validation import ValidationReport, validate
from ml_gitops.document import sha256
from ml_gitops.errors import DataError, TrainingError
from ml_gitops.model.lineage import Lineage, trace
from ml_gitops.model.policy import CheckPolicy
from ml_gitops.model.run import Run
from ml_gitops.names import CHECKS_FOLDER, HOLDOUT_FILE, LOCK_FILE, MODEL_FILE, TRAIN_FILE
from ml_gitops.ports import Files, FrameWarehouse, Progress, Workspace
from ml_gitops.workflows.fitting import Fitted, fit, rehearse_export

if TYPE_CHECKING:
    import pandas as pd

    from ml_gitops.data.dataset import Dataset
    from ml_gitops.model.evaluation import Answers, Evaluation
    from ml_gitops.monitoring.profile import Profile


@dataclass(frozen=True)
class Loaded:
    """Rows of a window that passed validation, and what validation said."""

    dataset: "Dataset"
    validation: ValidationReport


def read_lock(workspace: Files) -> DataLock:
    """Read the data lock of the work tree.

    Raises:
        DataError: there is none yet.
    """
    content = workspace.read(LOCK_FILE)
    if content is None:
        raise DataError("no rows are locked yet", hint="run `ml-gitops data lock`", where=LOCK_FILE)
    return DataLock.from_json(content, where=LOCK_FILE)


def trace_run(config: Config, workspace: Files, lock: DataLock | None = None) -> Lineage:
    """Return the lineage of the training that the work tree asks for; nothing heavy is loaded.

    Args:
        lock: instead of the one in the work tree.
    """
    params = workspace.read(config.model.params)
    return trace(
        sources=workspace.sources(".", without=[CHECKS_FOLDER]),
        params=params or b"",
        contract=config.contract,
        lock=lock or read_lock(workspace),
        environment=workspace.environment(),
        product_version=__version__,
    )


def load(config: Config, workspace: Workspace, lock_window: Any, progress: Progress) -> Loaded:
    """Load the rows of a window from the author's source and hold them to the contract.

    Raises:
        DataError: a violation that stops training; all are counted, the first is named.
    """
    from ml_gitops.data.dataset import make_dataset

    progress.step(f"Loading rows of {lock_window}")
    frame = load_frame(config, workspace, lock_window)
    progress.step("Validating")
    report = validate(frame, config.data_schema, lock_window)
    if not report.passed:
        first, *rest = report.errors
        more = f" (and {len(rest)} more; `ml-gitops data validate` lists them)" if rest else ""
        raise DataError(
            f"{first}{more}",
            hint=first.remedy or "correct the source, or the contract in ml-gitops.toml",
            where=config.data.source,
        )
    return Loaded(make_dataset(frame, config.data_schema, lock_window), report)


def load_frame(config: Config, workspace: Workspace, window: Any) -> "pd.DataFrame":
    """Return the rows of a window as the author's source gives them.

    Raises:
        DataError: the source returned something else than a frame.
    """
    from ml_gitops.data.dataset import require_frame

    frame = workspace.call(config.data.source, window.start, window.until)
    return require_frame(frame, where=config.data.source)


def run_training(
    config: Config,
    workspace: Workspace,
    warehouse: FrameWarehouse,
    progress: Progress,
    lock: DataLock,
    lineage: Lineage,
) -> "tuple[Mapping[str, bytes], Mapping[str, pd.DataFrame]]":
    """Train once, and return the run's files and its rows, which never leave this machine.

    Args:
        warehouse: counts the reference for the profile.
        lock: the rows to use.
        lineage: what the run key was made of.

    Raises:
        DataError, TrainingError, ExportError: with one line for the user.
    """
    started = time.process_time()
    progress.step("Rehearsing the export")
    rehearse_export(config, workspace)
    loaded = _load_locked(config, workspace, progress, lock)
    cut = split(lock.window, config.data.holdout_days)
    train, holdout = loaded.dataset.part(cut.train), loaded.dataset.part(cut.holdout)
    _refuse_empty(train, holdout, cut, config)
    fitted = fit(config, workspace, progress, train, holdout, lineage.run_key)
    _refuse_strangers(workspace, lineage)
    evaluation = _evaluate(config, progress, fitted, holdout)
    profile = _profile(config, warehouse, loaded.dataset, fitted.answers, evaluation)
    documents = [fitted.signature, fitted.parity, loaded.validation, evaluation, profile, lock]
    files = {document.file_name: document.to_json().encode() for document in documents}
    files[MODEL_FILE] = fitted.model
    run = Run(
        model=config.model.name,
        run_key=lineage.run_key,
        lineage=lineage,
        split=cut,
        train_rows=len(train),
        holdout_rows=len(holdout),
        holdout_digest=evaluation.holdout_digest,
        files={name: sha256(content) for name, content in sorted(files.items())},
        fit_seconds=round(fitted.seconds, 3),
        cpu_seconds=round(time.process_time() - started, 3),
        sample=config.sampled,
    )
    hidden = [name for name in config.data_schema.forbidden if name in holdout]
    frames = {TRAIN_FILE: train.drop(columns=hidden), HOLDOUT_FILE: holdout.drop(columns=hidden)}
    return {**files, Run.file_name: run.to_json().encode()}, frames


def _load_locked(
    config: Config, workspace: Workspace, progress: Progress, lock: DataLock
) -> Loaded:
    """Load the rows that a lock pins, and hold them to its digests."""
    loaded = load(config, workspace, lock.window, progress)
    hold_to_lock(lock, loaded.dataset)
    return loaded


def hold_to_lock(lock: DataLock, dataset: "Dataset") -> None:
    """Refuse rows that are not the locked ones.

    Raises:
        DataError: the source gives other rows than it did.
    """
    from ml_gitops.data.dataset import columns_digest

    check_locked(
        lock,
        rows=len(dataset.frame),
        digest=dataset.digest,
        schema_digest=columns_digest(dataset.frame),
    )


def _evaluate(
    config: Config, progress: Progress, fitted: Fitted, holdout: "pd.DataFrame"
) -> "Evaluation":
    """Evaluate the ONNX file, not the estimator: what is measured is what will serve."""
    from ml_gitops.data.dataset import frame_digest
    from ml_gitops.model.evaluation import evaluate
    from ml_gitops.model.importance import permutation_importance
    from ml_gitops.serving.onnx_model import OnnxModel

    schema = config.data_schema
    target = holdout[schema.target].to_numpy()
    importances = permutation_importance(
        OnnxModel(fitted.model, fitted.signature).predict,
        holdout,
        target,
        schema.feature_names,
        metric=config.gate.primary(config.model.task).name,
        seed=config.model.seed,
        told=lambda share: progress.step("Measuring what it uses", share),
    )
    progress.step("Evaluating")
    return evaluate(
        target,
        fitted.answers,
        # Only what identifies the rows and their truth: features may change, the holdout stays.
        holdout_digest=frame_digest(holdout[[schema.id, schema.time, schema.target]]),
        slices={column: holdout[column].to_numpy() for column in config.gate.slices},
        days=check_policy_of(config).days(holdout),
        importances=importances,
    )


def check_policy_of(config: Config) -> CheckPolicy:
    """Return what the gate, and the checks beside it, judge by."""
    return CheckPolicy(gate=config.gate, time=config.data.time)


def _profile(
    config: Config,
    warehouse: FrameWarehouse,
    dataset: "Dataset",
    answers: "Answers",
    evaluation: "Evaluation",
) -> "Profile":
    """Summarise the locked rows and the answers to the holdout: what later windows are held to."""
    from ml_gitops.monitoring.profile import build_profile

    warehouse.register("locked", dataset.frame[config.data_schema.feature_names])
    warehouse.register("answered", answers.as_frame())
    return build_profile(
        warehouse,
        model=config.model.name,
        task=config.model.task,
        features=config.data_schema.features,
        train="locked",
        holdout="answered",
        window=dataset.window,
        importances={one.feature: one.value for one in evaluation.importances},
        quality=evaluation.metrics,
    )


def _refuse_strangers(workspace: Workspace, lineage: Lineage) -> None:
    """Refuse code that ran and is not in the key: a change of it would go unnoticed."""
    strangers = [path for path in workspace.imported() if path not in lineage.sources]
    if strangers:
        raise TrainingError(
            "the model imports this file, which is not part of its run key",
            hint="move it beside the model's own code, as Python source",
            where=strangers[0],
        )


def _refuse_empty(
    train: "pd.DataFrame", holdout: "pd.DataFrame", cut: Split, config: Config
) -> None:
    for name, part, window in (("train", train, cut.train), ("holdout", holdout, cut.holdout)):
        if part.empty:
            raise DataError(
                f"there are no rows to {'learn from' if name == 'train' else 'judge on'} "
                f"in {window}",
                hint="lock another window",
                where=config.data.source,
            )
        classes = part[config.data.target].nunique()
        if config.model.task != "regression" and classes < 2:
            raise DataError(
                f"{config.data.target!r} has one class only in {window}",
                hint="lock a longer window, or raise holdout_days in [data]",
                where=config.data.source,
            )
