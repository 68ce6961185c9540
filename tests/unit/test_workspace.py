"""The work tree: whole files or none, no path out of it, and errors with the author's line."""

import os
import py_compile
import resource
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from ml_gitops.adapters.frames import read_frame, write_frame
from ml_gitops.adapters.workspace import LocalWorkspace, find_root, write_whole
from ml_gitops.errors import ConfigError, DataError, TrainingError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty work tree."""
    (tmp_path / "tree").mkdir()
    return tmp_path / "tree"


def author(root: Path, path: str, code: str) -> LocalWorkspace:
    """Write a file of the author's."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(code)
    return LocalWorkspace(root)


# Files


def test_what_is_written_is_read(root: Path) -> None:
    """Folders are made; None removes, even what is not there."""
    workspace = LocalWorkspace(root)

    workspace.write({"a/b/c.json": b"1", "d": b"2"})
    workspace.write({"d": None, "never": None})

    assert workspace.read("a/b/c.json") == b"1"
    assert workspace.read("d") is None
    assert workspace.read("a/b/c.json/d") is None


def test_a_failed_write_leaves_the_old_file_and_no_draft(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the last step fails, the file is as it was and nothing lies beside it."""
    target = root / "lock.json"
    target.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)

    with pytest.raises(OSError, match="No space"):
        write_whole(target, b"new")
    with pytest.raises(ConfigError, match=r"lock\.json: cannot write it: no space left"):
        LocalWorkspace(root).write({"lock.json": b"new"})
    assert [path.name for path in root.iterdir()] == ["lock.json"]
    assert target.read_bytes() == b"old"


def test_a_written_file_keeps_its_mode(root: Path) -> None:
    """A script stays executable; a new file is readable for all."""
    script = root / "run"
    script.write_bytes(b"old")
    script.chmod(0o750)

    write_whole(script, b"new")
    write_whole(root / "fresh", b"new")

    assert script.stat().st_mode & 0o777 == 0o750
    assert (root / "fresh").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/hostname", "a/../b"])
@pytest.mark.hostile
def test_no_path_leaves_the_repository(root: Path, path: str) -> None:
    """Reading, writing and calling refuse it by name, and nothing is written."""
    workspace = LocalWorkspace(root)

    for act in (
        lambda: workspace.read(path),
        lambda: workspace.write({path: b"x"}),
        lambda: workspace.function(f"{path}:f"),
        lambda: workspace.sources(path),
    ):
        with pytest.raises(ConfigError, match="leaves the repository") as refused:
            act()
        assert refused.value.where == path
    assert list(root.iterdir()) == []


def test_folders_and_files_in_each_others_place_are_named(root: Path) -> None:
    """A folder where a file should be is told in one line, and so is a file as a folder."""
    workspace = LocalWorkspace(root)
    (root / "lock.json").mkdir()
    (root / "model").write_text("")

    with pytest.raises(ConfigError, match=r"^lock\.json: this is a folder; "):
        workspace.read("lock.json")
    with pytest.raises(ConfigError, match=r"^lock\.json: cannot write it: "):
        workspace.write({"lock.json": b"x"})
    with pytest.raises(ConfigError, match=r"^model/x: cannot write it: "):
        workspace.write({"model/x": b"x"})
    with pytest.raises(ConfigError, match=r"cannot read it: file name too long"):
        workspace.read("x" * 300)


def test_sources_are_python_files_only(root: Path) -> None:
    """Odd folders, links to nowhere, environments and other models are passed over."""
    workspace = author(root, "model/deep/a.py", "1")
    author(root, "b.py", "2")
    (root / "model/folder.py").mkdir()
    (root / "model/gone.py").symlink_to(root / "nowhere")
    (root / "model/notes.txt").write_text("x")

    author(root, "other/model/c.py", "3")
    (root / "other/ml-gitops.toml").write_text("")
    author(root, ".venv/d.py", "4")
    author(root, "checks/test_e.py", "5")

    assert workspace.sources("model") == {"model/deep/a.py": b"1"}
    assert workspace.sources(".", without=["checks"]) == {"b.py": b"2", "model/deep/a.py": b"1"}


def test_the_root_is_the_nearest_folder_with_the_config(root: Path) -> None:
    """It is found from inside; without one the way out is named."""
    (root / "a/b").mkdir(parents=True)
    (root / "ml-gitops.toml").write_text("")

    assert find_root(root / "a/b", "ml-gitops.toml") == root
    with pytest.raises(ConfigError, match="ml-gitops init DIR"):
        find_root(root, "other.toml")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_the_root_is_not_looked_for_in_folders_of_others(root: Path) -> None:
    """A config that somebody left in a folder above is not obeyed."""
    (root / "mine").mkdir()
    (root / "ml-gitops.toml").write_text("")
    os.chown(root / "mine", 12345, 12345)

    with pytest.raises(ConfigError, match=r"no ml-gitops\.toml here or in any folder above"):
        find_root(root / "mine", "ml-gitops.toml")
    assert find_root(root, "ml-gitops.toml") == root


# Runs


def test_a_run_is_kept_whole(root: Path) -> None:
    """Files and frames come back; keeping it again replaces all of it."""
    workspace = LocalWorkspace(root)
    frame = pd.DataFrame({"a": [1.5, None], "b": ["x", None]})

    assert workspace.kept_run("churn-1") is None
    kept = workspace.keep_run("churn-1", {"run.json": b"1", "old": b""}, {"t.parquet": frame})
    added = workspace.add_to_run(kept, {"report.json": b"2"})
    found = workspace.kept_run("churn-1")
    rows = workspace.rows(kept, "t.parquet")
    again = workspace.keep_run("churn-1", {"run.json": b"3"}, {})

    pd.testing.assert_frame_equal(rows, frame, check_dtype=False)
    assert found == added
    assert (added.files, added.frames) == ({"run.json": b"1", "report.json": b"2"}, {"t.parquet"})
    assert (again.folder, again.files, again.frames) == (kept.folder, {"run.json": b"3"}, set())
    assert [path.name for path in kept.folder.iterdir()] == ["run.json"]


def test_a_run_that_cannot_be_kept_leaves_nothing(root: Path) -> None:
    """If one frame cannot be written, there is no run and no draft of one."""
    workspace = LocalWorkspace(root)

    with pytest.raises(duckdb.InvalidInputException):
        workspace.keep_run("churn-1", {"run.json": b"1"}, {"no/such/folder": object()})

    assert workspace.kept_run("churn-1") is None
    assert list((root / ".ml-gitops/runs").iterdir()) == []


def test_rows_that_find_no_room_are_named(root: Path) -> None:
    """A disk that is full while rows are written is told in one line, and nothing is left."""
    frame = pd.DataFrame({"a": range(100_000)})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(ConfigError) as full:
            LocalWorkspace(root).keep_run("churn-1", {"run.json": b"1"}, {"t.parquet": frame})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert str(full.value).startswith(".ml-gitops/runs/churn-1: cannot write it: the rows ")
    assert "make room" in full.value.hint
    assert list((root / ".ml-gitops/runs").iterdir()) == []


def test_a_cache_that_cannot_be_made_is_named(root: Path) -> None:
    """A file where the cache should be is told in one line, not as a bug."""
    (root / ".ml-gitops").write_text("")

    with pytest.raises(ConfigError, match=r"^\.ml-gitops/runs/churn-1: cannot write it: "):
        LocalWorkspace(root).keep_run("churn-1", {"run.json": b"1"}, {})


def test_a_folder_may_be_named_like_a_glob(root: Path) -> None:
    """Rows that are kept below `br[1]` are read from there, and not from `br1`."""
    for name, value in (("br1", 1), ("br[1]", 2)):
        (root / name).mkdir()
        write_frame(pd.DataFrame({"x": [value]}), root / name / "rows.parquet")

    assert read_frame(root / "br[1]" / "rows.parquet")["x"].tolist() == [2]


def test_a_damaged_frame_is_named(root: Path) -> None:
    """Half a Parquet file, or none, is the user's to remove."""
    path = root / "rows.parquet"
    write_frame(pd.DataFrame({"a": range(100)}), path)
    path.write_bytes(path.read_bytes()[:200])

    with pytest.raises(DataError, match="train again") as damaged:
        read_frame(path)
    with pytest.raises(DataError, match="train again"):
        read_frame(root / "gone.parquet")

    assert damaged.value.where == str(path)


# The author's code


@pytest.mark.parametrize(
    ("code", "place", "said"),
    [
        ("def f():\n    return 1 / 0\n", "model/a.py:2", "ZeroDivisionError: division by zero"),
        ("def f():\n    raise ValueError('one\\ntwo')\n", "model/a.py:2", "ValueError: one two"),
        ("def f():\n    raise KeyError\n", "model/a.py:2", "KeyError: no message"),
        ("def f():\n    raise SystemExit(3)\n", "model/a.py:2", "SystemExit: 3"),
        ("def f(:\n", "model/a.py:1", "SyntaxError: invalid syntax"),
        ("\n\nimport nowhere_at_all\n", "model/a.py:3", "nowhere_at_all"),
        ("def f():\n  x\n y\n", "model/a.py:3", "IndentationError"),
        ("def f(a):\n    return a\n", "model/a.py", "missing 1 required positional"),
        ("def f():\n    f()\n", "model/a.py:2", "RecursionError"),
    ],
)
def test_author_errors_name_their_line(root: Path, code: str, place: str, said: str) -> None:
    """Whatever the author's code raises is one line with their file and line."""
    with pytest.raises(TrainingError) as failed:
        author(root, "model/a.py", code).call("model/a.py:f")

    assert failed.value.where == place
    assert said in failed.value.problem
    assert "\n" not in str(failed.value)


def test_the_line_is_theirs_even_if_a_library_raised(root: Path) -> None:
    """An error deep in pandas names the line that called it; a helper's line is the helper's."""
    author(root, "model/helper.py", "import pandas as pd\n\ndef read():\n    pd.read_csv('gone')\n")

    with pytest.raises(TrainingError) as failed:
        author(root, "model/a.py", "from model.helper import read\n\nf = read\n").call(
            "model/a.py:f"
        )

    assert failed.value.where == "model/helper.py:4"


@pytest.mark.parametrize(
    ("code", "problem", "hint"),
    [
        (
            "open(__file__ + '.csv')",
            "there is no file model/a.py.csv",
            "put it there, or correct the path in the code",
        ),
        ("open('/no/rows.csv')", "there is no file /no/rows.csv", "put it there, or correct"),
        ("open('rows.csv')", "there is no file rows.csv in {cwd}", "put it there, or correct"),
        (
            "open('here.csv')",
            "there is no file here.csv in {cwd}, but there is one in {root}",
            "run this there, or open Path(__file__).parent / ... in the code",
        ),
        ("raise FileNotFoundError('s3://b/x')", "FileNotFoundError: s3://b/x", "correct the code"),
        (
            "raise PermissionError(13, 'Permission denied', 'x')",
            "PermissionError: [Errno 13] Permission denied: 'x'",
            "permit this account to read it",
        ),
        (
            "raise ImportError('it is required for parquet support')",
            "nothing that is installed reads Parquet",
            "run `pip install pyarrow`",
        ),
        ("import nowhere", "No module named 'nowhere'", "install what brings 'nowhere', or corr"),
        (
            "import pandas as p, datetime as d; p.Series(dtype='M8[s]') >= d.date.today()",
            "Invalid comparison between dtype=datetime64",
            "compare times with pd.Timestamp(start) and pd.Timestamp(end)",
        ),
        (
            "import pandas as p; p.Series(['2024-01-01']) >= p.Timestamp(2024, 1, 1)",
            "not supported between instances of",
            "the times are text: parse the column first, with pd.to_datetime",
        ),
    ],
)
def test_what_authors_stumble_over_has_its_own_remedy(
    root: Path, code: str, problem: str, hint: str
) -> None:
    """A file that is missing is no mistake of the code; where it was looked for is said."""
    (root / "here.csv").write_text("a\n1\n")

    with pytest.raises(TrainingError) as failed:
        author(root, "model/a.py", f"def f():\n    {code}\n").call("model/a.py:f")

    assert problem.format(cwd=Path.cwd(), root=root) in failed.value.problem
    assert failed.value.hint.startswith(hint)
    assert failed.value.where == "model/a.py:2"


@pytest.mark.parametrize("code", ["", "f = 3\n", "g = print\n"])
def test_what_is_no_function_is_refused(root: Path, code: str) -> None:
    """The name must be there and callable."""
    with pytest.raises(ConfigError, match="there is no function 'f'"):
        author(root, "model/a.py", code).function("model/a.py:f")


def test_a_file_that_is_not_there_is_named(root: Path) -> None:
    """A missing file is the config's mistake, not the code's."""
    with pytest.raises(ConfigError, match="no such file") as refused:
        LocalWorkspace(root).call("model/a.py:f")

    assert refused.value.where == "model/a.py"


def test_two_repositories_do_not_see_each_others_code(tmp_path: Path) -> None:
    """Modules of equal names, imported in turn, are each tree's own, helpers outside included."""
    trees = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        author(tmp_path / name, "lib/helper.py", f"NAME = {name!r}\n")
        author(tmp_path / name, "shared.py", f"NAME = {name!r}\n")
        code = (
            "import shared\nfrom lib.helper import NAME\n\ndef f():\n    return NAME, shared.NAME\n"
        )
        trees.append(author(tmp_path / name, "model/a.py", code))

    said = [tree.call("model/a.py:f") for tree in (*trees, *trees)]

    assert said == [("one", "one"), ("two", "two")] * 2


def test_edited_code_is_imported_afresh(root: Path) -> None:
    """A helper that changed between two calls is not remembered."""
    author(root, "model/helper.py", "VALUE = 1\n")
    workspace = author(root, "model/a.py", "from model import helper\nf = lambda: helper.VALUE\n")

    before = workspace.call("model/a.py:f")
    author(root, "model/helper.py", "VALUE = 'another'\n")
    after = workspace.call("model/a.py:f")

    assert (before, after) == (1, "another")


def test_importing_leaves_path_and_libraries_alone(root: Path) -> None:
    """The work tree is on the path while it runs, and libraries stay the ones they were."""
    path, pandas, ours = list(sys.path), sys.modules["pandas"], sys.modules["ml_gitops.errors"]
    workspace = author(root, "model/a.py", "import sys\n\ndef f():\n    return list(sys.path)\n")

    during = workspace.call("model/a.py:f")

    assert [one for one in during if one not in path] == [str(root.resolve())]
    assert sys.path == path
    assert sys.modules["pandas"] is pandas
    assert sys.modules["ml_gitops.errors"] is ours


@pytest.mark.hostile
def test_the_authors_code_sees_no_token_of_the_forge(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What opens the forge is gone while their code runs, and back after; their own keys stay."""
    ours = ("GITHUB_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GITHUB_ENV", "COSIGN_PASSWORD")
    theirs = ("AWS_SECRET_ACCESS_KEY", "GOOGLE_APPLICATION_CREDENTIALS", "DATABASE_URL")
    for name in (*ours, *theirs):
        monkeypatch.setenv(name, "value")
    code = "import os\n\nAT_IMPORT = dict(os.environ)\n\n\ndef f():\n"
    code += "    os.environ['NEW'] = 'x'\n    return AT_IMPORT.keys() & dict(os.environ).keys()\n"
    workspace = author(root, "model/a.py", code)

    seen = workspace.call("model/a.py:f")
    with pytest.raises(TrainingError), workspace.author("model/a.py"):
        raise ValueError

    assert seen.isdisjoint(ours)
    assert seen.issuperset(theirs)
    assert {os.environ[name] for name in ours} == {"value"}
    assert os.environ.pop("NEW") == "x"


# Checks


@pytest.mark.hostile
def test_checks_see_the_run_and_no_secret(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the author's checks holds what they need, and nothing else."""
    monkeypatch.setenv("MY_TOKEN", "secret")
    code = "import os, pathlib\n\ndef test_it():\n    assert 'MY_TOKEN' not in os.environ\n"
    code += "    run = pathlib.Path(os.environ['ML_GITOPS_RUN'])\n"
    code += "    assert sorted(file.name for file in run.iterdir()) == ['champion', 'model.onnx']\n"
    workspace = author(root, "checks/test_it.py", code)
    kept = workspace.keep_run("churn-1", {"model.onnx": b"onnx"}, {})

    outcome = workspace.run_checks(kept, {"champion": b"onnx"}, "checks")

    assert outcome is not None
    assert b'"passed"' in outcome
    assert b'"failed"' not in outcome


def test_no_checks_are_none(root: Path) -> None:
    """Without a test file there is nothing to run, and no process is started."""
    workspace = LocalWorkspace(root)

    assert workspace.run_checks(workspace.keep_run("churn-1", {}, {}), {}, "checks") is None


@pytest.mark.hostile
def test_bytecode_of_a_commit_is_not_believed(root: Path) -> None:
    """Stale bytecode that a commit brings is ignored: the source that was reviewed is what runs."""
    workspace = author(root, "model/said.py", "def word():\n    return 'forged'\n")
    planted = py_compile.compile(
        str(root / "model/said.py"),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        doraise=True,
    )
    author(root, "model/said.py", "def word():\n    return 'reviewed'\n")

    assert planted is not None
    assert Path(planted).exists()
    assert workspace.call("model/said.py:word") == "reviewed"


def test_libraries_keep_their_bytecode(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the author's code imports from elsewhere is not compiled anew for each training."""
    library = tmp_path / "libraries" / "spoken.py"
    library.parent.mkdir()
    library.write_text("WORD = 'cached'\n")
    py_compile.compile(
        str(library), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    library.write_text("WORD = 'compiled anew'\n")
    monkeypatch.syspath_prepend(str(library.parent))
    workspace = author(root, "model/said.py", "import spoken\n\ndef word(): return spoken.WORD\n")

    assert workspace.call("model/said.py:word") == "cached"
    assert not list(root.rglob("*.pyc"))


def test_what_was_imported_is_told(root: Path) -> None:
    """Every file of the work tree that the author's code imported is named, wherever it lies."""
    author(root, "checks/shared.py", "VALUE = 1\n")
    code = "from checks.shared import VALUE\n\ndef value():\n    return VALUE\n"
    workspace = author(root, "model/uses.py", code)

    assert workspace.call("model/uses.py:value") == 1
    assert set(workspace.imported()) >= {"checks/shared.py", "model/uses.py"}


@pytest.mark.hostile
def test_links_are_not_followed(root: Path, tmp_path: Path) -> None:
    """A link in the repository is neither read nor written through, at any level."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("secret")
    (root / "linked").symlink_to(outside)
    workspace = LocalWorkspace(root)

    for act in (lambda: workspace.read("linked/x"), lambda: workspace.write({"linked/y": b"z"})):
        with pytest.raises(ConfigError, match="this is a link"):
            act()
    assert not (outside / "y").exists()


@pytest.mark.hostile
def test_links_of_logs_stay_inside(root: Path, tmp_path: Path) -> None:
    """A glob of the config may find links, but none that leads out of the repository."""
    (root / "live").mkdir()
    (root / "live" / "a.jsonl").write_text("")
    (root / "live" / "b.jsonl").symlink_to("a.jsonl")
    (root / "live" / "round.jsonl").symlink_to("round.jsonl")
    (tmp_path / "secret").write_text("")
    (root / "live" / "out.csv").symlink_to(tmp_path / "secret")
    workspace = LocalWorkspace(root)

    workspace.refuse_links_out(["live/*.jsonl", f"{root}/live/*.csv", "../x/*", "s3://x/*", "**x"])

    for pattern in ("live/*.csv", "live/out.csv", "**/*.csv", "*/o?t.csv"):
        with pytest.raises(ConfigError, match=r"^live/out\.csv: a link leads out of the repo"):
            workspace.refuse_links_out([pattern])
