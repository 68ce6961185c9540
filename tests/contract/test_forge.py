"""Every forge behaves the same: this suite is written against the port and knows no adapter."""

from collections.abc import Sequence
from inspect import signature
from typing import cast

import pytest

from ml_gitops.errors import ForgeError
from ml_gitops.ports import Forge
from ml_gitops.pull_request import Actor, Keep, PullRequestSpec, Tell, Update, plan
from ml_gitops.workflows.folder import in_folder
from tests.contract.forges import BOT, FIRST, Harness


def spec(
    changes: Sequence[tuple[str, bytes | None]] = (("a.txt", b"1\n2\nthree\n"),),
    *,
    branch: str = "ml-gitops/retrain-delay",
    fingerprint: str = "april",
    title: str = "Retrain delay",
    body: str = "It decayed.",
    draft: bool = False,
) -> PullRequestSpec:
    """Return a proposal to retrain, with what a test wants to be different."""
    return PullRequestSpec(
        kind="retrain",
        model="delay",
        fingerprint=fingerprint,
        branch=branch,
        base="main",
        title=title,
        body=body,
        commit_message=f"{title}\n\nNew labels came.",
        changes=tuple(changes),
        labels=("retrain",),
        draft=draft,
    )


# Branches and files


def test_a_body_is_replaced_on_pull_requests_and_issues(harness: Harness) -> None:
    """Who may edit it ticks a box there; nothing else of the thread changes."""
    forge, ada = harness.forge(), harness.forge("ada", bot=False)
    proposal, issue = forge.open_pull_request(spec()), forge.open_issue("Drift", "- [ ] x")

    ada.edit_body(proposal.number, "- [x] it")
    ada.edit_body(issue.number, "- [x] x")

    after = harness.forge().pull_request(proposal.number)
    assert (after.body, after.title, after.head) == ("- [x] it", proposal.title, proposal.head)
    assert [it.body for it in harness.forge().issues()] == ["- [x] x"]
    with pytest.raises(ForgeError, match="there is no #99"):
        ada.edit_body(99, "x")


def test_what_landed_is_told_from_what_did_not(harness: Harness) -> None:
    """A commit of the default branch's history landed; one of another branch did not."""
    forge = harness.forge()
    first = forge.head("main") or ""
    second = forge.commit("main", {"a.txt": b"second"}, "Change")
    elsewhere = forge.open_pull_request(spec()).head

    assert [forge.landed(it) for it in (first, second, elsewhere)] == [True, True, False]


def test_files_are_read_at_a_branch_a_tag_or_a_commit(harness: Harness) -> None:
    """The same path has its own content at each ref, and None where it is not."""
    forge = harness.forge()
    first = forge.head("main")
    assert first is not None
    forge.create_tag("delay@v1.0.0", first, "delay@v1.0.0")

    second = forge.commit("main", {"a.txt": b"\x00\xff", "new/deep.txt": b""}, "Change")

    assert forge.head("main") == second
    assert forge.read("a.txt", ref="main") == b"\x00\xff"
    assert forge.read("a.txt", ref="delay@v1.0.0") == FIRST["a.txt"]
    assert forge.read("a.txt", ref=first) == FIRST["a.txt"]
    assert forge.read("new/deep.txt", ref=second) == b""
    assert forge.read("new", ref="main") is None
    assert forge.read("gone.txt", ref="main") is None
    assert forge.head("gone") is None


def test_equal_files_have_one_id(harness: Harness) -> None:
    """What stands for a folder changes with its files, and with nothing beside it."""
    forge = harness.forge()
    first, folder = forge.content_id(ref="main"), forge.content_id("new/", ref="main")
    forge.commit("main", {"new/a.txt": b"a\n"}, "Add")
    second, one = forge.content_id(ref="main"), forge.content_id("new/", ref="main")
    forge.commit("main", {"new/a.txt": b"b\n", "b.txt": b"c\n"}, "Change")
    tip = forge.commit("main", {"new/a.txt": b"a\n"}, "Change back")

    assert folder == ""
    assert len({first, second, forge.content_id(ref=tip)}) == 3
    assert forge.content_id("new/", ref=tip) == one != ""
    with pytest.raises(ForgeError, match="there is no branch, tag or commit"):
        forge.content_id(ref="gone")


