"""E10 to E13: that a report is of this commit, follows from its numbers, and tells no secret."""

import re
from collections.abc import Mapping, Sequence

from ml_gitops.config import Config
from ml_gitops.data.lock import DataLock
from ml_gitops.errors import MlGitopsError
from ml_gitops.model.run import Run, verify
from ml_gitops.names import LOCK_FILE
from ml_gitops.ports import Forge
from ml_gitops.render.ci_report import to_markdown
from ml_gitops.render.tables import as_read, code
from ml_gitops.report import Report, policy_digest, verify_report
from ml_gitops.secret import FORM, secret_values
from ml_gitops.workflows.commit_files import CommitFiles
from ml_gitops.workflows.models import Placed, find_models
from ml_gitops.workflows.publishing.origin import Refusal
from ml_gitops.workflows.publishing.package import hold_document
from ml_gitops.workflows.standing import find_basis, find_champion
from ml_gitops.workflows.training import trace_run

WHERE = "what the run left"
MOST_MODELS = 200
"""Of a repository; each is a file to read."""
_FORK = (
    "> **Reported by code from a fork, and not verified.** Whoever opened this could have written "
    "every number below. Read the change; the gate judges it again once its code is trusted."
)


def hold_models(commit: CommitFiles) -> list[Placed]:
    """Return the models of the commit.

    Raises:
        Refusal: E11 there is none, or one whose config does not hold.
    """
    try:
        found = find_models(commit)
    except MlGitopsError:
        raise Refusal("E11", "the commit has a config that cannot be read") from None
    if not 0 < len(found) <= MOST_MODELS:
        raise Refusal("E11", "the commit has no model, or too many")
    return found


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


def config_for(config: Config, run: Run) -> Config:
    """Return the config as the run used it: with the sample as its source, if it says so.

    Raises:
        Refusal: E11 it says so, and the commit names none.
    """
    if run.sample and config.data.sample is None:
        raise Refusal("E11", "the run is of a sample that the commit does not name")
    return config.on_sample() if run.sample else config


def hold_lineage(config: Config, commit: CommitFiles, run: Run, files: Mapping[str, bytes]) -> None:
    """Hold what went into a run to the files of the commit: a report of another one is refused.

    Args:
        files: of the run; of a sample only these say which rows it was.

    Raises:
        Refusal: E11 it is not of this commit.
    """
    try:
        lock = DataLock.from_json(files[LOCK_FILE], where=WHERE) if run.sample else None
        now = trace_run(config, commit, lock)
    except MlGitopsError:
        raise Refusal("E11", "the commit cannot be trained as it is") from None
    differs = now.changes_from(run.lineage)
    if differs or now.run_key != run.run_key:
        told = " and ".join(differs) or "inputs"
        raise Refusal("E11", f"the run was made from other {told} than the commit has")


def hold_report(
    config: Config, commit: CommitFiles, forge: Forge, run: Run, files: Mapping[str, bytes]
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
    basis = find_basis(config, commit, forge, find_champion(config, forge, run.split))
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
    hold_secrets(text, variables)
    return text


def hold_secrets(text: str, variables: Mapping[str, str]) -> None:
    """Hold that a text tells nothing that this process holds in secret, nor what looks like it.

    Raises:
        Refusal: E13 it does.
    """
    read = as_read(text)
    held = any(value.replace("\\", "") in read for value in secret_values(variables))
    if held or re.search(FORM, read):
        raise Refusal("E13", "the report would tell a secret")
