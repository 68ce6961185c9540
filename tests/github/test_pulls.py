"""Pull requests behave as on GitHub: they are what Git says, and refuse what GitHub refuses."""

import subprocess
from pathlib import Path

import pytest

from tests.github.caller import Caller, said
from tests.github.server import GitHubServer
from tests.github.setup import TestRepository


def test_head_follows_its_branch_and_base_what_was_pushed_last(
    churn: TestRepository, bot: Caller
) -> None:
    """Every push moves `head.sha`; `base.sha` is the base's tip as of the last push to the head."""
    first = churn.push("feature", {"a.txt": "x\n"})
    main = churn.head()
    opened = bot.propose("feature")
    assert (opened["head"]["sha"], opened["base"]["sha"]) == (first, main)

    newer = churn.push("main", {"c.txt": "c\n"})
    assert bot.read("/pulls/1")["base"]["sha"] == main
    second = churn.push("feature", {"b.txt": "y\n"})

    shown = bot.read("/pulls/1")
    assert (shown["head"]["sha"], shown["base"]["sha"]) == (second, newer)
    assert (shown["commits"], shown["changed_files"]) == (2, 2)


def test_mergeable_is_unknown_to_whoever_asks_first(churn: TestRepository, bot: Caller) -> None:
    """GitHub computes it when asked: null first, then the truth, and null again after a push."""
    churn.push("feature", {"a.txt": "x\n"})
    opened = bot.propose("feature")

    seen = [bot.read("/pulls/1")["mergeable"] for _ in range(2)]
    churn.push("main", {"a.txt": "other\n"})
    after = [bot.read("/pulls/1") for _ in range(2)]

    assert (opened["mergeable"], seen) == (None, [None, True])
    assert [it["mergeable"] for it in after] == [None, False]
    assert [it["mergeable_state"] for it in after] == ["unknown", "dirty"]


def test_the_test_merge_is_a_real_commit(
    server: GitHubServer, churn: TestRepository, bot: Caller, tmp_path: Path
) -> None:
    """`refs/pull/1/merge` can be fetched, and holds what both sides changed."""
    churn.push("feature", {"b.txt": "mine\n"})
    churn.push("main", {"a.txt": "theirs\n"})
    bot.propose("feature")
    bot.read("/pulls/1")

    git("init", "--quiet", str(tmp_path / "clone"))
    git("fetch", "--quiet", churn.clone_url, "refs/pull/1/merge", at=tmp_path / "clone")
    git("checkout", "--quiet", "FETCH_HEAD", at=tmp_path / "clone")

    assert (tmp_path / "clone/a.txt").read_text() == "theirs\n"
    assert (tmp_path / "clone/b.txt").read_text() == "mine\n"
    assert bot.read("/pulls/1")["merge_commit_sha"] == churn.record.refs["refs/pull/1/merge"]


