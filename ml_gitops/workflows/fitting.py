"""Fit the author's pipeline, convert it, hold both to the same answers, forget the first."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ml_gitops.config import Config, parse_params
from ml_gitops.config.hyperparameters import blame
from ml_gitops.errors import ExportError, MlGitopsError, ParityError
from ml_gitops.model.lineage import short
from ml_gitops.ports import Progress, Workspace
from ml_gitops.serving.parity import ParityReport
from ml_gitops.serving.signature import Signature

if TYPE_CHECKING:
    import pandas as pd

    from ml_gitops.model.evaluation import Answers
    from ml_gitops.serving.onnx_model import OnnxModel


@dataclass(frozen=True)
class Fitted:
    """What a fit leaves behind: an ONNX file, its answers, and how long it took."""

    model: bytes
    signature: Signature
    answers: "Answers"
    parity: ParityReport
    seconds: float


def rehearse_export(config: Config, workspace: Workspace) -> None:
    """Refuse, before anything is loaded or fitted, a pipeline that cannot be exported exactly.

    What is wrong with the pipeline itself is left to the fit, which names its line.

    Raises:
        ExportError: naming the step and what to use instead.
    """
    from ml_gitops.serving.rehearsal import rehearse

    path, reference = config.model.params, config.model.pipeline
    try:
        params = parse_params(workspace.read(path) or b"", where=path)
        estimator = workspace.call(reference, params)
    except MlGitopsError:
        return
    if not (hasattr(estimator, "fit") and hasattr(estimator, "get_params")):
        return
    try:
        with workspace.author(reference.partition(":")[0]):
            rehearse(estimator, config.data_schema.features, config.model.task)
    except ExportError as error:
        error.where = error.where or reference
        raise


def fit(
    config: Config,
    workspace: Workspace,
    progress: Progress,
    train: "pd.DataFrame",
    holdout: "pd.DataFrame",
    run_key: str,
) -> Fitted:
    """Fit the author's pipeline, convert it, hold both to the same answers, forget the first.

    Raises:
        ExportError: a step has no exact form in ONNX.
        ParityError: the ONNX file answers differently.
    """
    from ml_gitops.model.candidate import build_and_fit
    from ml_gitops.serving.conversion import convert
    from ml_gitops.serving.onnx_model import OnnxModel, class_names, conform

    schema = config.data_schema
    written, path = workspace.read(config.model.params) or b"", config.model.params
    params = parse_params(written, where=path)
    progress.step(f"Fitting on {len(train):,} rows")
    seen = conform(train, schema.features).assign(**{schema.target: train[schema.target]})
    build = workspace.function(config.model.pipeline)
    started = time.perf_counter()
    try:
        with workspace.author(config.model.pipeline.partition(":")[0]):
            estimator = build_and_fit(build, params, seen, schema, config.model.seed)
    except MlGitopsError as error:
        error.where = error.where and error.where.removeprefix(f"{workspace.root}/")
        raise blame(error, written, where=path) from error
    seconds = time.perf_counter() - started
    progress.step("Converting to ONNX")
    signature = Signature(
        model=config.model.name,
        task=config.model.task,
        features=schema.features,
        target=schema.target,
        classes=class_names(estimator),
        run_key=run_key,
    )
    content = convert(
        estimator, schema.features, config.model.task, metadata={"run_key": short(run_key)}
    )
    progress.step(f"Checking parity on {len(holdout):,} rows")
    model = OnnxModel(content, signature)
    answers = model.predict(holdout)
    rows = conform(holdout, schema.features)
    parity = _hold_everywhere(config, workspace, estimator, model, rows, answers)
    return Fitted(content, signature, answers, parity, seconds)


def _hold_everywhere(
    config: Config,
    workspace: Workspace,
    estimator: Any,
    model: "OnnxModel",
    rows: "pd.DataFrame",
    answers: "Answers",
) -> ParityReport:
    """Hold the ONNX file on the rows of the holdout and on the edges around them."""
    from ml_gitops.serving.edges import edge_rows
    from ml_gitops.serving.parity import finite_rows

    def ask(some: "pd.DataFrame") -> Any:
        regression = config.model.task == "regression"
        with workspace.author(config.model.pipeline.partition(":")[0]):
            return estimator.predict(some) if regression else estimator.predict_proba(some)

    parity = _hold(config, estimator, ask, model, rows, answers)
    for kind, edges in edge_rows(estimator, rows, config.data_schema.features).items():
        # An exponent of a number beyond measure is infinite, and says nothing.
        told = edges[finite_rows(ask(edges))]
        if len(told):
            _hold(config, estimator, ask, model, told, model.predict(told), f" on {kind}")
    return parity


def _hold(
    config: Config,
    estimator: Any,
    ask: "Callable[[pd.DataFrame], Any]",
    model: "OnnxModel",
    rows: "pd.DataFrame",
    answers: "Answers",
    where: str = "",
) -> ParityReport:
    """Hold the ONNX file to the estimator's answers; where they part, say by what."""
    from ml_gitops.serving.culprit import find_culprit
    from ml_gitops.serving.parity import compare_answers

    parity = compare_answers(ask(rows), answers.predicted, config.parity)
    if not parity.passed:
        features = config.data_schema.features
        told, remedy = find_culprit(
            estimator, ask, lambda some: model.predict(some).predicted, rows, features
        )
        raise ParityError(
            f"the ONNX file answers differently{where}: {parity.text}; {told}",
            hint=f"{remedy}, or widen tolerance in [parity]",
            where=config.model.pipeline,
        )
    return parity
