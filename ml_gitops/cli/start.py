"""`init`, `config`, `demo`: the commands that need no repository."""

import argparse
import os
from pathlib import Path
from typing import get_args

from ml_gitops.adapters.git.clone import Clone
from ml_gitops.adapters.local_forge.forge import LocalForge
from ml_gitops.adapters.workspace import LocalWorkspace, template_files
from ml_gitops.cli.setting import BOT, Setting, now
from ml_gitops.config.reference import look_up
from ml_gitops.data.schema import Task
from ml_gitops.delivery.version import LONGEST_NAME
from ml_gitops.errors import EXIT_PASSED, ConfigError, GitError
from ml_gitops.model.metrics import metrics_of
from ml_gitops.names import CONFIG_FILE
from ml_gitops.pull_request import Actor
from ml_gitops.render.terminal import Terminal
from ml_gitops.workflows.init import form_files, model_name, new_files

ADOPTED = (".gitignore",)
"""What `init --adopt` adds of the template where it is missing."""


def init(parsed: argparse.Namespace) -> int:
    """Make a model repository, or add to one what is missing."""
    setting = Setting(parsed)
    folder: Path = parsed.folder / parsed.directory
    name = parsed.name or model_name(Path(os.path.realpath(folder)).name)
    _refuse_taken(folder, name, parsed.forge)
    existing = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    if existing and not parsed.adopt:
        raise ConfigError(
            "the folder is not empty",
            hint="name a new one, or add --adopt to add only what is missing",
            where=str(folder),
        )
    template = template_files()
    if parsed.adopt:
        # What speaks of flights would be in the way; the config is a form to fill in.
        kept = {path: text for path, text in template.items() if path in ADOPTED}
        template = {**kept, **form_files()}
    below = _models_below(folder) if parsed.adopt else []
    if below and not parsed.forge:
        raise ConfigError(
            f"{below[0]} is a model in this folder; one at the top of a repository is its only one",
            hint="name a folder for this one, such as `ml-gitops init NAME --adopt`",
            where=str(folder),
        )
    # Where the models are in folders, the top gets a forge alone.
    files = {} if below else new_files(template, existing, name=name)
    adopted = _adopted(folder) if parsed.adopt and parsed.forge else None
    folder.mkdir(parents=True, exist_ok=True)
    LocalWorkspace(folder).write(files)
    if adopted:
        forge: str | None = _first_push(*adopted, parsed.forge.resolve())
    else:
        forge = None if parsed.adopt else _first_commit(folder, name, parsed.forge)

    def tell(terminal: Terminal) -> None:
        if parsed.adopt:
            for path in sorted(files):
                terminal.status("pass", f"added {path}")
            if forge:
                terminal.status("pass", f"the forge is {forge}")
            commit = "Commit it when you like. " if files else ""
            terminal.line(f"{commit}Next: `ml-gitops check`, which says what is missing")
            return
        terminal.status("pass", f"{folder} is a model repository; its forge is {forge}")
        terminal.line(f"Next: cd {folder} && ml-gitops data lock --until 2013-04-01")

    setting.show({"folder": str(folder), "forge": forge, "files": sorted(files)}, tell)
    return EXIT_PASSED


def _models_below(folder: Path) -> list[str]:
    """Return the folders of models below one that has none, as Git sees them.

    Raises:
        ConfigError: the repository has a model at its top, and this is to be another.
    """
    there = next((it for it in (folder, *folder.resolve().parents) if it.is_dir()), folder)
    if not any((it / ".git").exists() for it in (there.resolve(), *there.resolve().parents)):
        return []
    repository = Clone(there, clock=now, actor=Actor(login="you"))
    inside = os.path.relpath(folder.resolve(), repository.top)
    if inside != "." and (repository.top / CONFIG_FILE).is_file():
        raise ConfigError(
            "the repository has a model at its top, which is its only one",
            hint="first move its config, code and state to a folder of its own, by `git mv`",
            where=str(repository.top / CONFIG_FILE),
        )
    if (folder / CONFIG_FILE).exists():
        return []
    start = "" if inside == "." else f"{inside}/"
    models = [it for it in repository.paths() if it.endswith(f"/{CONFIG_FILE}")]
    return [it.removesuffix(f"/{CONFIG_FILE}") for it in models if it.startswith(start)]


def _refuse_taken(folder: Path, name: str, forge: Path | None) -> None:
    """Refuse what would fail halfway, before anything is written."""
    if os.path.lexists(folder) and not folder.is_dir():
        raise ConfigError("this is a file", hint="name a new folder", where=str(folder))
    if len(name) > LONGEST_NAME:
        raise ConfigError(
            f"the model's name has {len(name)} characters, {LONGEST_NAME} are allowed",
            hint="name a shorter one",
            where="--name",
        )
    if forge is not None and forge.exists() and (not forge.is_dir() or any(forge.iterdir())):
        raise ConfigError(
            "something is there already", hint="name a new folder", where=f"--forge {forge}"
        )


def _first_commit(folder: Path, name: str, asked: Path | None) -> str:
    """Make the folder a Git repository with one commit, and the local forge it is pushed to."""
    repository = Clone.create(folder, clock=now, actor=Actor(login="you"))
    repository.commit_all(f"Start {name} from the template")
    path = (asked or folder / ".git" / "forge.git").resolve()
    return _first_push(repository, "main", path)


def _first_push(repository: Clone, branch: str, path: Path) -> str:
    """Make a local forge whose default branch is the one that is pushed to it."""
    LocalForge.create(path, actor=BOT, clock=now, default_branch=branch)
    repository.set_remote(str(path))
    repository.push(branch)
    return str(path)


def _adopted(folder: Path) -> tuple[Clone, str]:
    """Return a repository that can have a forge, and the branch to push there.

    Raises:
        GitError: there is no branch with a commit, or a remote is there already.
    """
    repository = Clone(folder, clock=now, actor=Actor(login="you"))
    branch, address = repository.branch(), repository.remote_url()
    if branch is None or repository.resolve("HEAD") is None:
        problem = "no branch is checked out" if branch is None else "there is no commit yet"
        raise GitError(problem, hint="commit on a branch first", where=str(folder))
    if address is not None:
        raise GitError(
            f"the remote 'origin' is {address} already",
            hint="keep it under another name: git remote rename origin upstream",
            where=str(folder),
        )
    return repository, branch


def config(parsed: argparse.Namespace) -> int:
    """Explain the keys of the config."""
    found = look_up(parsed.key)
    metrics = {task: metrics_of(task) for task in get_args(Task)}

    def tell(terminal: Terminal) -> None:
        for table in found:
            pairs = []
            for key in table.keys:
                given = "required" if key.default is None else f"default {key.default}"
                pairs += [(key.name, f"{key.type}; {given}"), ("", key.meaning)]
            needed = " (required)" if table.required else ""
            terminal.panel(f"[{table.name}] {table.about}{needed}", pairs)
        if any("metric" in key.type for table in found for key in table.keys):
            terminal.panel("metrics", [(task, ", ".join(metrics[task])) for task in metrics])

    Setting(parsed).show({"tables": found, "metrics": metrics}, tell)
    return EXIT_PASSED


def demo(parsed: argparse.Namespace) -> int:
    """Tell the whole story on the flights of 2013."""
    from ml_gitops.cli.demo.record import say_where
    from ml_gitops.cli.demo.story import tell_story

    setting = Setting(parsed)
    directory: Path = parsed.folder / parsed.directory
    record = tell_story(directory, setting.terminal)
    setting.show(record, lambda terminal: say_where(terminal, directory, record))
    return EXIT_PASSED
