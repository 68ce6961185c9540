"""The demo as a page that a stranger enjoys: the year in one picture, then step by step."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from html import escape
from typing import Any

from ml_gitops.model.metrics import METRICS
from ml_gitops.render.charts.timeline import Event, Point, Series, Threshold, timeline
from ml_gitops.render.components import NavStep, card, figure, timeline_nav
from ml_gitops.render.diff import diff_to_html
from ml_gitops.render.numbers import count, duration
from ml_gitops.render.page import markdown_to_html, page
from ml_gitops.render.story_steps import Story, chapters_of, is_traffic, state_of, turn_of

REACH = 1.645
"""Standard errors on each side of a 90% interval."""

LEAD = (
    "One model, one year of real flights out of New York, and a team that works through pull "
    "requests alone. Every command below was run, every prediction answered over HTTP, every "
    "verdict computed; nothing is scripted but what people decide."
)


def to_html(story: Story) -> str:
    """Return the story as one self-contained page."""
    body = "\n".join(
        [
            _year(story),
            _facts(story),
            *chapters_of(story),
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
    """Return what happened in a few lines, each leading to its step."""
    lines = []
    for number, one in enumerate(story.steps, 1):
        said = turn_of(one)
        if said:
            lines.append(f'<li>{one.when}: <a href="#step-{number}">{escape(said)}</a></li>')
    sent = sum(one.outcome["rows"] for one in story.steps if is_traffic(one))
    bots = sum(one.author.bot for one in story.pull_requests)
    counted = (
        f"{count(len(story.pull_requests), 'pull request')} ({bots} by the bot), {sent:,} "
        f"predictions over HTTP, {count(len(story.watched), 'look')} of the monitor."
    )
    return f"<h2>What happened</h2>\n<ul>{''.join(lines)}</ul>\n<p>{escape(counted)}</p>"


def _stops(story: Story) -> Iterator[NavStep]:
    """Yield the stops of the contents: chapters, and the steps at which the story turned."""
    for place, (title, _) in enumerate(story.chapters, 1):
        yield NavStep(f"chapter-{place}", title, "info")
        for number, one in enumerate(story.steps, 1):
            if one.chapter == title and turn_of(one):
                yield NavStep(f"step-{number}", one.title, state_of(one))
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