def test_what_cannot_be_proposed_is_refused(churn: TestRepository, bot: Caller) -> None:
    """A second one, a missing branch, no commits and no common history are 422 with a reason."""
    churn.push("feature", {"a.txt": "x\n"})
    churn.push("same")
    alien = bot.made("/git/trees", tree=[{"path": "x", "mode": "100644", "content": "x"}])
    root = bot.made("/git/commits", message="Alone", tree=alien["sha"])
    bot.made("/git/refs", ref="refs/heads/alien", sha=root["sha"])
    bot.propose("feature")

    def refused(head: str, base: str = "main", title: str = "Change") -> tuple[int, str]:
        return said(bot.post("/pulls", head=head, base=base, title=title))

    assert refused("feature") == (
        422,
        "Validation Failed A pull request already exists for acme:feature.",
    )
    assert refused("gone") == (422, "Validation Failed head invalid")
    assert refused("feature", "gone") == (422, "Validation Failed base invalid")
    assert refused("same")[1].endswith("No commits between main and same")
    assert refused("main")[1].endswith("No commits between main and main")
    assert refused("alien")[1].endswith("no history in common with main")
    assert refused("same", title=" ") == (422, "Validation Failed title missing_field")
    assert [it["number"] for it in bot.read("/pulls", params={"state": "all"})] == [1]


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
def test_a_merge_is_made_by_git(churn: TestRepository, ada: Caller, how: str) -> None:
    """Each way keeps what the base got meanwhile, and leaves the parents that GitHub leaves."""
    churn.push("feature", {"a.txt": "x\n"}, {"b.txt": "y\n"})
    main = churn.push("main", {"c.txt": "c\n"})
    head = ada.propose("feature", "Try")["head"]["sha"]

    answer = ada.put("/pulls/1/merge", merge_method=how, sha=head)

    assert (answer.status_code, answer.json()["merged"]) == (200, True)
    merged = ada.read("/pulls/1")
    tip = churn.head()
    assert (merged["merged"], merged["state"], merged["merge_commit_sha"]) == (True, "closed", tip)
    assert merged["merged_by"]["login"] == "ada"
    commit = ada.read(f"/git/commits/{tip}")
    parents = [it["sha"] for it in commit["parents"]]
    first = commit["message"].partition("\n")[0]
    if how == "merge":
        assert (parents, first) == ([main, head], "Merge pull request #1 from acme/feature")
    elif how == "squash":
        assert (parents, first) == ([main], "Try (#1)")
    else:
        assert (parents[0] != main, first) == (True, "Change feature 1")
    names = {it["path"] for it in ada.read("/git/trees/main")["tree"]}
    assert names == {"a.txt", "b.txt", "c.txt", "model"}
    assert ada.get("/pulls/1/merge").status_code == 204


def test_what_cannot_be_merged_is_refused(churn: TestRepository, ada: Caller) -> None:
    """A conflict, a draft and a closed one are 405; a head that moved is 409."""
    churn.push("conflict", {"a.txt": "x\n"})
    churn.push("draft", {"b.txt": "x\n"})
    churn.push("main", {"a.txt": "y\n"})
    head = ada.propose("conflict")["head"]["sha"]
    ada.propose("draft", draft=True)

    assert said(ada.put("/pulls/1/merge", sha="0" * 40))[0] == 409
    for how in ("merge", "squash", "rebase"):
        refused = ada.put("/pulls/1/merge", merge_method=how, sha=head)
        assert said(refused) == (405, "Pull Request is not mergeable")
    assert said(ada.put("/pulls/2/merge")) == (405, "Pull Request is still a draft")
    ada.patch("/pulls/1", state="closed")
    assert ada.put("/pulls/1/merge").status_code == 405
    assert ada.get("/pulls/1/merge").status_code == 404


def test_a_push_of_the_head_to_the_base_merges(churn: TestRepository, ada: Caller) -> None:
    """Who merges with Git alone has merged the pull request, and is named for it."""
    head = churn.push("feature", {"a.txt": "x\n"})
    ada.propose("feature")

    churn.push("main", onto=head, by="bob")
    churn.delete_branch("feature")

    merged = ada.read("/pulls/1")
    assert (merged["merged"], merged["merge_commit_sha"]) == (True, head)
    assert merged["merged_by"]["login"] == "bob"
    assert merged["head"]["sha"] == head


def test_a_deleted_branch_closes_and_its_return_opens_nothing(
    churn: TestRepository, ada: Caller, bot: Caller
) -> None:
    """The pull request keeps its head, says who closed it, and opens only on the same commit."""
    head = churn.push("feature", {"a.txt": "x\n"})
    bot.propose("feature")

    churn.delete_branch("feature", by="ada")

    closed = bot.read("/issues/1")
    assert (closed["state"], closed["closed_by"]["login"]) == ("closed", "ada")
    assert bot.read("/pulls/1")["head"]["sha"] == head
    assert "has been deleted" in said(bot.patch("/pulls/1", state="open"))[1]
    churn.push("feature", {"a.txt": "other\n"}, onto="main")
    assert "force-pushed or recreated" in said(bot.patch("/pulls/1", state="open"))[1]
    assert bot.propose("feature")["number"] == 2
    churn.push("feature", onto=head)
    ada.patch("/pulls/2", state="closed")
    assert bot.patch("/pulls/1", state="open").json()["state"] == "open"


