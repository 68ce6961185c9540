"""What a repository may hold that nobody expects: told in one line, exit 2, never as our bug."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ml_gitops.adapters.git.history import create_tag
from ml_gitops.adapters.git.repository import GitRepository
from ml_gitops.cli import main
from tests.builders import PERSON, first_day, make_model_repo

LOCK = ["data", "lock", "--until", "2024-03-01"]


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose rows are locked."""
    root = make_model_repo(tmp_path_factory.mktemp("locked") / "repo")
    assert main([*LOCK, "-C", str(root)]) == 0
    return root


@pytest.fixture
def root(locked: Path, tmp_path: Path) -> Path:
    """A copy of it; its forge is the first one's, and nothing here writes there."""
    return shutil.copytree(locked, tmp_path / "repo", symlinks=True)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a command that the user has to mend something for, and return its one error."""
    capsys.readouterr()
    code = main(words)
    line = capsys.readouterr().err.splitlines()[-1]
    assert code == 2, line
    assert line.startswith("error: ")
    assert "; " in line, "there is no remedy"
    return line


@pytest.mark.parametrize("name", [b"model/\xff.py", b"checks/\xff.txt"])
def test_a_name_that_is_no_text_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str], name: bytes
) -> None:
    """No document could name such a file, and two of them would be told as one."""
    Path(os.fsdecode(os.fsencode(root / "x")[:-1] + name)).write_text("")

    line = refused(capsys, "train", "-C", str(root))

    assert f"{name.decode(errors='backslashreplace')}: the name is not UTF-8; rename it" in line


def test_a_folder_whose_name_is_no_text_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor could a document say where such a repository is."""
    odd = root.rename(os.fsdecode(os.fsencode(root) + b"\xff"))

    assert "repo\\xff: the name is not UTF-8" in refused(capsys, "check", "-C", str(odd))


@pytest.mark.parametrize("words", [["check", "-C", "LINK"], ["init", "LINK"]])
@pytest.mark.hostile
def test_a_link_to_itself_is_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    """Neither is a repository found there, nor one made."""
    link = tmp_path / "link"
    link.symlink_to(link)

    line = refused(capsys, *[word.replace("LINK", str(link)) for word in words])

    assert f"{link}: " in line


@pytest.mark.parametrize("isolated", [[], ["-P"]])
@pytest.mark.hostile
def test_files_named_like_libraries_take_nobodys_place(root: Path, isolated: list[str]) -> None:
    """Who starts us by `python -m` in a repository runs our libraries, not files of theirs."""
    for name in ("json", "pydantic", "argparse", "tomllib"):
        (root / f"{name}.py").write_text("import os\nos._exit(99)\n")

    asked = [sys.executable, *isolated, "-m", "ml_gitops", "config", "--json"]
    done = subprocess.run(asked, cwd=root, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


@pytest.mark.hostile
def test_nothing_takes_the_place_of_pythons_own(root: Path) -> None:
    """The author's code may import what lies beside it, and a part of Python as it is."""
    sys.modules.pop("tabnanny", None)
    (root / "tabnanny.py").write_text("1 / 0\n")
    (root / "mine.py").write_text("VALUE = 1\n")
    path = root / "model" / "data.py"
    path.write_text("import mine, tabnanny\n" + path.read_text())

    assert main(["data", "validate", "-C", str(root)]) == 0


@pytest.mark.parametrize("fetched", [True, False])
@pytest.mark.parametrize("place", ["checks/shared", "checks"])
@pytest.mark.hostile
def test_checks_of_another_repository_are_refused(
    root: Path, capsys: pytest.CaptureFixture[str], place: str, *, fetched: bool
) -> None:
    """No review sees what a submodule holds, and a clone need not have fetched it."""
    shutil.rmtree(root / place, ignore_errors=True)
    (root / place).mkdir()
    if fetched:
        (root / place / ".git").write_text("gitdir: ../.git/modules/shared\n")
        (root / place / "test_it.py").write_text("def test_it():\n    pass\n")
    else:
        declared = f'[submodule "shared"]\n\tpath = {place}\n\turl = ../shared\n'
        (root / ".gitmodules").write_text(declared)

    line = refused(capsys, "train", "-C", str(root))

    assert f"{place}: this is a repository of its own; commit its files here" in line


@pytest.mark.hostile
def test_code_of_another_repository_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Likewise for the model's own code; a repository without any is nobody's business."""
    for place in ("data/raw", "model/shared"):
        (root / place / ".git").mkdir(parents=True)
    (root / "model" / "shared" / "it.py").write_text("")

    line = refused(capsys, "train", "-C", str(root))

    assert "model/shared: this is a repository of its own; commit its files here" in line


def test_a_number_that_nobody_counted_to_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tag that was pushed by hand is passed over, and the status says which and what to do."""
    root = make_model_repo(tmp_path / "repo")
    forge = GitRepository(root / ".git" / "forge.git", clock=first_day, actor=PERSON)
    create_tag(forge, "churn#production#999999999", "main", "churn@v1.0.0")
    capsys.readouterr()

    assert main(["status", "-C", str(root)]) == 0

    said = " ".join(capsys.readouterr().out.split())
    assert "churn#production#999999999 is passed over: nothing was counted up to it" in said
