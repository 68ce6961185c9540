"""The words of the command line. The README and the actions are held to these."""

import argparse
from datetime import date
from pathlib import Path
from typing import TypeAlias

from ml_gitops import __version__
from ml_gitops.cli.words import Instead, Parser

LOOPS = """\
the loops:
  a pull request   ml-gitops data validate, train, report
  a merge          ml-gitops release
  a schedule       ml-gitops monitor

exit codes:
  0 passed   1 a gate or check failed   2 you can fix it   3 our bug
  75 try again later   130 interrupted
"""

BOXES = ("train", "refresh", "snooze", "resume")
"""What people may ask of the bot; named here too, because help must not wait for anything."""

_Commands: TypeAlias = "argparse._SubParsersAction[Parser]"  # noqa: SLF001 (it has no other)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2024-01-31") from None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 2**16):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; name one from 0 to 65535")
    return int(text)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of `ml-gitops`."""
    parser = Parser(
        prog="ml-gitops",
        description="Every model change is a pull request; what was reviewed is what ships.",
        epilog=LOOPS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ml-gitops {__version__}")
    commands: _Commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _start(commands)
    _integrate(commands)
    _deliver(commands)
    _watch(commands)
    _pull_requests(commands)
    _issues(commands)
    return parser


def _command(
    commands: "_Commands",
    name: str,
    run: str,
    about: str,
) -> Parser:
    """Add a command that every face has: `--json`, and where to run."""
    command = commands.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")
    command.add_argument("--json", action="store_true", help="print one JSON document")
    command.add_argument(
        "--outcome", type=Path, metavar="FILE", help="also write that JSON document to this file"
    )
    command.add_argument(
        "-C",
        dest="folder",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="run in this folder instead of the current one",
    )
    command.set_defaults(run=run)
    return command


def _start(commands: "_Commands") -> None:
    init = _command(commands, "init", "start:init", "make a model repository from the template")
    init.add_argument("directory", type=Path, metavar="DIR", help="the folder to make or adopt")
    init.add_argument("--name", help="the model's name (default: the folder's name)")
    init.add_argument(
        "--forge",
        type=Path,
        metavar="PATH",
        help="where the local forge's bare repository goes (default: DIR/.git/forge.git)",
    )
    init.add_argument(
        "--adopt",
        action="store_true",
        help="add what is missing to a repository that exists, and a forge with --forge; "
        "commits nothing",
    )
    check = _command(
        commands,
        "check",
        "check:check",
        "say what is missing, from columns to Git; this imports your code and loads a day of rows",
    )
    check.add_argument("--no-data", action="store_true", help="load no rows; compare no columns")
    _command(
        commands,
        "doctor",
        "doctor:doctor",
        "say which token the forge sees, what follows from it, and which settings are unsafe",
    )
    config = _command(
        commands, "config", "start:config", "explain every key that ml-gitops.toml may have"
    )
    config.add_argument(
        "key", nargs="?", metavar="KEY", help="one table or key alone: `gate`, `gate.margin`"
    )
    demo = _command(commands, "demo", "start:demo", "tell the whole story on the flights of 2013")
    demo.add_argument("directory", type=Path, metavar="DIR", help="a new folder for the story")


def _integrate(commands: "_Commands") -> None:
    data = commands.add_parser("data", help="pin and validate the rows a model learns from")
    steps = data.add_subparsers(dest="step", metavar="STEP", required=True)
    lock = _command(steps, "lock", "integrate:lock", "pin the window of rows and their digest")
    lock.add_argument(
        "--until",
        type=_day,
        metavar="DATE",
        help="first day that is not in the window any more (default: today)",
    )
    validate = _command(
        steps,
        "validate",
        "integrate:validate",
        "hold rows to the contract: the locked ones, or all up to a day",
    )
    validate.add_argument(
        "--until",
        type=_day,
        metavar="DATE",
        help="from `start` in [data] to before this day (default: the lock's window, or today)",
    )
    train = _command(
        commands,
        "train",
        "integrate:train",
        "fit, export, check parity, evaluate, compare and judge; nothing if nothing changed",
    )
    about = "also leave here what another job takes on: model and documents, no rows"
    train.add_argument("--leave", type=Path, metavar="DIR", help=about)
    report = _command(
        commands, "report", "integrate:report", "show the report, and post it on the pull request"
    )
    report.add_argument("--html", type=Path, metavar="FILE", help="write the full report here")
    report.add_argument(
        "--pull-request", type=int, metavar="N", help="post it there (default: the branch's own)"
    )
    about = "post what the job of this GitHub event left; check all of it, run none of it"
    report.add_argument("--event", type=Path, metavar="FILE", help=about)
    about = "the workflow whose finished run an event may name: .github/workflows/ci.yml"
    report.add_argument("--workflow", metavar="PATH", help=about)


def _deliver(commands: "_Commands") -> None:
    release = _command(
        commands,
        "release",
        "deliver:release",
        "ship what was reviewed: version, Bento, release, staging, promotion pull request",
    )
    release.add_argument(
        "--train",
        action="store_true",
        help="train and ship even what no report was posted for; the release says so",
    )
    promote = _command(
        commands, "promote", "deliver:promote", "propose a release to an environment"
    )
    promote.add_argument("--to", required=True, metavar="ENV", help="the environment")
    promote.add_argument("--environment", action=Instead, const="--to", help=argparse.SUPPRESS)
    rollback = _command(
        commands, "rollback", "deliver:rollback", "propose an earlier release to an environment"
    )
    rollback.add_argument("--environment", required=True, metavar="ENV", help="the environment")
    rollback.add_argument(
        "--to",
        metavar="VERSION",
        help="such as v1.0.0 or delay@v1.0.0 (default: what was served before)",
    )
    serve = _command(
        commands, "serve", "deliver:serve", "serve what an environment should serve, over HTTP"
    )
    serve.add_argument(
        "--environment", default="production", metavar="ENV", help="which one (default: production)"
    )
    serve.add_argument(
        "--release", metavar="VERSION", help="this one instead, such as v1.0.0 or delay@v1.0.0"
    )
    serve.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)"
    )
    serve.add_argument(
        "--port",
        type=_port,
        default=3000,
        help="port to listen on (default: 3000; 0 takes a free one)",
    )
    serve.add_argument(
        "--log",
        type=Path,
        metavar="DIR",
        help="folder of the prediction log (default: where the monitor reads it)",
    )
    serve.add_argument(
        "--replay", action="store_true", help="history is sent again: take times of any age"
    )


def _watch(commands: "_Commands") -> None:
    monitor = _command(
        commands,
        "monitor",
        "watch:monitor",
        "compare production with its promise; propose retraining or rollback",
    )
    monitor.add_argument(
        "--as-of",
        type=_day,
        metavar="DATE",
        help="look back from the start of this day, UTC (default: today)",
    )
    monitor.add_argument("--dry-run", action="store_true", help="say what it would do; do nothing")
    monitor.add_argument("--html", type=Path, metavar="FILE", help="write the pictures here")
    _command(commands, "status", "watch:status", "show what serves where, and what is proposed")


def _pull_requests(commands: "_Commands") -> None:
    group = commands.add_parser("pr", help="pull requests of the forge")
    steps = group.add_subparsers(dest="step", metavar="STEP", required=True)
    opened = _command(steps, "open", "pull_requests:open_", "push this branch and propose it")
    opened.add_argument("--title", help="default: the last commit's subject")
    opened.add_argument("--body", default="", help="what reviewers should know, Markdown")
    opened.add_argument("--draft", action="store_true", help="not ready to merge")
    _command(steps, "list", "pull_requests:list_", "list pull requests")
    _thread(steps, "pull_requests", "a pull request")
    ready = _command(steps, "ready", "pull_requests:ready", "say that a draft may be merged")
    ready.add_argument("number", type=int)
    merge = _command(steps, "merge", "pull_requests:merge", "merge a pull request")
    merge.add_argument("number", type=int)
    merge.add_argument("--method", choices=("merge", "squash", "rebase"), default="merge")
    close = _command(steps, "close", "pull_requests:close", "close a pull request without merging")
    close.add_argument("number", type=int)
    close.add_argument("--reason", help="becomes a comment")
    comment = _command(steps, "comment", "pull_requests:comment", "comment on a pull request")
    comment.add_argument("number", type=int)
    comment.add_argument("body")
    review = _command(steps, "review", "pull_requests:review", "review a pull request")
    review.add_argument("number", type=int)
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
    label = _command(steps, "label", "pull_requests:label", "add labels to a pull request")
    label.add_argument("number", type=int)
    label.add_argument("add", nargs="*", metavar="LABEL", help="add it")
    label.add_argument(
        "--remove", action="append", default=[], metavar="LABEL", help="take it away"
    )


def _thread(steps: "_Commands", room: str, what: str) -> None:
    show = _command(steps, "show", f"{room}:show", f"show {what}")
    show.add_argument("number", type=int)
    show.add_argument("--full", action="store_true", help="with what is folded")
    tick = _command(steps, "tick", f"{room}:tick", f"tick a box in what the bot wrote in {what}")
    tick.add_argument("number", type=int)
    tick.add_argument("box", choices=BOXES, help="what the bot shall do when it looks again")


def _issues(commands: "_Commands") -> None:
    group = commands.add_parser("issue", help="issues of the forge: what the monitor tells")
    steps = group.add_subparsers(dest="step", metavar="STEP", required=True)
    _command(steps, "list", "issues:list_", "list issues")
    _thread(steps, "issues", "an issue")
    close = _command(steps, "close", "issues:close", "close an issue")
    close.add_argument("number", type=int)
    close.add_argument("--reason", help="becomes a comment")
    comment = _command(steps, "comment", "issues:comment", "comment on an issue")
    comment.add_argument("number", type=int)
    comment.add_argument("body")
