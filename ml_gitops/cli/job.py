"""What a job of GitHub Actions is left with: outputs, a summary, words beside lines of files."""

import json
import os
import re
import secrets
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ml_gitops.names import OUTBOX_VARIABLE
from ml_gitops.render.runner import Annotation, annotation_line

LARGEST = 1_000_000
"""Bytes of a summary; GitHub drops a whole one of more than a mebibyte, without a word."""

KEPT = "outbox"
"""In place of a key: the name of what lies in the outbox, for the job to upload."""
OUTPUTS: Mapping[str, Mapping[str, str]] = {
    "models": {"models": "models"},
    "data validate": {"passed": "passed", "rows": "rows"},
    "train": {"verdict": "verdict", "fitted": "fitted", "artifact": "artifact"},
    "report": {
        "posted": "posted",
        "verdict": "verdict",
        "pull-request": "pull_request",
    },
    "release": {
        "release": "release.tag",
        "is-new": "is_new",
        "promotion": "promotion.number",
    },
    "promote": {"action": "action", "pull-request": "pull_request.number"},
    "monitor": {
        "calm": "calm",
        "want": "want",
        "retrain": "retrain",
        "retraining": "retraining.pull_request",
        "rollback": "rollback.pull_request",
        "incident": "incident.issue",
        "artifact": KEPT,
    },
}
"""Outputs of each command: their names, and where they stand in its document; lists as JSON."""

_PLACE = re.compile(r"([^:\s]+\.[A-Za-z0-9]+)(?::(\d+))?")


def on_actions() -> bool:
    """Return whether this process is part of a job of GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def leave(
    command: str,
    document: Any,
    summary: str = "",
    annotations: Iterable[Annotation] = (),
    folder: Path = Path(),
) -> None:
    """Leave to the job what a command found, if this is part of one.

    Args:
        command: its words, such as `data validate`.
        document: its outcome as plain values.
        summary: Markdown for the page of the job.
        annotations: what is to be said beside lines of files.
        folder: in which the command ran, where paths of those files start.
    """
    if not on_actions():
        return
    places = OUTPUTS.get(command, {})
    _append("GITHUB_OUTPUT", "".join(_output(name, document, at) for name, at in places.items()))
    if summary:
        cut = summary.encode()[:LARGEST].decode(errors="ignore")
        _append("GITHUB_STEP_SUMMARY", cut.rstrip() + "\n")
    placed = (replace(one, path=one.path and _from_here(folder, one.path)) for one in annotations)
    sys.stderr.writelines(f"{annotation_line(one)}\n" for one in placed)


def problem_line(message: str, where: str | None, folder: Path = Path()) -> str:
    """Return an error as a line that the runner shows beside the file it is in.

    Args:
        message: the whole line that a terminal would show.
        where: `file`, `file:line`, or any other place.
        folder: in which the command ran, which paths may start from.
    """
    # The author's own lines are told from the root of the machine; people know the repository's.
    place = _PLACE.fullmatch((where or "").removeprefix(f"{Path.cwd()}/"))
    path = _from_here(folder, place[1]) if place else ""
    if place is None or not Path(path).is_file():
        return annotation_line(Annotation("error", message))
    return annotation_line(Annotation("error", message, path, int(place[2] or 1)))


def _from_here(folder: Path, path: str) -> str:
    """Return the path of a file of a model as the runner knows it: from where the job works."""
    placed = os.path.relpath(folder / path)
    return placed if Path(placed).is_file() and not placed.startswith("..") else path


def _output(name: str, document: Any, place: str) -> str:
    value = document
    for key in place.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    value = _kept() if place == KEPT else value
    if isinstance(value, (bool, list)):
        text = json.dumps(value)
    else:
        text = str(value) if isinstance(value, (str, int)) else ""
    # Nobody who writes the value knows the word that ends it.
    end = f"end-{secrets.token_hex(16)}"
    return f"{name}<<{end}\n{text}\n{end}\n"


def _kept() -> str | None:
    """Return the name of the one artifact that is to be uploaded; None if there is none."""
    outbox = Path(os.environ.get(OUTBOX_VARIABLE, ""))
    if not outbox.is_dir() or not os.environ.get(OUTBOX_VARIABLE):
        return None
    found = [it.name for it in outbox.iterdir() if it.is_dir() and not it.name.startswith(".")]
    return found[0] if len(found) == 1 else None


def _append(variable: str, text: str) -> None:
    path = os.environ.get(variable)
    if path and text:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
