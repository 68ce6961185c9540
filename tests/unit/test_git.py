"""Git in one room: what is read, written and refused, in bare repositories and in clones."""

import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ml_gitops.adapters.git.clone import Clone
from ml_gitops.adapters.git.command import RefMoved, compare_and_swap
from ml_gitops.adapters.git.history import create_tag, diff, is_ancestor, log, merge_base, tags
from ml_gitops.adapters.git.repository import BOT_EMAIL, GitRepository
from ml_gitops.errors import GitError, TryAgain
from ml_gitops.ports import Repository
from ml_gitops.pull_request import Actor

BOT = Actor(login="ml-gitops", bot=True)
ADA = Actor(login="ada")


def clock() -> datetime:
    """Return the same second always."""
    return datetime(2013, 4, 1, tzinfo=UTC)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """Give a test a clone with one commit."""
    clone = Clone.create(tmp_path / "clone", clock=clock, actor=ADA)
    (clone.path / "a.txt").write_text("1\n")
    (clone.path / "folder").mkdir()
    (clone.path / "folder" / "b.txt").write_text("2\n")
    clone.commit_all("Begin")
    return clone


@pytest.fixture
def bare(tmp_path: Path, clone: Clone) -> GitRepository:
    """Give a test a bare repository that the clone has pushed to."""
    bare = GitRepository.create_bare(tmp_path / "bare.git", clock=clock, actor=BOT)
    clone.set_remote(str(bare.path))
    clone.push("main")
    return bare


def test_a_clone_is_the_repository_that_loops_ask(clone: Clone) -> None:
    """Head, branch and dirty paths are those of the work tree."""
    repository: Repository = clone
    head = repository.head()

    clone.run("checkout", "--quiet", "--detach")

    assert repository.branch() is None
    clone.switch("main")
    assert repository.branch() == "main"
    assert repository.head() == head == clone.resolve("main") == clone.resolve(head[:12])
    assert repository.dirty_paths() == []


def test_dirty_paths_name_everything_that_differs(clone: Clone) -> None:
    """Changed, deleted, staged, moved and new files, with their names as they are."""
    (clone.path / "a.txt").rename(clone.path / "moved 'ä'.txt")
    (clone.path / "folder" / "b.txt").write_text("3\n")
    (clone.path / "new folder").mkdir()
    (clone.path / "new folder" / "c -> d").write_text("")
    clone.run("add", "--all", "--", "folder")

    dirty = clone.dirty_paths()

    assert dirty == ["a.txt", "folder/b.txt", "moved 'ä'.txt", "new folder/c -> d"]


def test_commits_carry_actor_and_clock(clone: Clone) -> None:
    """A story can take place in 2013; people without settings get an address that is none."""
    commit = log(clone, "main")[0]

    assert (commit.author.name, commit.author.email) == ("ada", "ada@users.invalid")
    assert commit.author.date == "1364774400 +0000"
    assert commit.message == "Begin\n"
    assert not commit.by_bot


def test_a_person_commits_as_their_settings_say_and_a_bot_never(clone: Clone) -> None:
    """`user.name` and `user.email` sign the commits of people in their own work tree only."""
    clone.run("config", "user.name", "Ada Lovelace")
    clone.run("config", "user.email", "ada@example.com")
    bot = Clone(clone.path, clock=clock, actor=BOT)

    for writer in (clone, bot):
        (clone.path / "a.txt").write_text(writer.actor.login)
        writer.commit_all("Change")

    by_bot, by_ada, _ = log(clone, "main")
    assert (by_ada.author.name, by_ada.author.email) == ("Ada Lovelace", "ada@example.com")
    assert (by_bot.author.name, by_bot.author.email) == ("ml-gitops[bot]", BOT_EMAIL)
    assert (by_ada.by_bot, by_bot.by_bot) == (False, True)


def test_committing_nothing_keeps_the_commit(clone: Clone) -> None:
    """A work tree without a difference makes no commit."""
    head = clone.head()

    assert clone.commit_all("Nothing") == head


def test_a_clone_without_a_remote_names_none(clone: Clone) -> None:
    """A repository that pushes nowhere has no address."""
    assert clone.remote_url() is None


