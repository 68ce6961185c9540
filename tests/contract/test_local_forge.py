"""What the local forge promises on top of the port: its history, many writers, no half states."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ml_gitops.adapters.git.history import log
from ml_gitops.adapters.git.refs import RefMove
from ml_gitops.adapters.git.repository import GitRepository
from ml_gitops.adapters.local_forge.forge import LocalForge
from ml_gitops.errors import BranchTaken, ForgeError, MlGitopsError, TryAgain
from ml_gitops.pull_request import Actor, Keep, MergeMethod, Open, PullRequestSpec, plan
from ml_gitops.workflows.reconciliation import apply

BOT = Actor(login="ml-gitops", bot=True)
ADA = Actor(login="ada")
STATE = "refs/ml-gitops/forge"

PRELUDE = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from ml_gitops.adapters.git.repository import GitRepository
from ml_gitops.adapters.local_forge.forge import LocalForge
from ml_gitops.errors import MlGitopsError
from ml_gitops.pull_request import Actor, PullRequestSpec

def spec(name):
    return PullRequestSpec(
        kind="retrain", model=name, fingerprint=name, branch=f"ml-gitops/{name}", base="main",
        title=f"Retrain {name}", body="", commit_message=f"Retrain {name}",
        changes=((f"{name}.txt", b"x"),),
    )

forge = LocalForge(
    Path(sys.argv[1]), actor=Actor(login="ml-gitops", bot=True),
    clock=lambda: datetime(2013, 4, 1, tzinfo=UTC),
)
"""


def clock() -> datetime:
    """Return the same second always."""
    return datetime(2013, 4, 1, tzinfo=UTC)


