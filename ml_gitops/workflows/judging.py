"""From a run to a report: champion on the same rows, comparison, gate, the author's checks."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ml_gitops import __version__
from ml_gitops.checks import CheckOutcomes
from ml_gitops.config import PATH as CONFIG_PATH
from ml_gitops.config import Config, parse_config
from ml_gitops.data.lock import PATH as LOCK_PATH
from ml_gitops.data.lock import DataLock, Split
from ml_gitops.data.validation import ValidationReport
from ml_gitops.delivery.release import Release
from ml_gitops.document import Document, Missing, canonical_json, sha256
from ml_gitops.errors import MlGitopsError
from ml_gitops.model.comparison import Comparison, compare
from ml_gitops.model.evaluation import Evaluation
from ml_gitops.model.gate import judge
from ml_gitops.model.run import MODEL_FILE, Run
from ml_gitops.ports import Forge, Progress, Workspace
from ml_gitops.report import Report
from ml_gitops.serving.parity import ParityReport
from ml_gitops.serving.signature import Signature
from ml_gitops.workflows.differences import tell_differences
from ml_gitops.workflows.registry import read_release, released_file, served
from ml_gitops.workflows.training import CHECKS, HOLDOUT_FILE, TRAIN_FILE, days_that_count

if TYPE_CHECKING:
    import pandas as pd

    from ml_gitops.model.evaluation import Answers

Kept = TypeVar("Kept", bound=Document)

CHAMPION_FILE = "champion.onnx"
CHAMPION_SIGNATURE_FILE = "champion-signature.json"
CHAMPION_MISSING_FILE = "champion-missing.txt"


@dataclass(frozen=True)
class Champion:
    """The release that a candidate must not be worse than, with its files.

    Attributes:
        refused: why it must not judge this holdout; empty if it may.
    """

    release: Release
    model: bytes
    signature: bytes
    refused: str = ""


def find_champion(config: Config, forge: Forge | None, cut: Split) -> Champion | Missing:
    """Return the release that the champion's environment serves.

    Args:
        forge: where releases are; None if there is none.
        cut: a champion that learned from rows of this holdout is refused.
    """
    if forge is None:
        return Missing(reason="there is no forge to read releases from")
    state = served(forge, config.gate.champion)
    if isinstance(state, Missing):
        return state
    release = read_release(forge, state.tag)
    refused = ""
    if release.trained.until > cut.holdout.start:
        refused = (
            f"it learned from days up to {release.trained.until}, so it has seen rows of the "
            f"holdout {cut.holdout}"
        )
    return Champion(
        release,
        released_file(forge, release, MODEL_FILE),
        released_file(forge, release, Signature.file_name),
        refused,
    )


def standing(config: Config, workspace: Workspace, champion: Champion | Missing) -> str:
    """Return a digest of what a judgement stands on besides the run itself."""
    rival = champion.release.content_digest() if isinstance(champion, Champion) else champion.reason
    checks = {path: sha256(text) for path, text in workspace.sources(CHECKS).items()}
    policy = config.gate.model_dump(mode="json")
    said = {
        "about": config.model.about,
        "champion": rival,
        "policy": policy,
        "checks": checks,
        "product": __version__,
    }
    return sha256(canonical_json(said).encode())


def judge_run(
    config: Config,
    workspace: Workspace,
    forge: Forge | None,
    progress: Progress,
    run: Run,
    folder: Path,
    champion: Champion | Missing,
) -> Report:
    """Judge a run that is kept in the work tree, and keep the report with it.

    Args:
        folder: where the run's files and holdout rows are.
        champion: what it is compared with.
    """
    progress.step("Comparing on the same rows")
    holdout = workspace.read_frame(folder / HOLDOUT_FILE)
    comparison = _compare(config, workspace, run, folder, holdout, champion)
    gate = judge(comparison, config.gate)
    progress.step("Running the checks")
    checks = _run_checks(workspace, folder, champion)
    base = _base_lock(forge)
    rival = champion if isinstance(champion, Champion) else None
    lock = DataLock.from_json((folder / LOCK_PATH).read_bytes(), where=LOCK_PATH)
    told = (
        tell_differences(config, workspace, forge, run.lineage, lock, rival.release)
        if rival
        else ()
    )
    report = Report(
        model=config.model.name,
        about=config.model.about,
        run_key=run.run_key,
        model_digest=run.model_digest,
        model_bytes=(folder / MODEL_FILE).stat().st_size,
        judged_against=standing(config, workspace, champion),
        champion_bytes=len(rival.model) if rival else None,
        lock=lock,
        base_lock=base,
        split=run.split,
        train_rows=run.train_rows,
        holdout_rows=run.holdout_rows,
        validation=_kept(folder, ValidationReport),
        parity=_kept(folder, ParityReport),
        comparison=comparison,
        gate=gate,
        checks=checks,
        changed=tuple(run.lineage.changes_from(rival.release.lineage)) if rival else (),
        differences=told,
        gate_changes=tuple(_gate_changes(config, forge)),
        fit_seconds=run.fit_seconds,
        cpu_seconds=run.cpu_seconds,
    )
    workspace.add_to_run(run.artifact_name, {Report.file_name: report.to_json().encode()})
    return report


def _compare(
    config: Config,
    workspace: Workspace,
    run: Run,
    folder: Path,
    holdout: "pd.DataFrame",
    champion: Champion | Missing,
) -> Comparison:
    from ml_gitops.model.candidate import dummy_answers
    from ml_gitops.serving.onnx_model import OnnxModel

    signature = _kept(folder, Signature)
    candidate = OnnxModel((folder / MODEL_FILE).read_bytes(), signature).predict(holdout)
    evaluation = _kept(folder, Evaluation)
    schema = config.data_schema
    target = holdout[schema.target].to_numpy()
    learned = workspace.read_frame(folder / TRAIN_FILE)[schema.target].to_numpy()
    return compare(
        target,
        candidate,
        _answers(champion, holdout),
        dummy_answers(learned, candidate),
        primary=config.gate.primary(config.model.task).name,
        holdout_digest=run.holdout_digest,
        slices={column: holdout[column].to_numpy() for column in config.gate.slices},
        days=days_that_count(config, holdout),
        champion_name=champion.release.tag if isinstance(champion, Champion) else None,
        importances=evaluation.importances,
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
    workspace: Workspace, folder: Path, champion: Champion | Missing
) -> CheckOutcomes | Missing:
    if isinstance(champion, Champion) and not champion.refused:
        beside = {CHAMPION_FILE: champion.model, CHAMPION_SIGNATURE_FILE: champion.signature}
    else:
        reason = champion.refused if isinstance(champion, Champion) else champion.reason
        beside = {CHAMPION_MISSING_FILE: reason.encode()}
    outcomes = workspace.run_checks(folder, beside, CHECKS)
    if outcomes is None:
        return Missing(reason=f"there is no test in {CHECKS}/")
    return CheckOutcomes.from_json(outcomes, where=CHECKS)


def _gate_changes(config: Config, forge: Forge | None) -> Iterator[str]:
    """Name what differs between this gate and that of the default branch."""
    content = forge.read(CONFIG_PATH, ref=forge.default_branch) if forge else None
    if content is None:
        return
    try:
        base = parse_config(content).gate.model_dump(mode="json")
    except MlGitopsError:
        yield "the default branch has no gate that can be read"
        return
    for key, value in config.gate.model_dump(mode="json").items():
        if value != base[key]:
            yield f"{key}: {base[key]} before, {value} now"


def _base_lock(forge: Forge | None) -> DataLock | Missing:
    """Return the lock of the default branch: what the data of this change is compared with."""
    content = forge.read(LOCK_PATH, ref=forge.default_branch) if forge else None
    if content is None:
        return Missing(reason="the default branch has no data lock yet")
    return DataLock.from_json(content, where=LOCK_PATH)


def _kept(folder: Path, document: type[Kept]) -> Kept:
    path = folder / document.file_name
    return document.from_json(path.read_bytes(), where=str(path))