def test_work_travels_by_push_and_pull(tmp_path: Path, clone: Clone, bare: GitRepository) -> None:
    """What one clone pushes another pulls; a pull never makes a merge."""
    other = Clone.of(str(bare.path), tmp_path / "deep" / "other", clock=clock, actor=ADA)
    (clone.path / "a.txt").write_text("changed\n")
    clone.commit_all("Change")
    clone.push("main")

    other.pull()

    assert (other.path / "a.txt").read_text() == "changed\n"
    assert other.head() == clone.head() == bare.resolve("main")
    assert other.remote_url() == str(bare.path)


def test_commits_that_only_one_clone_has_are_counted(clone: Clone, bare: GitRepository) -> None:
    """What was pushed counts no more; a branch of one's own counts from where it left."""
    assert clone.unpushed() == 0

    clone.switch("try", create=True)
    (clone.path / "a.txt").write_text("2\n")
    clone.commit_all("Try")
    assert clone.unpushed() == 1

    clone.push("try")
    assert clone.unpushed() == 0


def test_a_clone_without_a_commit_has_nothing_to_push(tmp_path: Path) -> None:
    """Before the first commit there is nothing to count, and no error."""
    assert Clone.create(tmp_path / "new", clock=clock, actor=ADA).unpushed() == 0


def test_diverged_work_is_refused_with_a_remedy(
    tmp_path: Path, clone: Clone, bare: GitRepository
) -> None:
    """Neither push nor pull decides for a person whose history wins."""
    other = Clone.of(str(bare.path), tmp_path / "other", clock=clock, actor=ADA)
    for writer, text in ((clone, "one\n"), (other, "two\n")):
        (writer.path / "a.txt").write_text(text)
        writer.commit_all(text)
    clone.push("main")

    with pytest.raises(GitError, match="pull first"):
        other.push("main")
    with pytest.raises(GitError, match="merge or rebase your own commits first"):
        other.pull()

    assert (other.path / "a.txt").read_text() == "two\n"


def test_branches_are_made_and_switched(clone: Clone, bare: GitRepository) -> None:
    """A new branch starts at what is checked out; one that looks like an option is refused."""
    clone.switch("feature", create=True)
    clone.push("feature")

    assert bare.resolve("feature") == clone.head()
    with pytest.raises(GitError, match="choose another name"):
        clone.switch("feature", create=True)
    with pytest.raises(GitError, match="looks like an option"):
        clone.switch("--detach")
    with pytest.raises(GitError, match="looks like an option"):
        clone.push("--mirror")


def test_a_commit_needs_no_work_tree(clone: Clone) -> None:
    """A commit on another branch leaves work tree and index alone, even in a subfolder."""
    (clone.path / "a.txt").write_text("mine\n")
    inner = GitRepository(clone.path / "folder", clock=clock, actor=BOT)
    changes = {"a.txt": b"theirs\n", "folder/b.txt": None, "folder/c.txt": b"\x00"}

    made = inner.commit_files("side", changes, "Aside", expected_old=None)
    commit = inner.commit_files("side", {"d.txt": b"d"}, "Again", expected_old=made)

    assert clone.dirty_paths() == ["a.txt"]
    assert set(clone.files("side")) == {"a.txt", "folder/c.txt", "d.txt"}
    assert clone.files(commit, "folder/").keys() == {"folder/c.txt"}
    assert clone.read("a.txt", "side") == b"theirs\n"
    assert [it.message for it in log(clone, "side")] == ["Again\n", "Aside\n"]


def test_a_moved_branch_is_never_overwritten(bare: GitRepository) -> None:
    """Compare-and-swap: a commit made for an older tip is refused, and nothing changes."""
    first = bare.commit_id("main")
    second = bare.commit_files("main", {"a.txt": b"2"}, "Second", expected_old=first)

    for old in (first, None):
        with pytest.raises(RefMoved):
            bare.commit_files("main", {"a.txt": b"3"}, "Third", expected_old=old)

    assert bare.resolve("main") == second


