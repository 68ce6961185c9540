"""Bad input through the real command line: one line, the right exit code, nothing half-written."""

import hashlib
import json
import random
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_gitops.adapters.local_forge.forge import LocalForge
from ml_gitops.cli import main
from tests.builders import BOT, PIPELINE, first_day, make_model_repo
from tests.contract.malformed import GOOD, MALFORMED, Change

Mutation = Callable[[Path], object]

LOCK = ["data", "lock", "--until", "2024-03-01"]
VALIDATE = ["data", "validate"]
MONITOR = ["monitor", "--as-of", "2024-03-22"]
DATA = "model/data.py"
RETURN = "    return pd.concat(days, ignore_index=True) if days else _day(start).iloc[:0]"


# The machine


def git(root: Path, *words: str) -> None:
    """Run Git in a work tree, as somebody."""
    somebody = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", *somebody, *words], cwd=root, check=True, capture_output=True)


def copy_of(source: Path, target: Path) -> Path:
    """Copy a repository; the copy has a forge of its own."""
    shutil.copytree(source, target)
    settings_file = target / ".git" / "config"
    settings_file.write_text(settings_file.read_text().replace(str(source), str(target)))
    return target


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose rows are locked and pushed."""
    root = make_model_repo(tmp_path_factory.mktemp("locked") / "repo")
    assert main([*LOCK, "-C", str(root)]) == 0
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "Lock January and February")
    git(root, "push", "--quiet", "origin", "main")
    return root


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory, locked: Path) -> Path:
    """A repository whose first release serves in production."""
    root = copy_of(locked, tmp_path_factory.mktemp("live") / "repo")
    for words in (["train"], ["release", "--train"], ["pr", "merge", "1"]):
        assert main([*words, "-C", str(root)]) == 0
    return root


@pytest.fixture(scope="session")
def taken_port() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def files_of(root: Path) -> dict[str, str]:
    """Return path and digest of every file, drafts included; not what Git and Python refresh."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "index" and "__pycache__" not in path.parts
    }


def told(capsys: pytest.CaptureFixture[str], words: list[str]) -> tuple[int, str]:
    """Run a command; return its exit code and the one error, the last line of stderr."""
    capsys.readouterr()
    try:
        code = main(words)
    except SystemExit as left:  # argparse leaves by itself
        code = int(left.code or 0)
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    *steps, line = err.splitlines()
    assert not any(step.startswith("error:") for step in steps), err
    return code, line


# Mutations


def write(name: str, content: str | bytes) -> Mutation:
    """Replace a file."""
    data = content.encode() if isinstance(content, str) else content

    def mutate(root: Path) -> None:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    return mutate


def replace(name: str, old: str, new: str) -> Mutation:
    """Replace a text inside of a file, which must be there."""

    def mutate(root: Path) -> None:
        text = (root / name).read_text()
        assert old in text
        (root / name).write_text(text.replace(old, new))

    return mutate


def returns(code: str) -> Mutation:
    """Let the source end with other code, which may use `frame`."""
    return replace(DATA, RETURN, f"    frame = pd.concat(days, ignore_index=True)\n    {code}")


def gone(name: str) -> Mutation:
    """Remove a file or a folder."""

    def mutate(root: Path) -> None:
        path = root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return mutate


def folder(name: str) -> Mutation:
    """Put a folder where a file should be."""

    def mutate(root: Path) -> None:
        (root / name).unlink(missing_ok=True)
        (root / name).mkdir(parents=True)

    return mutate


def log_record(number: int) -> dict[str, object]:
    """Return a prediction that looks like the training data."""
    draw = random.Random(number)  # noqa: S311
    time = datetime(2024, 3, 1, tzinfo=UTC) + timedelta(minutes=50 * number)
    features = {
        "load": draw.gauss(0, 1),
        "wear": None if number % 20 == 0 else draw.gauss(0, 1),
        "plan": draw.choices(["basic", "plus", "pro"], [5, 3, 2])[0],
    }
    return {
        "id": f"c{number}",
        "time": time.isoformat(),
        "release": "churn@v1.0.0",
        "digest": "sha256:" + "0" * 64,
        "features": features,
        "score": draw.random(),
        "label": "true",
    }


def logged(more: str = "", *, labels: str | bytes | None = None) -> Mutation:
    """Write three weeks of predictions, with more at their end, and labels."""
    lines = "".join(json.dumps(log_record(n)) + "\n" for n in range(600)) + more
    writes = [write("live/predictions/a.jsonl", lines)]
    if labels is not None:
        writes.append(write("live/labels/a.csv", labels))
    return lambda root: [one(root) for one in writes]


