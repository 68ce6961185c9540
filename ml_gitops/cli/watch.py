"""`monitor` and `status`: the commands of a schedule, and of a person who looks in."""

import argparse

from ml_gitops.cli.deliver import tell_proposal
from ml_gitops.cli.setting import Setting
from ml_gitops.errors import EXIT_PASSED
from ml_gitops.model.metrics import METRICS
from ml_gitops.monitoring.observation import Observation
from ml_gitops.render.charts.bars import sparkline
from ml_gitops.render.numbers import count, percent
from ml_gitops.render.observation_page import to_html
from ml_gitops.render.terminal import Terminal
from ml_gitops.workflows.cm import (
    Watched,
    act_on_incident,
    act_on_rollback,
    observe,
    read_profile,
    record,
)
from ml_gitops.workflows.ct import act_on_retraining
from ml_gitops.workflows.registry import read_release
from ml_gitops.workflows.status import Status, read_status


def monitor(parsed: argparse.Namespace) -> int:
    """Look at production, record what was seen, and propose what follows."""
    setting = Setting(parsed)
    forge = setting.forge()
    as_of = parsed.as_of or setting.today()
    config = setting.config
    with setting.terminal as terminal:
        observation = observe(
            config, forge, setting.warehouse, terminal, setting.workspace.root, as_of
        )
        watched = Watched(observation)
        if not parsed.dry_run:
            record(setting.records(), observation)
            rollback, rolled = act_on_rollback(config, forge, observation)
            retraining, retrained = act_on_retraining(
                config,
                setting.workspace,
                setting.repository,
                forge,
                setting.warehouse,
                terminal,
                observation,
            )
            incident, told = act_on_incident(config, forge, observation)
            watched = Watched(observation, retraining, retrained, rollback, rolled, incident, told)
    if parsed.html:
        profile = read_profile(forge, read_release(forge, observation.release))
        setting.write(parsed.html, to_html(observation, profile))
    setting.show(_summary(watched), lambda terminal: _tell_watched(terminal, watched))
    return EXIT_PASSED


def status(parsed: argparse.Namespace) -> int:
    """Show what serves where, and what is proposed."""
    setting = Setting(parsed)
    found = read_status(setting.config, setting.forge(), setting.records())
    setting.show(found, lambda terminal: _tell_status(terminal, found))
    return EXIT_PASSED


def _summary(watched: Watched) -> dict[str, object]:
    def named(action: object) -> str | None:
        return type(action).__name__.lower() if action is not None else None

    observation = watched.observation
    return {
        "as_of": observation.as_of,
        "release": observation.release,
        "headline": observation.headline,
        "calm": observation.calm,
        "want": observation.retrain.want,
        "reasons": observation.retrain.reasons,
        "health": observation.health,
        "drift": [
            {
                "until": report.until,
                "verdict": report.verdict,
                "text": report.text,
                "rows": report.rows,
                "drifted": [column.name for column in report.drifted],
            }
            for report in observation.drift
        ],
        "rollback": {
            "wanted": observation.rollback.roll_back,
            "headline": observation.rollback.headline,
            "loss": observation.rollback.loss,
            "pull_request": watched.rollback.number if watched.rollback else None,
            "action": named(watched.rollback_action),
        },
        "retraining": {
            "pull_request": watched.retraining.number if watched.retraining else None,
            "action": named(watched.retraining_action),
            "draft": watched.retraining.draft if watched.retraining else None,
            "reason": getattr(watched.retraining_action, "reason", None),
        },
        "incident": {
            "issue": watched.incident.number if watched.incident else None,
            "action": watched.incident_action,
        },
        "left_out": observation.left_out,
    }


