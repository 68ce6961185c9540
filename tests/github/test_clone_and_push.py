"""Git over HTTP: the same tokens, and what is pushed is known at once."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.github.caller import Caller
from tests.github.server import GitHubServer
from tests.github.setup import TestRepository


@pytest.fixture
def clone(server: GitHubServer, churn: TestRepository, tmp_path: Path) -> Path:
    """Clone as nobody, and get ready to commit."""
    folder = tmp_path / "clone"
    git("clone", "--quiet", churn.clone_url, str(folder))
    for name, value in (("user.name", "Ada"), ("user.email", "ada@example.com")):
        git("config", name, value, at=folder)
    return folder


def test_a_push_is_a_push_of_the_tokens_owner(
    server: GitHubServer, churn: TestRepository, ada: Caller, clone: Path
) -> None:
    """The pull request follows it, and a merge by hand names who pushed it."""
    commit(clone, "feature", "one")
    push(server, churn, clone, "ada", "feature")
    ada.propose("feature")
    tip = commit(clone, "feature", "two")
    push(server, churn, clone, "bob", "feature")
    assert ada.read("/pulls/1")["head"]["sha"] == tip
    assert ada.read("/pulls/1/commits")[0]["author"]["login"] == "ada"

    push(server, churn, clone, "bob", "feature:main")
    push(server, churn, clone, "bob", ":feature")

    assert ada.read("/pulls/1")["merged_by"]["login"] == "bob"
    assert ada.get("/branches/feature").status_code == 404


def test_a_large_push_comes_in_chunks(
    server: GitHubServer, churn: TestRepository, ada: Caller, clone: Path
) -> None:
    """Git sends packs of unknown size without announcing their length."""
    (clone / "big.bin").write_bytes(os.urandom(2**21))
    commit(clone, "big", "big")

    push(server, churn, clone, "ada", "big")

    assert ada.read("/contents/big.bin", params={"ref": "big"})["size"] == 2**21


def test_a_push_needs_a_token_that_may_write(
    server: GitHubServer, churn: TestRepository, clone: Path
) -> None:
    """Strangers and apps without the permission are refused, nobody is asked who they are."""
    commit(clone, "feature", "one")

    assert "denied to eve" in push(server, churn, clone, "eve", "feature", fails=True)
    poor = server.token("ml-gitops[bot]", {"contents": "read"})
    assert "denied to ml-gitops" in push(server, churn, clone, poor, "feature", fails=True)
    failed = git("push", churn.clone_url, "feature", at=clone, fails=True)
    assert "could not read Username" in failed or "terminal prompts disabled" in failed
    rich = server.token("ml-gitops[bot]", {"contents": "write"})
    push(server, churn, clone, rich, "feature")


def test_an_app_needs_workflows_to_push_them(
    server: GitHubServer, churn: TestRepository, clone: Path
) -> None:
    """`contents` is enough for all other files."""
    poor = server.token("ml-gitops[bot]", {"contents": "write"})
    rich = server.token("ml-gitops[bot]", {"contents": "write", "workflows": "write"})
    commit(clone, "plain", "one")
    push(server, churn, clone, poor, "plain:main")
    (clone / ".github/workflows").mkdir(parents=True)
    (clone / ".github/workflows/ci.yml").write_text("on: push\n")
    commit(clone, "plain", "two")

    said = push(server, churn, clone, poor, "plain:main", fails=True)

    assert "workflow `.github/workflows/ci.yml` without `workflows` permission" in said
    push(server, churn, clone, rich, "plain:main")


def test_a_private_repository_is_cloned_with_a_token(server: GitHubServer, tmp_path: Path) -> None:
    """Without one it is not there."""
    repository = server.create_repository("acme/secret", private=True)
    repository.add_collaborator("ada", "read")
    repository.push("main", {"a.txt": "x"})

    for who in ("ada", "eve"):
        token = server.token(who)
        url = repository.clone_url.replace("://", f"://x-access-token:{token}@")
        done = git("clone", "--quiet", url, str(tmp_path / who), fails=who == "eve")
        assert ("not found" in done) == (who == "eve")
    assert (tmp_path / "ada/a.txt").read_text() == "x"


def test_a_push_to_the_folder_is_noticed_too(
    churn: TestRepository, ada: Caller, clone: Path
) -> None:
    """A harness may push to the bare repository without HTTP, even to and fro."""
    commit(clone, "feature", "one")
    git("push", "--quiet", str(churn.path), "feature", at=clone)
    ada.propose("feature")

    git("push", "--quiet", str(churn.path), ":feature", at=clone)
    git("push", "--quiet", str(churn.path), "feature", at=clone)

    assert ada.read("/pulls/1")["state"] == "closed"
    assert ada.read("/branches/feature")["name"] == "feature"


def commit(clone: Path, branch: str, text: str) -> str:
    """Commit a file to a branch and return the commit."""
    git("checkout", "--quiet", "-B", branch, at=clone)
    (clone / "a.txt").write_text(text)
    git("add", ".", at=clone)
    git("commit", "--quiet", "-m", text, at=clone)
    return git("rev-parse", "HEAD", at=clone).strip()


def push(
    server: GitHubServer,
    churn: TestRepository,
    clone: Path,
    who: str,
    what: str,
    *,
    fails: bool = False,
) -> str:
    """Push with a token, or with a new one of somebody."""
    token = who if who.startswith("gh") else server.token(who)
    url = churn.clone_url.replace("://", f"://x-access-token:{token}@")
    return git("push", "--quiet", url, what, at=clone, fails=fails)


def git(*args: str, at: Path | None = None, fails: bool = False) -> str:
    """Run Git as a person would, and return what it says."""
    done = subprocess.run(
        ["git", "-c", "credential.helper=", *args],
        cwd=at,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert bool(done.returncode) == fails, done.stderr
    return done.stdout + done.stderr
