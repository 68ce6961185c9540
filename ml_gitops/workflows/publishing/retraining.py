"""What the job that trained for a monitor left: held to the look that asked, and then proposed.

That job ran the author's code, so it could have written every byte that is read here. What it may
decide is the model and its numbers, on rows until the day that was asked for; never for which
model, on which commit, or what else a proposal says and does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ml_gitops.config import Config
from ml_gitops.data.lock import DataLock, split
from ml_gitops.errors import MlGitopsError
from ml_gitops.model.run import Run
from ml_gitops.monitoring.observation import Observation
from ml_gitops.names import LOCK_FILE
from ml_gitops.ports import Forge, Records
from ml_gitops.pull_request import Keep
from ml_gitops.render.ci_report import to_markdown
from ml_gitops.report import no_newer_rows
from ml_gitops.workflows.ci import Left
from ml_gitops.workflows.cm import Watched, propose, resumed, tell_failure
from ml_gitops.workflows.commit_files import CommitFiles
from ml_gitops.workflows.ct import nothing_newer, retraining_spec
from ml_gitops.workflows.folder import in_folder
from ml_gitops.workflows.models import Placed
from ml_gitops.workflows.publishing.evidence import (
    hold_lineage,
    hold_models,
    hold_report,
    hold_run,
    hold_secrets,
)
from ml_gitops.workflows.publishing.one import hold_name, unpack
from ml_gitops.workflows.publishing.origin import JsonObject, Refusal
from ml_gitops.workflows.publishing.package import (
    LARGEST,
    choose_artifact,
    hold_document,
    hold_files,
    is_named,
)
from ml_gitops.workflows.publishing.post import Runs, read_commit
from ml_gitops.workflows.recording import LOOKS

WHERE = "what the training left"


@dataclass(frozen=True)
class Asked:
    """A training that a look asked for, as the job that looked says.

    Attributes:
        record: the path of the observation on the record branch.
        until: the day the rows end before.
        commit: what it was trained from.
        run: the run of the workflow whose job trained.
    """

    record: str
    until: date
    commit: str
    run: int

    @property
    def model(self) -> str:
        """The name of the model that was looked at."""
        return self.record.removeprefix(f"{LOOKS}/").partition("/")[0]


def propose_left(
    forge: Forge, records: Records, runs: Runs, asked: Asked, variables: Mapping[str, str]
) -> Watched:
    """Propose what a training left, or say that it failed; the same again changes nothing.

    Args:
        forge: as the bot, from the top of the repository.
        runs: what it knows of runs.
        variables: of this process, whose secrets must not be told.

    Raises:
        Refusal: what it left does not hold; nothing was posted.
    """
    observation = read_look(records, asked)
    tip = forge.head(forge.default_branch) or asked.commit
    try:
        model, commit = _find_model(runs, tip, asked.model)
        forge, config = in_folder(forge, model.folder), model.config
        watched = resumed(config, forge, observation, asked.until)
        artifacts = runs.artifacts(asked.run)
        if not any(is_left(it.get("name"), asked.model) for it in artifacts):
            link = f"{forge.address}/actions/runs/{asked.run}"
            return tell_failure(config, forge, records, watched, link)
        left = hold_left(model, commit, forge, runs, asked, artifacts)
        if isinstance(left, Left):
            _hold_words(config, forge, observation, left, variables)
    except Refusal as refusal:
        if tip != asked.commit and refusal.code in {"E11", "E12"}:
            reason = "the default branch moved on while it trained; the next look asks again"
            raise Refusal("E14", reason) from None
        raise
    return propose(config, forge, records, watched, left)


def _find_model(runs: Runs, tip: str, name: str) -> tuple[Placed, CommitFiles]:
    """Return a model of the default branch, and all files of its tip.

    Raises:
        Refusal: E11 there is none of that name any more.
    """
    commit = read_commit(runs, tip)
    for model in hold_models(commit):
        if model.name == name:
            return model, commit
    raise Refusal("E11", "the default branch has no model of that name any more")


def read_look(records: Records, asked: Asked) -> Observation:
    """Return what was seen, from the record of it; only who may write could have kept it.

    Raises:
        Refusal: E01 there is no such look, or it asked for no such training.
    """
    found = dict(records.read_all(asked.record)).get(asked.record)
    try:
        seen = Observation.from_json((found or "").encode(), where=asked.record)
    except MlGitopsError:
        raise Refusal("E01", "there is no record of the look that asked for it") from None
    place = f"{LOOKS}/{asked.model}/{seen.as_of}-"
    if seen.model != asked.model or not asked.record.startswith(place):
        raise Refusal("E01", "the record is of another look")
    if seen.retrain.want != "retrain" or asked.until > seen.as_of:
        raise Refusal("E01", "the look asked for no such training")
    return seen


def hold_left(
    model: Placed,
    commit: CommitFiles,
    forge: Forge,
    runs: Runs,
    asked: Asked,
    artifacts: Sequence[JsonObject],
) -> Left | Keep:
    """Return what a training left, held to a commit that advances the data lock and nothing else.

    Args:
        commit: the tip of the default branch, from its top.
        forge: from the model's folder.
        artifacts: what the run left, as GitHub lists it.

    Raises:
        Refusal: E06 to E12 it does not hold.
    """
    if not any(is_named(it.get("name"), asked.model) for it in artifacts):
        return nothing_newer(forge, asked.until)
    artifact = choose_artifact(asked.run, artifacts, asked.model)
    archive = runs.archive(int(artifact["id"]), LARGEST)
    files = hold_files(unpack(runs, artifact, archive))
    run = hold_run(model.config, files)
    if run.sample:
        raise Refusal("E11", "the run is of a sample, which nobody asked for")
    lock = hold_lock(model.config, files[LOCK_FILE], run, asked.until)
    locked = commit.read(model.folder + LOCK_FILE) or b""
    if files[LOCK_FILE] == locked:
        return nothing_newer(forge, asked.until)
    if lock.window.until < _last_day(locked):
        raise Refusal("E11", "the data lock ends before the one that it is to replace")
    new = {model.folder + LOCK_FILE: lock.to_json().encode()}
    proposed = commit.with_changes(new).below(model.folder, run.lineage.environment)
    hold_lineage(model.config, proposed, run, files)
    report = hold_report(model.config, proposed, forge, run, files)
    hold_name(artifact, run, files)
    return Left(run, report, files)


def _last_day(lock: bytes) -> date:
    """Return the day that the rows of a lock end before; the first of all, where there is none."""
    try:
        return DataLock.from_json(lock, where=LOCK_FILE).window.until
    except MlGitopsError:
        return date.min


def hold_lock(config: Config, content: bytes, run: Run, until: date) -> DataLock:
    """Return the lock that is to be proposed: rows of the config's source until the day asked for.

    Args:
        content: the file that was left.
        run: the training that used it.
        until: the day the rows were to end before.

    Raises:
        Refusal: E09 or E10 it is no lock; E11 it is one of other rows.
    """
    hold_document(content)
    try:
        lock = DataLock.from_json(content, where=WHERE)
    except MlGitopsError:
        raise Refusal("E10", "the data lock is none") from None
    if lock.to_json().encode() != content:
        raise Refusal("E10", "the data lock is not written as locks are")
    if lock.source != config.data.source:
        raise Refusal("E11", "the data lock is of another source than the config's")
    if lock.window.start != config.data.start or lock.window.until > until:
        raise Refusal("E11", "the data lock is of other days than were asked for")
    try:
        cut = split(lock.window, config.data.holdout_days)
    except MlGitopsError:
        raise Refusal("E11", "the data lock is of too few days") from None
    if run.split != cut or run.train_rows + run.holdout_rows != lock.rows:
        raise Refusal("E11", "the run learned from other rows than the data lock has")
    return lock


def _hold_words(
    config: Config,
    forge: Forge,
    observation: Observation,
    left: Left,
    variables: Mapping[str, str],
) -> None:
    """Hold that neither the proposal nor its report would tell a secret (E13)."""
    spec = retraining_spec(config, forge, observation, left)
    for text in (spec.title, spec.body, spec.commit_message, to_markdown(left.report)):
        hold_secrets(text, variables)


def is_left(name: object, model: str) -> bool:
    """Say whether an artifact is one that a training leaves: a run, or that no rows are newer."""
    return is_named(name, model) or name == no_newer_rows(model)