def linked(name: str, target: str) -> Mutation:
    """Put a link to somewhere on this machine in the place of a file or folder."""

    def mutate(root: Path) -> None:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)

    return mutate


def both(*mutations: Mutation) -> Mutation:
    """Do one after the other."""
    return lambda root: [mutate(root) for mutate in mutations]


def another_release(root: Path) -> None:
    """Let there be a release that nothing serves, and one of another model."""
    forge = LocalForge(root / ".git" / "forge.git", actor=BOT, clock=first_day)
    for tag in ("churn@v1.0.1", "delay@v1.0.2"):
        forge.create_tag(tag, forge.head("main") or "", "Another")
        forge.create_release(tag, "Another", "", {})


def branch_of_mine(root: Path) -> None:
    """Commit something on a branch of its own."""
    git(root, "switch", "--quiet", "--create", "try")
    (root / "notes.txt").write_text("one")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "Note")


def branch_that_exists(root: Path) -> None:
    """Let the forge have the branch already, with another commit."""
    branch_of_mine(root)
    git(root, "push", "--quiet", "origin", "try")
    git(root, "commit", "--quiet", "--amend", "-m", "Note it otherwise")


def pull_request_that_exists(root: Path) -> None:
    """Open the pull request once."""
    branch_of_mine(root)
    assert main(["pr", "open", "-C", str(root)]) == 0


# A repository that is not released yet: (name, what is wrong, command, place, part of the problem)

Case = tuple[str, Mutation, list[str], str, str]