def test_no_method_with_a_path_forgets_the_folder() -> None:
    """Whatever of the port takes paths is translated for a model in a folder."""
    wrapped = vars(type(in_folder(cast("Forge", None), "models/churn/")))
    told = {
        name
        for name, method in vars(Forge).items()
        if callable(method)
        and {"path", "places", "folder", "changes", "spec"} & signature(method).parameters.keys()
    }

    assert told == {name for name in wrapped if name in told or not name.startswith("_")}
    assert len(told) == 6


@pytest.mark.parametrize("ref", ["gone", "main~0", "main:a.txt", "--all", "", "HEAD^{tree}"])
def test_a_ref_that_does_not_exist_is_no_missing_file(harness: Harness, ref: str) -> None:
    """What cannot be known is refused; expressions and options are names that nobody has."""
    with pytest.raises(ForgeError, match="there is no branch, tag or commit"):
        harness.forge().read("a.txt", ref=ref)


def test_a_commit_that_changes_nothing_is_none(harness: Harness) -> None:
    """Committing what is there already returns the tip; an unknown branch is refused."""
    forge = harness.forge()

    tip = forge.commit("main", {"a.txt": FIRST["a.txt"], "gone.txt": None}, "Nothing")

    assert tip == forge.head("main")
    with pytest.raises(ForgeError, match="no branch 'gone'"):
        forge.commit("gone", {"a.txt": b""}, "Nowhere")


# Opening


def test_a_proposal_is_one_commit_of_the_bot(harness: Harness) -> None:
    """`open_pull_request` commits the changes on the base and writes the marker into the body."""
    forge = harness.forge()
    wanted = spec((("a.txt", b"4\n"), ("b.txt", None), ("model/c.bin", b"\x00\xff")))

    opened = forge.open_pull_request(wanted)

    assert opened == forge.pull_request(1) == forge.pull_requests()[0]
    assert (opened.number, opened.state, opened.base) == (1, "open", "main")
    assert opened.author == Actor(login=BOT, bot=True)
    assert opened.marker == wanted.marker
    assert opened.body.startswith("It decayed.")
    assert opened.labels == ("retrain",)
    assert not opened.human_commits
    assert opened.head == forge.head(wanted.branch)
    assert forge.read("a.txt", ref=wanted.branch) == b"4\n"
    assert forge.read("b.txt", ref=wanted.branch) is None
    assert forge.read("model/c.bin", ref=wanted.branch) == b"\x00\xff"
    assert forge.read("a.txt", ref="main") == FIRST["a.txt"]


def test_a_person_proposes_a_branch(harness: Harness) -> None:
    """A pushed branch becomes a pull request of the person, whose commits count as human."""
    tip = harness.push("feature", {"a.txt": b"x\n"}, {"a.txt": b"y\n"})

    opened = harness.forge("ada", bot=False).propose("feature", "Try", "Because.", draft=True)

    assert (opened.head, opened.draft, opened.human_commits) == (tip, True, True)
    assert opened.author == Actor(login="ada")
    assert opened.marker is None


def test_unicode_and_markdown_come_back_as_they_were(harness: Harness) -> None:
    """Titles, bodies, comments and paths keep every character."""
    forge = harness.forge()
    body = 'Ünïcode 模型 🚀 "quotes" <b>&amp;</b>\n\n```\n$(rm -rf /)\n```\n'

    opened = forge.open_pull_request(
        spec((("dados/ação 'x'.txt", b"x"),), title='Réentraîner "délai" 🚀', body=body)
    )
    forge.comment(1, body)

    assert opened.title == 'Réentraîner "délai" 🚀'
    assert opened.body.startswith(body)
    assert forge.pull_request(1).comments[0].body == body
    assert forge.read("dados/ação 'x'.txt", ref=opened.branch) == b"x"
    assert "dados/ação" in forge.diff(1)


def test_files_below_a_folder_are_read_at_once(harness: Harness) -> None:
    """Files by name and by folder, whole and nothing hidden; a folder that is not there is none."""
    forge = harness.forge()
    files = {
        "checks/test_a.py": b"a\n",
        "checks/deep/ação.csv": b"\xff",
        "checks/.hidden/x": b"",
        "checks/__pycache__/test_a.pyc": b"",
        "checks2/test_b.py": b"",
        ".pytest.ini": b"[pytest]",
    }
    harness.push("feature", files)

    found = forge.files("checks", ".pytest.ini", "gone", ref="feature")

    assert found == {
        name: files[name] for name in ("checks/test_a.py", "checks/deep/ação.csv", ".pytest.ini")
    }
    assert forge.files("checks", ref="main") == {}


