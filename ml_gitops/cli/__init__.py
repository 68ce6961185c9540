"""Door one, the command line: parse, build adapters, call one workflow, print its outcome.

Nothing heavy is imported here, so that `ml-gitops --help` is instant.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from ml_gitops.errors import EXIT_BUG, EXIT_INTERRUPTED, MlGitopsError

LONGEST = 2_000
"""Characters of an error; its place, problem and remedy fit many times."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: the words after `ml-gitops`; those of the process if not given.
    """
    from ml_gitops.cli.parser import make_parser

    words = list(sys.argv[1:] if arguments is None else arguments)
    parsed = make_parser().parse_args(words)
    module, _, function = parsed.run.partition(":")
    try:
        command = getattr(import_module(f"ml_gitops.cli.{module}"), function)
        return int(command(parsed))
    except MlGitopsError as error:
        return _tell(error, as_json=parsed.json, folder=parsed.folder)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)  # noqa: T201
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not complain about it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001  (the last door: anything else is our bug)
        from ml_gitops.cli.bug import report_bug

        report_bug(error, words)
        return EXIT_BUG


def _tell(error: MlGitopsError, *, as_json: bool, folder: Path) -> int:
    """Print what the user can do, one line, and return the exit code."""
    from ml_gitops.cli.job import on_actions, problem_line
    from ml_gitops.render.runner import unobeyed, unobeyed_json
    from ml_gitops.render.tables import plain

    if as_json:
        import json

        told = {
            "error": {"problem": error.problem, "hint": error.hint, "where": error.where},
            "exit_code": error.exit_code,
        }
        print(unobeyed_json(json.dumps(told, indent=2)))  # noqa: T201
    # What others named (files, columns, branches) may hold escapes, and have no end.
    line = plain(str(error))
    if len(line) > LONGEST:
        line = f"{line[: LONGEST // 2]} … {line[-LONGEST // 2 :]}"
    shown = problem_line(line, error.where, folder) if on_actions() else unobeyed(f"error: {line}")
    print(shown, file=sys.stderr)  # noqa: T201
    return error.exit_code