BROKEN: list[Case] = [
    # Files that people write
    (
        "config not UTF-8",
        write("ml-gitops.toml", b"[model]\n\xff"),
        ["check"],
        r"ml-gitops.toml:2",
        "UTF-8",
    ),
    ("config a folder", folder("ml-gitops.toml"), ["check"], r"/.*repo", "no ml-gitops.toml"),
    ("config gone", gone("ml-gitops.toml"), ["train"], r"/.*repo", "no ml-gitops.toml"),
    (
        "parameters broken",
        write("params.toml", "C = 1\nx = = 2"),
        ["train"],
        r"params.toml:2",
        "no value of TOML",
    ),
    ("parameters a folder", folder("params.toml"), ["train"], "params.toml", "folder"),
    (
        "a parameter that nobody knows",
        write("params.toml", "Cee = 1"),
        ["train"],
        "params.toml:1",
        "LogisticRegression takes no 'Cee'; did you mean 'C'?",
    ),
    # Files that machines write
    (
        "lock not JSON",
        write("data.lock.json", "<<<<<<< HEAD"),
        ["train"],
        "data.lock.json",
        "DataLock",
    ),
    ("lock empty", write("data.lock.json", ""), VALIDATE, "data.lock.json", "DataLock"),
    ("lock not UTF-8", write("data.lock.json", b"\xff"), VALIDATE, "data.lock.json", "DataLock"),
    ("lock a folder", folder("data.lock.json"), LOCK, "data.lock.json", "folder"),
    ("lock gone", gone("data.lock.json"), ["train"], "data.lock.json", "locked"),
    (
        "lock edited by hand",
        replace("data.lock.json", '"rows": 1800', '"rows": 1801'),
        ["train"],
        "data.lock.json",
        "1,801 locked",
    ),
    (
        "lock with a key of its own",
        replace("data.lock.json", '"rows"', '"mine": 1, "rows"'),
        ["train"],
        "data.lock.json",
        "mine",
    ),
    (
        "rows changed behind the lock",
        replace(DATA, "ROWS_PER_DAY = 30", "ROWS_PER_DAY = 29"),
        ["train"],
        "data.lock.json",
        "1,740 rows, 1,800 locked",
    ),
    (
        "rows changed behind the lock, validated",
        replace(DATA, "ROWS_PER_DAY = 30", "ROWS_PER_DAY = 29"),
        VALIDATE,
        "data.lock.json",
        "1,740 rows, 1,800 locked",
    ),
    (
        "columns changed behind the lock",
        returns("return frame.assign(more=1)"),
        ["train"],
        "data.lock.json",
        "other columns",
    ),
    # The author's code
    (
        "syntax error",
        write(DATA, "import os\ndef load(:\n"),
        VALIDATE,
        "model/data.py:2",
        "SyntaxError",
    ),
    (
        "source raises",
        returns("raise RuntimeError('the feed\\n is down')"),
        VALIDATE,
        r"model/data.py:\d+",
        "RuntimeError: the feed is down",
    ),
    ("source exits", returns("raise SystemExit(4)"), VALIDATE, r"model/data.py:\d+", "SystemExit"),
    ("source returns nothing", returns("return None"), VALIDATE, "model/data.py:load", "NoneType"),
    ("source gone", gone(DATA), VALIDATE, "model/data.py", "no such file"),
    ("source empty", write(DATA, ""), VALIDATE, "model/data.py", "no function 'load'"),
    (
        "source imports what is not there",
        write(DATA, "import nowhere_at_all\n"),
        VALIDATE,
        "model/data.py:1",
        "nowhere_at_all",
    ),
    (
        "pipeline raises",
        write("model/pipeline.py", "def build_pipeline(params):\n    raise KeyError('x')\n"),
        ["train"],
        "model/pipeline.py:2",
        "KeyError",
    ),
    (
        "pipeline returns nothing",
        write("model/pipeline.py", "def build_pipeline(params):\n    return None\n"),
        ["train"],
        "model/pipeline.py:1",
        "NoneType",
    ),
    (
        "pipeline cannot answer",
        write(
            "model/pipeline.py",
            PIPELINE.replace("return Pipeline", "made = Pipeline")
            + "    made.predict_proba = lambda rows: rows.nowhere\n    return made\n",
        ),
        ["train"],
        r"model/pipeline.py:\d+",
        "AttributeError",
    ),
    # Rows
    (
        "target missing",
        returns("return frame.drop(columns='left')"),
        LOCK,
        "model/data.py:load",
        "column 'left': is missing",
    ),
    (
        "feature missing",
        returns("return frame.drop(columns='wear')"),
        LOCK,
        "model/data.py:load",
        "column 'wear': is missing",
    ),
    (
        "all-null column",
        returns("return frame.assign(wear=float('nan'))"),
        LOCK,
        "model/data.py:load",
        "every value is missing",
    ),
    (
        "column name twice",
        returns("return pd.concat([frame, frame[['load']]], axis=1)"),
        LOCK,
        "model/data.py:load",
        "used twice",
    ),
    (
        "column name a number",
        returns("return frame.rename(columns={'refund': 3})"),
        LOCK,
        "model/data.py:load",
        "column 3",
    ),
    (
        "ids twice",
        returns("return frame.assign(customer='c')"),
        LOCK,
        "model/data.py:load",
        "repeat an id",
    ),
    (
        "one class only",
        returns("return frame.assign(left=True)"),
        LOCK,
        "model/data.py:load",
        "one class only",
    ),
    (
        "target of words",
        returns("return frame.assign(left=frame['plan'])"),
        LOCK,
        "model/data.py:load",
        "binary",
    ),
    (
        "no rows",
        returns("return frame.iloc[:0]"),
        LOCK,
        "model/data.py:load",
        "no rows in the window",
    ),
    (
        "mixed time zones",
        returns(
            "zones = ['UTC', 'Asia/Tokyo']\n    return frame.assign("
            "asked=[t.tz_localize(zones[t.minute % 2]) for t in frame['asked']])"
        ),
        LOCK,
        "model/data.py:load",
        "mixes time zones",
    ),
    (
        "times as text",
        returns("return frame.assign(asked=frame['asked'].astype(str))"),
        LOCK,
        "model/data.py:load",
        "is str, not a time (such as 2024-01-01 00:19:00); parse it in the source: rows['asked'] =",
    ),
    (
        "rows of other days",
        returns("return frame.assign(asked=frame['asked'] + pd.Timedelta('365D'))"),
        LOCK,
        "model/data.py:load",
        "outside",
    ),
    (
        "lists in a column",
        returns("return frame.assign(more=[[1]] * len(frame))"),
        LOCK,
        "model/data.py:load",
        "flatten",
    ),
    (
        "lists as ids",
        returns("return frame.assign(customer=[[1]] * len(frame))"),
        LOCK,
        "model/data.py:load",
        "flatten",
    ),
    (
        "dicts as the target",
        returns("return frame.assign(left=[{}] * len(frame))"),
        LOCK,
        "model/data.py:load",
        "flatten",
    ),
    (
        "text for a number",
        returns("return frame.assign(load='much')"),
        LOCK,
        "model/data.py:load",
        "not number",
    ),
    (
        "values out of range",
        returns("return frame.assign(load=frame['load'] + 1000)"),
        LOCK,
        "model/data.py:load",
        "above 50",
    ),
    (
        "empty window",
        lambda _: None,
        ["data", "lock", "--until", "2024-01-01"],
        "--until",
        "has no day",
    ),
    # The command line
    (
        "no date",
        lambda _: None,
        ["data", "lock", "--until", "soon"],
        "ml-gitops data lock",
        "'soon' is no date",
    ),
    ("no such command", lambda _: None, ["trian"], "ml-gitops", "'trian'"),
    ("no such option", lambda _: None, ["status", "--jsn"], "ml-gitops status", "--jsn"),
    (
        "no port",
        lambda _: None,
        ["serve", "--port", "99999"],
        "ml-gitops serve",
        "'99999' is no port",
    ),
    (
        "outcome where a folder is",
        folder("out"),
        ["status", "--outcome", "ROOT/out"],
        r"/.*/out",
        "cannot write it",
    ),
    # Git and the forge
    ("no repository", gone(".git"), ["status"], r"/.*repo", "not a git repository"),
    (
        "no forge",
        gone(".git/forge.git"),
        ["release"],
        r"/.*repo",
        "forge.git; restore it, or name where it is now: `git remote set-url origin PATH`",
    ),
    (
        "no forge for pull requests",
        gone(".git/forge.git"),
        ["pr", "list"],
        r"/.*repo",
        "the forge of this repository is gone",
    ),
    (
        "pull request of the default branch",
        lambda _: None,
        ["pr", "open"],
        r"/.*repo",
        "this is main",
    ),
    ("branch that exists", branch_that_exists, ["pr", "open"], r"/.*repo", "rejected"),
    (
        "pull request that exists",
        pull_request_that_exists,
        ["pr", "open"],
        r"/.*forge.git",
        "#1 is open for try already",
    ),
    (
        "pull request that does not",
        lambda _: None,
        ["pr", "show", "99"],
        r"/.*forge.git",
        "there is no #99",
    ),
    (
        "nothing released to serve",
        lambda _: None,
        ["monitor"],
        "production",
        "nothing was ever deployed",
    ),
    ("no such environment", lambda _: None, ["promote", "--to", "moon"], "--to", "'moon'"),
    ("init where something is", lambda _: None, ["init", "ROOT"], r"/.*repo", "not empty"),
    (
        "init on a file",
        lambda _: None,
        ["init", "ROOT/params.toml", "--name", "x"],
        r"/.*params.toml",
        "a file",
    ),
    (
        "init with a forge that is something else",
        lambda _: None,
        ["init", "ROOT/new", "--forge", "ROOT/model"],
        r"--forge /.*model",
        "there already",
    ),
    (
        "init with an odd name",
        lambda _: None,
        ["init", "ROOT/new", "--name", "My Model"],
        "--name",
        "'My Model'",
    ),
    (
        "init with an endless name",
        lambda _: None,
        ["init", "ROOT/new", "--name", "a" * 64],
        "--name",
        "64 characters",
    ),
]

