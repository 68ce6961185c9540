"""`init`, `check`, `demo`: the commands that need no history."""

import argparse
from pathlib import Path
from typing import get_args

from ml_gitops.adapters.git.clone import Clone
from ml_gitops.adapters.local_forge.forge import LocalForge
from ml_gitops.adapters.workspace import LocalWorkspace, template_files
from ml_gitops.cli.setting import BOT, Setting, now
from ml_gitops.config.reference import look_up
from ml_gitops.data.schema import Task
from ml_gitops.delivery.version import LONGEST_NAME
from ml_gitops.errors import EXIT_FAILED, EXIT_PASSED, ConfigError, MlGitopsError
from ml_gitops.model.metrics import metrics_of
from ml_gitops.pull_request import Actor
from ml_gitops.render.terminal import Terminal
from ml_gitops.workflows.check import Finding, check_repository
from ml_gitops.workflows.init import new_files

ADOPTED = ("ml-gitops.toml", "params.toml", ".gitignore")
"""What `init --adopt` adds where it is missing."""


def init(parsed: argparse.Namespace) -> int:
    """Make a model repository, or add to one what is missing."""
    folder: Path = parsed.directory
    name = parsed.name or folder.resolve().name.lower().replace("_", "-")
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
        # What speaks of flights only would be in the way; the config is a form to fill in.
        template = {path: text for path, text in template.items() if path in ADOPTED}
    files = new_files(template, existing, name=name)
    folder.mkdir(parents=True, exist_ok=True)
    LocalWorkspace(folder).write(files)
    forge = None if parsed.adopt else _first_commit(folder, name, parsed.forge)

    def tell(terminal: Terminal) -> None:
        if parsed.adopt:
            for path in sorted(files):
                terminal.status("pass", f"added {path}")
            terminal.line("Nothing is committed. ml-gitops.toml is the example's: put in your own")
            terminal.line("columns, source and pipeline, then run `ml-gitops check`.")
            return
        terminal.status("pass", f"{folder} is a model repository; its forge is {forge}")
        terminal.line(f"Next: cd {folder} && ml-gitops data lock --until 2013-04-01")

    setting = Setting(parsed)
    setting.show({"folder": str(folder), "forge": forge, "files": sorted(files)}, tell)
    return EXIT_PASSED


def _refuse_taken(folder: Path, name: str, forge: Path | None) -> None:
    """Refuse what would fail halfway, before anything is written."""
    if folder.exists() and not folder.is_dir():
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
    path = (asked or folder / ".git" / "forge.git").resolve()
    LocalForge.create(path, actor=BOT, clock=now)
    repository.commit_all(f"Start {name} from the template")
    repository.set_remote(str(path))
    repository.push("main")
    return str(path)


def check(parsed: argparse.Namespace) -> int:
    """Hold config and layout to the rules."""
    setting = Setting(parsed)
    findings = [*check_repository(setting.config, setting.workspace), _check_forge(setting)]
    failed = any(one.state == "fail" for one in findings)

    def tell(terminal: Terminal) -> None:
        for one in findings:
            terminal.status(one.state, one.text)

    setting.show({"findings": findings, "passed": not failed}, tell)
    return EXIT_FAILED if failed else EXIT_PASSED


def _check_forge(setting: Setting) -> Finding:
    """Look at whether there is a forge to propose to."""
    try:
        forge = setting.forge()
    except MlGitopsError as error:
        return Finding(state="warn", text=str(error))
    return Finding(state="pass", text=f"forge: {forge.address}")


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
    from ml_gitops.cli.demo.story import tell_story

    return tell_story(parsed.directory, as_json=parsed.json)