def test_one_open_pull_request_for_a_branch(harness: Harness) -> None:
    """A second one for the same branch and base is refused, whoever asks."""
    forge = harness.forge()
    opened = forge.open_pull_request(spec())

    with pytest.raises(ForgeError, match="#1 is open for ml-gitops/retrain-delay already"):
        forge.open_pull_request(spec(fingerprint="may"))
    with pytest.raises(ForgeError, match="#1 is open"):
        harness.forge("ada", bot=False).propose(opened.branch, "Mine", "")

    assert [it.number for it in forge.pull_requests()] == [1]


def test_an_empty_pull_request_is_refused(harness: Harness) -> None:
    """Without a commit or without a difference there is nothing to propose."""
    forge = harness.forge()
    harness.push("same")
    harness.push("back", {"a.txt": b"x\n"}, {"a.txt": FIRST["a.txt"]})

    for branch in ("same", "back", "main"):
        with pytest.raises(ForgeError, match="changes nothing in main"):
            forge.propose(branch, "Nothing", "")
    with pytest.raises(ForgeError, match="no branch 'gone'"):
        forge.propose("gone", "Nothing", "")
    with pytest.raises(ForgeError, match="changes nothing in main"):
        forge.open_pull_request(spec((("a.txt", FIRST["a.txt"]),)))

    assert forge.pull_requests() == []
    assert forge.head("ml-gitops/retrain-delay") is None


@pytest.mark.parametrize("branch", ["main", "feature"])
def test_a_proposal_never_overwrites_commits_of_a_person(harness: Harness, branch: str) -> None:
    """A branch with work that no pull request knows is left alone."""
    harness.push("feature", {"a.txt": b"work\n"})
    forge = harness.forge()
    before = forge.head(branch)

    with pytest.raises(ForgeError, match="holds commits of a person"):
        forge.open_pull_request(spec(branch=branch))

    assert forge.head(branch) == before


def test_texts_have_the_limits_of_every_forge(harness: Harness) -> None:
    """An empty title and an endless body are refused; a long proposal is cut, not its marker."""
    forge = harness.forge()
    wanted = spec(body="x" * 100_000)

    with pytest.raises(ForgeError, match="title"):
        forge.open_issue(" \n ", "")
    with pytest.raises(ForgeError, match="text"):
        forge.open_issue("Long", "x" * 70_000)
    opened = forge.open_pull_request(wanted)

    assert len(opened.body) < 60_000
    assert opened.marker == wanted.marker


# Following the branch


def test_an_open_pull_request_follows_its_branch(harness: Harness) -> None:
    """A push moves the head; a commit of a person on a bot's branch shows."""
    forge = harness.forge()
    opened = forge.open_pull_request(spec())

    tip = harness.push(opened.branch, {"b.txt": b"mine\n"}, onto=opened.branch)

    assert forge.pull_request(1).head == tip
    assert forge.pull_request(1).human_commits
    assert "+mine" in forge.diff(1)


def test_a_branch_merged_by_hand_is_merged(harness: Harness) -> None:
    """Who pushes the head into the base has merged the pull request, on any forge."""
    forge = harness.forge()
    opened = forge.open_pull_request(spec())

    harness.merge_by_hand(opened.branch)
    harness.delete_branch(opened.branch)

    assert forge.pull_request(1).state == "merged"
    assert "+three" in forge.diff(1)
    forge.open_issue("Anything", "")
    assert forge.pull_request(1).state == "merged"
    assert forge.open_pull_request(spec((("b.txt", b"next\n"),))).number == 3
    assert forge.pull_request(1).state == "merged"


def test_a_deleted_branch_closes_its_pull_request(harness: Harness) -> None:
    """Deleting the branch is a person's no, and stays one when the bot makes it again."""
    forge = harness.forge()
    opened = forge.open_pull_request(spec())

    harness.delete_branch(opened.branch)

    assert forge.pull_request(1).state == "closed"
    assert forge.pull_request(1).head == opened.head
    assert isinstance(plan("retrain", "delay", spec(), forge.pull_requests()), Keep)
    assert forge.open_pull_request(spec(fingerprint="may")).number == 2
    assert [it.state for it in forge.pull_requests()] == ["closed", "open"]


# Updating


