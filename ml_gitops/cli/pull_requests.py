"""`pr`: pull requests from the command line, on a local forge or on GitHub."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from ml_gitops.adapters.git.history import log
from ml_gitops.cli.setting import Setting
from ml_gitops.cli.threads import TICKED, VERDICTS, require, tell_thread, tick_box
from ml_gitops.errors import EXIT_PASSED, GitError, MlGitopsError
from ml_gitops.pull_request import PullRequest
from ml_gitops.render.terminal import Terminal
from ml_gitops.report import Report, artifact_name
from ml_gitops.workflows.reporting import posted_report

if TYPE_CHECKING:
    from ml_gitops.ports import Forge


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
    left = setting.repository.dirty_paths()

    def tell(terminal: Terminal) -> None:
        terminal.status("open", f"#{made.number} {made.title}")
        if left:
            more = f" and {len(left) - 3} more" if len(left) > 3 else ""
            told = f"not in it, because not committed: {', '.join(left[:3])}{more}"
            terminal.status("warn", f"{told}; commit and `git push`")

    setting.show(made, tell)
    return EXIT_PASSED


def list_(parsed: argparse.Namespace) -> int:
    """List pull requests, the newest first."""
    setting = Setting(parsed)
    found = setting.forge(setting.person).pull_requests()[::-1]

    def tell(terminal: Terminal) -> None:
        if not found:
            terminal.line("There are no pull requests.")
            return
        rows = [[f"#{one.number}", _state(one), one.title, one.author.login] for one in found]
        terminal.table(["", "state", "title", "by"], rows, align=["right", "left", "left", "left"])

    setting.show(found, tell)
    return EXIT_PASSED


def show(parsed: argparse.Namespace) -> int:
    """Show a pull request with its reviews and comments."""
    setting = Setting(parsed)
    found = require(setting.forge(setting.person), parsed, PullRequest)

    def tell(terminal: Terminal) -> None:
        terminal.status(_state(found), f"#{found.number} {found.title}")
        terminal.line(f"{found.author.login} wants {found.branch} in {found.base}")
        if found.reviewers:
            terminal.line(f"asked for a review: {', '.join(found.reviewers)}")
        tell_thread(terminal, found, full=parsed.full)

    setting.show(found, tell)
    return EXIT_PASSED


def ready(parsed: argparse.Namespace) -> int:
    """Say that a draft may be merged."""
    return _change(parsed, lambda forge: forge.mark_ready(parsed.number))


def merge(parsed: argparse.Namespace) -> int:
    """Merge a pull request."""
    setting = Setting(parsed)
    forge = setting.forge(setting.person)
    found = require(forge, parsed, PullRequest)
    state, judged = _judgement(setting, forge, found)
    forge.merge(parsed.number, parsed.method)
    merged = forge.pull_request(parsed.number)

    def tell(terminal: Terminal) -> None:
        terminal.status(merged.state, f"#{merged.number} {merged.title}")
        if judged:
            terminal.status(state, judged)
        terminal.line(f"  next: `git switch {merged.base}` and `git pull`")

    setting.show(merged, tell)
    return EXIT_PASSED


def _judgement(setting: Setting, forge: "Forge", found: PullRequest) -> tuple[str, str]:
    """Return what the bot's report says of a head, with its mark; nothing where none is due."""
    if found.marker is not None and found.marker.kind != "retrain":
        return "", ""  # What moves a release trains nothing.
    posted = posted_report(found, setting.config.model.name)
    if posted is None:
        return "warn", "no report of it was posted, so nobody judged what was merged"
    comment, marker = posted
    name = artifact_name(marker.model, marker.fingerprint, marker.content)
    try:
        report = Report.from_json((forge.artifact(name) or {})[Report.file_name], where=name)
    except (KeyError, MlGitopsError):
        # Whoever merges is told, and not held up.
        return "warn", "its report is posted, and the files that it speaks of are gone or damaged"
    if setting.repository.resolve(found.head) is None:
        return report.verdict, report.headline
    committed = int(setting.repository.text("log", "-1", "--format=%ct", found.head))
    if committed > comment.updated.timestamp():
        return "warn", f"its report is older than its head, and said: {report.headline}"
    return report.verdict, report.headline


def close(parsed: argparse.Namespace) -> int:
    """Close a pull request without merging it."""
    return _change(parsed, lambda forge: forge.close(parsed.number, parsed.reason))


def comment(parsed: argparse.Namespace) -> int:
    """Comment on a pull request."""
    return _change(parsed, lambda forge: forge.comment(parsed.number, parsed.body))


def review(parsed: argparse.Namespace) -> int:
    """Approve a pull request, request changes, or only say something."""
    return _change(
        parsed, lambda forge: forge.review(parsed.number, parsed.verdict, parsed.message)
    )


def tick(parsed: argparse.Namespace) -> int:
    """Tick a box in what the bot wrote in a pull request."""
    return _change(
        parsed,
        lambda forge: tick_box(forge, forge.pull_request(parsed.number), parsed.box),
        next_=TICKED,
    )


def label(parsed: argparse.Namespace) -> int:
    """Add labels to a pull request, or take some away."""

    def step(forge: "Forge") -> None:
        kept = [*forge.pull_request(parsed.number).labels, *parsed.add]
        forge.label(parsed.number, [one for one in kept if one not in parsed.remove])

    return _change(parsed, step)


def _state(one: PullRequest) -> str:
    return "draft" if one.draft and one.state == "open" else one.state


def _change(
    parsed: argparse.Namespace, step: "Callable[[Forge], object]", *, next_: str = ""
) -> int:
    """Change a pull request, and show what it is now, and what follows."""
    setting = Setting(parsed)
    forge = setting.forge(setting.person)
    require(forge, parsed, PullRequest)
    step(forge)
    changed = forge.pull_request(parsed.number)
    said = f"#{changed.number} {changed.title}"
    if changed.labels:
        said += f" [{', '.join(changed.labels)}]"
    if parsed.step == "review":
        said += f": {setting.person.login} {VERDICTS[parsed.verdict]}"

    def tell(terminal: Terminal) -> None:
        terminal.status(changed.state, said)
        if next_:
            terminal.line(f"  {next_}")

    setting.show(changed, tell)
    return EXIT_PASSED
