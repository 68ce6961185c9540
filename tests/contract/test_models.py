"""`models`: what a repository has, and what a change is about, without running any of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ml_gitops.adapters.git.clone import Clone
from ml_gitops.cli import main
from ml_gitops.data.lock import DataLock
from ml_gitops.data.schema import Window
from tests.builders import PERSON, START, UNTIL, config_text, first_day, make_model_repo

LOCK = DataLock(
    source="model/data.py:load",
    window=Window(start=START, until=UNTIL),
    rows=3,
    digest=f"sha256:{'a' * 64}",
    schema_digest=f"sha256:{'b' * 64}",
).to_json()
BOMB = "raise SystemExit('the code of the author was run')\n"


def commit(top: Path, files: Mapping[str, str | None]) -> None:
    """Commit files with these contents; None removes one."""
    for path, text in files.items():
        target = top / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            target.unlink()
        else:
            target.write_text(text)
    Clone(top, clock=first_day, actor=PERSON).commit_all("Change")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return a repository with two models, whose code must not be imported, and a branch."""
    top = tmp_path / "shop"
    for name in ("churn", "visits"):
        files = {"data.lock.json": LOCK, "model/pipeline.py": BOMB}
        make_model_repo(top / "models" / name, files=files, git=False, model={"name": name})
    Clone.create(top, clock=first_day, actor=PERSON)
    commit(top, {"README.md": "Ours\n"})
    Clone(top, clock=first_day, actor=PERSON).switch("feature", create=True)
    return top


def models(capsys: pytest.CaptureFixture[str], where: Path, *words: str, expect: int = 0) -> Any:
    """Return the document of `models`."""
    capsys.readouterr()
    assert main(["models", "--json", "-C", str(where), *words]) == expect
    return json.loads(capsys.readouterr().out)


def changed(capsys: pytest.CaptureFixture[str], top: Path, since: str = "main") -> list[str]:
    """Return the names of the models that changed."""
    return [it["model"] for it in models(capsys, top, "--changed-since", since)["models"]]


def test_every_folder_with_a_config_is_a_model(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are found from anywhere in the repository, committed or not; ignored ones are not."""
    make_model_repo(shop / "new", git=False, model={"name": "returns"})
    (shop / ".gitignore").write_text("/build/\n")
    make_model_repo(shop / "build" / "old", git=False, model={"name": "old"})
    wanted = [
        {"directory": "models/churn", "model": "churn"},
        {"directory": "models/visits", "model": "visits"},
        {"directory": "new", "model": "returns"},
    ]

    assert models(capsys, shop)["models"] == wanted
    assert models(capsys, shop / "models" / "churn" / "model")["models"] == wanted


def test_a_model_that_cannot_be_released_yet_is_left_out(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A merge releases models whose rows are locked; a new folder is no failure of the others."""
    commit(shop, {"models/churn/data.lock.json": None})

    (one,) = models(capsys, shop, "--locked")["models"]
    assert one["model"] == "visits"


def test_a_model_at_the_top_is_the_only_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What lies below it, such as an example, is none."""
    top = make_model_repo(tmp_path / "repo")
    make_model_repo(top / "examples" / "one", git=False)

    assert models(capsys, top)["models"] == [{"directory": ".", "model": "churn"}]


def test_two_models_of_one_name_are_refused(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tags, reports and records could not tell them apart; both commands say where they are."""
    (shop / "models" / "visits" / "ml-gitops.toml").write_text(config_text())

    told = models(capsys, shop, expect=2)["error"]

    assert told["where"] == "models/visits/ml-gitops.toml"
    assert told["problem"] == "the model in models/churn is called 'churn', too"
    assert main(["check", "--no-data", "--json", "-C", str(shop / "models" / "churn")]) == 1
    found = json.loads(capsys.readouterr().out)["findings"]
    (same,) = [it for it in found if "is called 'churn', too" in it["text"]]
    assert same["state"] == "fail"
    assert "give each a name of its own" in same["remedy"]


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ({"README.md": "Theirs\n", "models/churn/README.md": "Words\n"}, []),
        ({"models/churn/params.toml": "C = 2.0\n"}, ["churn"]),
        ({"models/visits/model/features.py": ""}, ["visits"]),
        ({"models/churn/data.lock.json": LOCK.replace("a" * 64, "c" * 64)}, ["churn"]),
        ({"models/churn/data.lock.json": None}, ["churn"]),
        ({"models/churn/requirements.txt": "lightgbm==4.6.0\n"}, ["churn"]),
        ({"models/churn/checks/test_more.py": "def test_it(): assert True\n"}, ["churn"]),
        ({"models/churn/ml-gitops.toml": config_text(gate={"margin": 0.1})}, ["churn"]),
        ({"models/churn/ml-gitops.toml": config_text(model={"owner": "ada"})}, []),
        ({"models/visits/ml-gitops.toml": config_text(model={"name": "calls"})}, ["calls"]),
        ({".github/workflows/ci.yml": "on: push\n"}, ["churn", "visits"]),
        ({"models/churn/ml-gitops.toml": None}, []),
    ],
)
def test_only_what_would_be_trained_or_judged_otherwise_changed(
    shop: Path,
    capsys: pytest.CaptureFixture[str],
    files: Mapping[str, str | None],
    names: list[str],
) -> None:
    """The run key decides, and gate and checks beside it; words do not."""
    commit(shop, files)

    assert changed(capsys, shop) == names