def test_an_update_is_one_commit_on_the_current_base(harness: Harness) -> None:
    """The old commit is replaced, the base's newest work is below, the rest is as wanted now."""
    forge = harness.forge()
    forge.open_pull_request(spec())
    harness.push("main", {"b.txt": b"newer\n"})
    wanted = spec((("c.txt", b"c\n"),), fingerprint="may", title="Retrain again")

    updated = forge.update_pull_request(1, wanted)

    assert updated == forge.pull_request(1)
    assert (updated.title, updated.marker) == ("Retrain again", wanted.marker)
    assert forge.read("b.txt", ref=updated.branch) == b"newer\n"
    assert forge.read("a.txt", ref=updated.branch) == FIRST["a.txt"]
    assert "three" not in forge.diff(1)
    assert not updated.human_commits


def test_the_same_update_twice_changes_nothing(harness: Harness) -> None:
    """Equal content keeps the commit and the time of the last change."""
    forge = harness.forge()
    opened = forge.open_pull_request(spec())

    again = forge.update_pull_request(1, spec())

    assert again == opened


def test_an_update_never_overwrites_a_person(harness: Harness) -> None:
    """A human commit on the branch makes it theirs."""
    forge = harness.forge()
    opened = forge.open_pull_request(spec())
    tip = harness.push(opened.branch, {"b.txt": b"mine\n"}, onto=opened.branch)

    with pytest.raises(ForgeError, match="a person committed"):
        forge.update_pull_request(1, spec(fingerprint="may"))

    assert forge.head(opened.branch) == tip


def test_only_an_open_pull_request_is_updated(harness: Harness) -> None:
    """Closed is closed; an unknown number and an issue are named as what they are."""
    forge = harness.forge()
    forge.open_pull_request(spec())
    forge.close(1)
    forge.open_issue("Incident", "")

    with pytest.raises(ForgeError, match="cannot update #1: it is closed"):
        forge.update_pull_request(1, spec())
    with pytest.raises(ForgeError, match="#2 is an issue"):
        forge.update_pull_request(2, spec())
    with pytest.raises(ForgeError, match="there is no #9"):
        forge.update_pull_request(9, spec())


# Merging


def test_a_merge_commit_joins_both_histories(harness: Harness) -> None:
    """`merge` keeps the commits and says which pull request brought them."""
    forge = harness.forge()
    opened = forge.open_pull_request(spec())
    harness.push("main", {"b.txt": b"newer\n"})

    merged = harness.forge("ada", bot=False).merge(1)

    assert merged == forge.pull_request(1)
    assert (merged.state, merged.closed_by) == ("merged", Actor(login="ada"))
    assert merged.merge_commit == forge.head("main")
    assert merged.head == opened.head
    assert forge.read("a.txt", ref="main") == b"1\n2\nthree\n"
    assert forge.read("b.txt", ref="main") == b"newer\n"
    assert forge.head(opened.branch) is None
    assert "+three" in forge.diff(1)


def test_a_squash_is_one_commit(harness: Harness) -> None:
    """Several commits arrive as one, whose parent is the base."""
    before = harness.forge().head("main")
    harness.push("feature", {"a.txt": b"x\n"}, {"a.txt": b"y\n"}, {"c.txt": b"c\n"})
    ada = harness.forge("ada", bot=False)
    ada.propose("feature", "Try", "")

    merged = ada.merge(1, "squash")

    assert before is not None
    assert ada.read("a.txt", ref="main") == b"y\n"
    assert ada.read("c.txt", ref="main") == b"c\n"
    assert merged.state == "merged"
    assert ada.head("feature") == merged.head
    assert ada.head("main") == merged.merge_commit != merged.head


def test_a_rebase_replays_every_commit(harness: Harness) -> None:
    """The commits come one by one on top of the base; what the base has already is left out."""
    harness.push("feature", {"a.txt": b"1\n2\nx\n"}, {"same.txt": b"s\n"}, {"c.txt": b"c\n"})
    harness.push("main", {"b.txt": b"newer\n", "same.txt": b"s\n"})
    ada = harness.forge("ada", bot=False)
    ada.propose("feature", "Try", "")

    merged = ada.merge(1, "rebase")

    assert merged.merge_commit == ada.head("main")
    assert ada.read("a.txt", ref="main") == b"1\n2\nx\n"
    assert ada.read("b.txt", ref="main") == b"newer\n"
    assert ada.read("c.txt", ref="main") == b"c\n"


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_conflict_names_the_files_and_changes_nothing(harness: Harness, method: str) -> None:
    """Both sides changed the same line: the merge is refused and everything stays."""
    forge = harness.forge()
    forge.open_pull_request(spec((("a.txt", b"1\n2\nthree\n"), ("c.txt", b"c\n"))))
    tip = harness.push("main", {"a.txt": b"1\n2\nTHREE\n"})

    with pytest.raises(ForgeError, match=r"both sides changed [a-z/]*a\.txt;"):
        forge.merge(1, method)  # type: ignore[arg-type]

    assert forge.head("main") == tip
    assert forge.pull_request(1).state == "open"