# These name the thing itself in their problem, and no place before it.
NAMED_INSIDE: list[Case] = [
    (
        "dirty work tree",
        write("notes.txt", "x"),
        ["release"],
        "",
        "differs from its commit: notes.txt",
    ),
    ("nothing trained", lambda _: None, ["report"], "", "not trained yet"),
    ("nothing to serve", lambda _: None, ["serve"], "", "nothing was ever deployed to production"),
]

# A repository whose release serves

LIVE: list[Case] = [
    (
        "labels without the id",
        logged(labels="who,left\nc1,1\n"),
        MONITOR,
        r"/.*labels/a.csv",
        "no column 'customer'",
    ),
    (
        "labels without the target",
        logged(labels="customer,gone\nc1,1\n"),
        MONITOR,
        r"/.*labels/a.csv",
        "no column 'left'",
    ),
    (
        "labels that are no text",
        logged(labels=b"customer,left\nc1,\xff\xfe\x00\n"),
        MONITOR,
        r"/.*labels/a.csv:2",
        "not UTF-8",
    ),
    (
        "log with halves of lines",
        logged('{"id": \n{"id": '),
        MONITOR,
        r"/.*a.jsonl:601",
        "not JSON",
    ),
    ("log with lists", logged("[1]\n[2]\n"), MONITOR, r"/.*a.jsonl:601", "type of its column"),
    (
        "log that is no text",
        write("live/predictions/a.jsonl", b"\xff\x00\xfe\n" * 9),
        MONITOR,
        r"/.*a.jsonl:1",
        "not JSON",
    ),
    (
        "log that is not there",
        replace("ml-gitops.toml", "[monitor]\n", '[monitor]\nlog = "live/served.jsonl"\n'),
        MONITOR,
        r"/.*live/served.jsonl",
        "there is no such file",
    ),
    (
        "labels that are a file of the machine",
        linked("live/labels/a.csv", "/etc/passwd"),
        MONITOR,
        "live/labels/a.csv",
        "leads out of the repository",
    ),
    (
        "log in a folder of the machine",
        both(write("../etc/predictions/a.jsonl", "secret"), linked("live", "../etc")),
        MONITOR,
        "live/predictions/a.jsonl",
        "leads out of the repository",
    ),
    (
        "labels elsewhere that are none",
        both(
            write("../secret.csv", "root:x:0:0\n"),
            replace("ml-gitops.toml", "[monitor]\n", '[monitor]\nlabels = "../secret.csv"\n'),
        ),
        MONITOR,
        r"/.*secret.csv",
        "no column 'customer'; it has 1;",
    ),
    (
        "a look back from tomorrow",
        lambda _: None,
        ["monitor", "--as-of", "9999-12-31"],
        "--as-of",
        "has not come yet",
    ),
    (
        "windows before the calendar",
        lambda _: None,
        ["monitor", "--as-of", "0001-01-01"],
        "--as-of",
        "year 1",
    ),
    (
        "nothing to roll back to",
        lambda _: None,
        ["rollback", "--environment", "production"],
        "deployments/production.json",
        "nothing to roll back to: churn@v1.0.0 is the only release;",
    ),
    (
        "nothing served before, and another release",
        another_release,
        ["rollback", "--environment", "production"],
        "deployments/production.json",
        "served nothing else before it; name another release with --to, such as v1.0.1",
    ),
    (
        "no version to roll back to",
        lambda _: None,
        ["rollback", "--environment", "production", "--to", "v9"],
        "--to",
        "'v9' is no version of churn; name one of churn@v1.0.0",
    ),
    (
        "no such bare version to serve",
        lambda _: None,
        ["serve", "--release", "v9.0.0"],
        r"/.*forge.git",
        "no release churn@v9.0.0; name one of churn@v1.0.0",
    ),
    (
        "rollback to what serves",
        lambda _: None,
        ["rollback", "--environment", "production", "--to", "v1.0.0"],
        "deployments/production.json",
        "serves churn@v1.0.0 already",
    ),
    (
        "no such version",
        lambda _: None,
        ["rollback", "--environment", "production", "--to", "v9.0.0"],
        r"/.*forge.git",
        "churn@v9.0.0",
    ),
    (
        "no version",
        lambda _: None,
        ["rollback", "--environment", "production", "--to", "nine"],
        "--to",
        "'nine'",
    ),
    (
        "version of thousands of digits",
        lambda _: None,
        ["rollback", "--environment", "production", "--to", f"v1.0.{'9' * 5_000}"],
        "--to",
        "is no version",
    ),
    (
        "release of thousands of digits",
        lambda _: None,
        ["serve", "--release", f"churn@v1.0.{'9' * 5_000}"],
        r"/.*forge.git",
        "; name one of churn@v1.0.0",
    ),
    (
        "no such release to serve",
        lambda _: None,
        ["serve", "--release", "churn@v9.0.0"],
        r"/.*forge.git",
        "no release churn@v9.0.0; name one of churn@v1.0.0",
    ),
    (
        "no such environment to serve",
        lambda _: None,
        ["serve", "--environment", "prod"],
        "--environment",
        "'prod'; name one of staging, production",
    ),
    (
        "no such environment to roll back",
        lambda _: None,
        ["rollback", "--environment", "../main"],
        "--environment",
        "'../main'; name one of staging, production",
    ),
    (
        "version of another model",
        lambda _: None,
        ["rollback", "--environment", "production", "--to", "delay@v1.0.0"],
        "--to",
        "'delay@v1.0.0' is no version of churn",
    ),
    ("merged already", lambda _: None, ["pr", "merge", "1"], r"/.*forge.git", "it is merged"),
    ("behind the default branch", lambda _: None, ["release"], "", "git pull"),
]


