"""Where a model stands: what serves where, what is proposed, when it was last watched."""

import json
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from ml_gitops.config import Config
from ml_gitops.delivery.version import assignments
from ml_gitops.document import Missing
from ml_gitops.errors import DocumentError, ForgeError, GitError
from ml_gitops.monitoring.observation import Observation
from ml_gitops.ports import Forge, Records
from ml_gitops.pull_request import Issue, PullRequest, silences
from ml_gitops.status import (
    Budget,
    EnvironmentStatus,
    LookStatus,
    Pulse,
    QuietStatus,
    Status,
    ThreadStatus,
)
from ml_gitops.workflows.recording import BUDGETED, recent_trainings
from ml_gitops.workflows.registry import (
    assigned,
    latest_release,
    locked_until,
    read_release,
    served,
)

NEVER = "production was never monitored"
UNTOLD = (
    "whether the monitor still looks cannot be told, because its records or what production "
    "serves cannot be read: run `ml-gitops status`"
)


def read_status(
    config: Config,
    forge: Forge,
    records: Records,
    today: date,
    *,
    seen: Observation | None = None,
    briefly: bool = False,
) -> Status:
    """Read where a model stands.

    Args:
        today: the day it is.
        seen: the last look, where it is at hand; else its record is read.
        briefly: leave out what releases say of themselves, for which each has to be read.
    """
    model = config.model.name
    look, said = (look_at(seen), seen.headline) if seen else last_look(records, model)
    pages = forge.releases() if not briefly else ()
    releases = tuple(page.tag for page in pages if page.tag.startswith(f"{model}@"))
    latest = latest_release(forge, model) if releases else Missing(reason="")
    pull_requests, issues = forge.pull_requests(), forge.issues()
    locked = locked_until(forge, forge.default_branch)
    rests = locked + timedelta(days=config.retrain.cooldown_days) if locked else None
    open_issues = [_thread(it) for it in issues if it.state == "open"]
    ripe = today - timedelta(days=config.monitor.label_delay_days)
    pulse = _pulse(config, forge, look.as_of if look else None, today)
    return Status(
        model=model,
        forge=forge.address,
        latest=None if isinstance(latest, Missing) else latest.tag,
        releases=releases,
        environments=tuple(
            _environment(forge, model, name, briefly=briefly)
            for name in config.delivery.environments
        ),
        open=tuple(_thread(it) for it in pull_requests if it.state == "open"),
        issues=tuple(it for it in open_issues if it.kind != "dashboard"),
        watched=look.as_of if look else None,
        said=said,
        look=look,
        pulse=pulse,
        silence=pulse.silence(today),
        quiet=tuple(_quiet(model, [*pull_requests, *issues], today)),
        budget=_budget(config, records, pull_requests, today),
        locked=locked,
        rests_until=rests if rests and rests > ripe else None,
        dashboard=next((it.number for it in open_issues if it.kind == "dashboard"), None),
    )


def silence(config: Config, forge: Forge, records: Records, today: date) -> str:
    """Say that nobody watches production, in one line; nothing where somebody does, or need not.

    Whoever is at work anyway says it: a schedule that stopped cannot.
    """
    try:
        return read_pulse(config, forge, records, today).silence(today)
    except (DocumentError, ForgeError, GitError):
        # Nobody's report or release stops for this; what is not known is not passed over either.
        return UNTOLD


def read_pulse(config: Config, forge: Forge, records: Records, today: date) -> Pulse:
    """Read whether the monitor still lives."""
    look, _ = last_look(records, config.model.name)
    return _pulse(config, forge, look.as_of if look else None, today)


def last_look(records: Records, model: str) -> tuple[LookStatus | None, str]:
    """Return what the monitor wrote down last, and its sentence."""
    found = records.newest(f"monitoring/{model}/")
    if found is None:
        return None, NEVER
    path, text = found
    try:
        seen = Observation.from_json(text, where=path)
        return look_at(seen), seen.headline
    except DocumentError:
        pass  # An older or newer form of it still has a day and a sentence.
    try:
        document = json.loads(text)
        day, said = date.fromisoformat(document["as_of"]), str(document["headline"])
    except (ValueError, TypeError, KeyError, RecursionError):
        # Who may push may write here, too; the rest of the status still stands.
        return None, f"the newest record cannot be read: {path}"
    release = str(document.get("release", ""))
    return LookStatus(as_of=day, release=release, state="unknown", want="", headline=said), said


def look_at(seen: Observation) -> LookStatus:
    """Return an observation in a few words."""
    return LookStatus(
        as_of=seen.as_of,
        release=seen.release,
        state=seen.state,
        want="rollback" if seen.rollback.roll_back else seen.retrain.want,
        headline=seen.headline,
        remarks=seen.remarks,
    )


def _pulse(config: Config, forge: Forge, looked: date | None, today: date) -> Pulse:
    """Return when the champion's environment was looked at, and since when it serves anything."""
    environment, model = config.gate.champion, config.model.name
    past = assigned(forge, model, environment)
    named = {tag.name: tag.created.date() for tag in forge.tags()}
    days = [named[it] for it in (f"{model}#{environment}#{one.number}" for one in past)]
    serves = not isinstance(served(forge, environment), Missing)
    return Pulse(
        # A day to come is nobody's look: who may push may write records, too.
        looked=looked if looked is not None and looked <= today else None,
        since=min(days) if days and serves else None,
        allowed=config.monitor.overdue_days,
    )


def _environment(forge: Forge, model: str, environment: str, *, briefly: bool) -> EnvironmentStatus:
    state = served(forge, environment)
    past = assigned(forge, model, environment)
    entries = tuple(f"#{entry.number} {entry.tag}" for entry in past)
    since = {tag.name: tag.created for tag in forge.tags()}
    made_up = tuple(str(one) for one in assignments(model, environment, since)[1])
    if isinstance(state, Missing):
        return EnvironmentStatus(
            environment=environment,
            tag=None,
            since=None,
            verdict=state.reason,
            history=entries,
            made_up=made_up,
        )
    last = past[-1] if past and past[-1].tag == state.tag else None
    assignment = f"{model}#{environment}#{last.number}" if last else ""
    return EnvironmentStatus(
        environment=environment,
        tag=state.tag,
        since=since[assignment].date().isoformat() if assignment in since else None,
        verdict="" if briefly else read_release(forge, state.tag).verdict,
        history=entries,
        made_up=made_up,
    )


def _thread(found: PullRequest | Issue) -> ThreadStatus:
    marker = found.marker
    return ThreadStatus(
        number=found.number,
        title=found.title,
        author=found.author.login,
        labels=found.labels,
        opened=found.created.date(),
        kind=marker.kind if marker else None,
        model=marker.model if marker else None,
    )


def _quiet(
    model: str, threads: Sequence[PullRequest | Issue], today: date
) -> Iterator[QuietStatus]:
    """Yield what people closed, the last of each kind, and what they snoozed."""
    for (kind, about), (number, until) in silences(threads, today).items():
        if about.partition("#")[0] == model:
            yield QuietStatus(kind=kind, number=number, until=until)


def _budget(
    config: Config, records: Records, existing: Sequence[PullRequest], today: date
) -> Budget:
    spent = recent_trainings(records, config.model.name, existing, today)
    allowed = config.retrain.budget
    return Budget(left=max(allowed - len(spent), 0), allowed=allowed, days=BUDGETED.days)
