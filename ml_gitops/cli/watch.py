"""`monitor`: the command of a schedule."""

import argparse
from typing import Any

from ml_gitops.cli.setting import Setting
from ml_gitops.cli.tell import tell_proposal, tell_tended
from ml_gitops.errors import EXIT_PASSED, DataError
from ml_gitops.monitoring.observation import Observation
from ml_gitops.pull_request import (
    Action,
    Close,
    IssueAction,
    IssueSpec,
    Keep,
    Open,
    PullRequest,
    Tell,
    Update,
)
from ml_gitops.render.blocks import Heading
from ml_gitops.render.numbers import count
from ml_gitops.render.observation_body import look_summary
from ml_gitops.render.observation_page import to_html
from ml_gitops.render.observation_tables import SHIFT_NOTE, drift_table, quality_table
from ml_gitops.render.terminal import Terminal
from ml_gitops.workflows.cm import Watched, look
from ml_gitops.workflows.cm import monitor as watch
from ml_gitops.workflows.ct import Train
from ml_gitops.workflows.observing import read_profile
from ml_gitops.workflows.registry import read_release


def monitor(parsed: argparse.Namespace) -> int:
    """Look at production, record what was seen, and propose what follows."""
    if parsed.propose:
        from ml_gitops.cli.propose import propose

        return propose(parsed)
    if parsed.every_model:
        from ml_gitops.cli.every import monitor_every

        return monitor_every(parsed)
    setting = Setting(parsed)
    watched = watch_model(setting, parsed)
    if parsed.html:
        forge = setting.forge()
        profile = read_profile(forge, read_release(forge, watched.observation.release))
        setting.write(parsed.html, to_html(watched.observation, profile))
    setting.show(
        summarize(watched, setting.repository.folder),
        lambda terminal: tell_watched(terminal, watched),
        summary=look_summary(watched.observation),
    )
    return EXIT_PASSED


def watch_model(setting: Setting, parsed: argparse.Namespace) -> Watched:
    """Look at one model as the command line says.

    Raises:
        DataError: the day has not come yet.
    """
    as_of = parsed.as_of or setting.today()
    if as_of > setting.today():
        raise DataError(
            f"{as_of} has not come yet", hint="name today or a day before", where="--as-of"
        )
    watches = setting.config.monitor
    setting.workspace.refuse_links_out([watches.log, watches.labels])
    with setting.terminal as terminal:
        world = (
            setting.config,
            setting.workspace,
            setting.repository,
            setting.forge(),
            setting.records(),
            setting.warehouse,
            terminal,
        )
        if parsed.dry_run or parsed.no_train:
            return look(*world, as_of, rehearse=parsed.dry_run)
        return watch(*world, as_of)


def summarize(watched: Watched, folder: str) -> dict[str, Any]:
    """Return what was seen and done as plain values.

    Args:
        folder: of the model in its repository.
    """
    observation = watched.observation
    return {
        "as_of": observation.as_of,
        "release": observation.release,
        "headline": observation.headline,
        "calm": observation.calm,
        "dry_run": watched.rehearsed,
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
            **_proposal_summary(watched.rollback, watched.rollback_proposal),
        },
        **deeds(watched),
        "retrain": _to_train(watched, folder),
        "obstacle": watched.obstacle,
        "left_out": observation.left_out,
        "unread": observation.unread,
        "unmatched": observation.unmatched,
    }


def deeds(watched: Watched) -> dict[str, object]:
    """Return what was done about retraining, incident and dashboard, as plain values."""
    issue, incident = watched.issue, watched.incident
    return {
        "retraining": _proposal_summary(watched.retraining, watched.retraining_proposal),
        "incident": {
            "issue": issue.number if issue else _number(incident),
            "action": _word(incident),
        },
        "dashboard": watched.tended.dashboard,
    }


def _to_train(watched: Watched, folder: str) -> list[dict[str, str]]:
    """Return the trainings that were planned and not carried out, as another job needs them."""
    if watched.rehearsed or not isinstance(watched.retraining, Train):
        return []
    return [
        {
            "directory": folder.rstrip("/") or ".",
            "model": watched.observation.model,
            "until": str(watched.retraining.until),
            "commit": watched.commit,
            "record": watched.record,
        }
    ]


def _proposal_summary(action: Action | Train, proposal: PullRequest | None) -> dict[str, object]:
    return {
        "pull_request": proposal.number if proposal else _number(action),
        "action": _word(action),
        "draft": proposal.draft if proposal else None,
        "reason": action.reason if isinstance(action, Keep | Close | Tell) else None,
    }


