"""The dashboard: one issue that shows where every model of a repository stands.

Each model has a section between two hidden markers, and whoever looks at one model keeps the
sections of the others. A section is written anew when one of its facts is another, and else once a
week: so a quiet day changes nothing, and a section that grew old says that nobody looks any more.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from ml_gitops.document import Part, sha256
from ml_gitops.render.blocks import Block, Heading, Items, Paragraph, Table, write_blocks
from ml_gitops.render.marks import mark_of
from ml_gitops.render.numbers import NOTHING, count
from ml_gitops.render.tables import code, escape
from ml_gitops.status import KINDS, REVIVE, Status, ThreadStatus

TITLE = "Where the models stand"
REFRESH_DAYS = 7
"""A section that nothing changes is written anew after so many days."""
LONGEST_LINE = 400
MOST_REMARKS = 10
INTRODUCTION = (
    "**One section per model, kept by `ml-gitops monitor`.** What it says is true since the day it "
    "names; the bot writes it anew when something changes. Close this issue to do without it, or "
    "set `dashboard = false` in `[bot]`."
)
_STATES = {"pass": "calm", "unknown": "nobody can tell yet", "warn": "look at it"}
_WANTS = {
    "watch": "its data drifts",
    "incident": "a person must look",
    "retrain": "a retraining is due",
    "rollback": "a rollback is due",
}
_SECTION = re.compile(
    r"<!-- ml-gitops:section (\{[^\n]*?\}) -->\n(.*?)\n<!-- ml-gitops:end -->", re.DOTALL
)
_DIGITS = re.compile(r"\d[\d,.:-]*")


class Mark(Part):
    """What a section says of itself, hidden from readers.

    Attributes:
        model: which one it is about.
        looked: the day of the look that it shows; None if there was none.
        facts: digest of all that it shows but days and counts that change by themselves.
    """

    model: str
    looked: date | None = None
    facts: str


class Section(NamedTuple):
    """A section: its mark and its text."""

    mark: Mark
    text: str


def sections_in(body: str) -> dict[str, Section]:
    """Return the sections of a dashboard by model; what is damaged is none."""
    found = {}
    for mark, text in _SECTION.findall(body.replace("\r\n", "\n")):
        try:
            section = Section(Mark.model_validate_json(mark), text)
        except ValueError:
            continue
        found[section.mark.model] = section
    return found


def settled(known: Section | None, status: Status, today: date) -> Section:
    """Return a model's section: the one that is there, while it is true and young enough."""
    looked = status.pulse.looked
    made = Section(Mark(model=status.model, looked=looked, facts=_facts(status)), _text(status))
    if known is None or known.mark.facts != made.mark.facts:
        return made
    old = known.mark.looked
    renewed = looked is not None and (old is None or today - old >= timedelta(days=REFRESH_DAYS))
    return made if renewed else known


def dashboard_body(sections: Sequence[Section]) -> str:
    """Return the whole text, the models by name."""
    ordered = sorted(sections, key=lambda one: one.mark.model)
    return "\n\n".join([INTRODUCTION, *map(_framed, ordered)])


def _framed(section: Section) -> str:
    mark = section.mark.model_dump_json(exclude_none=True)
    return f"<!-- ml-gitops:section {mark} -->\n{section.text}\n<!-- ml-gitops:end -->"


def _facts(status: Status) -> str:
    """Return what a section stands on, without what changes while nothing happens."""
    look = status.look
    if look is not None:
        # Counts in a sentence change with every window; what it says does not.
        remarks = tuple(_DIGITS.sub("#", remark) for remark in look.remarks)
        headline = _DIGITS.sub("#", look.headline)
        look = look.model_copy(update={"as_of": date.min, "remarks": remarks, "headline": headline})
    pulse = status.pulse
    if pulse.looked is not None:
        pulse = pulse.model_copy(update={"looked": date.min})
    bare = status.model_copy(update={"look": look, "pulse": pulse, "dashboard": None})
    return sha256(_text(bare).encode())


def _text(status: Status) -> str:
    return write_blocks(_blocks(status))


def _blocks(status: Status) -> Iterator[Block]:
    look = status.look
    yield Heading(_verdict(status))
    if status.silence:
        yield Paragraph(
            f"**▲ {status.silence[:1].upper()}{status.silence[1:]}.** What follows is old."
        )
    if look is not None:
        # The record of a look may be anybody's who may push.
        yield Paragraph(f"**{escape(look.headline, limit=LONGEST_LINE)}.**")
        if look.remarks:
            told = look.remarks[:MOST_REMARKS]
            yield Items("", tuple(f"▲ {escape(it, limit=LONGEST_LINE)}" for it in told))
    yield _serving(status)
    yield from _waiting(status)
    lines = tuple(_next(status))
    if lines:
        yield Items("**What may happen next, and when**", lines)
    if not status.silence:
        yield Paragraph(_alive(status))


def _verdict(status: Status) -> str:
    """Return the heading: what the last look found, unless that is too long ago to count."""
    look, name = status.look, code(status.model)
    if status.silence:
        return f"{mark_of('unknown').symbol} {name}: nobody looks any more"
    if look is None:
        return f"{mark_of('unknown').symbol} {name}: never looked at"
    word = _WANTS.get(look.want) or _STATES.get(look.state, "look at it")
    return f"{mark_of(look.state).symbol} {name}: {word}"


def _serving(status: Status) -> Block:
    rows = tuple(
        (
            escape(one.environment),
            code(one.tag) if one.tag else "nothing",
            escape(one.since or NOTHING),
        )
        for one in status.environments
    )
    return Table(("environment", "serves", "since"), rows, ("left", "left", "left"))


def _waiting(status: Status) -> Iterator[Block]:
    """Yield what waits for people: the bot's proposals and issues about this model."""
    ours = [one for one in (*status.issues, *status.open) if _about(one, status.model)]
    if ours:
        yield Items("**Waits for you**", tuple(map(_line, ours)))


def _about(one: ThreadStatus, model: str) -> bool:
    return one.kind in KINDS and (one.model or "").partition("#")[0] == model


def _line(one: ThreadStatus) -> str:
    stage = next((it for it in one.labels if it.startswith("gate-") or it == "hands-off"), "")
    told = f" ({escape(stage)})" if stage else ""
    return f"#{one.number} {escape(one.title, limit=120)}{told}, since {one.opened}"


def _next(status: Status) -> Iterator[str]:
    """Yield what keeps the bot silent, and until when."""
    for one in status.quiet:
        yield one.text
    if status.rests_until is not None and status.locked is not None:
        yield (
            f"rows until {status.locked} were merged: the next retraining waits for rows until "
            f"{status.rests_until}"
        )
    budget = status.budget
    if budget.left < budget.allowed:
        trainings = count(budget.allowed, "training")
        yield f"{budget.left} of {trainings} are left to the monitor within {budget.days} days"


def _alive(status: Status) -> str:
    """Say when the monitor looked, and on which day this text would prove that it has stopped."""
    pulse = status.pulse
    if pulse.since is None:
        return "Nothing is watched: nothing was promoted to where the monitor looks."
    if pulse.looked is None:
        return (
            f"**The monitor has never looked.** There is something to see since {pulse.since}: "
            f"{REVIVE}."
        )
    by = pulse.looked + timedelta(days=REFRESH_DAYS + pulse.allowed)
    return (
        f"The monitor saw the days before **{pulse.looked}**, and maybe later ones: while nothing "
        f"changes this line is renewed once a week. If it still says so on **{by}**, nobody "
        f"looks any more: {REVIVE}."
    )
