"""The demo as a page that a stranger enjoys: the year in one picture, then step by step."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from html import escape
from typing import Any

from ml_gitops.document import Part
from ml_gitops.model.metrics import METRICS
from ml_gitops.pull_request import PullRequest
from ml_gitops.render.charts.timeline import Event, Point, Series, Threshold, timeline
from ml_gitops.render.components import NavStep, card, figure, step, timeline_nav
from ml_gitops.render.diff import diff_to_html
from ml_gitops.render.numbers import count, duration
from ml_gitops.render.page import markdown_to_html, page

REACH = 1.645
"""Standard errors on each side of a 90% interval."""

LEAD = (
    "One model, one year of real flights out of New York, and a team that works through pull "
    "requests alone. Every command below was run, every prediction answered over HTTP, every "
    "verdict computed; nothing is scripted but what people decide."
)


class Story(Part):
    """What the page is made of.

    Attributes:
        steps: as `cli.stage.Step`: title, why, who, command, when, seconds, exit_code, output.
        pull_requests, diffs: all of them, with their changes.
        watched: outcomes of the monitor, oldest first.
        reports: title and relative address of every full report.
        metric: the one that decides.
        seconds: how long the telling took.
    """

    steps: tuple[Any, ...]
    pull_requests: tuple[PullRequest, ...]
    diffs: tuple[str, ...]
    watched: tuple[Any, ...]
    reports: tuple[tuple[str, str], ...]
    metric: str
    seconds: float


def to_html(story: Story) -> str:
    """Return the story as one self-contained page."""
    told = list(_chapters(story))
    body = "\n".join(
        [
            _year(story),
            _facts(story),
            *told,
            '<h2 id="pull-requests">The pull requests</h2>',
            *_proposals(story),
            _links(story),
        ]
    )
    return page(
        "A model lives through 2013",
        body,
        kicker="ML GitOps demo",
        lead=LEAD,
        nav=timeline_nav(list(_stops(story)), title="The story"),
        footer=f"<p>Told in {duration(story.seconds)} on one machine, without a network.</p>",
    )


def _year(story: Story) -> str:
    """Return the picture of the year: live quality week by week, and what was done about it."""
    metric = METRICS[story.metric]
    lines: dict[str, list[Point]] = {}
    limits: list[Threshold] = []
    for seen in story.watched:
        health = seen["health"]["metrics"][0]
        newest = health["windows"][-1] if health["windows"] else None
        if newest is None or newest["value"] is None:
            continue
        reach = REACH * newest["standard_error"]
        value = newest["value"]
        day = date.fromisoformat(seen["as_of"])
        point = Point(day, value, value - reach, value + reach)
        lines.setdefault(seen["release"], []).append(point)
        if health["reference"] and health["allowed"] and not limits:
            promised = health["reference"]["value"]
            allowed = promised - metric.sign * health["allowed"]
            limits = [Threshold(promised, "first promise"), Threshold(allowed, "allowed")]
    events = [
        Event(one.when, label) for one in story.steps if (label := _event_label(one)) is not None
    ]
    picture = timeline(
        [Series(release, points) for release, points in lines.items()],
        title=f"Live {metric.label}, week by week, by release",
        thresholds=limits,
        events=events,
    )
    caption = (
        f"Each point is one week of flights: predictions made over HTTP, joined with what "
        f"happened. Ribbons are 90% intervals; {'higher' if metric.higher_is_better else 'lower'} "
        "is better."
    )
    return figure(picture, caption)


def _event_label(one: Any) -> str | None:
    """Return the flag of a step that changed what production serves, or wanted to."""
    outcome = one.outcome if isinstance(one.outcome, Mapping) else {}
    if one.command.startswith("ml-gitops monitor"):
        if (outcome.get("retraining") or {}).get("action") == "open":
            return f"retraining #{outcome['retraining']['pull_request']}"
        if (outcome.get("rollback") or {}).get("action") == "open":
            return f"rollback #{outcome['rollback']['pull_request']}"
    if one.command.startswith("ml-gitops release") and outcome.get("is_new"):
        return str(outcome["release"]["version"])
    return None


def _facts(story: Story) -> str:
    sent = sum(
        one.outcome["rows"]
        for one in story.steps
        if one.who == "production" and isinstance(one.outcome, Mapping) and "rows" in one.outcome
    )
    bots = sum(one.author.bot for one in story.pull_requests)
    text = (
        f"{count(len(story.steps), 'step')}, {count(len(story.pull_requests), 'pull request')} "
        f"({bots} by the bot), {sent:,} predictions over HTTP, "
        f"{count(len(story.watched), 'run')} of the monitor."
    )
    return f"<p>{escape(text)}</p>"


def _chapters(story: Story) -> Iterator[str]:
    for number, one in enumerate(story.steps, 1):
        why = f"<p>{escape(one.why)}</p>" if one.why else ""
        output = (
            f"<details{' open' if _short(one.output) else ''}><summary>What it printed</summary>"
            f'<pre tabindex="0"><code>{escape(one.output.rstrip())}</code></pre></details>'
            if one.output.strip()
            else ""
        )
        links = _links_of(one, story)
        yield step(
            number,
            one.title,
            one.command if one.who != "production" else "",
            outcome=_state(one),
            word=_word(one),
            seconds=one.seconds,
            body=f'<p class="meta">{one.when} · {escape(one.who)}</p>\n{why}{output}{links}',
        )


def _short(output: str) -> bool:
    return len(output.splitlines()) <= 14


def _links_of(one: Any, story: Story) -> str:
    """Return links to the report that a step wrote and the pull request it is about."""
    found = [
        f'<a href="{escape(address)}">{escape(title)}</a>'
        for title, address in story.reports
        if address.rpartition("/")[2] in one.command
    ]
    outcome = one.outcome if isinstance(one.outcome, Mapping) else {}
    number = outcome.get("number") or outcome.get("pull_request")
    for key in ("retraining", "rollback", "promotion"):
        part = outcome.get(key)
        if isinstance(part, Mapping):
            number = number or part.get("pull_request") or part.get("number")
    if isinstance(number, int):
        found.append(f'<a href="#pull-request-{number}">Pull request #{number}</a>')
    return f"<p>{' · '.join(found)}</p>" if found else ""


def _state(one: Any) -> str:
    outcome = one.outcome if isinstance(one.outcome, Mapping) else {}
    if "calm" in outcome:
        return "pass" if outcome["calm"] else "warn"
    return {0: "pass", 1: "block"}.get(one.exit_code, "error")


def _word(one: Any) -> str | None:
    outcome = one.outcome if isinstance(one.outcome, Mapping) else {}
    if "calm" in outcome:
        if (outcome.get("rollback") or {}).get("wanted"):
            return "wants rollback"
        want = outcome.get("want", "nothing")
        return {"nothing": "calm", "retrain": "wants retraining"}.get(want, want)
    return "done" if one.exit_code == 0 and "verdict" not in outcome else None


def _stops(story: Story) -> Iterator[NavStep]:
    for number, one in enumerate(story.steps, 1):
        if one.who == "production" or one.command.startswith("ml-gitops data"):
            continue
        yield NavStep(f"step-{number}", one.title, _state(one))
    yield NavStep("pull-requests", "The pull requests", "info")


def _proposals(story: Story) -> Iterator[str]:
    for one, changes in zip(story.pull_requests, story.diffs, strict=True):
        parts = [markdown_to_html(one.body, heading=4)]
        parts += [
            f'<blockquote><p class="meta">{escape(comment.author.login)} commented</p>'
            f"{markdown_to_html(comment.body, heading=4)}</blockquote>"
            for comment in one.comments
        ]
        parts.append(f"<h4>Changes</h4>{diff_to_html(changes, open_lines=40)}")
        labels = f" · {', '.join(one.labels)}" if one.labels else ""
        yield card(
            f"#{one.number} {one.title}",
            "\n".join(parts),
            state=one.state,
            meta=f"{one.author.login} wants {one.branch} in {one.base} · "
            f"{one.created:%Y-%m-%d}{labels}",
            anchor=f"pull-request-{one.number}",
        )


def _links(story: Story) -> str:
    items: Sequence[str] = [
        f'<li><a href="{escape(address)}">{escape(title)}</a></li>'
        for title, address in story.reports
    ]
    return f"<h2>All reports</h2>\n<ul>\n{''.join(items)}\n</ul>"