def spec(name: str) -> PullRequestSpec:
    """Return a proposal that adds one file."""
    return PullRequestSpec(
        kind="retrain",
        model=name,
        fingerprint=name,
        branch=f"ml-gitops/{name}",
        base="main",
        title=f"Retrain {name}",
        body="",
        commit_message=f"Retrain {name}",
        changes=((f"{name}.txt", b"x"),),
    )


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a forge with one commit, once; tests work on copies."""
    path = tmp_path_factory.mktemp("begun") / "forge.git"
    forge = LocalForge.create(path, actor=BOT, clock=clock)
    forge.commit("main", {"a.txt": b"1\n"}, "Begin")
    return path


@pytest.fixture
def forge(begun: Path, tmp_path: Path) -> LocalForge:
    """Give a test a forge with one commit."""
    path = shutil.copytree(begun, tmp_path / "forge.git")
    return LocalForge(path, actor=BOT, clock=clock)


def git(forge: LocalForge) -> GitRepository:
    """Return the repository of a forge, to look behind the port."""
    return GitRepository(Path(forge.address), clock=clock, actor=BOT)


def start(forge: LocalForge, script: str, *arguments: str) -> "subprocess.Popen[bytes]":
    """Start another process that works on the forge."""
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + script, forge.address, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def outputs(processes: Sequence["subprocess.Popen[bytes]"]) -> list[str]:
    """Return what processes printed, once all of them ended well."""
    results = [process.communicate(timeout=100) for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), results
    return [out.decode().strip() for out, _ in results]


def test_the_history_of_the_forge_reads_as_sentences(forge: LocalForge) -> None:
    """Every change is one commit on the state ref, signed and dated by whoever made it."""
    forge.open_pull_request(spec("delay"))
    forge.comment(1, "Look.")
    LocalForge(Path(forge.address), actor=ADA, clock=clock).merge(1)
    forge.open_issue("Incident", "")
    forge.label(2, ["late"])
    forge.label(2, ["late"])

    commits = log(git(forge), STATE)

    assert [(it.author.name, it.message.strip()) for it in reversed(commits)] == [
        ("ml-gitops[bot]", "Open pull request #1: Retrain delay"),
        ("ml-gitops[bot]", "Comment on #1: Retrain delay"),
        ("ada", "Merge pull request #1: Retrain delay"),
        ("ml-gitops[bot]", "Open issue #2: Incident"),
        ("ml-gitops[bot]", "Label #2: late"),
    ]
    assert {it.author.date for it in commits} == {"1364774400 +0000"}


def test_the_state_is_canonical_json(forge: LocalForge) -> None:
    """Anyone can read what the forge remembers with Git and a JSON reader."""
    forge.open_pull_request(spec("delay"))

    text = git(forge).read("pulls/1.json", STATE)

    assert text is not None
    assert json.loads(text)["pull_request"]["title"] == "Retrain delay"
    assert (
        text.decode()
        == json.dumps(json.loads(text), sort_keys=True, indent=2, ensure_ascii=False) + "\n"
    )


def test_how_each_method_writes_history(forge: LocalForge) -> None:
    """Merge has two parents, squash one and the number, rebase the original messages."""
    tips = {}
    for number, method in enumerate(("merge", "squash", "rebase"), start=1):
        forge.open_pull_request(spec(method))
        forge.commit("main", {"b.txt": method.encode()}, f"Go on before {method}")
        before = forge.head("main")
        forge.merge(number, method)  # type: ignore[arg-type]
        tips[method] = (log(git(forge), "main")[0], before)

    merge, squash, rebase = (tips[method][0] for method in ("merge", "squash", "rebase"))
    assert merge.message == "Merge pull request #1 from ml-gitops/merge\n\nRetrain merge\n"
    assert merge.parents == (tips["merge"][1], forge.pull_request(1).head)
    assert squash.message == "Retrain squash (#2)\n"
    assert squash.parents == (tips["squash"][1],)
    assert rebase.message == "Retrain rebase\n"
    assert rebase.parents == (tips["rebase"][1],)


@pytest.mark.parametrize("method", ["squash", "rebase"])
@pytest.mark.parametrize(
    ("date", "kept"),
    [
        ("0 +0000", "0 +0000"),
        ("9999999 -1200", "9999999 -1200"),
        ("100000000 +0530", "100000000 +0530"),
        ("-5 +0000", "0 +0000"),
        ("soon", "0 +0000"),
    ],
)
def test_a_commit_of_any_time_is_merged(
    forge: LocalForge, method: MergeMethod, date: str, kept: str
) -> None:
    """Whatever time a commit names is kept, also one soon after 1970 or none at all."""
    repository = git(forge)
    base = repository.head()
    tree = repository.write_tree(base, {"old.txt": b"x"})
    commit = f"tree {tree}\nparent {base}\nauthor A <a@b> {date}\ncommitter A <a@b> {date}\n\nOld\n"
    odd = repository.text(
        "hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=commit
    )
    repository.move_refs([RefMove("refs/heads/old", None, odd)])
    forge.propose("old", "An old one", "")

    forge.merge(1, method)

    assert forge.read("old.txt", ref="main") == b"x"
    assert log(repository, "main")[0].author.date == kept


@pytest.mark.parametrize(
    "name",
    [
        "a b",
        "-rf",
        "--all",
        "'",
        '"',
        "..",
        ".",
        ".git",
        "git~1",
        "a/b",
        "a\nb",
        "%2E",
        "模型",
        "*",
    ],
)
def test_any_text_names_an_artifact(forge: LocalForge, name: str) -> None:
    """Spaces, quotes, dashes and dots in names of artifacts and files are only text."""
    forge.store_artifact(name, {name: b"x", "other": b"y"})

    assert forge.artifact(name) == {name: b"x", "other": b"y"}
    assert forge.artifact("other") is None


@pytest.mark.parametrize("branch", ["has space", "a..b", "x.lock", "a\nb", "~", ""])
def test_a_name_that_is_no_branch_is_refused(forge: LocalForge, branch: str) -> None:
    """A branch that Git cannot hold is refused in one line, and nothing is left of it."""
    wanted = spec("delay")
    wanted = PullRequestSpec(**(vars(wanted) | {"branch": branch}))

    with pytest.raises(ForgeError) as refused:
        forge.open_pull_request(wanted)

    assert "\n" not in str(refused.value)
    assert forge.pull_requests() == []


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", ".git/config", "a/../b", "a//b", ""])
def test_a_path_outside_the_tree_is_refused(forge: LocalForge, path: str) -> None:
    """No path of a proposal leads out of the repository or into Git's own files."""
    with pytest.raises(ForgeError, match="path"):
        forge.commit("main", {path: b"x"}, "Escape")


