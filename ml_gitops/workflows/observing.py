"""One look at production: log and labels reduced to an observation; nothing is changed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from glob import escape
from pathlib import Path

from ml_gitops.config import Config
from ml_gitops.delivery.release import Release
from ml_gitops.document import Missing
from ml_gitops.errors import ForgeError
from ml_gitops.model.run import Run
from ml_gitops.monitoring.counts import Scan
from ml_gitops.monitoring.drift import measure_drift
from ml_gitops.monitoring.health import HealthReport, assess
from ml_gitops.monitoring.labels import LabelFiles
from ml_gitops.monitoring.log import LogFiles, together
from ml_gitops.monitoring.look import look_at
from ml_gitops.monitoring.observation import Observation, headline, last_windows
from ml_gitops.monitoring.profile import Profile
from ml_gitops.monitoring.quality import QualityScan, count_labelled, scan_quality
from ml_gitops.monitoring.query import Span, named_files
from ml_gitops.monitoring.retrain import WatchedRelease, decide_retraining
from ml_gitops.monitoring.rollback import PairedLoss, decide_rollback, feature_types
from ml_gitops.monitoring.scan import scan, sql_types
from ml_gitops.monitoring.unread import UnreadLabels, find_unread
from ml_gitops.ports import Forge, Progress, Warehouse
from ml_gitops.serving.signature import Signature
from ml_gitops.workflows.paired_loss import find_predecessor, paired_loss
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
    before = release_before(forge, config.model.name, environment)
    log, labels = _traces(config, root, as_of)
    seen = _see(config, forge, warehouse, progress, log, labels, release, profile, before, as_of)
    drift = tuple(measure_drift(profile, counts, config.drift) for counts in seen.scan.windows)
    health = _health(config, profile, seen.quality)
    watched = _watched(forge, release, seen.labelled, as_of)
    retrain = decide_retraining(watched, health, drift, config.retrain)
    rollback = decide_rollback(release.tag, before, seen.loss, config.rollback)
    return Observation(
        model=config.model.name,
        as_of=as_of,
        environment=environment,
        release=release.tag,
        windows=seen.quality.windows,
        drift=drift,
        counts=seen.scan.windows[-1],
        one_in=seen.scan.one_in,
        left_out=seen.scan.left_out,
        unread=seen.unread,
        unmatched=_unmatched(config, warehouse, log, labels),
        health=health,
        retrain=retrain,
        rollback=rollback,
        headline=headline(retrain, rollback),
    )


def read_profile(forge: Forge, release: Release) -> Profile:
    """Return the reference that a release is held to."""
    return Profile.from_json(released_file(forge, release, Profile.file_name), where=release.tag)


@dataclass(frozen=True)
class _Seen:
    """What log and labels say, as numbers: all that is left of the rows."""

    scan: Scan
    quality: QualityScan
    unread: UnreadLabels
    labelled: int
    loss: PairedLoss | Missing


def _see(
    config: Config,
    forge: Forge,
    warehouse: Warehouse,
    progress: Progress,
    log: LogFiles,
    labels: LabelFiles,
    release: Release,
    profile: Profile,
    before: str | None,
    as_of: date,
) -> _Seen:
    """Read log and labels once, and reduce them."""
    task, cap, units = config.model.task, config.drift.row_cap, config.gate.units
    classes = _classes(config, forge, release)
    predecessor = find_predecessor(config, forge, before)
    asked = () if isinstance(predecessor, Missing) else predecessor.signature.features
    fields = together(sql_types(profile.cells), feature_types(asked))
    fresh, ripe = _windows(config, as_of)
    progress.step("Reading the prediction log and the labels")
    with look_at(
        warehouse, log, labels, fields=fields, spans=[*fresh, *ripe], releases=[release.tag]
    ) as look:
        progress.step("Measuring drift and quality")
        seen = scan(look, profile.cells, profile.prediction.cells, windows=fresh, row_cap=cap)
        quality = scan_quality(look, labels, task=task, windows=ripe, units=units)
        unread = find_unread(look, task=task, classes=classes, windows=ripe)
        labelled = count_labelled(look, since=release.trained.until)
        progress.step("Comparing with the release before")
        loss = paired_loss(config, forge, warehouse, look, predecessor, ripe)
    return _Seen(seen, quality.settled(), unread, labelled, loss)


def _classes(config: Config, forge: Forge, release: Release) -> tuple[str, ...]:
    """Return the classes that a label may name; of a model that is not multiclass, none."""
    if config.model.task != "multiclass":
        return ()
    content = released_file(forge, release, Signature.file_name)
    return Signature.from_json(content, where=release.tag).classes


def _health(config: Config, profile: Profile, quality: QualityScan) -> HealthReport:
    """Hold live quality to what the holdout promised."""
    return assess(
        profile.quality,
        quality.windows,
        config.health,
        model=config.model.name,
        primary=config.gate.primary(config.model.task).name,
    )


def _watched(forge: Forge, release: Release, labelled: int, as_of: date) -> WatchedRelease:
    """Return how much a release learned from, and how much there is by now."""
    run = Run.from_json(released_file(forge, release, Run.file_name), where=release.tag)
    return WatchedRelease(
        release=release.tag,
        trained_until=release.trained.until,
        train_rows=run.train_rows,
        labelled=labelled,
        as_of=as_of,
    )


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


def _windows(config: Config, as_of: date) -> tuple[list[Span], list[Span]]:
    """Return the newest windows, for drift, and those whose labels have had their time."""
    days, count = config.monitor.window_days, config.health.of
    ripe = as_of - timedelta(days=config.monitor.label_delay_days)
    return last_windows(as_of, days, count), last_windows(ripe, days, count)


def _path(root: Path, path: str) -> str:
    """Return a path of the config as the engine finds it; URIs and absolute ones stay.

    Only what the config says is a glob: the folder of the repository has the name that it has.
    """
    return path if "://" in path or Path(path).is_absolute() else str(Path(escape(str(root)), path))