def cases(table: list[Case]) -> pytest.MarkDecorator:
    """Return one test per case, under its name."""
    return pytest.mark.parametrize(
        ("mutate", "words", "place", "problem"),
        [pytest.param(*case[1:], id=case[0]) for case in table],
    )


def refuse(
    capsys: pytest.CaptureFixture[str],
    root: Path,
    mutate: Mutation,
    words: list[str],
    place: str,
    problem: str,
) -> None:
    """Hold a command to its one line, its exit code and a tree that stays as it was."""
    mutate(root)
    before = files_of(root)
    there = [] if words[0] == "init" else ["-C", str(root)]
    asked = [word.replace("ROOT", str(root)) for word in words]

    code, line = told(capsys, asked + there)

    expected = f"error: {place}: " if place else "error: "
    assert re.match(expected, line), line
    assert problem in line
    assert "; " in line, "there is no remedy"
    assert code == 2
    assert files_of(root) == before


@cases(BROKEN + NAMED_INSIDE)
def test_a_broken_repository_is_refused(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    locked: Path,
    mutate: Mutation,
    words: list[str],
    place: str,
    problem: str,
) -> None:
    """What is wrong is told in one line with place and remedy; exit 2, and nothing is written."""
    root = copy_of(locked, tmp_path / "repo")

    refuse(capsys, root, mutate, words, place, problem)


