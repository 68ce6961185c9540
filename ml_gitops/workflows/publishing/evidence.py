"""E10 to E13: that a report is of this commit, follows from its numbers, and tells no secret."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import cast

from ml_gitops.config import Config, parse_config
from ml_gitops.document import sha256
from ml_gitops.errors import MlGitopsError
from ml_gitops.model.run import Run, verify
from ml_gitops.names import CONFIG_FILE, is_hidden, is_shown
from ml_gitops.ports import Forge, Workspace
from ml_gitops.render.ci_report import to_markdown
from ml_gitops.render.tables import as_read, code
from ml_gitops.report import Report, policy_digest, verify_report
from ml_gitops.secret import FORM, secret_values
from ml_gitops.workflows.publishing.origin import Refusal
from ml_gitops.workflows.publishing.package import hold_document
from ml_gitops.workflows.standing import find_basis, find_champion
from ml_gitops.workflows.training import trace_run

WHERE = "what the run left"
_MARKS = ("pyvenv.cfg", CONFIG_FILE)
_FORK = (
    "> **Reported by code from a fork, and not verified.** Whoever opened this could have written "
    "every number below. Read the change; the gate judges it again once its code is trusted."
)


class Committed:
    """The files of a commit, as the loops read a work tree. Nothing of them is ever run.

    Args:
        paths: of its regular files.
        fetch: returns the content of one.
        environment: what the run says it was made with; no job but that one can know.
    """

    def __init__(
        self,
        paths: Iterable[str],
        fetch: Callable[[str], bytes],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._paths = sorted(paths)
        self._fetch = fetch
        self._known: dict[str, bytes] = {}
        self._environment = dict(environment or {})

    def read(self, path: str) -> bytes | None:
        """Return a file; None if the commit has none of that name."""
        if path not in self._paths:
            return None
        if path not in self._known:
            self._known[path] = self._fetch(path)
        return self._known[path]

    def files(self, *places: str) -> dict[str, bytes]:
        """Return path and content of every file at or below these places, nothing hidden."""
        return {
            path: self.read(path) or b""
            for place in places
            for path in self._paths
            if is_shown(path, place)
        }

    def sources(self, _folder: str, *, without: Sequence[str] = ()) -> dict[str, bytes]:
        """Return path and content of every Python file that a model's code may import."""
        others = {
            str(PurePosixPath(path).parent)
            for path in self._paths
            if PurePosixPath(path).name in _MARKS and "/" in path
        }
        return {
            path: self.read(path) or b""
            for path in self._paths
            if path.endswith(".py")
            and not any(is_hidden(name) for name in PurePosixPath(path).parts[:-1])
            and path.partition("/")[0] not in without
            and not any(str(above) in others for above in PurePosixPath(path).parents)
        }

    def environment(self) -> dict[str, str]:
        """Return what the run says of its libraries, and the locks as the commit has them."""
        return {
            name: sha256(self.read(name) or b"") if value.startswith("sha256:") else value
            for name, value in self._environment.items()
        }


def read_config(files: Committed) -> Config:
    """Return the config of the commit.

    Raises:
        Refusal: E11 it has none, or none that holds.
    """
    try:
        return parse_config(files.read(CONFIG_FILE) or b"")
    except MlGitopsError:
        raise Refusal("E11", "the commit has no config that can be read") from None


def hold_run(config: Config, files: Mapping[str, bytes]) -> Run:
    """Return the run, its files held to their digests and its documents to their closed forms.

    Raises:
        Refusal: E09 or E10 a document cannot be read; E11 it is another model's.
    """
    for name, content in files.items():
        if name.endswith(".json"):
            hold_document(content)
    try:
        said = Run.from_json(files[Run.file_name], where=WHERE)
        run = verify(files, said.run_key, where=WHERE)
    except MlGitopsError:
        raise Refusal("E10", "the run's files are not what its record says") from None
    if run.model != config.model.name:
        raise Refusal("E11", "the run is of another model")
    return run


def hold_lineage(config: Config, commit: Committed, run: Run) -> None:
    """Hold what went into a run to the files of the commit: a report of another one is refused.

    Raises:
        Refusal: E11 it is not of this commit.
    """
    try:
        now = trace_run(config, cast("Workspace", commit))
    except MlGitopsError:
        raise Refusal("E11", "the commit cannot be trained as it is") from None
    differs = now.changes_from(run.lineage)
    if differs or now.run_key != run.run_key:
        told = " and ".join(differs) or "inputs"
        raise Refusal("E11", f"the run was made from other {told} than the commit has")


def hold_report(
    config: Config, commit: Committed, forge: Forge, run: Run, files: Mapping[str, bytes]
) -> Report:
    """Return the report, its verdict computed again from its numbers by the rules of the commit.

    Champion, gate, checks and how they differ from the base branch are found again, from the
    forge; where the report was judged by others, it is refused.

    Raises:
        Refusal: E12 the verdict does not follow.
    """
    try:
        report = verify_report(files, run, config.gate, where=WHERE)
    except MlGitopsError:
        raise Refusal("E12", "the verdict does not follow from the numbers") from None
    if report.basis.standing.gate != policy_digest(config.gate):
        raise Refusal("E12", "the report was judged by another gate than the commit has")
    workspace = cast("Workspace", commit)
    basis = find_basis(config, workspace, forge, find_champion(config, forge, run.split))
    others = report.basis.standing.differences(basis.standing)
    if others:
        raise Refusal("E12", f"the report was judged by another {' and '.join(others)}")
    return report.model_copy(update={"basis": basis, "about": config.model.about})


def write_body(
    report: Report, rules: Sequence[str], variables: Mapping[str, str], *, trusted: bool
) -> str:
    """Return the comment, from our template alone; what the run said stays text.

    Args:
        report: as it was held.
        rules: changed files that decide how a model is judged.
        variables: of this process; whatever they hold in secret must not be told.
        trusted: whether the code that ran was.

    Raises:
        Refusal: E13 it would tell a secret.
    """
    parts = [] if trusted else [_FORK]
    if rules:
        named = ", ".join(code(path) for path in rules[:5])
        more = f" and {len(rules) - 5} more" if len(rules) > 5 else ""
        parts.append(f"**This change touches how models are judged:** {named}{more}.")
    text = "\n\n".join([*parts, to_markdown(report)])
    read = as_read(text)
    held = any(value.replace("\\", "") in read for value in secret_values(variables))
    if held or re.search(FORM, read):
        raise Refusal("E13", "the report would tell a secret")
    return text