def test_a_name_that_is_no_text_is_told_as_text(forge: LocalForge) -> None:
    """A file whose name no document could hold has a readable one, and its content."""
    forge.commit("main", {os.fsdecode(b"checks/\xff.txt"): b"x"}, "Add it")

    assert forge.files("checks", ref="main") == {"checks/\\xff.txt": b"x"}


def test_an_executable_stays_executable(forge: LocalForge) -> None:
    """Rewriting a file keeps its mode."""
    repository = git(forge)
    blob = repository.files("main")["a.txt"]
    tree = repository.text("mktree", stdin=f"100755 blob {blob}\trun.sh\n")
    commit = repository.write_commit(tree, [], "Script")
    repository.text("update-ref", "refs/heads/main", commit)

    forge.commit("main", {"run.sh": b"2\n", "b.txt": b""}, "Change")

    modes = repository.text("ls-tree", "main").split("\n")
    assert [(line[:6], line.split("\t")[1]) for line in modes] == [
        ("100644", "b.txt"),
        ("100755", "run.sh"),
    ]


def test_listing_costs_the_same_for_one_and_for_many(
    forge: LocalForge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of Git processes does not grow with the number of pull requests."""
    calls: list[str] = []
    run = GitRepository.run

    def counted(self: GitRepository, *arguments: str, **rest: object) -> object:
        calls.append(arguments[0])
        return run(self, *arguments, **rest)  # type: ignore[arg-type]

    def cost() -> int:
        calls.clear()
        forge.pull_requests()
        return len(calls)

    monkeypatch.setattr(GitRepository, "run", counted)

    forge.open_pull_request(spec("0"))
    one = cost()
    for number in range(1, 8):
        forge.open_pull_request(spec(str(number)))
    forge.close(2)
    many = cost()

    assert one == many <= 5


def test_four_processes_open_at_once(forge: LocalForge) -> None:
    """Of 32 proposals none is lost and every number is given once."""
    script = """
for number in range(8):
    print(forge.open_pull_request(spec(f"{sys.argv[2]}-{number}")).number)
"""

    printed = outputs([start(forge, script, name) for name in "abcd"])

    numbers = [int(number) for text in printed for number in text.split()]
    listed = forge.pull_requests()
    assert sorted(numbers) == list(range(1, 33)) == [it.number for it in listed]
    assert len({it.branch for it in listed}) == 32
    assert all(forge.head(it.branch) == it.head for it in listed)
    assert len(log(git(forge), STATE)) == 32


def test_two_processes_merge_the_same_pull_request(forge: LocalForge) -> None:
    """One wins, the other is told that it is merged; the base gets one merge."""
    forge.open_pull_request(spec("delay"))
    script = """
try:
    print(forge.merge(1).state)
except MlGitopsError as error:
    print(error.problem)
"""

    printed = outputs([start(forge, script) for _ in range(2)])

    assert sorted(printed) == ["cannot merge #1: it is merged", "merged"]
    assert len(log(git(forge), "main")) == 3


def test_two_processes_merge_different_pull_requests(forge: LocalForge) -> None:
    """Both arrive: the second is merged onto the first."""
    forge.open_pull_request(spec("a"))
    forge.open_pull_request(spec("b"))
    script = "print(forge.merge(int(sys.argv[2])).state)"

    outputs([start(forge, script, number) for number in "12"])

    assert forge.read("a.txt", ref="main") == b"x"
    assert forge.read("b.txt", ref="main") == b"x"


@pytest.mark.parametrize(
    "act", ["forge.open_pull_request(spec('b'))", "forge.merge(1)", "forge.close(1)"]
)
def test_a_crash_before_the_refs_move_leaves_the_old_state(forge: LocalForge, act: str) -> None:
    """Everything written but no ref moved: nothing happened, and the same act then works."""
    forge.open_pull_request(spec("delay"))
    before = git(forge).refs()
    script = f"""
GitRepository.move_refs = lambda self, moves: os._exit(9)
{act}
"""

    crashed = start(forge, script)
    crashed.communicate(timeout=60)

    assert crashed.returncode == 9
    assert git(forge).refs() == before
    outputs([start(forge, act)])
    assert git(forge).refs() != before
    assert git(forge).text("fsck", "--strict", "--no-dangling") == ""


def test_killed_writers_leave_a_whole_forge(forge: LocalForge) -> None:
    """Processes killed at any moment leave a state that reads, counts and goes on."""
    script = """
for number in range(1000):
    forge.open_issue(f"{sys.argv[2]} {number}", "")
"""

    for name in "abc":
        writer = start(forge, script, name)
        while not any(issue.title.startswith(name) for issue in forge.issues()):
            assert writer.poll() is None, writer.communicate()
        writer.kill()
        writer.communicate()

    after = forge.open_issue("After", "")
    issues = forge.issues()
    assert [issue.number for issue in issues] == list(range(1, len(issues) + 1))
    assert after in issues
    assert len({issue.title for issue in issues}) == len(issues)


def test_a_lock_left_behind_is_named(forge: LocalForge) -> None:
    """A lock that nobody releases ends in one line that says which file it is."""
    impatient = LocalForge(Path(forge.address), actor=BOT, clock=clock, patience=0.1)
    forge.open_issue("First", "")
    lock = Path(forge.address, f"{STATE}.lock")
    lock.touch()

    with pytest.raises(TryAgain, match=r"forge\.lock"):
        impatient.open_issue("Second", "")
    lock.unlink()

    assert impatient.open_issue("Second", "").number == 2


def test_a_merge_moves_base_and_state_or_neither(forge: LocalForge) -> None:
    """If the base cannot move, the pull request stays open."""
    forge.open_pull_request(spec("delay"))
    impatient = LocalForge(Path(forge.address), actor=BOT, clock=clock, patience=0.1)
    lock = Path(forge.address, "refs/heads/main.lock")
    before = git(forge).refs()
    lock.touch()

    with pytest.raises(TryAgain):
        impatient.merge(1)
    lock.unlink()

    assert git(forge).refs() == before
    assert forge.merge(1).state == "merged"


def test_collected_garbage_takes_no_head(forge: LocalForge) -> None:
    """The commits of a closed pull request stay readable after its branch is gone."""
    forge.open_pull_request(spec("delay"))
    forge.close(1)

    git(forge).run("gc", "--quiet", "--prune=now")

    assert "+x" in forge.diff(1)


def test_a_work_tree_or_nothing_is_no_forge(tmp_path: Path) -> None:
    """A folder inside another repository never becomes that repository's forge."""
    with pytest.raises(MlGitopsError, match="no bare Git repository"):
        LocalForge(tmp_path, actor=BOT, clock=clock)


def test_making_a_forge_twice_keeps_it(forge: LocalForge) -> None:
    """`create` on a forge that exists changes nothing in it."""
    forge.open_issue("Stay", "")

    again = LocalForge.create(Path(forge.address), actor=BOT, clock=clock)

    assert [issue.title for issue in again.issues()] == ["Stay"]


def test_odd_hooks_and_variables_of_others_do_not_matter(
    forge: LocalForge, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """GIT_DIR of a surrounding hook and hooks in the repository change nothing."""
    hook = Path(forge.address, "hooks", "reference-transaction")
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Mallory")

    opened = forge.open_pull_request(spec("delay"))

    assert opened.number == 1
    assert log(git(forge), opened.head)[0].author.name == "ml-gitops[bot]"


# Who wrote what


def test_a_commit_that_borrows_the_bots_address_is_a_persons(forge: LocalForge) -> None:
    """Anybody can sign as the bot; what the bot wrote is what the record says it wrote."""
    opened = forge.open_pull_request(spec("one"))
    forge.commit(opened.branch, {"evil.txt": b"x"}, "Retrain one")

    seen = forge.pull_request(opened.number)
    with pytest.raises(ForgeError, match="a person committed"):
        forge.update_pull_request(opened.number, spec("one"))

    assert seen.head != opened.head
    assert seen.human_commits
    assert not opened.human_commits


def test_a_branch_signed_as_the_bot_is_not_the_bots(forge: LocalForge) -> None:
    """Commits that no pull request knows are not overwritten, even if the bot signed them."""
    clone = GitRepository(Path(forge.address), clock=clock, actor=BOT)
    tip = clone.commit_files("ml-gitops/one", {"a.txt": b"2"}, "Squat", expected_old=None)

    with pytest.raises(BranchTaken, match="holds commits of a person"):
        forge.open_pull_request(spec("one"))

    assert forge.head("ml-gitops/one") == tip


def test_a_proposal_that_was_closed_leaves_its_branch_to_the_next(forge: LocalForge) -> None:
    """What a pull request knows is not lost: its branch serves again."""
    opened = forge.open_pull_request(spec("one"))
    forge.close(opened.number)
    clone = GitRepository(Path(forge.address), clock=clock, actor=BOT)
    clone.move_refs([RefMove(f"refs/heads/{opened.branch}", None, opened.head)])

    again = forge.open_pull_request(spec("one"))

    assert (again.number, again.branch) == (2, opened.branch)


def test_somebody_on_the_bots_branch_keeps_it_from_nothing(forge: LocalForge) -> None:
    """Whoever pushes the name first keeps their commits, and the bot takes the next name."""
    people = LocalForge(Path(forge.address), actor=ADA, clock=clock)
    pushed = GitRepository(Path(forge.address), clock=clock, actor=ADA)
    tips = [
        pushed.commit_files(f"ml-gitops/{name}", {"a.txt": b"2"}, "Squat", expected_old=None)
        for name in ("one", "one-2/deep", "one-3")
    ]
    base = forge.head("main") or ""
    pushed.move_refs([RefMove("refs/heads/ml-gitops/one-3", tips[2], base)])
    people.commit("ml-gitops/one-3", {"a.txt": b"2"}, "Mine")
    people.propose("ml-gitops/one-3", "Mine", "")
    before = {name: forge.head(name) for name in ("ml-gitops/one", "ml-gitops/one-3")}

    opened = apply(forge, Open(spec("one")))

    assert opened is not None
    assert opened.branch == "ml-gitops/one-4"
    assert {name: forge.head(name) for name in before} == before
    kept = plan("retrain", "one", spec("one"), forge.pull_requests())
    assert kept == Keep(opened.number, "already proposed, nothing new")


def test_a_branch_above_all_of_the_bots_is_named(forge: LocalForge) -> None:
    """Where no name is free, the branch in the way is told, and nothing is written."""
    pushed = GitRepository(Path(forge.address), clock=clock, actor=ADA)
    pushed.commit_files("ml-gitops", {"a.txt": b"2"}, "Squat", expected_old=None)

    with pytest.raises(ForgeError, match="the branch ml-gitops is in the way of ml-gitops/one"):
        apply(forge, Open(spec("one")))

    assert forge.pull_requests() == []
