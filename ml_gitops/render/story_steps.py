"""The steps of the demo's story as HTML: chapters, commands, and calm weeks as one table."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ml_gitops.document import Part
from ml_gitops.model.metrics import METRICS
from ml_gitops.pull_request import PullRequest
from ml_gitops.render.charts.drawing import safe
from ml_gitops.render.components import step
from ml_gitops.render.marks import mark_of
from ml_gitops.render.numbers import NOTHING, percent

LATE_LABELS = (
    "At once: as the monitor saw a week on the morning after it. Flights that were still on their "
    "way at midnight have no label then, and these are often the late ones. Later: the same week "
    "in the next look, when their labels have come. What a later look, its pull request and its "
    "report say of an earlier week is that number."
)


class Story(Part):
    """What the page is made of.

    Attributes:
        chapters: heading and text of each part.
        steps: as `cli.demo.stage.Step`.
        pull_requests, diffs: all of them, with their changes.
        watched: outcomes of the monitor, oldest first.
        reports: title and relative address of every full report.
        metric: the one that decides.
        seconds: how long the telling took.
    """

    chapters: tuple[tuple[str, str], ...]
    steps: tuple[Any, ...]
    pull_requests: tuple[PullRequest, ...]
    diffs: tuple[str, ...]
    watched: tuple[Any, ...]
    reports: tuple[tuple[str, str], ...]
    metric: str
    seconds: float


class Turn(NamedTuple):
    """A step at which the story turned: what happened in a few words, and why."""

    title: str
    why: str


def turn_of(one: Any) -> Turn | None:
    """Return what a step changed in the story, if it did."""
    outcome = one.outcome if isinstance(one.outcome, Mapping) else {}
    if release := released(one):
        against = " against the gate's advice" if is_against_advice(release) else ""
        return Turn(f"{release['tag']} is released{against}", release["verdict"])
    if one.verb == "train" and outcome.get("verdict") == "block":
        return Turn("The gate advises against a change", outcome["headline"])
    if one.verb == "monitor":
        for kind in ("rollback", "retraining"):
            part = outcome.get(kind) or {}
            if part.get("action") == "open":
                why = (outcome["reasons"] or [""])[0] if kind == "retraining" else part["headline"]
                return Turn(f"The monitor proposes a {kind}, #{part['pull_request']}", why)
    return None


def released(one: Any) -> Mapping[str, Any] | None:
    """Return the release that a step made, if it made one."""
    outcome = one.outcome if isinstance(one.outcome, Mapping) else {}
    return outcome["release"] if outcome.get("is_new") else None


def is_against_advice(release: Mapping[str, Any]) -> bool:
    """Say whether people released what the gate had blocked."""
    return bool(release["gate"] == "block")


def is_traffic(one: Any) -> bool:
    """Say whether a step was a week of live traffic."""
    return bool(one.verb == "traffic")


def _is_calm_look(one: Any) -> bool:
    outcome = one.outcome if isinstance(one.outcome, Mapping) else {}
    return one.verb == "monitor" and bool(outcome.get("calm"))


def chapters_of(story: Story) -> Iterator[str]:
    """Yield every chapter: its heading, its steps, and calm weeks as one table."""
    numbered = list(enumerate(story.steps, 1))
    for place, (title, text) in enumerate(story.chapters, 1):
        yield f'<h2 id="chapter-{place}">{safe(title)}</h2>\n<p>{safe(text)}</p>'
        calm: list[tuple[int, Any]] = []
        for number, one in numbered:
            if one.chapter != title:
                continue
            if is_traffic(one) or _is_calm_look(one):
                calm.append((number, one))
                continue
            yield from _weeks(calm, story)
            calm = []
            yield _step(number, one, story)
        yield from _weeks(calm, story)


def _weeks(steps: Sequence[tuple[int, Any]], story: Story) -> Iterator[str]:
    """Yield weeks of traffic, and what the monitor said of them, as one table."""
    rows = [_week(number, one, story) for number, one in steps if is_traffic(one)]
    if not rows:
        return
    label = METRICS[story.metric].label
    names = ("week from", "flights", "predicted late", "were late", f"{label} at once", "later")
    head = "".join(f'<th scope="col" class="number">{safe(name)}</th>' for name in names[1:])
    first, last = steps[0][0], steps[-1][0]
    caption = f"Steps {first} to {last}: weeks of flights, each with its look back"
    if first == last:
        caption = f"Step {first}: a week of flights"
    yield (
        '<div class="scroll" role="region" aria-label="Weeks" tabindex="0"><table class="weeks">'
        f'<caption>{caption}</caption><thead><tr><th scope="col">{names[0]}</th>{head}'
        f'<th scope="col">the monitor says</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
    if not any(map(is_traffic, story.steps[: first - 1])):
        yield f"<p>{LATE_LABELS}</p>"


def _week(number: int, one: Any, story: Story) -> str:
    sent = one.outcome
    look = next((seen for seen in story.watched if seen["as_of"] == str(one.when)), None)
    cells = (
        f"{sent['rows']:,}",
        percent(sent["mean_score"]),
        percent(sent["positives"] / max(sent["rows"], 1)),
        _shown(_newest(look)),
        _shown(_later(look, story)),
    )
    numbers = "".join(f'<td class="number">{cell}</td>' for cell in cells)
    looks = (seen for seen in story.steps if seen.verb == "monitor" and seen.when == one.when)
    report = next((seen.report for seen in looks), "")
    said = safe(_said(look))
    linked = f'<a href="{safe(report)}">{said}</a>' if report else said
    week = safe(sent["window"]["start"])
    return f'<tr id="step-{number}"><th scope="row">{week}</th>{numbers}<td>{linked}</td></tr>'


def _said(look: Any) -> str:
    """Return what the monitor said, without the release it said it of; what it wants in a word."""
    if look is None:
        return NOTHING
    if not look["calm"]:
        return f"{mark_of('warn').symbol} {_wants(look)}"
    return str(look["headline"]).removeprefix(f"{look['release']}: ")


def _newest(look: Any) -> Mapping[str, Any] | None:
    """Return the quality of a look's newest week, if it looked."""
    windows = look["health"]["metrics"][0]["windows"] if look else []
    return windows[-1] if windows else None