def test_a_head_with_nothing_left_closes(churn: TestRepository, bot: Caller) -> None:
    """Forcing the branch back to the base is no merge."""
    churn.push("feature", {"a.txt": "x\n"})
    bot.propose("feature")

    churn.push("feature", onto="main")

    shown = bot.read("/pulls/1")
    assert (shown["state"], shown["merged"]) == ("closed", False)


def test_the_list_filters_as_github_does(churn: TestRepository, bot: Caller) -> None:
    """`head` filters only with its owner; without one it is ignored, and all come."""
    for branch in ("one", "two"):
        churn.push(branch, {"a.txt": branch})
        bot.propose(branch)

    def numbers(**query: str) -> list[int]:
        return [it["number"] for it in bot.read("/pulls", params=query)]

    assert numbers(head="acme:one") == [1]
    assert numbers(head="eve:one") == []
    assert numbers(head="one") == [2, 1]
    assert numbers(direction="asc") == [1, 2]
    assert numbers(base="other") == []
    assert "mergeable" not in bot.read("/pulls")[0]


def test_files_commits_and_diff_come_from_git(churn: TestRepository, bot: Caller) -> None:
    """A rename is one file with its former name; a binary file has no patch; the diff is Git's."""
    churn.push("feature", {"a.txt": None, "d.txt": "1\n2\n3\n", "b.txt": "b\nc\n"})
    churn.push("feature", {"x.bin": b"\x00\x01"})
    bot.propose("feature")

    files = {it["filename"]: it for it in bot.read("/pulls/1/files")}
    diff = bot.get("/pulls/1", headers={"Accept": "application/vnd.github.diff"})

    assert (files["d.txt"]["status"], files["d.txt"]["previous_filename"]) == ("renamed", "a.txt")
    assert files["b.txt"]["patch"] == "@@ -1 +1,2 @@\n b\n+c"
    assert "patch" not in files["x.bin"]
    assert diff.text.startswith("diff --git a/")
    assert len(bot.read("/pulls/1/commits")) == 2
    assert bot.read(f"/commits/{churn.head('feature')}/pulls")[0]["number"] == 1


def test_a_fork_proposes_across_repositories(
    server: GitHubServer, churn: TestRepository, ada: Caller, eve: Caller
) -> None:
    """The head lives in the fork; merging brings its objects; a deleted fork is null."""
    fork = eve.made("/forks")
    assert (fork["full_name"], fork["parent"]["full_name"]) == ("eve/churn", "acme/churn")
    mine = server.repository("eve/churn")
    head = mine.push("feature", {"a.txt": "x\n"}, by="eve")

    opened = eve.propose("eve:feature")
    assert (opened["head"]["label"], opened["head"]["repo"]["fork"]) == ("eve:feature", True)
    second = mine.push("feature", {"b.txt": "y\n"}, by="eve")
    assert [it["head"]["sha"] for it in ada.read("/pulls")] == [second]
    assert ada.put("/pulls/1/merge", sha=second).status_code == 200
    assert {it["sha"] for it in ada.read("/commits")} >= {head, second}

    mine.push("again", {"a.txt": "z\n"}, by="eve")
    eve.propose("eve:again")
    mine.delete()
    gone = ada.read("/pulls/2")
    assert (gone["state"], gone["head"]["repo"]) == ("closed", None)


def test_update_branch_merges_the_base_in(churn: TestRepository, bot: Caller) -> None:
    """The head gets a merge commit; nothing to merge and a head that moved are 422."""
    head = churn.push("feature", {"a.txt": "x\n"})
    bot.propose("feature")
    assert bot.put("/pulls/1/update-branch").status_code == 422
    main = churn.push("main", {"c.txt": "c\n"})

    assert bot.put("/pulls/1/update-branch", expected_head_sha=main).status_code == 422
    assert bot.put("/pulls/1/update-branch", expected_head_sha=head).status_code == 202

    parents = bot.read(f"/git/commits/{churn.head('feature')}")["parents"]
    assert [it["sha"] for it in parents] == [head, main]


def git(*args: str, at: Path | None = None) -> str:
    """Run Git as a person would."""
    done = subprocess.run(["git", *args], cwd=at, check=True, capture_output=True, text=True)
    return done.stdout.strip()