def test_what_others_merged_meanwhile_is_no_change_of_ours(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A change is what differs from where the branch was left."""
    clone = Clone(shop, clock=first_day, actor=PERSON)
    commit(shop, {"models/churn/params.toml": "C = 2.0\n"})
    clone.switch("main")
    commit(shop, {"models/visits/params.toml": "C = 3.0\n"})
    clone.switch("feature")

    assert changed(capsys, shop) == ["churn"]


def test_a_model_that_moved_is_the_same(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its name is who it is; another folder trains no other model."""
    (shop / "models" / "churn").rename(shop / "leaving")
    commit(shop, {})

    assert models(capsys, shop)["models"][0] == {"directory": "leaving", "model": "churn"}
    assert changed(capsys, shop) == []


def test_a_branch_that_shares_no_history_changed_everything(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there is nothing to compare with, every model is one that changed."""
    clone = Clone(shop, clock=first_day, actor=PERSON)
    clone.run("checkout", "--quiet", "--orphan", "alone")
    clone.commit_all("Begin anew")

    assert changed(capsys, shop) == ["churn", "visits"]
    assert changed(capsys, shop, "1" * 40) == ["churn", "visits"]
    assert models(capsys, shop, "--changed-since", "gone", expect=2)["error"]["problem"]


def test_a_forge_for_models_in_folders_stands_beside_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`check` in a model's folder names a place outside of the work tree; the top gets no model."""
    root = tmp_path / "app"
    (root / "models").mkdir(parents=True)
    clone = Clone.create(root, clock=first_day, actor=PERSON)
    for name in ("churn", "spend"):
        assert main(["init", str(root / "models" / name), "--adopt"]) == 0
    clone.commit_all("Adopt")
    monkeypatch.chdir(root / "models" / "churn")
    main(["check", "--no-data"])
    told = " ".join(capsys.readouterr().out.split())
    assert "run `ml-gitops init . --adopt --forge ../../../forge.git`" in told
    assert main(["init", str(root), "--adopt"]) == 2
    assert "models/churn is a model in this folder" in capsys.readouterr().err
    assert main(["init", str(root), "--adopt", "--forge", str(tmp_path / "forge.git")]) == 0
    assert clone.dirty_paths() == []


def test_a_second_model_asks_the_one_at_the_top_to_move(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder beside a model at the top would be found by nothing, so it is not made."""
    Clone.create(tmp_path, clock=first_day, actor=PERSON)
    assert main(["init", str(tmp_path), "--name", "churn", "--adopt"]) == 0
    assert main(["init", str(tmp_path / "models" / "spend"), "--adopt"]) == 2
    assert "git mv" in capsys.readouterr().err
    assert not (tmp_path / "models").exists()