def _later(look: Any, story: Story) -> Mapping[str, Any] | None:
    """Return what the next look saw of the newest week of this one, with every label."""
    week = _newest(look)
    after = [one for one in story.watched if look and one["as_of"] > look["as_of"]]
    if week is None or not after or after[0]["release"] != look["release"]:
        return None
    seen = after[0]["health"]["metrics"][0]["windows"]
    return next((one for one in seen if one["since"] == week["since"]), None)


def _shown(week: Mapping[str, Any] | None) -> str:
    value = week["value"] if week else None
    return f"{value:.4f}" if value is not None else NOTHING


def _step(number: int, one: Any, story: Story) -> str:
    return step(
        number,
        one.title,
        one.command,
        outcome=state_of(one),
        word=_word(one),
        seconds=one.seconds,
        meta=f"{one.when} · {one.who}",
        why=one.why,
        output=one.output,
        body=_links_of(one, story),
    )


def _links_of(one: Any, story: Story) -> str:
    """Return links to the report that a step wrote and the pull request it is about."""
    titles = {address: title for title, address in story.reports}
    found = []
    if one.report:
        found.append(f'<a href="{safe(one.report)}">{safe(titles[one.report])}</a>')
    outcome = one.outcome if isinstance(one.outcome, Mapping) else {}
    number = outcome.get("number") or outcome.get("pull_request")
    for key in ("retraining", "rollback", "promotion"):
        part = outcome.get(key)
        if isinstance(part, Mapping):
            number = number or part.get("pull_request") or part.get("number")
    if isinstance(number, int):
        found.append(f'<a href="#pull-request-{number}">Pull request #{number}</a>')
    return f"<p>{' · '.join(found)}</p>" if found else ""


def state_of(one: Any) -> str:
    """Return how a step ended, as a state of `marks`."""
    outcome = one.outcome if isinstance(one.outcome, Mapping) else {}
    if "calm" in outcome:
        return "pass" if outcome["calm"] else "warn"
    if (release := released(one)) and is_against_advice(release):
        return "warn"
    return {0: "pass", 1: "block"}.get(one.exit_code, "error")


def _word(one: Any) -> str | None:
    outcome = one.outcome if isinstance(one.outcome, Mapping) else {}
    if "calm" in outcome:
        return _wants(outcome)
    if (release := released(one)) and is_against_advice(release):
        return "against advice"
    return "done" if one.exit_code == 0 and "verdict" not in outcome else None


def _wants(look: Mapping[str, Any]) -> str:
    """Return what the monitor wants, in a word or two."""
    if (look.get("rollback") or {}).get("wanted"):
        return "wants rollback"
    want = str(look.get("want", "nothing"))
    return {"nothing": "calm", "retrain": "wants retraining"}.get(want, want)
