"""Where a model stands: what serves where, what is proposed, when it was last watched."""

import json
from datetime import date

from ml_gitops.config import Config
from ml_gitops.delivery.version import assignments
from ml_gitops.document import Document, Missing, Part
from ml_gitops.ports import Forge, Records
from ml_gitops.pull_request import Issue, PullRequest
from ml_gitops.workflows.registry import assigned, latest_release, read_release, served


class EnvironmentStatus(Part):
    """What an environment should serve, and what it served before.

    Attributes:
        made_up: tags that are no part of the history: nobody counted up to them.
    """

    environment: str
    tag: str | None
    since: str | None
    verdict: str
    history: tuple[str, ...]
    made_up: tuple[str, ...] = ()


class ThreadStatus(Part):
    """An open pull request or issue."""

    number: int
    title: str
    author: str
    labels: tuple[str, ...]


class Status(Document):
    """A model's state, read from Git and the forge alone.

    Attributes:
        model: its name.
        forge: where its pull requests are.
        latest: the newest release; None if there is none.
        environments: what each serves.
        open: the open pull requests.
        issues: the open issues.
        watched: the day up to which production was monitored last.
    """

    model: str
    forge: str
    latest: str | None
    releases: tuple[str, ...]
    environments: tuple[EnvironmentStatus, ...]
    open: tuple[ThreadStatus, ...]
    issues: tuple[ThreadStatus, ...]
    watched: date | None
    said: str


def read_status(config: Config, forge: Forge, records: Records) -> Status:
    """Read where a model stands."""
    model = config.model.name
    latest = latest_release(forge, model)
    watched, said = _last_watch(records, model)
    return Status(
        model=model,
        forge=forge.address,
        latest=None if isinstance(latest, Missing) else latest.tag,
        releases=tuple(page.tag for page in forge.releases()),
        environments=tuple(
            _environment(forge, model, name) for name in config.delivery.environments
        ),
        open=tuple(
            _thread(pull_request)
            for pull_request in forge.pull_requests()
            if pull_request.state == "open"
        ),
        issues=tuple(_thread(issue) for issue in forge.issues() if issue.state == "open"),
        watched=watched,
        said=said,
    )


def _environment(forge: Forge, model: str, environment: str) -> EnvironmentStatus:
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
        verdict=read_release(forge, state.tag).verdict,
        history=entries,
        made_up=made_up,
    )


def _thread(found: PullRequest | Issue) -> ThreadStatus:
    return ThreadStatus(
        number=found.number,
        title=found.title,
        author=found.author.login,
        labels=found.labels,
    )


def _last_watch(records: Records, model: str) -> tuple[date | None, str]:
    """Return the day and the sentence of what the monitor wrote down last."""
    found = records.newest(f"monitoring/{model}/")
    if found is None:
        return None, "production was never monitored"
    path, text = found
    try:
        document = json.loads(text)
        return date.fromisoformat(document["as_of"]), str(document["headline"])
    except (ValueError, TypeError, KeyError, RecursionError):
        # Who may push may write here, too; the rest of the status still stands.
        return None, f"the newest record cannot be read: {path}"
