"""`check` and `init --adopt`: a stranger is told what is missing, one thing after the other."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ml_gitops.cli import main
from ml_gitops.config import parse_config
from tests.builders import PIPELINE, data_text, make_model_repo

DATA = "model/data.py:load"
PIPELINE_AT = "model/pipeline.py:build_pipeline"


def git(root: Path, *words: str) -> None:
    """Run Git in a work tree."""
    subprocess.run(["git", *words], cwd=root, check=True, capture_output=True)


def check(
    root: Path, capsys: pytest.CaptureFixture[str], *words: str, expect: int = 0
) -> dict[str, Any]:
    """Return the document of `check`."""
    capsys.readouterr()
    assert main(["check", "--json", "-C", str(root), *words]) == expect
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def said(found: dict[str, Any], state: str) -> list[str]:
    """Return what was found in a state, with the remedy."""
    return [
        f"{one['what']}: {one['text']}; {one['remedy']}"
        for one in found["findings"]
        if one["state"] == state
    ]


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """Return a repository that lacks nothing but a lock."""
    root = make_model_repo(tmp_path / "repo")
    git(root, "config", "user.name", "ada")
    git(root, "config", "user.email", "ada@example.org")
    return root


@pytest.fixture
def strange(tmp_path: Path) -> Path:
    """Return a repository of somebody who never heard of us."""
    root = tmp_path / "My Churn_v2"
    root.mkdir()
    (root / "train.py").write_text(data_text() + PIPELINE)
    (root / ".gitignore").write_text("__pycache__/\n")
    git(root, "init", "--quiet", "--initial-branch=trunk")
    git(root, "config", "user.name", "eve")
    git(root, "config", "user.email", "eve@example.org")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "A script")
    return root


def test_a_whole_repository_passes(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing fails, and only what comes next is warned of."""
    found = check(whole, capsys)

    assert found["passed"]
    assert said(found, "fail") == []
    assert said(found, "warn") == [
        "data.lock.json: no rows are locked yet; run `ml-gitops data lock --until DATE`"
    ]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("tear", "did you mean 'tear'?"),
        ("wear ", "the source has 'wear ', which looks the same: rename one of them"),
        ("age", "return it, or correct ml-gitops.toml; the source also has age"),
    ],
)
def test_columns_of_a_day_are_compared(
    whole: Path, capsys: pytest.CaptureFixture[str], name: str, remedy: str
) -> None:
    """A column that the source does not return fails, with the one that was meant or those left."""
    data = whole / "model" / "data.py"
    data.write_text(data.read_text().replace('"wear":', f'"{name}":'))

    found = check(whole, capsys, expect=1)

    assert said(found, "fail") == [f"{DATA}: column 'wear': is missing; {remedy}"]
    assert [one["name"] for one in found["unnamed"]] == [name] * (name == name.strip())


