"""`status`: the command of a person who looks in."""

import argparse

from ml_gitops.cli.setting import Setting
from ml_gitops.errors import EXIT_PASSED
from ml_gitops.render.terminal import Terminal
from ml_gitops.status import Status
from ml_gitops.workflows.status import read_status


def status(parsed: argparse.Namespace) -> int:
    """Show what serves where, and what is proposed."""
    setting = Setting(parsed)
    found = read_status(setting.config, setting.forge(), setting.records(), setting.today())
    setting.show(found, lambda terminal: _tell_status(terminal, found))
    return EXIT_PASSED


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
    for tag in (tag for place in found.environments for tag in place.made_up):
        said = f"{tag} is passed over: nothing was counted up to it; git push --delete origin {tag}"
        terminal.status("warn", said)
    for one in found.open:
        terminal.status("open", f"#{one.number} {one.title} (by {one.author})")
    for issue in found.issues:
        terminal.status("warn", f"issue #{issue.number} {issue.title}")
    for quiet in found.quiet:
        terminal.status("keep", quiet.text)
    if found.silence:
        terminal.status("warn", found.silence)
    if not found.open and not found.issues and not unrecorded and not found.silence:
        terminal.line("Nothing is waiting for anyone.")