def test_trees_with_long_names_of_objects(tmp_path: Path) -> None:
    """A repository with SHA-256 ids reads, writes and deletes like any other."""
    (tmp_path / "new").mkdir()
    new = GitRepository(tmp_path / "new", clock=clock, actor=BOT)
    new.run("init", "--quiet", "--object-format=sha256", "--initial-branch=main")

    first = new.commit_files("main", {"a": b"1", "b": b"2"}, "First", expected_old=None)
    new.commit_files("main", {"a": None, "gone": None}, "Second", expected_old=first)

    assert len(first) == 64
    assert list(new.files("main")) == ["b"]
    assert new.read("b", "main") == b"2"


def test_a_submodule_is_no_file(clone: Clone) -> None:
    """A commit of another repository is not listed: nobody here could read it."""
    clone.run("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},shared")
    clone.run("commit", "--quiet", "-m", "Share", variables=clone.signed())

    assert clone.tracked("shared")
    assert list(clone.files("HEAD")) == ["a.txt", "folder/b.txt"]


def test_blobs_come_in_order_and_a_lost_one_is_named(bare: GitRepository) -> None:
    """Contents that look like Git's own answers are still contents."""
    contents = {"a": b"", "b": b"x missing\n", "c": b"\n\n" * 99, "d": bytes(range(256))}
    tip = bare.commit_files("odd", contents, "Odd", expected_old=None)
    files = bare.files(tip)

    assert bare.blobs([files[path] for path in "dcbad"]) == [contents[path] for path in "dcbad"]
    assert bare.read("x\ny", tip) is None
    assert bare.read("../a", tip) is None
    with pytest.raises(GitError, match=r"is gone; run `git fsck`"):
        bare.blobs(["0" * 39 + "1"])


def test_history_tells_what_belongs_to_whom(bare: GitRepository) -> None:
    """Commits between two refs, their common ancestor, and the difference since then."""
    start = bare.commit_id("main")
    main = bare.commit_files("main", {"a.txt": b"main\n"}, "Main", expected_old=start)
    bare.run("update-ref", "refs/heads/side", start)
    side = bare.commit_files("side", {"ä.txt": b"side\n"}, "Side", expected_old=start)

    assert [it.id for it in log(bare, "side", exclude=["main"])] == [side]
    assert {it.id for it in log(bare, "side", "main", exclude=[start])} == {side, main}
    assert log(bare) == []
    assert merge_base(bare, "side", "main") == start
    assert is_ancestor(bare, start, "side")
    assert not is_ancestor(bare, main, "side")
    assert "+++ b/ä.txt" in diff(bare, "main", "side")
    assert "a.txt" not in diff(bare, "main", "side").replace("ä.txt", "")


def test_tags_of_one_second_come_by_version(bare: GitRepository) -> None:
    """Version 10 follows version 9; a tag without a message of its own is no release."""
    for name in ("m@v0.10.0", "m@v0.9.0", "m@v0.9.1"):
        create_tag(bare, name, "main", f"{name}\n\n# not a comment")
    bare.run("tag", "light", bare.commit_id("main"))

    found = tags(bare)

    assert [tag.name for tag in found] == ["m@v0.9.0", "m@v0.9.1", "m@v0.10.0"]
    assert found[0].message == "m@v0.9.0\n\n# not a comment"
    assert found[0].created == clock()


def test_refusals_are_one_line_with_a_remedy(
    tmp_path: Path, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Git says becomes place, problem and remedy, never a traceback."""
    nowhere = GitRepository(tmp_path / "gone", clock=clock, actor=ADA)
    plain = GitRepository(tmp_path, clock=clock, actor=ADA)
    clone.set_remote(str(tmp_path / "nothing.git"))

    for act, says in (
        (nowhere.head, "name a folder that exists"),
        (plain.head, "run `git init`"),
        (lambda: clone.push("main"), "nothing.git"),
        (lambda: clone.commit_id("gone"), "there is no branch, tag or commit 'gone'"),
        (lambda: clone.text("frobnicate"), "git frobnicate"),
    ):
        with pytest.raises(GitError) as refused:
            act()
        assert says in str(refused.value)
        assert "\n" not in str(refused.value)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git is not installed"):
        clone.head()


def test_variables_of_a_surrounding_git_do_not_leak(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inside a hook Git sets GIT_DIR and friends; our commands still see their own repository."""
    head = clone.head()
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))

    assert clone.head() == head
    assert clone.dirty_paths() == []


