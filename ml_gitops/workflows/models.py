"""The models of a repository: one folder each, and which of them a change is about."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ml_gitops.config import Config, parse_config
from ml_gitops.document import canonical_json
from ml_gitops.errors import ConfigError, MlGitopsError
from ml_gitops.names import CONFIG_FILE, ENVIRONMENT_LOCKS
from ml_gitops.report import policy_digest
from ml_gitops.workflows.check_changes import deciding_parts
from ml_gitops.workflows.commit_files import CommitFiles
from ml_gitops.workflows.standing import check_files
from ml_gitops.workflows.training import trace_run

WORKFLOWS = ".github/workflows/"
"""What lies here says with which libraries every model is trained."""


@dataclass(frozen=True)
class Placed:
    """A model and where it is.

    Attributes:
        folder: with a slash at its end; empty for the top of the repository.
    """

    folder: str
    config: Config

    @property
    def name(self) -> str:
        """What tags, records and artifacts of the model go by."""
        return self.config.model.name

    @property
    def directory(self) -> str:
        """The folder, as a command line takes it."""
        return self.folder.rstrip("/") or "."


def find_models(files: CommitFiles) -> list[Placed]:
    """Return the models of a commit, by their folders; one at the top is the only one.

    Raises:
        ConfigError: a config does not hold, or two models have one name.
    """
    ends = [path for path in files.paths if f"/{path}".endswith(f"/{CONFIG_FILE}")]
    found: list[Placed] = []
    for path in [CONFIG_FILE] if CONFIG_FILE in ends else ends:
        config = parse_config(files.read(path) or b"", where=path)
        found.append(Placed(path.removesuffix(CONFIG_FILE), config))
    refuse_same_names(found)
    return found


def refuse_same_names(models: Sequence[Placed]) -> None:
    """Refuse two models of one name: neither could be told from the other.

    Raises:
        ConfigError: there are such.
    """
    known: dict[str, Placed] = {}
    for one in models:
        other = known.setdefault(one.name, one)
        if other is not one:
            raise ConfigError(
                f"the model in {other.directory} is called {one.name!r}, too",
                hint="give each a name of its own: tags, reports and records go by it",
                where=one.folder + CONFIG_FILE,
            )


def changed_models(
    now: CommitFiles, before: CommitFiles, differing: Collection[str]
) -> list[Placed]:
    """Return the models that would be trained or judged otherwise than before.

    Run keys are compared, gates and checks; nothing of the commits is run. Where a workflow
    changed, every model did: it says which libraries train.

    Args:
        now, before: the whole commits.
        differing: paths of the files in which they differ; models without any are not looked at.
    """
    models = find_models(now)
    if any(path.startswith(WORKFLOWS) for path in differing):
        return models
    known = model_folders(before)
    return [
        one
        for one in models
        if any(path.startswith(one.folder) for path in differing)
        and (
            one.name not in known or _decided(now, one.folder) != _decided(before, known[one.name])
        )
    ]


def model_folders(commit: CommitFiles) -> dict[str, str]:
    """Return name and folder of every model; none, where they could not be read."""
    try:
        return {one.name: one.folder for one in find_models(commit)}
    except MlGitopsError:
        return {}


def _decided(commit: CommitFiles, folder: str) -> tuple[str, ...]:
    """Return what decides on a model in a commit, as text that can be compared."""
    files = commit.below(folder, dict.fromkeys(ENVIRONMENT_LOCKS, "sha256:"))
    config = parse_config(files.read(CONFIG_FILE) or b"")
    try:
        key = trace_run(config, files).run_key
    except MlGitopsError as error:
        key = str(error)  # Nothing is locked, say; the training will tell.
    checks = canonical_json(deciding_parts(check_files(files)))
    return key, policy_digest(config.gate), checks
