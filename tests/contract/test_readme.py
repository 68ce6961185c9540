"""What the user reads is true: every command of the README parses, and its first steps run."""

import re
import shlex
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from ml_gitops.cli.parser import make_parser

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
INLINE = re.findall(r"`(ml-gitops [a-z][^`]*)`", README)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line.startswith("ml-gitops")]


@pytest.mark.parametrize("command", sorted({*COMMANDS, *INLINE}))
def test_every_command_of_the_readme_parses(command: str) -> None:
    """The words of the README are words of the command line."""
    make_parser().parse_args(shlex.split(command)[1:])


def test_the_make_targets_of_the_readme_exist() -> None:
    """`make demo`, `make test` and `make bench-loops` are targets of the Makefile."""
    makefile = (ROOT / "Makefile").read_text()

    targets = set(re.findall(r"^make ([a-z-]+)", README, re.MULTILINE))
    assert {"demo", "test"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    assert "bench-%:" in makefile
    assert (ROOT / "benchmarks" / "loops.py").exists()


def test_contributing_names_targets_that_exist() -> None:
    """The commands of CONTRIBUTING are targets of the Makefile."""
    makefile = (ROOT / "Makefile").read_text()
    contributing = (ROOT / ".github" / "CONTRIBUTING.md").read_text()

    targets = re.findall(r"^make ([a-z-]+)", contributing, re.MULTILINE)

    assert len(targets) == 5
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def test_make_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    """A virtual environment that has no pip yet is made again; here only what it installs lacks."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in (
        "pyproject.toml",
        *(f"requirements/{name}.txt" for name in ("dev", "uv", "build")),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    venv.create(tmp_path / ".venv", symlinks=True)
    pip = [str(tmp_path / ".venv/bin/python"), "-m", "pip", "--version"]
    assert subprocess.run(pip, capture_output=True, check=False).returncode != 0

    subprocess.run(
        ["make", ".venv/.ready", f"PYTHON={sys.executable}"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )

    assert subprocess.run(pip, capture_output=True, check=False).returncode == 0


@pytest.mark.slow
def test_the_first_steps_of_the_readme_run(tmp_path: Path) -> None:
    """Start one, propose it, ship it, watch it: the README's two blocks run as they stand."""
    start = next(block for block in BLOCKS if block.startswith("ml-gitops init flights"))
    ship = next(block for block in BLOCKS if block.startswith("git switch -c first-model"))
    folder = tmp_path
    git = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]

    for line in (start + ship).splitlines():
        words = shlex.split(line)
        if words[0] == "cd":
            folder = folder / words[1]
            continue
        if words[0] == "git":
            command = ["git", *git, *words[1:]]
        else:
            command = [sys.executable, "-m", "ml_gitops", *words[1:]]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"

    assert "delay@v1.0.0" in done.stdout
