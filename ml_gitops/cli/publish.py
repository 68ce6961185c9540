"""`report --event`: the job that may write, in a folder without a checkout."""

import argparse
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml_gitops.adapters.github.connect import GitHub, find_place
from ml_gitops.cli.setting import Setting, now
from ml_gitops.config import Config
from ml_gitops.errors import EXIT_PASSED, ConfigError, ForgeError
from ml_gitops.ports import Forge
from ml_gitops.render.terminal import Terminal
from ml_gitops.workflows.publishing.origin import Origin, read_origin
from ml_gitops.workflows.publishing.post import publish_left
from ml_gitops.workflows.status import silence

LARGEST = 8 << 20
"""Bytes of an event; GitHub's have at most a few hundred thousand."""


def publish(parsed: argparse.Namespace) -> int:
    """Post what another job left; what is not believed is told in a check run, and is no error."""
    setting = Setting(parsed)
    github = this_job("--event")
    event = _read(parsed.event)

    def read() -> Origin:
        return read_origin(
            os.environ.get("GITHUB_EVENT_NAME", ""),
            event,
            workflow=parsed.workflow or "",
            run=os.environ.get("GITHUB_RUN_ID", ""),
            attempt=os.environ.get("GITHUB_RUN_ATTEMPT", ""),
        )

    with setting.terminal:
        forge, today = github.forge(bot=True), setting.today()

        def note(config: Config, seen: Forge) -> str:
            return silence(config, seen, github.records(), today)

        done = publish_left(forge, github.runs(), read, os.environ, note)

    def tell(terminal: Terminal) -> None:
        if not done.models:
            state = "keep" if done.code == "unchanged" else "warn"
            terminal.status(state, f"{done.code}: nothing is posted; {done.reason}")
        for one in done.models:
            whose = f"{one.model}: " if len(done.models) > 1 else ""
            if one.code != "posted":
                terminal.status("warn", f"{whose}{one.code}: nothing is posted; {one.reason}")
                continue
            said = "posted" if one.posted else "already there, or out of date by now"
            terminal.status("pass", f"{whose}report on pull request #{done.pull_request}: {said}")

    setting.show(done, tell)
    return EXIT_PASSED


def this_job(option: str) -> GitHub:
    """Return the repository that this job is one of; nothing is checked out here.

    Args:
        option: what asked for it.

    Raises:
        ForgeError: it is no job.
    """
    place = find_place(None, os.environ)
    if place is None:
        raise ForgeError(
            "this is no job of GitHub Actions",
            hint=f"set GITHUB_REPOSITORY and GITHUB_TOKEN, or leave {option} out",
            where=option,
        )
    return GitHub(place, os.environ, now)


def _read(path: Path) -> Mapping[str, Any]:
    """Return the event, which GitHub wrote.

    Raises:
        ConfigError: there is none.
    """
    try:
        with path.open("rb") as file:
            event = json.loads(file.read(LARGEST))
    except (OSError, ValueError):
        event = None
    if not isinstance(event, dict):
        raise ConfigError(
            "there is no event to read", hint="name the file of GITHUB_EVENT_PATH", where="--event"
        )
    return event