def test_the_pipeline_is_built_and_not_fitted(
    whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A parameter that nothing takes is found before anything is locked or fitted."""
    passed = said(check(whole, capsys), "pass")
    assert f"{PIPELINE_AT}: returns an unfitted Pipeline that can be exported; " in passed
    (whole / "params.toml").write_text("max_itr = 3\n")
    misspelt = said(check(whole, capsys, expect=1), "fail")
    pipeline = whole / "model" / "pipeline.py"
    pipeline.write_text("def build_pipeline(params):\n    return params\n")
    wrong = said(check(whole, capsys, expect=1), "fail")

    hint = "did you mean 'max_iter'?"
    assert misspelt == [f"params.toml:1: LogisticRegression takes no 'max_itr'; {hint}"]
    hint = "return an unfitted scikit-learn Pipeline"
    assert wrong == [f"{PIPELINE_AT}: it returned dict, no estimator; {hint}"]


def test_a_name_that_fools_the_eye_is_told(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A column that nobody named, and that looks like one that somebody did, is a warning."""
    data = whole / "model" / "data.py"
    data.write_text(data.read_text().replace('"refund":', '"l\\u043ead": 1.0, "refund":'))

    found = check(whole, capsys)

    (line,) = [one for one in said(found, "warn") if "cyrillic" in one]
    assert line.startswith(
        f"{DATA}: column 'l\\u043ead' holds cyrillic small letter o, which looks"
    )
    assert line.endswith("rename it in the function that loads the rows")


def test_values_of_the_target_are_held_to_the_task(
    whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Words where true and false belong fail, and nothing says that the source passes."""
    data = whole / "model" / "data.py"
    data.write_text(data.read_text().replace('"left": left', '"left": np.where(left, "yes", "no")'))

    found = check(whole, capsys, expect=1)

    (line,) = said(found, "fail")
    assert line.startswith(f"{DATA}: column 'left': must hold true and false")
    assert line.endswith("; compare it in the source: rows['left'] = rows['left'] == 'yes'")
    assert not any(DATA in one for one in said(found, "pass"))


def test_the_columns_that_play_a_part_are_named(
    whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who reads that all is well reads which columns are id, time and target, and what it holds."""
    (line,) = [one for one in said(check(whole, capsys), "pass") if DATA in one]

    parts = "id 'customer', time 'asked', target 'left' (false 15, true 15)"
    assert line == f"{DATA}: 30 rows for 2024-01-01; {parts}; "


def test_no_rows_are_loaded_where_nobody_wants_it(
    whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `--no-data` the source is imported and never called."""
    data = whole / "model" / "data.py"
    data.write_text(data.read_text().replace("    days = [", "    raise OSError\n    days = ["))

    assert check(whole, capsys, "--no-data")["passed"]
    failed = check(whole, capsys, expect=1)
    assert said(failed, "fail")[0].startswith("model/data.py:")
    assert "OSError" in said(failed, "fail")[0]


def test_what_the_author_prints_is_no_answer(
    whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prints of the author's code, imported or called, go to stderr; stdout is one document."""
    data = whole / "model" / "data.py"
    text = data.read_text().replace("    days = [", "    print('loading')\n    days = [")
    data.write_text(text + "\nprint('importing')\n")
    capsys.readouterr()

    assert main(["check", "--json", "-C", str(whole)]) == 0

    out, err = capsys.readouterr()
    assert json.loads(out)["passed"]
    assert {"loading", "importing"} <= set(err.splitlines())


def test_a_first_day_without_rows_is_told(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the first day is quiet, `start` may be wrong."""
    config = whole / "ml-gitops.toml"
    config.write_text(config.read_text().replace("start = 2024-01-01", "start = 1999-01-01"))
    data = whole / "model" / "data.py"
    data.write_text(
        data.read_text().replace("    n = ROWS_PER_DAY\n", "    n = 30 * (day.year > 2000)\n")
    )

    found = check(whole, capsys)

    assert any("no rows on 1999-01-01; set `start`" in one for one in said(found, "warn"))
    assert not any(DATA in one for one in said(found, "pass"))


def drop_git(root: Path) -> None:
    """Take the repository away; the files stay."""
    (root / ".git").rename(root.parent / "gone")


def start_again(root: Path) -> None:
    """Make it a repository without a commit."""
    drop_git(root)
    git(root, "init", "--quiet")


def commit_alone(root: Path) -> None:
    """Commit something that is not pushed."""
    (root / "notes.txt").write_text("x")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "Note")


def fall_behind(root: Path) -> None:
    """Let the forge have a commit that is not here."""
    commit_alone(root)
    git(root, "push", "--quiet", "origin", "main")
    git(root, "reset", "--quiet", "--hard", "HEAD~1")


def forget_name(root: Path) -> None:
    """Let Git know nobody."""
    git(root, "config", "user.email", "")
    git(root, "config", "--unset", "user.email")


@pytest.mark.parametrize(
    ("mutate", "problem", "remedy"),
    [
        (drop_git, "no Git repository", "git init && git add --all && git commit"),
        (start_again, "nothing is committed yet", "git add --all && git commit"),
        (
            lambda root: git(root, "remote", "remove", "origin"),
            "no forge: no remote 'origin'",
            "run `ml-gitops init . --adopt --forge ../forge.git`",
        ),
        (
            lambda root: git(root, "remote", "set-url", "origin", "https://example.org/x.git"),
            "no forge: the remote 'origin' is https://example.org/x.git",
            "run `git remote rename origin upstream` and `ml-gitops init",
        ),
        (commit_alone, "commits of main are not there yet", "git push"),
        (fall_behind, "its main has commits that are not here", "git pull"),
        (
            lambda root: (root / ".gitignore").write_text(""),
            "live/predictions/*.jsonl of [monitor] would be committed",
            "echo 'live/' >> .gitignore",
        ),
        (forget_name, "no name and address", "git config user.name"),
    ],
    ids=[
        "no repository",
        "no commit",
        "no remote",
        "a URL",
        "ahead",
        "behind",
        "not ignored",
        "no name",
    ],
)
def test_what_git_lacks_has_a_remedy(
    whole: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    mutate: Any,
    problem: str,
    remedy: str,
) -> None:
    """Every step between a folder and a forge is told with the command that takes it."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    monkeypatch.chdir(whole)
    mutate(whole)

    found = check(whole, capsys)

    (line,) = [one for one in said(found, "warn") if problem in one]
    assert remedy in line


def test_rows_beside_the_code_are_told(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A data file that Git has, or would take, is a warning; a small or ignored one is none."""
    rows = "1,2\n" * 30_000
    (whole / "visits.csv").write_text(rows)
    (whole / "tiny.csv").write_text("1,2\n")
    (whole / ".gitignore").write_text("live/\ndata/\n")
    (whole / "data").mkdir()
    (whole / "data" / "visits.csv").write_text(rows)

    before = [one for one in said(check(whole, capsys), "warn") if ".csv" in one]
    git(whole, "add", "--all")
    git(whole, "commit", "--quiet", "-m", "Everything")
    after = [one for one in said(check(whole, capsys), "warn") if ".csv" in one]

    told, ignore = ".gitignore: visits.csv (120.0 kB) is data", "echo visits.csv >> .gitignore"
    assert before == [f"{told} that a commit of everything would take; {ignore}"]
    assert after == [f"{told} in Git; git rm --cached visits.csv && {ignore}"]


def test_the_lock_waits_for_the_forge(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever locks and commits before there is a forge has nothing left to propose."""
    git(whole, "remote", "remove", "origin")

    (line,) = [one for one in said(check(whole, capsys), "warn") if "data.lock.json" in one]

    assert "the forge comes first: the lock is the change of the first pull request" in line


def test_a_lock_that_nobody_proposed_has_a_way_out(
    whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A lock that is on the default branch already is told to be taken back, also by `release`."""
    assert main(["data", "lock", "--until", "2024-03-01", "-C", str(whole)]) == 0
    git(whole, "add", "--all")
    git(whole, "commit", "--quiet", "-m", "Lock")
    git(whole, "push", "--quiet", "origin", "main")

    warned = said(check(whole, capsys), "warn")
    assert main(["release", "-C", str(whole)]) == 2

    (line,) = [one for one in warned if "without a pull request" in one]
    assert "`git rm data.lock.json`, commit and push; then lock again on a branch" in line
    assert "`git rm data.lock.json`, commit and push" in capsys.readouterr().err
    git(whole, "switch", "--quiet", "--create", "try")
    (whole / "notes.txt").write_text("x")
    git(whole, "add", "--all")
    git(whole, "commit", "--quiet", "-m", "Note")
    assert main(["pr", "open", "-C", str(whole)]) == 0
    assert not any("without a pull request" in one for one in said(check(whole, capsys), "warn"))


def test_what_stops_a_commit_is_told_before_it(
    whole: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is committed, the name that Git lacks and the rows it would take are told."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    start_again(whole)
    (whole / ".gitignore").write_text("")

    warned = [one.partition(";")[0] for one in said(check(whole, capsys), "warn")]

    assert warned[-3:] == [
        "git: it knows no name and address for your commits",
        ".gitignore: live/predictions/*.jsonl of [monitor] would be committed",
        f"{whole}: nothing is committed yet",
    ]


def test_a_machine_without_git_is_told(
    whole: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the program nothing else works, so the check fails."""
    monkeypatch.setenv("PATH", str(whole))

    found = check(whole, capsys, expect=1)

    assert said(found, "fail") == ["git: git is not installed; install Git 2.38 or newer"]


def test_people_read_problem_and_remedy(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each finding is a line with its state, and its remedy stands below."""
    assert main(["check", "-C", str(whole)]) == 0

    lines = capsys.readouterr().out.splitlines()
    place = next(n for n, line in enumerate(lines) if "data.lock.json" in line)
    assert lines[place].startswith("▲ warn")
    assert lines[place + 1].strip() == "run `ml-gitops data lock --until DATE`"


def test_adopting_leaves_what_is_there_alone(
    strange: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only what is missing is added, under the folder's name, and nothing of flights."""
    before = {path: path.read_bytes() for path in strange.rglob("*") if ".git/" not in str(path)
              and path.is_file()}  # fmt: skip

    assert main(["init", str(strange), "--adopt", "--json"]) == 0

    added = json.loads(capsys.readouterr().out)["files"]
    assert added == ["ml-gitops.toml", "params.toml"]
    assert all(path.read_bytes() == content for path, content in before.items())
    text = (strange / "ml-gitops.toml").read_text()
    assert parse_config(text).model.name == "my-churn-v2"
    assert "flight" not in text + (strange / "params.toml").read_text()


def test_what_is_to_be_filled_in_is_named(
    strange: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every placeholder is a failure with its line and what belongs there."""
    assert main(["init", str(strange), "--adopt"]) == 0
    lines = (strange / "ml-gitops.toml").read_text().splitlines()
    holes = [n for n, line in enumerate(lines, 1) if '"CHANGE_' in line or line[:7] == "CHANGE_"]

    found = check(strange, capsys, expect=1)

    failed = said(found, "fail")
    assert [one.partition(": ")[0] for one in failed[:4]] == [f"ml-gitops.toml:{n}" for n in holes]
    assert all("is a placeholder; name " in one for one in failed[:4])
    assert failed[4:] == [
        f"model/{file}: there is no such file; train.py has it: write {key}"
        for file, key in {
            "pipeline.py": 'pipeline = "train.py:build_pipeline"',
            "data.py": 'source = "train.py:load"',
        }.items()
    ]


def test_columns_are_offered_for_the_place_they_fit(
    strange: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before id, time and target are named, columns are offered for these and not as features."""
    assert main(["init", str(strange), "--adopt"]) == 0
    config = strange / "ml-gitops.toml"
    text = config.read_text().replace("model/pipeline.py", "train.py")
    config.write_text(text.replace("model/data.py", "train.py"))

    found = check(strange, capsys, expect=1)

    remedies = [one.partition("; ")[2] for one in said(found, "fail")]
    assert remedies == [
        "name the column that identifies a row; 'customer' has no value twice",
        "name the column with the time of the prediction; 'asked' holds times",
        "name the column that is predicted; 'left' could be a target",
        "name a column that the model sees, and give its type",
    ]
    assert found["unnamed"] == []
    passed = [one for one in said(found, "pass") if "columns" in one]
    names = "customer, asked, load, wear, plan, refund, left"
    assert passed == [f"train.py:load: 30 rows for 2024-01-01; its columns are {names}; "]
    assert not any("feature" in one for one in said(found, "pass"))


def test_the_source_writes_the_features(strange: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Once the source answers, its columns are printed as lines of the config that hold."""
    assert main(["init", str(strange), "--adopt"]) == 0
    config = strange / "ml-gitops.toml"
    text = config.read_text()
    for old, new in {
        "model/pipeline.py": "train.py",
        "model/data.py": "train.py",
        "CHANGE_id": "customer",
        "CHANGE_time": "asked",
        "CHANGE_target": "left",
        "forbidden = []": 'forbidden = ["refund"]',
    }.items():
        text = text.replace(old, new)
    config.write_text(text)
    capsys.readouterr()

    assert main(["check", "-C", str(strange)]) == 1
    lines = [one for one in capsys.readouterr().out.splitlines() if ' = { type = "' in one]
    hole = 'CHANGE_feature = { type = "number" }\n'
    config.write_text(text.replace(hole, "\n".join(lines) + "\n"))

    assert said(check(strange, capsys), "fail") == []
    assert parse_config(config.read_text()).data_schema.feature_names == ["load", "wear", "plan"]


def test_a_repository_gets_a_forge(strange: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--forge` makes one with the branch that is there, and `check` finds it."""
    forge = strange.parent / "forge.git"

    assert main(["init", str(strange), "--adopt", "--forge", str(forge)]) == 0

    found = check(strange, capsys, expect=1)
    assert said(found, "pass")[-1] == f"{forge}: the forge; "


@pytest.mark.parametrize(
    ("mutate", "problem"),
    [
        (lambda root: git(root, "remote", "add", "origin", "x"), "remote 'origin' is x already"),
        (lambda root: git(root, "switch", "--quiet", "--detach"), "no branch is checked out"),
        (lambda root: git(root, "switch", "--quiet", "--orphan", "new"), "no commit yet"),
    ],
    ids=["a remote", "no branch", "no commit"],
)
def test_a_forge_that_cannot_be_made_adds_nothing(
    strange: Path, capsys: pytest.CaptureFixture[str], mutate: Any, problem: str
) -> None:
    """What stands in the way is told before anything is written."""
    mutate(strange)

    code = main(["init", str(strange), "--adopt", "--forge", str(strange.parent / "f.git")])

    assert code == 2
    assert problem in capsys.readouterr().err
    assert not (strange / "ml-gitops.toml").exists()
    assert not (strange.parent / "f.git").exists()


def test_a_model_below_another_is_refused(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model at the top has the repository for itself; one below it has no forge."""
    make_model_repo(whole / "second", git=False)

    found = check(whole / "second", capsys)

    (line,) = [one for one in said(found, "warn") if "its only one" in one]
    assert "give each model a folder of its own, and none the top" in line
    assert main(["release", "-C", str(whole / "second")]) == 2


def test_the_support_table_needs_no_repository(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`check --export` fits a terminal, and tells machines the same rows."""
    monkeypatch.setenv("COLUMNS", "80")

    assert main(["check", "--export", "-C", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert main(["check", "--export", "--json", "-C", str(tmp_path)]) == 0
    rows = json.loads(capsys.readouterr().out)["support"]

    assert max(map(len, lines)) <= 80
    first = [line.split()[0] for line in lines if line.split()]
    assert {row["name"] for row in rows} <= set(first)
    assert {"name": "StandardScaler", "kind": "transformer", "state": "exact", "remedy": ""} in rows