def _tell_watched(terminal: Terminal, watched: Watched) -> None:
    observation = watched.observation
    terminal.panel(
        f"{observation.release} in {observation.environment}, as of {observation.as_of}", []
    )
    _tell_quality(terminal, observation)
    _tell_drift(terminal, observation)
    state = {"nothing": "pass", "watch": "warn", "incident": "warn", "retrain": "fail"}
    bad = any(one.bad for metric in observation.health.metrics for one in metric.windows)
    want = "watch" if bad and observation.retrain.want == "nothing" else observation.retrain.want
    terminal.status(state[want], observation.retrain.headline)
    if observation.health.verdict == "insufficient":
        terminal.line(f"  {observation.health.text}")
    if observation.rollback.roll_back:
        terminal.status("fail", observation.rollback.headline)
    for proposal, action in (
        (watched.rollback, watched.rollback_action),
        (watched.retraining, watched.retraining_action),
    ):
        if action is not None:
            tell_proposal(terminal, proposal, action)
    if watched.incident is not None:
        words = {"open": "opened", "update": "updated", "close": "closed", "keep": "unchanged:"}
        said = f"{words[watched.incident_action]} issue #{watched.incident.number}"
        shown = {"open": "warn", "update": "warn", "close": "pass"}
        terminal.status(
            shown.get(watched.incident_action, "keep"), f"{said} {watched.incident.title}"
        )


def _tell_quality(terminal: Terminal, observation: Observation) -> None:
    for metric in observation.health.metrics:
        known = METRICS[metric.metric]
        rows = [
            [
                f"{one.since:%m-%d}..{one.until:%m-%d}",
                f"{seen.predictions:,}",
                percent(seen.coverage, digits=0),
                known.text(one.value) if one.value is not None else "–",
                known.text(-one.drop, signed=True) if one.drop is not None else "–",
                "bad" if one.bad else ("ok" if one.usable else "cannot tell"),
            ]
            for one, seen in zip(metric.windows, observation.windows, strict=False)
        ]
        terminal.table(
            ["window", "rows", "labelled", known.label, "vs promise", ""],
            rows,
            align=["left", "right", "right", "right", "right", "left"],
        )


def _tell_drift(terminal: Terminal, observation: Observation) -> None:
    last = observation.drift[-1]
    effects: dict[str, list[float]] = {}
    for report in observation.drift:
        for column in report.columns:
            effects.setdefault(column.name, []).append(column.effect)
    rows = [
        [
            column.name,
            percent(column.weight, digits=0),
            f"{column.effect:.2f}",
            f"{column.q:.2g}",
            sparkline(effects[column.name], low=0.0, high=max(0.5, *effects[column.name])),
            "drifts" if column.drifted else "as before",
        ]
        for column in last.columns[:8]
    ]
    terminal.table(
        ["feature", "importance", "shift w", "q", "windows", ""],
        rows,
        align=["left", "right", "right", "right", "left", "left"],
        title=f"{count(last.rows, 'prediction')} of the newest window"
        + (f", one in {observation.one_in} of the log" if observation.one_in > 1 else ""),
    )
    terminal.line(last.text)


def _tell_status(terminal: Terminal, found: Status) -> None:
    terminal.panel(
        found.model,
        [
            ("forge", found.forge),
            ("releases", ", ".join(found.releases) or "none yet"),
            ("watched", f"{found.watched or 'never'}: {found.said}"),
        ],
    )
    terminal.table(
        ["environment", "serves", "since", "history"],
        [
            [
                one.environment,
                one.tag or "nothing",
                one.since or "–",
                ", ".join(one.history) or "–",
            ]
            for one in found.environments
        ],
        align=["left", "left", "left", "left"],
    )
    unrecorded = [one for one in found.environments if one.tag and one.since is None]
    for place in unrecorded:
        said = f"{place.environment}: {place.tag} is not recorded yet; run `ml-gitops release`"
        terminal.status("warn", said)
    for one in found.open:
        terminal.status("open", f"#{one.number} {one.title} (by {one.author})")
    for title in found.issues:
        terminal.status("warn", f"issue: {title}")
    if not found.open and not found.issues and not unrecorded:
        terminal.line("Nothing is waiting for anyone.")
