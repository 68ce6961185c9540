"""The words of `pr` and `issue`: what stands in for the pages of a forge."""

import argparse

from ml_gitops.cli.words import Commands, add_command

BOXES = ("train", "refresh", "snooze", "resume")
"""What people may ask of the bot; named here too, because help must not wait for anything."""


def add_pull_requests(commands: Commands) -> None:
    """Add `pr` and its steps."""
    group = commands.add_parser("pr", help="pull requests of the forge")
    steps = group.add_subparsers(dest="step", metavar="STEP", required=True)
    opened = add_command(steps, "open", "pull_requests:open_", "push this branch and propose it")
    opened.add_argument("--title", help="default: the last commit's subject")
    opened.add_argument("--body", default="", help="what reviewers should know, Markdown")
    opened.add_argument("--draft", action="store_true", help="not ready to merge")
    add_command(steps, "list", "pull_requests:list_", "list pull requests")
    _thread(steps, "pull_requests", "a pull request")
    ready = add_command(steps, "ready", "pull_requests:ready", "say that a draft may be merged")
    _add_number(ready)
    merge = add_command(steps, "merge", "pull_requests:merge", "merge a pull request")
    _add_number(merge)
    merge.add_argument(
        "--method",
        choices=("merge", "squash", "rebase"),
        default="merge",
        help="how its commits come in (default: merge)",
    )
    close = add_command(
        steps, "close", "pull_requests:close", "close a pull request without merging"
    )
    _add_number(close)
    close.add_argument("--reason", help="becomes a comment")
    comment = add_command(steps, "comment", "pull_requests:comment", "comment on a pull request")
    _add_number(comment)
    comment.add_argument("body", help="what to say, Markdown")
    review = add_command(steps, "review", "pull_requests:review", "review a pull request")
    _add_number(review)
    verdict = review.add_mutually_exclusive_group(required=True)
    for word, about in (
        ("approve", "it may merge"),
        ("request-changes", "it may not merge as it is"),
        ("comment", "neither; say something"),
    ):
        verdict.add_argument(
            f"--{word}", dest="verdict", action="store_const", const=word, help=about
        )
    review.add_argument("-m", "--message", default="", metavar="TEXT", help="why, Markdown")
    label = add_command(steps, "label", "pull_requests:label", "add labels to a pull request")
    _add_number(label)
    label.add_argument("add", nargs="*", metavar="LABEL", help="add it")
    label.add_argument(
        "--remove", action="append", default=[], metavar="LABEL", help="take it away"
    )


def _add_number(step: argparse.ArgumentParser) -> None:
    step.add_argument("number", type=int, metavar="N", help="its number, as `list` shows it")


def _thread(steps: Commands, room: str, what: str) -> None:
    show = add_command(steps, "show", f"{room}:show", f"show {what}")
    _add_number(show)
    show.add_argument("--full", action="store_true", help="with what is folded")
    tick = add_command(steps, "tick", f"{room}:tick", f"tick a box in what the bot wrote in {what}")
    _add_number(tick)
    tick.add_argument("box", choices=BOXES, help="what the bot shall do when it looks again")


def add_issues(commands: Commands) -> None:
    """Add `issue` and its steps."""
    group = commands.add_parser("issue", help="issues of the forge: what the monitor tells")
    steps = group.add_subparsers(dest="step", metavar="STEP", required=True)
    add_command(steps, "list", "issues:list_", "list issues")
    _thread(steps, "issues", "an issue")
    close = add_command(steps, "close", "issues:close", "close an issue")
    _add_number(close)
    close.add_argument("--reason", help="becomes a comment")
    comment = add_command(steps, "comment", "issues:comment", "comment on an issue")
    _add_number(comment)
    comment.add_argument("body", help="what to say, Markdown")
