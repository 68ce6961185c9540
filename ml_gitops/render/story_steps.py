"""The steps of the demo's story as HTML: chapters, commands, and calm weeks as one table."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from ml_gitops.document import Part
from ml_gitops.model.metrics import METRICS
from ml_gitops.pull_request import PullRequest
from ml_gitops.render.components import step


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


def turn_of(one: Any) -> str | None:
    """Return the sentence of a step at which the story turned."""
    outcome = one.outcome if isinstance(one.outcome, Mapping) else {}
    if one.command.startswith("ml-gitops release") and outcome.get("is_new"):
        return f"{outcome['release']['tag']} is released. {outcome['release']['verdict']}"
    if one.command == "ml-gitops train" and outcome.get("verdict") == "block":
        return f"The gate advises against a change. {outcome['headline']}"
    if one.command.startswith("ml-gitops monitor"):
        for kind in ("rollback", "retraining"):
            part = outcome.get(kind) or {}
            if part.get("action") == "open":
                why = (outcome["reasons"] or [""])[0] if kind == "retraining" else part["headline"]
                return f"The monitor proposes a {kind}, #{part['pull_request']}: {why}"
    return None


def is_traffic(one: Any) -> bool:
    """Say whether a step was a week of live traffic."""
    return one.who == "production" and isinstance(one.outcome, Mapping) and "rows" in one.outcome


def _is_calm_look(one: Any) -> bool:
    outcome = one.outcome if isinstance(one.outcome, Mapping) else {}
    return one.command.startswith("ml-gitops monitor") and bool(outcome.get("calm"))


def chapters_of(story: Story) -> Iterator[str]:
    """Yield every chapter: its heading, its steps, and calm weeks as one table."""
    numbered = list(enumerate(story.steps, 1))
    for place, (title, text) in enumerate(story.chapters, 1):
        yield f'<h2 id="chapter-{place}">{escape(title)}</h2>\n<p>{escape(text)}</p>'
        calm: list[tuple[int, Any]] = []
        for number, one in numbered:
            if one.chapter != title:
                continue
            if is_traffic(one) or _is_calm_look(one):
                calm.append((number, one))
                continue
            yield from _weeks(calm, METRICS[story.metric].label)
            calm = []
            yield _step(number, one, story)
        yield from _weeks(calm, METRICS[story.metric].label)


def _weeks(steps: Sequence[tuple[int, Any]], metric: str) -> Iterator[str]:
    """Yield weeks of traffic, and what the monitor said of them, as one table."""
    if not steps:
        return
    rows = []
    looks = {one.when: one.outcome for _, one in steps if _is_calm_look(one)}
    for number, one in steps:
        if not is_traffic(one):
            continue
        sent, look = one.outcome, looks.get(one.when)
        newest = _newest(look)
        rows.append(
            f'<tr id="step-{number}"><td>{sent["window"]["start"]}</td>'
            f"<td>{sent['rows']:,}</td><td>{sent['mean_score']:.1%}</td>"
            f"<td>{sent['positives'] / max(sent['rows'], 1):.1%}</td>"
            f"<td>{newest}</td><td>{escape(look['headline']) if look else 'see below'}</td></tr>"
        )
    head = "".join(
        f"<th>{escape(name)}</th>"
        for name in (
            "week from",
            "flights",
            "late, predicted",
            "late, true",
            metric,
            "monitor",
        )
    )
    yield (
        '<div class="scroll" role="region" aria-label="Weeks" tabindex="0"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _newest(look: Any) -> str:
    windows = look["health"]["metrics"][0]["windows"] if look else []
    value = windows[-1]["value"] if windows else None
    return f"{value:.4f}" if value is not None else "–"


def _step(number: int, one: Any, story: Story) -> str:
    why = f"<p>{escape(one.why)}</p>" if one.why else ""
    opened = " open" if _short(one.output) else ""
    output = (
        f"<details{opened}><summary>What it printed</summary>"
        f'<pre tabindex="0"><code>{escape(one.output.rstrip())}</code></pre></details>'
        if one.output.strip()
        else ""
    )
    return step(
        number,
        one.title,
        one.command,
        outcome=state_of(one),
        word=_word(one),
        seconds=one.seconds,
        body=f'<p class="meta">{one.when} · {escape(one.who)}</p>\n{why}{output}'
        f"{_links_of(one, story)}",
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


def state_of(one: Any) -> str:
    """Return how a step ended, as a state of `marks`."""
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
