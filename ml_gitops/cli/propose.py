"""`monitor --propose`: the job that may write, in a folder without a checkout."""

import argparse
import os

from ml_gitops.cli.publish import this_job
from ml_gitops.cli.setting import Setting
from ml_gitops.cli.watch import deeds, tell_deeds
from ml_gitops.errors import EXIT_FAILED, EXIT_PASSED, ConfigError
from ml_gitops.workflows.publishing.origin import Refusal
from ml_gitops.workflows.publishing.retraining import Asked, propose_left


def propose(parsed: argparse.Namespace) -> int:
    """Propose what another job of this run trained; what is not believed is refused in one line."""
    setting = Setting(parsed)
    github = this_job("--propose")
    asked = _asked(parsed)
    try:
        with setting.terminal:
            watched = propose_left(
                github.forge(bot=True), github.records(), github.runs(), asked, os.environ
            )
    except Refusal as refusal:
        code, reason = refusal.code, refusal.reason
        said = f"{code}: nothing is proposed; {reason}"
        setting.show(
            {"code": code, "reason": reason}, lambda terminal: terminal.status("fail", said)
        )
        return EXIT_FAILED
    setting.show(
        {"code": "held", "reason": "", **deeds(watched)},
        lambda terminal: tell_deeds(terminal, watched),
    )
    return EXIT_PASSED


def _asked(parsed: argparse.Namespace) -> Asked:
    """Return the training that the look asked for.

    Raises:
        ConfigError: something of it is not said.
    """
    run = os.environ.get("GITHUB_RUN_ID", "")
    if not (parsed.until and parsed.commit and run.isdecimal()):
        raise ConfigError(
            "--until, --commit and GITHUB_RUN_ID are needed to know what was trained",
            hint="give what the job that looked left as `retrain`",
            where="--propose",
        )
    return Asked(parsed.propose, parsed.until, parsed.commit, int(run))
