"""From a run to a report: champion on the same rows, comparison, gate, the author's checks."""

from typing import TYPE_CHECKING, TypeVar

from ml_gitops.checks import CheckOutcomes
from ml_gitops.config import Config
from ml_gitops.data.lock import DataLock
from ml_gitops.data.validation import ValidationReport
from ml_gitops.document import Document, Missing
from ml_gitops.errors import MlGitopsError
from ml_gitops.model.comparison import Comparison, compare
from ml_gitops.model.evaluation import Evaluation
from ml_gitops.model.gate import judge
from ml_gitops.model.policy import CheckPolicy
from ml_gitops.model.run import Run
from ml_gitops.names import (
    CHAMPION_FILE,
    CHAMPION_MISSING_FILE,
    CHAMPION_SIGNATURE_FILE,
    CHECKS_FOLDER,
    HOLDOUT_FILE,
    MODEL_FILE,
    TRAIN_FILE,
)
from ml_gitops.ports import KeptRun, Progress, Workspace
from ml_gitops.report import Basis, Report
from ml_gitops.serving.parity import ParityReport
from ml_gitops.serving.signature import Signature
from ml_gitops.workflows.check_changes import with_absent
from ml_gitops.workflows.standing import Champion
from ml_gitops.workflows.training import check_policy_of

if TYPE_CHECKING:
    import pandas as pd

    from ml_gitops.model.evaluation import Answers

Kept = TypeVar("Kept", bound=Document)


def judge_run(
    config: Config,
    workspace: Workspace,
    progress: Progress,
    run: Run,
    kept: KeptRun,
    champion: Champion | Missing,
    basis: Basis,
    differences: tuple[str, ...] = (),
) -> Report:
    """Judge a run that is kept in the work tree.

    Args:
        kept: the run's files and rows.
        champion: what it is compared with.
        basis: what the judgement stands on.
        differences: what exactly went in that did not go into the champion.
    """
    progress.step("Comparing on the same rows")
    comparison = _compare(config, workspace, run, kept, champion)
    gate = judge(comparison, config.gate)
    checks = _run_checks(config, workspace, progress, kept, champion)
    rival = champion if isinstance(champion, Champion) else None
    return Report(
        model=config.model.name,
        about=config.model.about,
        run_key=run.run_key,
        model_digest=run.model_digest,
        model_bytes=len(kept.files[MODEL_FILE]),
        basis=basis,
        champion_bytes=len(rival.model) if rival else None,
        lock=_read(kept, DataLock),
        split=run.split,
        train_rows=run.train_rows,
        holdout_rows=run.holdout_rows,
        validation=_read(kept, ValidationReport),
        parity=_read(kept, ParityReport),
        comparison=comparison,
        gate=gate,
        checks=checks,
        changed=tuple(run.lineage.changes_from(rival.release.lineage)) if rival else (),
        differences=differences,
        fit_seconds=run.fit_seconds,
        cpu_seconds=run.cpu_seconds,
        sample=run.sample,
    )


def _compare(
    config: Config,
    workspace: Workspace,
    run: Run,
    kept: KeptRun,
    champion: Champion | Missing,
) -> Comparison:
    from ml_gitops.model.candidate import dummy_answers
    from ml_gitops.serving.onnx_model import OnnxModel

    holdout = workspace.rows(kept, HOLDOUT_FILE)
    candidate = OnnxModel(kept.files[MODEL_FILE], _read(kept, Signature)).predict(holdout)
    schema = config.data_schema
    target = holdout[schema.target].to_numpy()
    learned = workspace.rows(kept, TRAIN_FILE)[schema.target].to_numpy()
    return compare(
        target,
        candidate,
        _answers(champion, holdout),
        dummy_answers(learned, candidate),
        primary=config.gate.primary(config.model.task).name,
        holdout_digest=run.holdout_digest,
        slices={column: holdout[column].to_numpy() for column in config.gate.slices},
        days=check_policy_of(config).days(holdout),
        champion_name=champion.release.tag if isinstance(champion, Champion) else None,
        # What the run says of itself, digit for digit: a report is held to it.
        evaluation=_read(kept, Evaluation),
    )


def _answers(champion: Champion | Missing, holdout: "pd.DataFrame") -> "Answers | Missing":
    """Score the champion now, on the same rows, in the same environment."""
    from ml_gitops.serving.onnx_model import OnnxModel

    if isinstance(champion, Missing):
        return champion
    if champion.refused:
        return Missing(reason=champion.refused)
    tag = champion.release.tag
    try:
        signature = Signature.from_json(champion.signature, where=f"{tag}/{Signature.file_name}")
        return OnnxModel(champion.model, signature).predict(holdout)
    except MlGitopsError as error:
        return Missing(reason=f"it cannot answer these rows: {error.problem}")


def _run_checks(
    config: Config,
    workspace: Workspace,
    progress: Progress,
    kept: KeptRun,
    champion: Champion | Missing,
) -> CheckOutcomes | Missing:
    if isinstance(champion, Champion) and not champion.refused:
        beside = {CHAMPION_FILE: champion.model, CHAMPION_SIGNATURE_FILE: champion.signature}
    else:
        reason = champion.refused if isinstance(champion, Champion) else champion.reason
        beside = {CHAMPION_MISSING_FILE: reason.encode()}
    beside[CheckPolicy.file_name] = check_policy_of(config).to_json().encode()
    step = "Running the checks"
    progress.step(step)
    outcomes = workspace.run_checks(
        kept,
        beside,
        CHECKS_FOLDER,
        lambda share: progress.step(step, share if 0 < share < 1 else None),
    )
    if outcomes is None:
        return Missing(reason=f"there is no test in {CHECKS_FOLDER}/")
    return with_absent(
        CheckOutcomes.from_json(outcomes, where=CHECKS_FOLDER), workspace.files(CHECKS_FOLDER)
    )


def _read(kept: KeptRun, document: type[Kept]) -> Kept:
    name = document.file_name
    return document.from_json(kept.files[name], where=f"{kept.place}/{name}")
