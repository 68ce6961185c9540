"""`check`: is everything there that the loops will reach for, from Git to the columns?"""

import argparse
import os
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ml_gitops.adapters.git.history import merge_base
from ml_gitops.cli.models import work_tree
from ml_gitops.cli.setting import Setting
from ml_gitops.cli.tell import tell_findings
from ml_gitops.data.schema import Feature
from ml_gitops.errors import EXIT_FAILED, EXIT_PASSED, MlGitopsError
from ml_gitops.names import CONFIG_FILE, LOCK_FILE
from ml_gitops.render.numbers import size
from ml_gitops.render.terminal import Terminal
from ml_gitops.serving.support import support_table
from ml_gitops.workflows.check import check_repository
from ml_gitops.workflows.finding import Finding
from ml_gitops.workflows.models import find_models
from ml_gitops.workflows.review import TAKE_BACK, UNPROPOSED, never_proposed

if TYPE_CHECKING:
    from ml_gitops.ports import Forge

GIT = (2, 38)
"""The oldest Git that merges without a work tree."""
DATA_ENDINGS = ("csv", "jsonl", "parquet")
LARGE = 100_000
"""Bytes from which such a file holds rows, and not the examples of a test."""


def check(parsed: argparse.Namespace) -> int:
    """Hold config, layout, columns and repository to the rules."""
    setting = Setting(parsed)
    if parsed.export:
        return _show_support(setting)
    with setting.terminal as terminal:
        checked = check_repository(
            setting.config, setting.workspace, terminal, load=not parsed.no_data
        )
    findings = [*_in_turn(setting, checked.findings), *_check_git(setting)]
    failed = any(one.state == "fail" for one in findings)

    def tell(terminal: Terminal) -> None:
        tell_findings(terminal, findings)
        if failed and checked.unnamed:
            terminal.line()
            terminal.line(
                "The source also has these columns; under [features] the model sees them:"
            )
            terminal.line()
            for feature in checked.unnamed:
                terminal.line(_line(feature))

    setting.show({"findings": findings, "passed": not failed, "unnamed": checked.unnamed}, tell)
    return EXIT_FAILED if failed else EXIT_PASSED


def _show_support(setting: Setting) -> int:
    """Show which classes of scikit-learn have an exact ONNX form."""
    table = support_table()
    words = {"exact": "exact", "setting": "exact if set", "refused": "refused"}

    def tell(terminal: Terminal) -> None:
        for kind in dict.fromkeys(row.kind for row in table):
            terminal.table(
                [kind, "in ONNX", "what to do"],
                [[row.name, words[row.state], row.remedy] for row in table if row.kind == kind],
                align=["left", "left", "left"],
            )

    setting.show({"support": table}, tell)
    return EXIT_PASSED


def _line(feature: Feature) -> str:
    """Return the line of the config that names a column."""
    name = feature.name
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    nullable = ", nullable = true" if feature.nullable else ""
    return f'{name} = {{ type = "{feature.type}"{nullable} }}'


def _in_turn(setting: Setting, found: Iterable[Finding]) -> Iterator[Finding]:
    """Hold the lock back until there is a forge: committed before, nothing is left to propose."""
    first = "the forge comes first: the lock is the change of the first pull request"
    for one in found:
        early = (one.what, one.state) == (LOCK_FILE, "warn") and not _has_forge(setting)
        yield one.model_copy(update={"remedy": first}) if early else one


def _has_forge(setting: Setting) -> bool:
    try:
        return setting.forge_if_any() is not None
    except MlGitopsError:
        return False


