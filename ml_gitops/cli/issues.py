"""`issue`: what the monitor tells people, from the command line."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from ml_gitops.cli.setting import Setting
from ml_gitops.cli.threads import TICKED, require, tell_thread, tick_box
from ml_gitops.errors import EXIT_PASSED
from ml_gitops.pull_request import Issue
from ml_gitops.render.terminal import Terminal

if TYPE_CHECKING:
    from ml_gitops.ports import Forge


def list_(parsed: argparse.Namespace) -> int:
    """List issues, the newest first."""
    setting = Setting(parsed)
    found = setting.forge(setting.person).issues()[::-1]

    def tell(terminal: Terminal) -> None:
        if not found:
            terminal.line("There are no issues.")
            return
        rows = [[f"#{one.number}", one.state, one.title, one.author.login] for one in found]
        terminal.table(["", "state", "title", "by"], rows, align=["right", "left", "left", "left"])

    setting.show(found, tell)
    return EXIT_PASSED


def show(parsed: argparse.Namespace) -> int:
    """Show an issue with its comments."""
    setting = Setting(parsed)
    found = require(setting.forge(setting.person), parsed, Issue)

    def tell(terminal: Terminal) -> None:
        terminal.status(found.state, f"#{found.number} {found.title}")
        terminal.line(f"by {found.author.login}")
        tell_thread(terminal, found, full=parsed.full)

    setting.show(found, tell)
    return EXIT_PASSED


def close(parsed: argparse.Namespace) -> int:
    """Close an issue."""
    return _change(parsed, lambda forge: forge.close(parsed.number, parsed.reason))


def comment(parsed: argparse.Namespace) -> int:
    """Comment on an issue."""
    return _change(parsed, lambda forge: forge.comment(parsed.number, parsed.body))


def tick(parsed: argparse.Namespace) -> int:
    """Tick a box in what the bot wrote in an issue."""
    return _change(
        parsed,
        lambda forge: tick_box(forge, require(forge, parsed, Issue), parsed.box),
        next_=TICKED,
    )


def _change(
    parsed: argparse.Namespace, step: "Callable[[Forge], object]", *, next_: str = ""
) -> int:
    """Change an issue, and show what it is now, and what follows."""
    setting = Setting(parsed)
    forge = setting.forge(setting.person)
    require(forge, parsed, Issue)
    step(forge)
    changed = require(forge, parsed, Issue)
    said = f"#{changed.number} {changed.title}"

    def tell(terminal: Terminal) -> None:
        terminal.status(changed.state, said)
        if next_:
            terminal.line(f"  {next_}")

    setting.show(changed, tell)
    return EXIT_PASSED
