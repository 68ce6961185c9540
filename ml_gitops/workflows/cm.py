"""A schedule: look at production, record what was seen, and propose what follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_gitops.config import Config
from ml_gitops.delivery.release import Release
from ml_gitops.document import Missing
from ml_gitops.errors import ForgeError
from ml_gitops.model.lineage import short
from ml_gitops.model.run import MODEL_FILE, Run
from ml_gitops.monitoring.drift import measure_drift
from ml_gitops.monitoring.health import assess
from ml_gitops.monitoring.observation import Observation, headline, last_windows
from ml_gitops.monitoring.profile import Profile
from ml_gitops.monitoring.quality import count_labelled, scan_quality
from ml_gitops.monitoring.query import LabelFiles, LogFiles, Span
from ml_gitops.monitoring.retrain import Standing, decide_retraining
from ml_gitops.monitoring.rollback import PairedLoss, answered_rows, decide_rollback, pair
from ml_gitops.monitoring.scan import scan
from ml_gitops.ports import Forge, Progress, Records, Warehouse
from ml_gitops.pull_request import Action, Issue, PullRequest
from ml_gitops.serving.signature import Signature
from ml_gitops.workflows.incident import reconcile_incident
from ml_gitops.workflows.promotion import roll_back, withdraw_rollback
from ml_gitops.workflows.registry import read_release, release_before, released_file, served

if TYPE_CHECKING:
    from ml_gitops.serving.runtime import Runtime

BATCH_ROWS = 10_000


@dataclass(frozen=True)
class Watched:
    """What a run of the monitor saw and did.

    Attributes:
        observation: what it saw.
        retraining, retraining_action: the retraining pull request, and what was done about it.
        rollback, rollback_action: likewise.
        incident, incident_action: the issue for people, likewise (`keep`, `open`, ...).
    """

    observation: Observation
    retraining: PullRequest | None = None
    retraining_action: Action | None = None
    rollback: PullRequest | None = None
    rollback_action: Action | None = None
    incident: Issue | None = None
    incident_action: str = "keep"


def observe(
    config: Config,
    forge: Forge,
    warehouse: Warehouse,
    progress: Progress,
    root: Path,
    as_of: date,
) -> Observation:
    """Reduce the last windows of production to counts and decide what follows; change nothing.

    Args:
        root: folder that relative paths of the config start from.
        as_of: the day to look back from.

    Raises:
        ForgeError: nothing serves, so there is nothing to watch.
        DataError: log or labels cannot be read.
    """
    environment = config.gate.champion
    release = _serving(forge, environment)
    profile = read_profile(forge, release)
    run = Run.from_json(released_file(forge, release, Run.file_name), where=release.tag)
    log, labels = _traces(config, root)
    ours = [release.tag]
    progress.step("Scanning the prediction log")
    seen = scan(
        warehouse,
        log,
        profile.cells,
        profile.prediction.cells,
        windows=last_windows(as_of, config.monitor.window_days, config.health.of),
        releases=ours,
        row_cap=config.drift.row_cap,
    )
    drift = tuple(measure_drift(profile, counts, config.drift) for counts in seen.windows)
    progress.step("Joining late labels")
    ripe = _ripe_windows(config, as_of)
    quality = scan_quality(
        warehouse,
        log,
        labels,
        task=config.model.task,
        windows=ripe,
        releases=ours,
        units=config.gate.units,
    ).settled()
    health = assess(
        profile.quality,
        quality.windows,
        config.health,
        model=config.model.name,
        primary=config.gate.primary(config.model.task).name,
    )
    retrain = decide_retraining(
        Standing(
            release=release.tag,
            trained_until=release.trained.until,
            train_rows=run.train_rows,
            labelled=count_labelled(warehouse, log, labels, since=release.trained.until),
            as_of=as_of,
        ),
        health,
        drift,
        config.retrain,
    )
    before = release_before(forge, config.model.name, environment)
    progress.step("Comparing with the release before")
    loss = _paired_loss(config, forge, warehouse, before, log, labels, ripe, ours)
    rollback = decide_rollback(release.tag, before, loss, config.rollback)
    return Observation(
        model=config.model.name,
        as_of=as_of,
        environment=environment,
        release=release.tag,
        windows=quality.windows,
        drift=drift,
        counts=seen.windows[-1],
        one_in=seen.one_in,
        left_out=seen.left_out,
        health=health,
        retrain=retrain,
        rollback=rollback,
        headline=headline(retrain, rollback),
    )


def _serving(forge: Forge, environment: str) -> Release:
    """Return the release that an environment serves; without one there is nothing to watch."""
    state = served(forge, environment)
    if isinstance(state, Missing):
        raise ForgeError(state.reason, hint="promote a release first", where=environment)
    return read_release(forge, state.tag)


def _traces(config: Config, root: Path) -> tuple[LogFiles, LabelFiles]:
    """Return where production leaves its predictions, and where their labels arrive."""
    log = LogFiles(paths=(_path(root, config.monitor.log),))
    arriving = _path(root, config.monitor.labels)
    return log, LabelFiles(paths=(arriving,), id=config.data.id, target=config.data.target)


def _ripe_windows(config: Config, as_of: date) -> list[Span]:
    """Return the windows whose labels have had their time; drift is not kept waiting for them."""
    ripe = as_of - timedelta(days=config.monitor.label_delay_days)
    return last_windows(ripe, config.monitor.window_days, config.health.of)


def read_profile(forge: Forge, release: Release) -> Profile:
    """Return the reference that a release is held to."""
    return Profile.from_json(released_file(forge, release, Profile.file_name), where=release.tag)


def record(records: Records, observation: Observation) -> str:
    """Keep an observation on the record branch, and return its path; equal ones are kept once."""
    prefix = f"monitoring/{observation.model}/{observation.as_of}-"
    text = observation.to_json()
    known = records.read_all(prefix)
    path = next((path for path, kept in known if kept == text), None)
    if path is None:
        # Numbered, so that the last one of a day is the newest.
        path = f"{prefix}{len(known) + 1:03d}-{short(observation.content_digest())[:8]}.json"
        records.append(path, text)
    return path


def act_on_rollback(
    config: Config, forge: Forge, observation: Observation
) -> tuple[PullRequest | None, Action | None]:
    """Propose a rollback if the observation wants one; withdraw it if it does not any more."""
    decision = observation.rollback
    if decision.to is None:
        return None, None
    if not decision.roll_back:
        if isinstance(decision.loss, Missing):
            return None, None
        return withdraw_rollback(
            config,
            forge,
            observation.environment,
            serving=observation.release,
            to=decision.to,
            evidence=decision.fingerprint,
            reason=decision.headline,
        )
    return roll_back(
        config,
        forge,
        observation.environment,
        to=decision.to.partition("@")[2],
        reasons=(decision.headline, observation.health.text),
        evidence=decision.fingerprint,
        insist=False,
    )


def act_on_incident(
    config: Config, forge: Forge, observation: Observation
) -> tuple[Issue | None, str]:
    """Open, update or close the one issue that tells people what needs their judgement."""
    return reconcile_incident(forge, config.model.name, observation)


def _paired_loss(
    config: Config,
    forge: Forge,
    warehouse: Warehouse,
    before: str | None,
    log: LogFiles,
    labels: LabelFiles,
    windows: Sequence[Span],
    releases: Sequence[str],
) -> PairedLoss | Missing:
    """Let the release before answer the labelled rows, batch by batch."""
    if before is None:
        return Missing(reason="there is none")
    if config.model.task == "multiclass":
        return Missing(reason="a multiclass log holds one probability per row")
    release = read_release(forge, before)
    signature = Signature.from_json(
        released_file(forge, release, Signature.file_name), where=before
    )
    rows = answered_rows(warehouse, log, labels, signature.features, windows, releases)
    if rows is None:
        return Missing(reason="there are no labels yet")
    runtime = _open(released_file(forge, release, MODEL_FILE), signature)
    if isinstance(runtime, Missing):
        return runtime
    total = PairedLoss()
    for batch in warehouse.batches(rows.sql, rows.parameters, BATCH_ROWS):
        total += _pair_batch(config, runtime, signature, batch)
    return total.settled()


def _open(model: bytes, signature: Signature) -> "Runtime | Missing":
    """Open a model where onnxruntime is installed; a monitor without it cannot compare."""
    try:
        from ml_gitops.serving.runtime import Runtime

        return Runtime(model, signature)
    except ImportError as error:
        return Missing(reason=f"{error.name} is not installed (ml-gitops[serve] brings it)")


def _pair_batch(
    config: Config, runtime: "Runtime", signature: Signature, batch: Sequence[tuple[Any, ...]]
) -> PairedLoss:
    from ml_gitops.serving.runtime import column

    columns: Mapping[str, Any] = {
        feature.name: column([row[3 + place] for row in batch], feature)
        for place, feature in enumerate(signature.features)
    }
    answers = runtime.run(columns)
    scores = answers[:, 1] if config.model.task == "binary" else answers
    return pair(
        config.model.task,
        [row[0] for row in batch],
        [str(row[1]) for row in batch],
        [row[2] for row in batch],
        scores.tolist(),
    )


def _path(root: Path, path: str) -> str:
    """Return a path of the config as the engine finds it; URIs and absolute ones stay."""
    return path if "://" in path or Path(path).is_absolute() else str(root / path)