def test_only_an_open_finished_pull_request_is_merged(harness: Harness) -> None:
    """A draft, a closed one, a merged one and an unknown method are refused."""
    forge = harness.forge()
    forge.open_pull_request(spec(draft=True))
    with pytest.raises(ForgeError, match="#1 is a draft"):
        forge.merge(1)
    forge.update_pull_request(1, spec())
    with pytest.raises(ForgeError, match="'octopus' is none of merge, squash, rebase"):
        forge.merge(1, "octopus")  # type: ignore[arg-type]

    forge.merge(1)

    with pytest.raises(ForgeError, match="it is merged"):
        forge.merge(1)
    with pytest.raises(ForgeError, match="#1 is merged"):
        forge.close(1)


# Closing and talking


def test_a_person_closes_with_a_reason(harness: Harness) -> None:
    """The forge remembers who closed it and why; the bot's branch goes, its head is remembered."""
    forge = harness.forge()
    opened = forge.open_pull_request(spec())

    harness.forge("ada", bot=False).close(1, "Not now.")
    harness.forge("bob", bot=False).close(1, "Twice changes nothing.")

    closed = forge.pull_request(1)
    assert (closed.state, closed.closed_by) == ("closed", Actor(login="ada"))
    assert [(it.author.login, it.body) for it in closed.comments] == [("ada", "Not now.")]
    assert forge.head(opened.branch) is None
    assert closed.head == opened.head
    assert "+three" in forge.diff(1)


def test_closing_keeps_a_branch_with_work_of_a_person(harness: Harness) -> None:
    """What a person committed to a bot's branch stays where they put it."""
    forge = harness.forge()
    opened = forge.open_pull_request(spec())
    tip = harness.push(opened.branch, {"b.txt": b"mine\n"}, onto=opened.branch)

    forge.close(1)

    assert forge.head(opened.branch) == tip


def test_comments_are_edited_in_place(harness: Harness) -> None:
    """A comment keeps its number and author; editing one that is not there is refused."""
    forge = harness.forge()
    opened = forge.open_pull_request(spec())
    first = forge.comment(1, "one")
    harness.forge("ada", bot=False).comment(1, "two")

    forge.edit_comment(1, first.number, "uno")

    after = forge.pull_request(1)
    assert [(it.author.login, it.body) for it in after.comments] == [
        (BOT, "uno"),
        ("ada", "two"),
    ]
    assert after.comments[0].created < after.comments[0].updated
    assert after.updated > opened.updated
    with pytest.raises(ForgeError, match="no comment"):
        forge.edit_comment(1, 99_999, "x")


def test_a_comment_is_deleted_once(harness: Harness) -> None:
    """A deleted comment is gone, and nothing happens to whoever deletes it again."""
    forge = harness.forge()
    forge.open_pull_request(spec())
    first, second = forge.comment(1, "one"), forge.comment(1, "two")

    forge.delete_comment(1, first.number)
    forge.delete_comment(1, first.number)

    assert [it.number for it in forge.pull_request(1).comments] == [second.number]


def test_reviews_are_kept_in_order(harness: Harness) -> None:
    """A verdict is one of three words, from whoever gave it."""
    harness.forge().open_pull_request(spec())
    ada = harness.forge("ada", bot=False)

    ada.review(1, "request-changes", "Why?")
    ada.review(1, "approve")

    reviews = harness.forge().pull_request(1).reviews
    assert [(it.author.login, it.verdict, it.body) for it in reviews] == [
        ("ada", "request-changes", "Why?"),
        ("ada", "approve", ""),
    ]
    with pytest.raises(ForgeError, match="'maybe' is none of"):
        ada.review(1, "maybe")