def test_contention_is_repeated_and_ends() -> None:
    """A lost race is run again; one that never ends says so after the patience is used up."""
    lost = iter([True, True, False])

    def attempt() -> str:
        if next(lost):
            raise RefMoved("lost", hint="again")
        return "won"

    def never() -> None:
        raise RefMoved("x.lock exists", hint="again")

    assert compare_and_swap(attempt, patience=5, where="here") == "won"
    with pytest.raises(TryAgain, match=r"here: .*x\.lock exists"):
        compare_and_swap(never, patience=0.05, where="here")


def test_threads_count_without_losing_one(bare: GitRepository) -> None:
    """Three writers that read, add and swap end at the sum of their steps."""

    def add() -> None:
        for _ in range(3):
            compare_and_swap(step, patience=30, where="here")

    def step() -> None:
        tip = bare.commit_id("count")
        count = int(bare.read("n", tip) or b"0") + 1
        bare.commit_files("count", {"n": str(count).encode()}, "Count", expected_old=tip)

    bare.commit_files("count", {"n": b"0"}, "Zero", expected_old=None)
    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert bare.read("n", "count") == b"9"


def test_no_branch_stands_in_for_a_commit(clone: Clone) -> None:
    """A whole id names its commit, whatever somebody called a branch."""
    first = clone.head()
    (clone.path / "a.txt").write_text("changed\n")
    second = clone.commit_all("Change")
    clone.run("update-ref", f"refs/heads/{first}", second)

    assert clone.resolve(first) == first
    assert clone.read("a.txt", first) == b"1\n"


@pytest.mark.parametrize("tagger", ["", "tagger x <x@y> 99999999999999 +0000\n"])
def test_tags_that_no_release_could_have_are_passed_over(bare: GitRepository, tagger: str) -> None:
    """A pushed tag without a date, or from the end of time, stops nobody from reading the rest."""
    create_tag(bare, "delay@v1.0.0", "main", "ours")
    commit = bare.commit_id("main")
    odd = f"object {commit}\ntype commit\ntag odd\n{tagger}\nwhatever\n"
    id_ = bare.text("hash-object", "-t", "tag", "-w", "--literally", "--stdin", stdin=odd)
    bare.run("update-ref", "refs/tags/odd", id_)

    assert [tag.name for tag in tags(bare)] == ["delay@v1.0.0"]


def test_what_git_says_need_not_be_text(clone: Clone) -> None:
    """A branch or a remote whose name is not UTF-8 is one that nothing here has."""
    clone.switch(os.fsdecode(b"\xff"), create=True)
    clone.set_remote(os.fsdecode(b"/nowhere/\xff"))

    assert (clone.branch(), clone.remote_url()) == ("\ufffd", "/nowhere/\ufffd")


@pytest.mark.parametrize("ref", ["refs/ml-gitops/forge", "refs/pull/1/head/x"])
def test_what_a_forge_remembers_cannot_be_pushed(
    bare: GitRepository, clone: Clone, ref: str
) -> None:
    """Pull requests, releases and artifacts are written by the forge, and by no push."""
    bare.run("update-ref", "refs/ml-gitops/forge", bare.commit_id("main"))
    before = bare.refs()

    with pytest.raises(GitError):
        clone.run("push", "--force", "origin", f"HEAD:{ref}")
    with pytest.raises(GitError):
        clone.run("push", "origin", ":refs/ml-gitops/forge")

    assert bare.refs() == before


def test_a_repository_in_a_commit_is_not_obeyed(clone: Clone) -> None:
    """A folder that looks like a bare repository brings no settings of its own."""
    evil = clone.path / "models" / "evil"
    GitRepository.create_bare(evil, clock=clock, actor=BOT)

    with pytest.raises(GitError):
        Clone(evil, clock=clock, actor=ADA).head()