@cases(LIVE)
def test_a_broken_production_is_refused(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    live: Path,
    mutate: Mutation,
    words: list[str],
    place: str,
    problem: str,
) -> None:
    """Likewise with logs, labels and releases, and nothing is proposed or recorded."""
    root = copy_of(live, tmp_path / "repo")

    refuse(capsys, root, mutate, words, place, problem)


def test_a_port_in_use_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, live: Path, taken_port: int
) -> None:
    """A port that is taken is named, no service is started, and who listens there is left alone."""
    root = copy_of(live, tmp_path / "repo")

    code, line = told(capsys, ["serve", "--port", str(taken_port), "-C", str(root)])

    assert code == 2
    assert f"port {taken_port} of 127.0.0.1 cannot be used" in line
    assert "; stop what listens there" in line


def test_broken_data_is_listed_and_not_an_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, locked: Path
) -> None:
    """`data validate` lists every violation and exits 1: a failed contract is an outcome."""
    root = copy_of(locked, tmp_path / "repo")
    returns("return frame.assign(wear=float('nan'), load=1000.0)")(root)
    capsys.readouterr()

    code = main([*VALIDATE, "-C", str(root)])

    out, err = capsys.readouterr()
    assert code == 1
    assert "error:" not in err
    assert "wear" in out
    assert "load" in out


def test_a_broken_contract_is_listed_with_its_remedies(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, locked: Path
) -> None:
    """Below what is wrong stands what to do, where the columns tell."""
    root = copy_of(locked, tmp_path / "repo")
    replace("ml-gitops.toml", "[features.wear]", "[features.waer]")(root)
    capsys.readouterr()

    assert main([*VALIDATE, "-C", str(root)]) == 1

    assert "  waer: did you mean 'wear'?" in capsys.readouterr().out.splitlines()


def test_a_file_that_answers_otherwise_fails_the_gate(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, locked: Path
) -> None:
    """Parity is a gate: exit 1, with the row, its columns and the step, and nothing is kept."""
    root = copy_of(locked, tmp_path / "repo")
    backwards = (
        "    answer = made.predict_proba\n"
        "    made.predict_proba = lambda rows: answer(rows.assign(load=-rows.load))\n"
        "    return made\n"
    )
    text = PIPELINE.replace("return Pipeline", "made = Pipeline") + backwards
    write("model/pipeline.py", text)(root)
    before = files_of(root)

    code, line = told(capsys, ["train", "-C", str(root)])

    assert code == 1
    assert re.search(r"answers differently: .* row \d+ differs most, by its load=", line), line
    assert "cause is logistic: LogisticRegression; replace LogisticRegression, or widen" in line
    assert files_of(root) == before


def test_what_cannot_be_exported_is_refused_before_rows_are_loaded(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, locked: Path
) -> None:
    """A step without an exact ONNX form is named, with its remedy, though no row can be had."""
    root = copy_of(locked, tmp_path / "repo")
    text = PIPELINE.replace("SimpleImputer", "KNNImputer").replace('strategy="median"', "")
    write("model/pipeline.py", text)(root)
    write(DATA, "def load(start, end):\n    raise OSError('asked for rows')\n")(root)

    code, line = told(capsys, ["train", "-C", str(root)])
    checked, _ = told(capsys, ["check", "--no-data", "-C", str(root)])

    assert (code, checked) == (2, 1)
    assert line == (
        "error: model/pipeline.py:build_pipeline: columns.numbers: KNNImputer is not exact in "
        "ONNX; use SimpleImputer, or an estimator that takes missing values"
    )


def test_broken_checks_keep_the_run_for_the_next_try(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, locked: Path
) -> None:
    """Checks that cannot be imported stop the judging; the fitted run is whole and is kept."""
    root = copy_of(locked, tmp_path / "repo")
    good = (root / "checks/test_behaviour.py").read_text()
    write("checks/test_behaviour.py", "import nowhere_at_all\n")(root)

    code, line = told(capsys, ["train", "-C", str(root)])
    write("checks/test_behaviour.py", good)(root)
    again = main(["train", "-C", str(root)])

    assert (code, again) == (2, 0)
    assert line.startswith("error: checks: pytest could not run the checks: ")
    assert "nothing to fit" in capsys.readouterr().out


