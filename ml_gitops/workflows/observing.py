"""One look at production: log and labels reduced to an observation; nothing is changed."""

from datetime import UTC, date, datetime, time, timedelta
from glob import escape
from pathlib import Path

from ml_gitops.config import Config
from ml_gitops.delivery.release import Release
from ml_gitops.document import Missing
from ml_gitops.errors import ForgeError
from ml_gitops.model.run import Run
from ml_gitops.monitoring.counts import Scan
from ml_gitops.monitoring.drift import DriftReport, measure_drift
from ml_gitops.monitoring.health import HealthReport, assess
from ml_gitops.monitoring.labels import LabelFiles, UnreadLabels, find_unread
from ml_gitops.monitoring.observation import Observation, headline, last_windows
from ml_gitops.monitoring.profile import Profile
from ml_gitops.monitoring.quality import QualityScan, count_labelled, scan_quality
from ml_gitops.monitoring.query import LogFiles, Span, named_files
from ml_gitops.monitoring.retrain import RetrainDecision, WatchedRelease, decide_retraining
from ml_gitops.monitoring.rollback import RollbackDecision, decide_rollback
from ml_gitops.monitoring.scan import scan
from ml_gitops.ports import Forge, Progress, Warehouse
from ml_gitops.serving.signature import Signature
from ml_gitops.workflows.paired_loss import paired_loss
from ml_gitops.workflows.registry import read_release, release_before, released_file, served


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
    log, labels = _traces(config, root, as_of)
    progress.step("Scanning the prediction log")
    seen = _scan(config, warehouse, log, profile, release, as_of)
    drift = tuple(measure_drift(profile, counts, config.drift) for counts in seen.windows)
    progress.step("Joining late labels")
    ripe = _ripe_windows(config, as_of)
    quality = _quality(config, warehouse, log, labels, release, ripe)
    unread = _unread(config, forge, warehouse, log, labels, release, ripe)
    health = assess(
        profile.quality,
        quality.windows,
        config.health,
        model=config.model.name,
        primary=config.gate.primary(config.model.task).name,
    )
    labelled = count_labelled(warehouse, log, labels, since=release.trained.until)
    retrain = _retraining(config, forge, release, labelled, as_of, health, drift)
    progress.step("Comparing with the release before")
    rollback = _rollback(config, forge, warehouse, log, labels, release, ripe)
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
        unread=unread,
        unmatched=_unmatched(config, warehouse, log, labels),
        health=health,
        retrain=retrain,
        rollback=rollback,
        headline=headline(retrain, rollback),
    )


def read_profile(forge: Forge, release: Release) -> Profile:
    """Return the reference that a release is held to."""
    return Profile.from_json(released_file(forge, release, Profile.file_name), where=release.tag)


def _scan(
    config: Config,
    warehouse: Warehouse,
    log: LogFiles,
    profile: Profile,
    release: Release,
    as_of: date,
) -> Scan:
    """Count what the release was asked and answered, in the windows up to a day."""
    return scan(
        warehouse,
        log,
        profile.cells,
        profile.prediction.cells,
        windows=last_windows(as_of, config.monitor.window_days, config.health.of),
        releases=[release.tag],
        row_cap=config.drift.row_cap,
    )


def _quality(
    config: Config,
    warehouse: Warehouse,
    log: LogFiles,
    labels: LabelFiles,
    release: Release,
    windows: list[Span],
) -> QualityScan:
    """Measure the release's answers against the labels that arrived."""
    return scan_quality(
        warehouse,
        log,
        labels,
        task=config.model.task,
        windows=windows,
        releases=[release.tag],
        units=config.gate.units,
    ).settled()


def _unread(
    config: Config,
    forge: Forge,
    warehouse: Warehouse,
    log: LogFiles,
    labels: LabelFiles,
    release: Release,
    windows: list[Span],
) -> UnreadLabels:
    """Count the labels that say nothing."""
    classes: tuple[str, ...] = ()
    if config.model.task == "multiclass":
        content = released_file(forge, release, Signature.file_name)
        classes = Signature.from_json(content, where=release.tag).classes
    return find_unread(
        warehouse,
        log,
        labels,
        task=config.model.task,
        classes=classes,
        windows=windows,
        releases=[release.tag],
    )


def _retraining(
    config: Config,
    forge: Forge,
    release: Release,
    labelled: int,
    as_of: date,
    health: HealthReport,
    drift: tuple[DriftReport, ...],
) -> RetrainDecision:
    """Decide whether to train again."""
    run = Run.from_json(released_file(forge, release, Run.file_name), where=release.tag)
    watched = WatchedRelease(
        release=release.tag,
        trained_until=release.trained.until,
        train_rows=run.train_rows,
        labelled=labelled,
        as_of=as_of,
    )
    return decide_retraining(watched, health, drift, config.retrain)


def _rollback(
    config: Config,
    forge: Forge,
    warehouse: Warehouse,
    log: LogFiles,
    labels: LabelFiles,
    release: Release,
    windows: list[Span],
) -> RollbackDecision:
    """Decide whether to go back to the release before."""
    before = release_before(forge, config.model.name, config.gate.champion)
    loss = paired_loss(config, forge, warehouse, before, log, labels, windows, [release.tag])
    return decide_rollback(release.tag, before, loss, config.rollback)


def _serving(forge: Forge, environment: str) -> Release:
    """Return the release that an environment serves; without one there is nothing to watch."""
    state = served(forge, environment)
    if isinstance(state, Missing):
        raise ForgeError(state.reason, hint="promote a release first", where=environment)
    return read_release(forge, state.tag)


def _traces(config: Config, root: Path, as_of: date) -> tuple[LogFiles, LabelFiles]:
    """Return where production leaves its predictions, and the labels known on a day."""
    log = LogFiles(paths=(_path(root, config.monitor.log),))
    labels = LabelFiles(
        paths=(_path(root, config.monitor.labels),),
        id=config.data.id,
        target=config.data.target,
        arrived=config.monitor.arrived,
        as_of=datetime.combine(as_of, time(), UTC),
    )
    return log, labels


def _unmatched(
    config: Config, warehouse: Warehouse, log: LogFiles, labels: LabelFiles
) -> tuple[str, ...]:
    """Return what the config says of log and labels where no file is; labels follow a log."""
    if not named_files(warehouse, log.paths):
        return (f'log = "{config.monitor.log}"',)
    if not named_files(warehouse, labels.paths):
        return (f'labels = "{config.monitor.labels}"',)
    return ()


def _ripe_windows(config: Config, as_of: date) -> list[Span]:
    """Return the windows whose labels have had their time; drift is not kept waiting for them."""
    ripe = as_of - timedelta(days=config.monitor.label_delay_days)
    return last_windows(ripe, config.monitor.window_days, config.health.of)


def _path(root: Path, path: str) -> str:
    """Return a path of the config as the engine finds it; URIs and absolute ones stay.

    Only what the config says is a glob: the folder of the repository has the name that it has.
    """
    return path if "://" in path or Path(path).is_absolute() else str(Path(escape(str(root)), path))
