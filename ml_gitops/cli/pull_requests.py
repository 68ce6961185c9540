"""`pr`: pull requests from the command line, for a forge that has no web page."""

import argparse

from ml_gitops.adapters.git.history import log
from ml_gitops.cli.setting import Setting
from ml_gitops.errors import EXIT_PASSED, GitError
from ml_gitops.pull_request import PullRequest
from ml_gitops.render.tables import readable
from ml_gitops.render.terminal import Terminal


def open_(parsed: argparse.Namespace) -> int:
    """Push this branch and open a pull request for it."""
    setting = Setting(parsed)
    forge = setting.forge(setting.person)
    branch = setting.repository.branch()
    if branch is None or branch == forge.default_branch:
        raise GitError(
            f"a pull request needs a branch of its own, and this is {branch or 'no branch'}",
            hint="run `git switch -c NAME` and commit there",
            where=str(setting.workspace.root),
        )
    setting.repository.push(branch)
    title = parsed.title or log(setting.repository, "HEAD")[0].message.partition("\n")[0]
    made = forge.propose(branch, title, parsed.body, draft=parsed.draft)
    setting.show(made, lambda terminal: terminal.status("open", f"#{made.number} {made.title}"))
    return EXIT_PASSED


def list_(parsed: argparse.Namespace) -> int:
    """List pull requests, the newest first."""
    setting = Setting(parsed)
    found = setting.forge(setting.person).pull_requests()[::-1]

    def tell(terminal: Terminal) -> None:
        if not found:
            terminal.line("There are no pull requests.")
            return
        rows = [
            [f"#{one.number}", _state(one), one.title, one.author.login, one.branch]
            for one in found
        ]
        terminal.table(
            ["", "state", "title", "by", "branch"],
            rows,
            align=["right", "left", "left", "left", "left"],
        )

    setting.show(found, tell)
    return EXIT_PASSED


def show(parsed: argparse.Namespace) -> int:
    """Show a pull request with its comments and its changes."""
    setting = Setting(parsed)
    forge = setting.forge(setting.person)
    found = forge.pull_request(parsed.number)

    def tell(terminal: Terminal) -> None:
        terminal.status(_state(found), f"#{found.number} {found.title}")
        terminal.line(f"{found.author.login} wants {found.branch} in {found.base}")
        for text in (found.body, *(one.body for one in found.comments)):
            terminal.line()
            for line in readable(text).splitlines():
                terminal.line(line)

    setting.show(found, tell)
    return EXIT_PASSED


def ready(parsed: argparse.Namespace) -> int:
    """Say that a draft may be merged."""
    setting = Setting(parsed)
    _show(setting, setting.forge(setting.person).mark_ready(parsed.number))
    return EXIT_PASSED


def merge(parsed: argparse.Namespace) -> int:
    """Merge a pull request."""
    setting = Setting(parsed)
    merged = setting.forge(setting.person).merge(parsed.number, parsed.method)
    _show(setting, merged)
    return EXIT_PASSED


def close(parsed: argparse.Namespace) -> int:
    """Close a pull request without merging it."""
    setting = Setting(parsed)
    forge = setting.forge(setting.person)
    forge.close(parsed.number, parsed.reason)
    _show(setting, forge.pull_request(parsed.number))
    return EXIT_PASSED


def comment(parsed: argparse.Namespace) -> int:
    """Comment on a pull request."""
    setting = Setting(parsed)
    forge = setting.forge(setting.person)
    forge.comment(parsed.number, parsed.body)
    _show(setting, forge.pull_request(parsed.number))
    return EXIT_PASSED


def _state(one: PullRequest) -> str:
    return "draft" if one.draft and one.state == "open" else one.state


def _show(setting: Setting, changed: PullRequest) -> None:
    said = f"#{changed.number} {changed.title}"
    setting.show(changed, lambda terminal: terminal.status(changed.state, said))
