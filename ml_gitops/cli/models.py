"""`models`: which models a repository has, and which of them a change is about."""

import argparse
import re

from ml_gitops.adapters.git.clone import Clone
from ml_gitops.adapters.git.history import merge_base
from ml_gitops.adapters.reading import read_file
from ml_gitops.cli.setting import Setting
from ml_gitops.errors import EXIT_PASSED
from ml_gitops.names import LOCK_FILE
from ml_gitops.render.numbers import count
from ml_gitops.render.terminal import Terminal
from ml_gitops.workflows.commit_files import CommitFiles
from ml_gitops.workflows.models import Placed, changed_models, find_models

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def models(parsed: argparse.Namespace) -> int:
    """List models; nothing of theirs is run."""
    setting = Setting(parsed)
    since: str | None = parsed.changed_since
    repository = setting.repository
    here = work_tree(repository)
    found = _changed(repository, since) if since else find_models(here)
    if parsed.locked:
        found = [one for one in found if one.folder + LOCK_FILE in here.paths]
    listed = [{"directory": one.directory, "model": one.name} for one in found]

    def tell(terminal: Terminal) -> None:
        told = f" changed since {since}" if since else ""
        terminal.line(f"{count(len(found), 'model')}{told}")
        if found:
            rows = [[one.directory, one.name, one.config.model.about] for one in found]
            terminal.table(["folder", "model", "about"], rows, align=["left"] * 3)

    setting.show({"models": listed, "changed_since": since}, tell)
    return EXIT_PASSED


def work_tree(repository: Clone) -> CommitFiles:
    """Return the files that a commit of everything would hold."""
    return CommitFiles(repository.paths(), lambda path: read_file(repository.top, path) or b"")


def _changed(repository: Clone, since: str) -> list[Placed]:
    """Return the models of the commit that differ from where it left another."""
    # A whole id that is not here was on a branch that has been pushed anew since.
    lost = _COMMIT.fullmatch(since) and repository.resolve(since) is None
    fork = None if lost else merge_base(repository, since, "HEAD")
    now = repository.files("HEAD")
    if fork is None:
        return find_models(_commit(repository, now))
    before = repository.files(fork)
    differing = {path for path, _ in now.items() ^ before.items()}
    return changed_models(_commit(repository, now), _commit(repository, before), differing)


def _commit(repository: Clone, ids: dict[str, str]) -> CommitFiles:
    return CommitFiles(ids, lambda path: repository.blobs([ids[path]])[0])