def test_machines_are_told_the_same(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, locked: Path
) -> None:
    """With `--json` the error is one JSON document on stdout, beside the line on stderr."""
    root = copy_of(locked, tmp_path / "repo")
    gone("data.lock.json")(root)
    capsys.readouterr()

    code = main(["train", "--json", "-C", str(root)])

    out, err = capsys.readouterr()
    assert code == json.loads(out)["exit_code"] == 2
    assert json.loads(out)["error"]["where"] == "data.lock.json"
    assert err.startswith("error: data.lock.json: ")


def test_the_process_ends_with_the_same_code(tmp_path: Path) -> None:
    """`python -m ml_gitops` leaves the same line and code as the function does."""
    command = [sys.executable, "-m", "ml_gitops", "check", "-C", str(tmp_path)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"error: /.*: no ml-gitops.toml [^\n]*; [^\n]*\n", done.stderr)


@pytest.mark.parametrize("words", [["train"], ["check"]], ids=" ".join)
def test_parameters_that_are_not_utf8_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, locked: Path, words: list[str]
) -> None:
    """A `params.toml` that is not UTF-8 is the user's to fix, not a bug of ours."""
    root = copy_of(locked, tmp_path / "repo")

    write("params.toml", b"C = 1\n\xff")(root)
    capsys.readouterr()

    assert main([*words, "-C", str(root)]) in (1, 2)


def test_a_window_shorter_than_its_holdout_is_not_locked(tmp_path: Path, locked: Path) -> None:
    """A lock that no training could use is refused before it is written."""
    root = copy_of(locked, tmp_path / "repo")

    assert main(["data", "lock", "--until", "2024-01-05", "-C", str(root)]) == 2


def test_labels_that_do_not_join_are_refused(tmp_path: Path, live: Path) -> None:
    """A label file whose ids fit no prediction is named, not waited for."""
    root = copy_of(live, tmp_path / "repo")
    strangers = "".join(f"z{n},{n % 2}\n" for n in range(600))

    logged(labels=f"customer,left\n{strangers}")(root)

    assert main([*MONITOR, "-C", str(root)]) == 2


def test_files_that_are_not_there_yet_are_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, live: Path
) -> None:
    """On the first day nothing was served and nothing is wrong; it is said what was looked for."""
    root, said = copy_of(live, tmp_path / "br[1]"), []
    copy_of(live, tmp_path / "br1")
    logged()(tmp_path / "br1")  # whose rows are not ours
    for served in (False, True):
        if served:
            logged()(root)
        capsys.readouterr()
        assert main([*MONITOR, "--dry-run", "--json", "-C", str(root)]) == 0
        said.append(json.loads(capsys.readouterr().out))

    first, second = said
    assert first["calm"]
    assert first["unmatched"] == ['log = "live/predictions/*.jsonl"']
    assert first["drift"][-1]["rows"] == 0
    assert second["unmatched"] == ['labels = "live/labels/*.csv"']
    assert second["drift"][-1]["rows"] > 0


def test_requests_of_today_count_from_tomorrow(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, live: Path
) -> None:
    """Who looks on the day of the first requests is told when they count."""
    root, said = copy_of(live, tmp_path / "repo"), []
    logged()(root)
    for day in ("2024-03-01", "2024-03-22"):
        capsys.readouterr()
        assert main(["monitor", "--as-of", day, "--dry-run", "-C", str(root)]) == 0
        said.append("today's count from tomorrow" in capsys.readouterr().out)

    assert said == [True, False]


def test_labels_that_say_nothing_are_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, live: Path
) -> None:
    """Labels that are none stop no monitor, and it says how many there are and what they hold."""
    root = copy_of(live, tmp_path / "repo")
    lines = "".join(f"c{n},{'abc' if n % 9 == 0 else n % 2}\n" for n in range(600))
    logged('{"id": ', labels=f"customer,left\n{lines}")(root)
    capsys.readouterr()

    told = main([*MONITOR, "--dry-run", "-C", str(root)]), capsys.readouterr().out
    assert main([*MONITOR, "--dry-run", "--json", "-C", str(root)]) == 0
    seen = json.loads(capsys.readouterr().out)

    assert told[0] == 0
    assert "labels that cannot be read: 67, for example 'abc'" in told[1]
    assert "rows of the log that are not counted: 1 unreadable" in told[1]
    assert seen["unread"] == {"no_id": 0, "no_label": 67, "examples": ["abc"]}
    assert seen["left_out"]["unreadable"] == 1


