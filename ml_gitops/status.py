"""Where a model stands: what serves, what was seen of it, what waits for whom, and until when."""

from datetime import date, timedelta
from typing import Literal

from ml_gitops.document import Document, Part

LookState = Literal["pass", "unknown", "warn", "fail"]
"""Nothing to do; nobody can tell; a person should look; something must be done."""
REVIVE = (
    "run `ml-gitops monitor`, and look at the runs of its schedule (GitHub stops that of a public "
    "repository after 60 days without activity)"
)
"""What to do where nobody watches any more."""

KINDS = {
    "retrain": "a retraining",
    "promotion": "a promotion",
    "rollback": "a rollback",
    "incident": "an incident",
}
"""What the bot proposes or tells about a model, as people call it."""


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
    """An open pull request or issue.

    Attributes:
        kind, model: what a bot's is about; None of a person's.
    """

    number: int
    title: str
    author: str
    labels: tuple[str, ...]
    opened: date
    kind: str | None = None
    model: str | None = None


class QuietStatus(Part):
    """What people asked not to hear of again.

    Attributes:
        number: where they said so.
        until: the day on which that ends; None if only other evidence ends it.
    """

    kind: str
    number: int
    until: date | None = None

    @property
    def text(self) -> str:
        """What that means, in one sentence."""
        kind = KINDS.get(self.kind, self.kind)
        if self.until is not None:
            return f"{kind} was snoozed in #{self.number}: none is proposed before {self.until}"
        return f"{kind} was refused in #{self.number}: it comes back on other evidence only"


class LookStatus(Part):
    """What the monitor saw last.

    Attributes:
        as_of: the day up to which it saw.
        want: what it asks for; empty if its record cannot be read.
        remarks: what was not there or not used of log and labels.
    """

    as_of: date
    release: str
    state: LookState
    want: str
    headline: str
    remarks: tuple[str, ...] = ()


class Pulse(Part):
    """Whether the monitor still lives: when it looked, and when it should have looked again.

    Attributes:
        looked: the day of its last look; None if it never looked.
        since: the day from which on there is something to look at; None if there is nothing.
        allowed: days that it may be silent.
    """

    looked: date | None = None
    since: date | None = None
    allowed: int

    @property
    def due(self) -> date | None:
        """The last day on which it may be silent; None if nothing is to be watched."""
        if self.since is None:
            return None
        return max(self.looked or self.since, self.since) + timedelta(days=self.allowed)

    def overdue(self, today: date) -> str:
        """Say that it should have looked by now; nothing if it should not."""
        if self.due is None or today <= self.due:
            return ""
        looked = f"looked at production last on {self.looked}" if self.looked else "never looked"
        return f"the monitor {looked} and was due by {self.due}"

    def silence(self, today: date) -> str:
        """Say that it should have looked by now, and what to do; nothing if it should not."""
        overdue = self.overdue(today)
        return f"{overdue}: {REVIVE}" if overdue else ""


class Budget(Part):
    """How many trainings the monitor may still start."""

    left: int
    allowed: int
    days: int


class Status(Document):
    """A model's state, read from Git and the forge alone.

    Attributes:
        model: its name.
        forge: where its pull requests are.
        latest: the newest release; None if there is none.
        environments: what each serves.
        open: the open pull requests.
        issues: the open issues, the dashboard aside.
        watched, said: the day up to which production was monitored last, and the outcome.
        look: the same, with all that it said; None if there was none.
        pulse, silence: whether the monitor still lives; what there is to do if it does not.
        quiet: what people refused, or asked not to hear of for a while.
        budget: trainings that are left.
        locked: the day up to which the default branch has locked rows.
        rests_until: rows until this day are waited for, since others were just merged.
        dashboard: the number of the issue that shows all this.
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
    look: LookStatus | None = None
    pulse: Pulse
    silence: str = ""
    quiet: tuple[QuietStatus, ...] = ()
    budget: Budget
    locked: date | None = None
    rests_until: date | None = None
    dashboard: int | None = None