def _number(action: Action | IssueAction | Train) -> int | None:
    """Return the number of what an action is about, if it is there already."""
    return None if isinstance(action, Open) else action.number


def _word(action: Action | IssueAction | Train) -> str:
    """Return an action as one word."""
    return type(action).__name__.lower()


def tell_watched(terminal: Terminal, watched: Watched) -> None:
    """Tell what was seen of a model, and what was done about it."""
    observation = watched.observation
    terminal.panel(
        f"{observation.release} in {observation.environment}, as of {observation.as_of}", []
    )
    terminal.status(_state(observation), observation.retrain.headline)
    if observation.health.verdict == "insufficient":
        terminal.line(f"  {observation.health.text}")
    if observation.rollback.roll_back:
        terminal.status("fail", observation.rollback.headline)
    terminal.line()
    _tell_evidence(terminal, observation)
    terminal.line()
    for remark in observation.remarks:
        terminal.status("warn", remark)
    if watched.rehearsed:
        _tell_plans(terminal, watched)
    else:
        tell_deeds(terminal, watched)


def _tell_evidence(terminal: Terminal, observation: Observation) -> None:
    """Show each metric by window, and how far each feature of the newest one has moved."""
    terminal.show(quality_table(one, observation) for one in observation.health.metrics)
    terminal.line()
    title = f"{count(observation.drift[-1].rows, 'prediction')} of the newest window"
    if observation.one_in > 1:
        title += f", one in {observation.one_in} of the log"
    terminal.show([Heading(title)])
    terminal.show([drift_table(observation.drift)])
    terminal.line(observation.drift[-1].text)
    terminal.line(SHIFT_NOTE)


def _state(observation: Observation) -> str:
    """Return the mark of a decision; calm that nobody could judge is no pass."""
    want, health = observation.retrain.want, observation.health
    if want == "nothing":
        bad = any(one.bad for metric in health.metrics for one in metric.windows)
        calm = "unknown" if health.verdict == "insufficient" else "pass"
        return "warn" if bad or observation.stopped else calm
    return "fail" if want == "retrain" else "warn"


def tell_deeds(terminal: Terminal, watched: Watched) -> None:
    """Say what was done about each, and what is still to be trained."""
    if not (isinstance(watched.rollback, Keep) and watched.rollback.number is None):
        tell_proposal(terminal, watched.rollback_proposal, watched.rollback)
    if isinstance(watched.retraining, Train):
        until = watched.retraining.until
        terminal.status("open", f"to be trained on rows until {until}, in a job of its own")
    else:
        tell_proposal(terminal, watched.retraining_proposal, watched.retraining)
    if watched.issue is not None:
        state, done = {
            "open": ("warn", "opened"),
            "update": ("warn", "updated"),
            "close": ("pass", "closed"),
            "tell": ("keep", "unchanged:"),
            "keep": ("keep", "unchanged:"),
        }[_word(watched.incident)]
        terminal.status(state, f"{done} issue #{watched.issue.number} {watched.issue.title}")
    tell_tended(terminal, watched.tended)


def _tell_plans(terminal: Terminal, watched: Watched) -> None:
    terminal.line("Nothing was written: this was a dry run. Without --dry-run it would")
    plans = [
        _planned(watched.rollback, "rollback"),
        _planned(watched.retraining, "retraining"),
        _planned(watched.incident, "incident"),
    ]
    for plan in filter(None, plans):
        terminal.line(f"  - {plan}")
    if watched.obstacle:
        terminal.status("warn", f"the retraining would stop at once: {watched.obstacle}")
    if not any(plans):
        terminal.line("  - record what it saw, and nothing else")


def _planned(action: Action | IssueAction | Train, kind: str) -> str:
    """Say what an action will do; nothing, if it does nothing."""
    match action:
        case Train(until, number):
            proposal = f"update #{number}" if number else f"open a {kind} pull request"
            return f"train on rows until {until}, judge the candidate, and {proposal}"
        case Open(spec):
            what = "issue" if isinstance(spec, IssueSpec) else "pull request"
            return f"open the {what} {spec.title!r}"
        case Update(number, spec):
            return f"update #{number} {spec.title}"
        case Close(number, reason):
            return f"close #{number}: {reason}"
        case Tell(number, _, reason) | Keep(int() as number, reason):
            return f"leave #{number} as it is: {reason}"
    return ""