def test_labels_of_tomorrow_are_not_known_today(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, live: Path
) -> None:
    """Where the config names the column of arrival, a look back knows what had come by then."""
    root = copy_of(live, tmp_path / "repo")
    config = (root / "ml-gitops.toml").read_text()
    write("ml-gitops.toml", config.replace("[monitor]\n", '[monitor]\narrived = "seen"\n'))(root)
    lines = "".join(f"c{n},{n % 2},2024-03-2{1 + n % 2}T00:00:00Z\n" for n in range(600))
    logged(labels=f"customer,left,seen\n{lines}")(root)
    said = []
    for day in ("2024-03-22", "2024-03-23"):
        capsys.readouterr()
        assert main(["monitor", "--as-of", day, "--dry-run", "-C", str(root)]) == 0
        said.append(" ".join(capsys.readouterr().out.split()))

    assert " 50% " in said[0]
    assert " 100% " not in said[0]
    assert " 100% " in said[1]


# Malformed configs


@pytest.fixture(scope="module")
def config_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds a config and the author's files, without Git."""
    return make_model_repo(tmp_path_factory.mktemp("config") / "repo", git=False)


def test_the_good_config_is_good(capsys: pytest.CaptureFixture[str], config_only: Path) -> None:
    """What the cases change is accepted unchanged, and there are 120 different ones at least."""
    (config_only / "ml-gitops.toml").write_text(GOOD)

    assert main(["check", "-C", str(config_only)]) == 0
    assert len({name for name, _, _ in MALFORMED}) == len(MALFORMED) >= 120


@pytest.mark.parametrize(
    ("line", "change"), [pytest.param(*case[1:], id=case[0]) for case in MALFORMED]
)
def test_a_malformed_config_is_refused(
    capsys: pytest.CaptureFixture[str], config_only: Path, line: int, change: Change
) -> None:
    """One line names file, line, problem and remedy; exit 2."""
    (config_only / "ml-gitops.toml").write_bytes(change(GOOD).encode())
    before = files_of(config_only)

    code, said = told(capsys, ["check", "-C", str(config_only)])

    assert code == 2
    assert re.fullmatch(rf"error: ml-gitops\.toml:{line}: [^;]+; .+", said), said
    assert files_of(config_only) == before


VALUES = st.sampled_from(
    ["true", "0", "-1", "1e309", "nan", "''", '"x"', "[]", "[[1]]", "{a = 1}", "2024-01-01",
     "99999999999999999999", "[", '"""', "\\", "=", "05:00:00"]
)  # fmt: skip
EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("value"), st.integers(0, 40), VALUES),
        st.tuples(st.just("line"), st.integers(0, 40), st.integers(0, 40)),
        st.tuples(st.just("cut"), st.integers(0, 900), st.integers(1, 60)),
        st.tuples(st.just("bytes"), st.integers(0, 900), st.binary(min_size=1, max_size=6)),
    ),
    min_size=1,
    max_size=4,
)


def edited(content: bytes, edits: list[tuple[str, int, object]]) -> bytes:
    """Apply random edits: another value, a line moved, a piece cut out, bytes put in."""
    for kind, at, what in edits:
        lines = content.split(b"\n")
        if kind == "value":
            key = lines[at % len(lines)].partition(b"=")[0]
            lines[at % len(lines)] = key + b"= " + str(what).encode()
            content = b"\n".join(lines)
        elif kind == "line":
            lines.insert(int(str(what)) % len(lines), lines.pop(at % len(lines)))
            content = b"\n".join(lines)
        elif kind == "cut":
            content = content[:at] + content[at + int(str(what)) :]
        else:
            assert isinstance(what, bytes)
            content = content[:at] + what + content[at:]
    return content


@settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(edits=EDITS)
def test_no_config_is_a_bug(
    capsys: pytest.CaptureFixture[str], config_only: Path, edits: list[tuple[str, int, object]]
) -> None:
    """Whatever a config says, it is accepted or refused in one line; never a traceback, never 3."""
    (config_only / "ml-gitops.toml").write_bytes(edited(GOOD.encode(), edits))
    capsys.readouterr()

    code = main(["check", "-C", str(config_only)])

    out, err = capsys.readouterr()
    assert code in (0, 1, 2)
    assert "Traceback" not in out + err
    assert len([line for line in err.splitlines() if line.startswith("error:")]) == (code == 2)
