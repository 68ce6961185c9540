"""What the bot keeps in order whenever it was at work: labels of proposals, and one dashboard."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from ml_gitops.config import Config
from ml_gitops.errors import ForgeError, TryAgain
from ml_gitops.monitoring.observation import Observation
from ml_gitops.ports import Forge, Records
from ml_gitops.pull_request import (
    Issue,
    IssueSpec,
    Keep,
    Kind,
    Open,
    open_proposals,
    plan,
)
from ml_gitops.render.dashboard import TITLE, dashboard_body, sections_in, settled
from ml_gitops.workflows.incident import apply_incident
from ml_gitops.workflows.overflow import pointed
from ml_gitops.workflows.stages import settle_labels
from ml_gitops.workflows.status import read_status

KIND: Kind = "dashboard"
EVERY = "every model"
"""What the dashboard is about: there is one for a repository."""


@dataclass(frozen=True)
class Tended:
    """What was brought in order.

    Attributes:
        dashboard: its number; None where there is none.
        action: what was done about it.
        labelled: the proposals whose labels were changed.
        obstacle: why not all of it was done; empty if it was.
    """

    dashboard: int | None = None
    action: Literal["open", "update", "close", "keep"] = "keep"
    labelled: tuple[int, ...] = ()
    obstacle: str = ""


UNTENDED = Tended()


def tend(
    config: Config,
    forge: Forge,
    records: Records,
    today: date,
    *,
    seen: Observation | None = None,
) -> Tended:
    """Bring labels and dashboard to what is true by now; what is true already is not written.

    The loops do not depend on it: where the forge refuses, that is said and nothing stops. Only a
    look of the monitor opens a dashboard; whoever comes by later renews it.

    Args:
        today: the day it is.
        seen: the look that was just made; None after anything else.
    """
    labelled: tuple[int, ...] = ()
    try:
        labelled = tuple(settle_labels(forge, config.model.name))
        number, action = _write(config, forge, records, today, seen)
    except TryAgain:
        raise
    except ForgeError as error:
        told = f"labels or dashboard could not be written: {error.problem}"
        remedy = "grant the job `issues: write`, or set `dashboard = false` in [bot]"
        return Tended(labelled=labelled, obstacle=f"{told}; {remedy}")
    return Tended(number, action, labelled)


def _write(
    config: Config, forge: Forge, records: Records, today: date, seen: Observation | None
) -> tuple[int | None, Literal["open", "update", "close", "keep"]]:
    """Write the one dashboard, and close what a race left beside it."""
    issues = forge.issues()
    ours = open_proposals(KIND, EVERY, issues)
    first = ours[0] if ours else None
    for other in ours[1:]:
        forge.close(other.number, f"#{ours[0].number} is the dashboard.")
    if first is None and seen is None:
        return None, "keep"
    wanted = _wanted(config, forge, records, today, seen, first)
    gone = "`dashboard = false` in [bot]: this repository does without."
    action = plan(KIND, EVERY, wanted, issues, gone=gone)
    if isinstance(action, Keep):
        return first.number if first is not None else None, "keep"
    written = apply_incident(forge, records, action)
    number = written.number if written is not None else None
    if wanted is None:
        return number, "close"
    return number, "open" if isinstance(action, Open) else "update"


def _wanted(
    config: Config,
    forge: Forge,
    records: Records,
    today: date,
    seen: Observation | None,
    current: Issue | None,
) -> IssueSpec | None:
    """Return the dashboard with this model's section as it should be, and the others as they are.

    Two models that are looked at in the same moment may write over each other's section. Each is
    held to what is true again by the next look at its model.
    """
    sections = sections_in(current.body) if current is not None else {}
    known = sections.pop(config.model.name, None)
    if config.bot.dashboard:
        status = read_status(config, forge, records, today, seen=seen, briefly=True)
        sections[config.model.name] = settled(known, status, today)
    if not sections:
        return None
    spec = IssueSpec(
        kind=KIND,
        model=EVERY,
        fingerprint=KIND,
        title=TITLE,
        body=dashboard_body(list(sections.values())),
        labels=(KIND,),
    )
    return pointed(forge, spec)
