"""The words of the command line. The README and the actions are held to these."""

import argparse
from datetime import date
from pathlib import Path

from ml_gitops import __version__
from ml_gitops.cli.thread_words import add_issues, add_pull_requests
from ml_gitops.cli.words import Commands, Instead, Parser, add_command

SAMPLE = "load from `sample` in [data], where one is named: rows that need no credentials"
LOOPS = """\
the loops:
  a pull request   ml-gitops data validate, train, report
  a merge          ml-gitops release
  a schedule       ml-gitops monitor

exit codes:
  0 passed   1 a gate or check failed   2 you can fix it   3 our bug
  75 try again later   130 interrupted
"""


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
    commands: Commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _start(commands)
    _integrate(commands)
    _deliver(commands)
    _watch(commands)
    add_pull_requests(commands)
    add_issues(commands)
    return parser


def _start(commands: Commands) -> None:
    init = add_command(commands, "init", "start:init", "make a model repository from the template")
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
    check = add_command(
        commands,
        "check",
        "check:check",
        "say what is missing, from columns to Git; this imports your code and loads a day of rows",
    )
    check.add_argument("--no-data", action="store_true", help="load no rows; compare no columns")
    about = "list what of scikit-learn answers alike in ONNX, and what to use instead of the rest"
    check.add_argument("--export", action="store_true", help=about)
    add_command(
        commands,
        "doctor",
        "doctor:doctor",
        "say which token the forge sees, what follows from it, and which settings are unsafe",
    )
    models = add_command(commands, "models", "models:models", "list the models of a repository")
    models.add_argument(
        "--changed-since",
        metavar="REF",
        help="only those that would be trained or judged otherwise than where this left REF, "
        "a branch, a tag or a commit id",
    )
    about = "only those whose rows are locked: others cannot be released yet"
    models.add_argument("--locked", action="store_true", help=about)
    config = add_command(
        commands, "config", "start:config", "explain every key that ml-gitops.toml may have"
    )
    config.add_argument(
        "key", nargs="?", metavar="KEY", help="one table or key alone: `gate`, `gate.margin`"
    )
    demo = add_command(
        commands, "demo", "start:demo", "tell the whole story on the flights of 2013"
    )
    demo.add_argument("directory", type=Path, metavar="DIR", help="a new folder for the story")


def _integrate(commands: Commands) -> None:
    data = commands.add_parser("data", help="pin and validate the rows a model learns from")
    steps = data.add_subparsers(dest="step", metavar="STEP", required=True)
    lock = add_command(steps, "lock", "integrate:lock", "pin the window of rows and their digest")
    lock.add_argument(
        "--until",
        type=_day,
        metavar="DATE",
        help="first day that is not in the window any more (default: today)",
    )
    validate = add_command(
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
    validate.add_argument("--sample", action="store_true", help=SAMPLE)
    train = add_command(
        commands,
        "train",
        "integrate:train",
        "fit, export, check parity, evaluate, compare and judge; nothing if nothing changed",
    )
    about = "lock the rows to before this day first (default: train on those that are locked)"
    train.add_argument("--until", type=_day, metavar="DATE", help=about)
    about = "also leave here what another job takes on: model and documents, no rows"
    train.add_argument("--leave", type=Path, metavar="DIR", help=about)
    train.add_argument("--sample", action="store_true", help=SAMPLE)
    report = add_command(
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


def _deliver(commands: Commands) -> None:
    release = add_command(
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
    promote = add_command(
        commands, "promote", "deliver:promote", "propose a release to an environment"
    )
    promote.add_argument("--to", required=True, metavar="ENV", help="the environment")
    promote.add_argument("--environment", action=Instead, const="--to", help=argparse.SUPPRESS)
    rollback = add_command(
        commands, "rollback", "deliver:rollback", "propose an earlier release to an environment"
    )
    rollback.add_argument("--environment", required=True, metavar="ENV", help="the environment")
    rollback.add_argument(
        "--to",
        metavar="VERSION",
        help="such as v1.0.0 or delay@v1.0.0 (default: what was served before)",
    )
    serve = add_command(
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


def _watch(commands: Commands) -> None:
    monitor = add_command(
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
    about = "do all but train, and so run none of your code; the outcome says what to train"
    monitor.add_argument("--no-train", action="store_true", help=about)
    about = "each model of the repository in turn; what fails for one is told, and stops no other"
    monitor.add_argument("--every-model", action="store_true", help=about)
    about = "propose what another job of this workflow run trained, for this record of a look"
    monitor.add_argument("--propose", metavar="RECORD", help=about)
    about = "with --propose: the day its rows were to end before"
    monitor.add_argument("--until", type=_day, metavar="DATE", help=about)
    about = "with --propose: what it was trained from"
    monitor.add_argument("--commit", metavar="SHA", help=about)
    monitor.add_argument("--html", type=Path, metavar="FILE", help="write the pictures here")
    add_command(commands, "status", "status:status", "show what serves where, and what is proposed")