def test_issues_and_pull_requests_share_numbers(harness: Harness) -> None:
    """An issue is opened, updated, labelled, discussed and closed like a pull request."""
    forge = harness.forge()
    forge.open_pull_request(spec())

    issue = forge.open_issue("Incident", "Rows are gone.", ["incident", "incident"])
    forge.update_issue(2, "Incident again", "Still.")
    forge.comment(2, "Hm.")
    forge.label(2, ["late"])
    harness.forge("ada", bot=False).close(2)

    after = forge.issues()[0]
    assert (issue.number, issue.labels) == (2, ("incident",))
    assert (after.title, after.body, after.state) == ("Incident again", "Still.", "closed")
    assert (after.labels, after.closed_by) == (("late",), Actor(login="ada"))
    assert [it.body for it in after.comments] == ["Hm."]
    assert [it.number for it in forge.pull_requests()] == [1]
    with pytest.raises(ForgeError, match="#1 is a pull request"):
        forge.update_issue(1, "x", "y")


def test_the_plan_holds_on_this_forge(harness: Harness) -> None:
    """Opened and planned again is kept; new evidence updates; a person's commit ends it."""
    forge = harness.forge()
    forge.open_pull_request(spec())

    same = plan("retrain", "delay", spec(), forge.pull_requests())
    newer = plan("retrain", "delay", spec(fingerprint="may"), forge.pull_requests())
    harness.push("ml-gitops/retrain-delay", {"b.txt": b"m\n"}, onto="ml-gitops/retrain-delay")
    theirs = plan("retrain", "delay", spec(fingerprint="may"), forge.pull_requests())

    assert isinstance(same, Keep)
    assert isinstance(newer, Update)
    assert isinstance(theirs, Tell)


# Tags, releases, artifacts


def test_tags_never_move(harness: Harness) -> None:
    """Tags come oldest first with commit and message; an existing one is refused and stays."""
    forge = harness.forge()
    first = forge.head("main")
    assert first is not None
    made = forge.create_tag("delay@v1.0.0", first, "delay@v1.0.0\n\nThe first one.")
    second = forge.commit("main", {"a.txt": b"x"}, "Change")
    forge.create_tag("delay#production#1", second, "delay@v1.0.0")

    with pytest.raises(ForgeError, match="already exists"):
        forge.create_tag("delay@v1.0.0", second, "moved")

    assert forge.tags()[0] == made
    assert [(it.name, it.commit) for it in forge.tags()] == [
        ("delay@v1.0.0", first),
        ("delay#production#1", second),
    ]
    assert made.message == "delay@v1.0.0\n\nThe first one."
    assert made.created.tzinfo is not None


@pytest.mark.parametrize("name", ["-d", "a b", "x..y", ""])
def test_a_name_that_is_no_tag_is_refused(harness: Harness, name: str) -> None:
    """No name becomes an option of Git."""
    forge = harness.forge()

    with pytest.raises(ForgeError):
        forge.create_tag(name, forge.head("main") or "", "x")

    assert forge.tags() == []


def test_a_release_keeps_its_assets(harness: Harness) -> None:
    """Assets come back byte for byte; a release needs its tag and is made once."""
    forge = harness.forge()
    model = bytes(range(256)) * 1000
    forge.create_tag("delay@v1.0.0", forge.head("main") or "", "delay@v1.0.0")

    page = forge.create_release("delay@v1.0.0", "First", "Notes ü", {"m.onnx": model, "e": b"\0"})

    assert forge.releases() == [page]
    assert (page.title, page.notes, set(page.assets)) == ("First", "Notes ü", {"m.onnx", "e"})
    assert forge.asset("delay@v1.0.0", "m.onnx") == model
    assert forge.asset("delay@v1.0.0", "e") == b"\0"
    assert forge.asset("delay@v1.0.0", "gone") is None
    assert forge.asset("delay@v9.0.0", "m.onnx") is None
    with pytest.raises(ForgeError, match="has a release page"):
        forge.create_release("delay@v1.0.0", "Again", "", {})
    with pytest.raises(ForgeError, match="there is no tag"):
        forge.create_release("delay@v2.0.0", "Early", "", {})


def test_an_artifact_is_replaced_as_a_whole(harness: Harness) -> None:
    """The same files change nothing; other files under the name replace all of the old ones."""
    forge = harness.forge()

    forge.store_artifact("run-1", {"model.onnx": b"\x00\x01", "log.txt": b""})
    forge.store_artifact("run-1", {"model.onnx": b"\x00\x01", "log.txt": b""})
    before = forge.artifact("run-1")
    forge.store_artifact("run-1", {"model.onnx": b"\x02"})

    assert before == {"model.onnx": b"\x00\x01", "log.txt": b""}
    assert forge.artifact("run-1") == {"model.onnx": b"\x02"}
    assert forge.artifact("run") is None
