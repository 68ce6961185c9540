"""The pull request is found, every model that it changes is reported on, one check run sums up."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Literal, Protocol

from ml_gitops.model.gate import GateWord
from ml_gitops.names import CONFIG_FILE
from ml_gitops.ports import Forge
from ml_gitops.render.tables import code, plain
from ml_gitops.workflows.commit_files import CommitFiles
from ml_gitops.workflows.models import Placed, changed_models, model_folders
from ml_gitops.workflows.publishing.evidence import hold_models
from ml_gitops.workflows.publishing.one import Archives, Note, Scene, Shown, Told, report_on
from ml_gitops.workflows.publishing.origin import (
    Code,
    JsonObject,
    Origin,
    Refusal,
    choose_pull_request,
    is_trusted,
    rule_changes,
)
from ml_gitops.workflows.publishing.package import LARGEST, choose_artifact, is_named

CHECK = "ml-gitops"
"""The name of the check run; branch rules can ask for it, whichever models changed."""
Conclusion = Literal["success", "failure", "neutral"]
_CONCLUSIONS: Mapping[GateWord, Conclusion] = {
    "pass": "success",
    "warn": "neutral",
    "block": "failure",
}
_WORST: Sequence[Conclusion] = ("failure", "neutral", "success")
NO_MODEL = "No model changed"


class Runs(Archives, Protocol):
    """What the forge knows of runs of workflows, and of commits, without a checkout."""

    def pull_requests(self, owner: str, branch: str) -> Sequence[JsonObject]:
        """Return the open pull requests of a branch."""
        ...

    def changed_files(self, number: int) -> list[str]:
        """Return the paths that a pull request changes."""
        ...

    def artifacts(self, run: int) -> Sequence[JsonObject]:
        """Return the artifacts of a run."""
        ...

    def fork_point(self, branch: str, commit: str) -> str | None:
        """Return the commit at which another one left a branch; None if it never was on it."""
        ...

    def paths(self, commit: str) -> Sequence[str] | None:
        """Return the regular files of a commit; None if they are too many or too large."""
        ...

    def file(self, commit: str, path: str) -> bytes:
        """Return one of them."""
        ...

    def check(
        self, commit: str, name: str, conclusion: Conclusion, title: str, summary: str, key: str
    ) -> None:
        """Leave one check run on a commit; the same key leaves no second one."""
        ...


@dataclass(frozen=True)
class Published:
    """What was done; nothing in it was written by the run.

    Attributes:
        code: `posted`, `unchanged` if no model is, or the check that refused.
        reason: why nothing was posted; empty if it was.
        pull_request: where it stands.
        verdict: what the reports say, the worst of them.
        posted: whether a comment was written or changed.
        trusted: whether the code that ran was.
        models: what was done about each.
    """

    code: Code | Literal["posted", "unchanged"]
    reason: str = ""
    pull_request: int | None = None
    verdict: GateWord | None = None
    posted: bool = False
    trusted: bool = False
    models: tuple[Told, ...] = ()


def publish_left(
    forge: Forge,
    runs: Runs,
    read: Callable[[], Origin],
    variables: Mapping[str, str],
    note: Note = lambda _, __: "",
) -> Published:
    """Post the reports that a run left, or refuse them; the same run leaves the same, ever.

    Args:
        forge: as the bot.
        runs: what it knows of runs.
        read: returns the origin of the reports, see `read_origin`.
        variables: of this process, whose secrets must not be told.
        note: returns what else a reviewer should know of a model, by its config.
    """
    origin: Origin | None = None
    try:
        origin = read()
        return _publish(forge, runs, origin, variables, note)
    except Refusal as refusal:
        if origin is not None and not refusal.quiet:
            title = f"No report: {refusal.reason}"
            text = f"What the run left is not believed ({refusal.code}): {refusal.reason}."
            runs.check(origin.commit, CHECK, "neutral", title, text, origin.evidence)
        return Published(refusal.code, refusal.reason)


def _publish(
    forge: Forge, runs: Runs, origin: Origin, variables: Mapping[str, str], note: Note
) -> Published:
    listed = runs.pull_requests(origin.owner, origin.branch)
    number = choose_pull_request(origin, listed, forge.default_branch)
    trusted = is_trusted(origin, next(it for it in listed if it["number"] == number))
    changed = runs.changed_files(number)
    rule_changes(changed)  # Refuses a list that is not whole.
    commit = read_commit(runs, origin.commit)
    models = hold_models(commit)
    scene = Scene(forge, runs, origin, commit, number, changed, trusted, variables, note)
    artifacts = runs.artifacts(origin.run)
    left = {one.name for one in models if _left(one, artifacts)}
    wanted = _wanted(models, left, scene, runs)
    shown = [
        report_on(one, scene, partial(_fetch, runs, origin, artifacts, one.name))
        for one in models
        if one.name in left | wanted
    ]
    shown += [_without(name) for name in _gone(models, scene, runs)]
    conclusion, title = conclude(shown, trusted=trusted)
    runs.check(origin.commit, CHECK, conclusion, title, summary(shown), origin.evidence)
    return _published(shown, number, trusted=trusted)


def read_commit(runs: Runs, commit: str) -> CommitFiles:
    """Return the files of a commit; nothing of them is ever run.

    Raises:
        Refusal: E11 they are too many.
    """
    paths = runs.paths(commit)
    if paths is None:
        raise Refusal("E11", "the commit has more files than can be read")
    return CommitFiles(paths, partial(runs.file, commit))


def _left(model: Placed, artifacts: Sequence[JsonObject]) -> bool:
    return any(is_named(it.get("name"), model.name) for it in artifacts)


def _fetch(
    runs: Runs, origin: Origin, artifacts: Sequence[JsonObject], model: str
) -> tuple[JsonObject, bytes]:
    artifact = choose_artifact(origin.run, artifacts, model)
    return artifact, runs.archive(int(artifact["id"]), LARGEST)


def _wanted(models: Sequence[Placed], left: set[str], scene: Scene, runs: Runs) -> set[str]:
    """Return the models that the run had to leave something of; that is never its own word.

    Where something was left of every model there is nothing to find out.
    """
    if left >= {one.name for one in models}:
        return set()
    before = _before(scene, runs)
    return {one.name for one in changed_models(scene.commit, before, scene.changed)}


def _before(scene: Scene, runs: Runs) -> CommitFiles:
    fork = runs.fork_point(scene.forge.default_branch, scene.origin.commit)
    return read_commit(runs, fork) if fork else CommitFiles([], lambda _: b"")


def _gone(models: Sequence[Placed], scene: Scene, runs: Runs) -> list[str]:
    """Name the models that the change takes away, such as by a config above theirs."""
    if not any(PurePosixPath(path).name == CONFIG_FILE for path in scene.changed):
        return []
    known = model_folders(_before(scene, runs))
    return sorted(known.keys() - {one.name for one in models})


def _without(name: str) -> Shown:
    reason = "this change takes the model away; nobody would judge, release or watch it any more"
    return Shown(Told(name, "E11", reason), f"Taken away: {reason}", f"{code(name)}: {reason}.")


def conclude(shown: Sequence[Shown], *, trusted: bool) -> tuple[Conclusion, str]:
    """Return conclusion and title of the check run; a fork's own word passes nothing (E15).

    What was not reported on at all must not pass either: a missing report fails.
    """
    if not trusted:
        told = "Reported by code from a fork, and not verified"
        return "neutral", told if shown else NO_MODEL
    if not shown:
        return "success", NO_MODEL
    worst = min(shown, key=lambda one: _WORST.index(_conclusion(one.told)))
    more = f"{worst.told.model} of {len(shown)} models: " if len(shown) > 1 else ""
    return _conclusion(worst.told), plain(more + worst.headline, limit=200)


def _conclusion(told: Told) -> Conclusion:
    if told.verdict is None:
        return "failure" if told.code == "E06" else "neutral"
    return _CONCLUSIONS[told.verdict]


def summary(shown: Sequence[Shown]) -> str:
    """Return what the check run shows: the one report, or a line for each of several."""
    if not shown:
        return "Nothing that a model is trained from, or judged by, differs from the base."
    if len(shown) == 1:
        return shown[0].body
    rows = [f"- {code(one.told.model)}: {code(plain(one.headline, limit=200))}" for one in shown]
    return "\n".join([*rows, "", "Each model has a comment of its own on the pull request."])


def _published(shown: Sequence[Shown], number: int, *, trusted: bool) -> Published:
    told = tuple(one.told for one in shown)
    refused = next((one for one in told if one.code != "posted"), None)
    verdicts = [one.verdict for one in told if one.verdict]
    return Published(
        code=refused.code if refused else "posted" if told else "unchanged",
        reason=refused.reason if refused else "" if told else NO_MODEL,
        pull_request=number,
        verdict=min(verdicts, key=("block", "warn", "pass").index, default=None),
        posted=any(one.posted for one in told),
        trusted=trusted,
        models=told,
    )