def _check_git(setting: Setting) -> Iterator[Finding]:
    """Yield what is missing between the work tree and a forge, in the order in which it is made."""
    where, start = str(setting.workspace.root), "git add --all && git commit -m 'Start'"
    try:
        repository = setting.repository
        said = repository.text("--version")
        if tuple(int(part) for part in re.findall(r"\d+", said)[:2]) < GIT:
            remedy = "install Git {}.{} or newer".format(*GIT)
            yield Finding(state="fail", what="git", text=f"{said} is too old", remedy=remedy)
        repository.run("rev-parse", "--git-dir")
    except MlGitopsError as error:
        missing = "not a git repository" in error.problem
        problem = "no Git repository; rows can be locked and models trained, no more"
        yield Finding(
            # Without Git nothing works; without a repository, all that needs no history.
            state="warn" if missing else "fail",
            what=where if missing else "git",
            text=problem if missing else error.problem,
            remedy=f"git init && {start}" if missing else error.hint,
        )
        return
    if repository.run("config", "--get", "user.email", accept=(0, 1)).returncode:
        remedy = "git config user.name 'Your Name' && git config user.email you@example.org"
        text = "it knows no name and address for your commits"
        yield Finding(state="warn", what="git", text=text, remedy=remedy)
    try:
        find_models(work_tree(repository))
    except MlGitopsError as error:
        yield Finding.of(error, CONFIG_FILE)
    yield from _live_files(setting)
    yield from _data_files(setting)
    if repository.resolve("HEAD") is None:
        yield Finding(state="warn", what=where, text="nothing is committed yet", remedy=start)
        return
    try:
        forge = setting.forge()
    except MlGitopsError as error:
        yield Finding.of(error, where, state="warn")
        return
    yield _in_step(setting, forge)
    if forge.read(LOCK_FILE, ref=forge.default_branch) and never_proposed(setting.config, forge):
        yield Finding(state="warn", what=LOCK_FILE, text=UNPROPOSED, remedy=TAKE_BACK)


def _live_files(setting: Setting) -> Iterator[Finding]:
    """Yield where rows of production would be committed: nothing is released beside them."""
    monitor = setting.config.monitor
    for path in (monitor.log, monitor.labels):
        inside = "://" not in path and not Path(path).is_absolute() and ".." not in Path(path).parts
        ignored = ("check-ignore", "--quiet", "--", path)
        if inside and setting.repository.run(*ignored, accept=(0, 1, 128)).returncode == 1:
            yield Finding(
                state="warn",
                what=".gitignore",
                text=f"{path} of [monitor] would be committed",
                remedy=f"echo '{Path(path).parts[0]}/' >> .gitignore",
            )
            return


def _data_files(setting: Setting) -> Iterator[Finding]:
    """Yield where rows are committed, or would be with everything else."""
    root, patterns = setting.workspace.root, [f"*.{ending}" for ending in DATA_ENDINGS]
    for words in (["--cached"], ["--others", "--exclude-standard"]):
        listed = setting.repository.run("ls-files", "-z", *words, "--", *patterns).stdout
        paths = [path for path in os.fsdecode(listed).split("\0") if path]
        sizes = {path: _bytes(root / path) for path in paths}
        large = [path for path in paths if sizes[path] >= LARGE]
        if large:
            told = f"{large[0]} ({size(sizes[large[0]])})" + " and more" * (len(large) > 1)
            tracked = words == ["--cached"]
            text = "is data in Git" if tracked else "is data that a commit of everything would take"
            untrack = f"git rm --cached {shlex.quote(large[0])} && " if tracked else ""
            yield Finding(
                state="warn",
                what=".gitignore",
                text=f"{told} {text}",
                remedy=f"{untrack}echo {shlex.quote(large[0])} >> .gitignore",
            )


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _in_step(setting: Setting, forge: "Forge") -> Finding:
    """Compare the default branch of the clone with the forge's own."""
    branch, repository = forge.default_branch, setting.repository
    here, there = repository.resolve(f"refs/heads/{branch}"), forge.head(branch)
    what, text, remedy = forge.address, "the forge", ""
    if here and there and here != there:
        # A commit that is not here was made there.
        behind = repository.resolve(there) is None or merge_base(repository, here, there) != there
        if behind:
            text, remedy = f"its {branch} has commits that are not here", "git pull"
        else:
            text, remedy = f"commits of {branch} are not there yet", "git push"
    return Finding(state="warn" if remedy else "pass", what=what, text=text, remedy=remedy)
