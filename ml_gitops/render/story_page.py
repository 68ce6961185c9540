"""The demo as a page that a stranger enjoys: the weeks in one picture, then step by step."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

from ml_gitops.model.metrics import METRICS
from ml_gitops.render.charts.drawing import safe
from ml_gitops.render.charts.events import Event
from ml_gitops.render.charts.lines import Point, Series
from ml_gitops.render.charts.timeline import Threshold, timeline
from ml_gitops.render.components import NavStep, card, figure, timeline_nav
from ml_gitops.render.diff import diff_to_html
from ml_gitops.render.marks import mark_of
from ml_gitops.render.numbers import duration
from ml_gitops.render.observation_page import window_point
from ml_gitops.render.page import markdown_to_html, page
from ml_gitops.render.reader import spans
from ml_gitops.render.story_steps import (
    Story,
    chapters_of,
    is_against_advice,
    is_traffic,
    released,
    state_of,
    turn_of,
)
from ml_gitops.render.tables import plain

WEEK = timedelta(days=7)
LEAD = (
    "One model, real flights out of New York{span}, and a team that works through pull requests "
    "alone. Every command below was run, every prediction answered over HTTP, every verdict "
    "computed; nothing is scripted but what people decide. It ends where a rollback was merged; "
    "the rest of the year is not told."
)


def to_html(story: Story) -> str:
    """Return the story as one self-contained page."""
    body = "\n".join(
        [
            _picture(story),
            _facts(story),
            *chapters_of(story),
            '<h2 id="pull-requests">The pull requests</h2>',
            *_proposals(story),
            _links(story),
        ]
    )
    return page(
        "A model lives in production",
        body,
        kicker="ML GitOps demo",
        lead=LEAD.format(span=_span(story)),
        nav=timeline_nav(list(_stops(story)), title="The story"),
        footer=f"<p>Told in {duration(story.seconds)} on one machine, without a network.</p>",
    )


def _span(story: Story) -> str:
    """Return the days whose flights were sent, in words; nothing if none were."""
    sent = [one for one in story.steps if is_traffic(one)]
    if not sent:
        return ""
    first = date.fromisoformat(sent[0].outcome["window"]["start"])
    last = sent[-1].when - timedelta(days=1)
    return f" from {first.day} {first:%B} to {last.day} {last:%B %Y}"


def _picture(story: Story) -> str:
    """Return the picture of it all: live quality week by week, and what was done about it."""
    metric = METRICS[story.metric]
    lines: dict[str, list[Point]] = {}
    levels: dict[str, list[Threshold]] = {}
    for seen in story.watched:
        health = seen["health"]["metrics"][0]
        newest = health["windows"][-1] if health["windows"] else None
        if newest is None or newest["value"] is None:
            continue
        day = date.fromisoformat(seen["as_of"])
        point = window_point(day, newest["value"], newest["interval"], bad=newest["bad"])
        lines.setdefault(seen["release"], []).append(point)
        levels[seen["release"]] = _levels(health, lines[seen["release"]])
    events = [
        Event(one.when, label) for one in story.steps if (label := _event_label(one)) is not None
    ]
    draw = partial(
        timeline,
        [Series(release, points) for release, points in lines.items()],
        title=f"Live {metric.label}, week by week",
        thresholds=[level for both in levels.values() for level in both],
        events=events,
        bad="bad window",
    )
    better = "higher" if metric.higher_is_better else "lower"
    caption = (
        "Each point is one week of flights, at its end: predictions made over HTTP, joined with "
        "what was known that morning; labels that came later move it, as the tables below show. "
        f"Whiskers are 90% intervals; {better} is better. Every release is held to what its own "
        f"holdout promised.{''.join(_reservations(story))}"
    )
    return figure(draw, caption)


def _reservations(story: Story) -> Iterator[str]:
    """Say of a release against advice that keeping its promise does not make it good."""
    for release in filter(None, map(released, story.steps)):
        if is_against_advice(release):
            tag = f"{mark_of('warn').symbol} {release['tag']}"
            yield (
                f" {tag} was released against the gate's advice and promised less, so that keeping "
                "its promise does not make it good: the release before, on the same flights, tells."
            )


def _levels(health: Any, points: Sequence[Point]) -> list[Threshold]:
    """Return what a release promised and what is allowed, over the weeks that it lived."""
    if not (health["reference"] and health["allowed"]):
        return []
    promised = health["reference"]["value"]
    allowed = promised - METRICS[health["metric"]].sign * health["allowed"]
    span = points[0].when - WEEK, points[-1].when
    return [
        Threshold(promised, "promised", False, *span),
        Threshold(allowed, "allowed", True, *span),
    ]


def _event_label(one: Any) -> str | None:
    """Return the flag of a step that changed what production serves, or wanted to."""
    outcome = one.outcome if isinstance(one.outcome, Mapping) else {}
    if one.verb == "monitor":
        if (outcome.get("retraining") or {}).get("action") == "open":
            return f"retraining #{outcome['retraining']['pull_request']}"
        if (outcome.get("rollback") or {}).get("action") == "open":
            return f"rollback #{outcome['rollback']['pull_request']}"
    if release := released(one):
        mark = f" {mark_of('warn').symbol}" if is_against_advice(release) else ""
        return f"{release['version']}{mark}"
    return None


def _facts(story: Story) -> str:
    """Return what happened in a few lines, each leading to its step."""
    turns = [
        f'<li><time datetime="{one.when}">{one.when:%b} {one.when.day}</time><div>'
        f'<a href="#step-{number}">{safe(turn.title)}</a>'
        f"<p>{safe(turn.why)}</p></div></li>"
        for number, one in enumerate(story.steps, 1)
        if (turn := turn_of(one))
    ]
    sent = sum(one.outcome["rows"] for one in story.steps if is_traffic(one))
    bots = sum(one.author.bot for one in story.pull_requests)
    numbers = [
        (f"{sent:,}", "predictions over HTTP"),
        (str(len(story.watched)), "looks of the monitor"),
        (str(len(story.pull_requests)), f"pull requests, {bots} by the bot"),
        (duration(story.seconds), "to tell it all"),
    ]
    listed = "".join(f"<div><dt>{name}</dt><dd>{safe(n)}</dd></div>" for n, name in numbers)
    return (
        f'<h2 id="what-happened">What happened</h2>\n<ol class="turns">{"".join(turns)}</ol>\n'
        f'<dl class="facts">{listed}</dl>'
    )


def _stops(story: Story) -> Iterator[NavStep]:
    """Yield the stops of the contents: chapters, and the steps at which the story turned."""
    yield NavStep("what-happened", "What happened")
    for place, (title, _) in enumerate(story.chapters, 1):
        yield NavStep(f"chapter-{place}", title)
        for number, one in enumerate(story.steps, 1):
            if one.chapter == title and (turn := turn_of(one)):
                yield NavStep(f"step-{number}", turn.title, state_of(one))
    yield NavStep("pull-requests", "The pull requests")
    yield NavStep("reports", "All reports")


def _proposals(story: Story) -> Iterator[str]:
    for one, changes in zip(story.pull_requests, story.diffs, strict=True):
        parts = [markdown_to_html(one.body, heading=4)]
        parts += [
            f'<details class="comment"><summary>{safe(comment.author.login)} commented: '
            f"{safe(_first_line(comment.body))}</summary>"
            f"{markdown_to_html(comment.body, heading=4)}</details>"
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


def _first_line(markdown: str) -> str:
    """Return how a comment begins, as text."""
    first = next((line for line in markdown.split("\n") if line.strip()), "")
    return plain("".join(span.text for span in spans(first.lstrip("#- "))), limit=120)


def _links(story: Story) -> str:
    items: Sequence[str] = [
        f'<li><a href="{safe(address)}">{safe(title)}</a></li>' for title, address in story.reports
    ]
    return f'<h2 id="reports">All reports</h2>\n<ul class="columns">\n{"".join(items)}\n</ul>'
