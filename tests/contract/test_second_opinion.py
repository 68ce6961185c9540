"""Our GitHub forge on a GitHub that others made: what both test servers agree on is no dream.

`emulate` has REST without GraphQL, so lists of threads are out of its reach; what is behind them
is asked here through the same methods, and looked at through the API itself.
"""

import inspect
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from ml_gitops.adapters.github.checks import Annotation
from ml_gitops.adapters.github.client import GitHubClient
from ml_gitops.adapters.github.forge import GitHubForge
from ml_gitops.adapters.github.patience import Patience
from ml_gitops.adapters.github.people import People
from ml_gitops.adapters.github.survey import Survey
from ml_gitops.adapters.github.transport import Transport
from ml_gitops.errors import ForgeError
from tests.contract import test_forge as suite
from tests.contract.forges import FIRST
from tests.github.emulate import server

pytestmark = pytest.mark.slow
TOKEN = "any"  # it asks nobody who they are
HERE = (
    suite.test_files_are_read_at_a_branch_a_tag_or_a_commit,
    suite.test_equal_files_have_one_id,
    suite.test_a_commit_that_changes_nothing_is_none,
    suite.test_files_below_a_folder_are_read_at_once,
)
"""Behaviours of every forge that it has whole."""
BELOW = {
    "test_comments_are_edited_in_place",
    "test_a_comment_is_deleted_once",
    "test_tags_never_move",
    "test_a_name_that_is_no_tag_is_refused",
    "test_a_ref_that_does_not_exist_is_no_missing_file",
    "test_a_release_keeps_its_assets",
    "test_no_method_with_a_path_forgets_the_folder",
}
"""Those of which it has a part, which the tests below hold (the last one asks no forge)."""
LISTS = "lists and pull requests are read by GraphQL, which it lacks"
FROZEN = "its pull requests are pictures: no head follows a branch, no merge merges"
EXCLUDED = {
    "test_a_body_is_replaced_on_pull_requests_and_issues": LISTS,
    "test_what_landed_is_told_from_what_did_not": "it counts a comparison from an old base",
    "test_a_proposal_is_one_commit_of_the_bot": LISTS,
    "test_a_person_proposes_a_branch": LISTS,
    "test_unicode_and_markdown_come_back_as_they_were": LISTS,
    "test_one_open_pull_request_for_a_branch": "it opens a second one",
    "test_an_empty_pull_request_is_refused": "it opens one without commits",
    "test_a_proposal_never_overwrites_commits_of_a_person": LISTS,
    "test_texts_have_the_limits_of_every_forge": LISTS,
    "test_an_open_pull_request_follows_its_branch": FROZEN,
    "test_a_branch_merged_by_hand_is_merged": FROZEN,
    "test_a_deleted_branch_closes_its_pull_request": FROZEN,
    "test_an_update_is_one_commit_on_the_current_base": FROZEN,
    "test_the_same_update_twice_changes_nothing": LISTS,
    "test_an_update_never_overwrites_a_person": FROZEN,
    "test_only_an_open_pull_request_is_updated": LISTS,
    "test_a_merge_commit_joins_both_histories": FROZEN,
    "test_a_squash_is_one_commit": FROZEN,
    "test_a_rebase_replays_every_commit": FROZEN,
    "test_a_conflict_names_the_files_and_changes_nothing": "it sees no conflict",
    "test_only_an_open_finished_pull_request_is_merged": FROZEN,
    "test_a_person_closes_with_a_reason": LISTS,
    "test_closing_keeps_a_branch_with_work_of_a_person": FROZEN,
    "test_reviews_are_kept_in_order": LISTS,
    "test_issues_and_pull_requests_share_numbers": "its pull requests are no issues",
    "test_the_plan_holds_on_this_forge": LISTS,
    "test_an_artifact_is_replaced_as_a_whole": "artifacts are kept by workflow runs",
}
"""Why a behaviour of every forge cannot be held against it."""


class Known(Survey):
    """A survey that was told who we are and where, since GraphQL cannot be asked."""

    def __init__(self, client: GitHubClient, viewer: Mapping[str, Any]) -> None:
        super().__init__(client, acts_as_bot=True)
        self._who = People(viewer["login"], viewer["id"], True, frozenset(), False)

    @property
    def people(self) -> People:
        """The account of the token."""
        return self._who

    @property
    def about(self) -> dict[str, Any]:
        """The repository."""
        return {"id": "x", "url": "", "defaultBranchRef": {"name": "main"}}


class Second:
    """A repository of emulate, with one commit."""

    def __init__(self, url: str, folder: Path) -> None:
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"token {TOKEN}"
        self.url, self.folder = url, folder
        viewer = self.session.get(f"{url}/user").json()
        ask = {"name": f"churn-{folder.name}", "auto_init": True}
        name = self.session.post(f"{url}/user/repos", json=ask).json()["full_name"]
        patience = Patience(60.0, between_writes=0.0)
        self.client = GitHubClient(Transport(url, TOKEN, 10.0), name, patience)
        self.survey = Known(self.client, viewer)
        self.forge().commit("main", FIRST, "Begin")

    def forge(self) -> GitHubForge:
        """Return the forge."""
        outbox = self.folder / "outbox"
        return GitHubForge(self.client, self.survey, clock=lambda: datetime.now(UTC), outbox=outbox)

    def push(self, branch: str, changes: Mapping[str, bytes | None]) -> str:
        """Commit to a new branch."""
        head = self.forge().head("main")
        self.client.write("POST", "/git/refs", {"ref": f"refs/heads/{branch}", "sha": head})
        return self.forge().commit(branch, changes, "Change")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Start it, once."""
    command = server.find()
    if command is None:
        pytest.skip(server.HOW)
    with server.started(command) as address:
        yield address


@pytest.fixture
def second(url: str, tmp_path: Path) -> Second:
    """Return a repository of a test's own."""
    return Second(url, tmp_path)


def test_every_behaviour_is_placed() -> None:
    """What a forge must do is held here, in part, or left out for a reason that is written down."""
    named = {name for name, it in vars(suite).items() if name[:5] == "test_" and callable(it)}

    assert named == {it.__name__ for it in HERE} | BELOW | set(EXCLUDED)


@pytest.mark.parametrize("behaviour", HERE, ids=lambda it: it.__name__)
def test_the_suite_holds_here(second: Second, behaviour: Any) -> None:
    """Blobs, trees, commits and branches are what every other forge says they are."""
    assert list(inspect.signature(behaviour).parameters) == ["harness"]
    behaviour(second)


@pytest.mark.parametrize("ref", ["gone", "main~0", "--all", ""])
def test_a_ref_that_does_not_exist_is_refused(second: Second, ref: str) -> None:
    """A file at a ref that nobody has is not simply absent."""
    with pytest.raises(ForgeError, match="there is no branch, tag or commit"):
        second.forge().read("a.txt", ref=ref)


def test_a_commit_is_git_s_own(second: Second) -> None:
    """The ids are Git's: blobs by their bytes, a commit by its tree; branches only move forward."""
    forge, git = second.forge(), second.forge()._git
    before = forge.head("main") or ""
    after = forge.commit("main", {"b.txt": None, "c.txt": b"c\n"}, "Change")

    listed = second.client.get(f"/git/trees/{git.tree(after)}")["tree"]
    assert {it["path"] for it in listed} >= {"a.txt", "c.txt"}
    assert "b.txt" not in {it["path"] for it in listed}
    assert next(it["sha"] for it in listed if it["path"] == "c.txt") == (
        "f2ad6c76f0115a6ba5b00456a849810e7ec0af20"
    )
    assert git.commit(after)["parents"][0]["sha"] == before
    assert not git.advance("main", git.write_commit(git.tree(before), [before], "Beside"))
    assert forge.head("main") == after


def test_comments_are_written_edited_and_deleted(second: Second) -> None:
    """A comment keeps its number; one that is gone stays gone, and cannot be edited."""
    forge = second.forge()
    second.client.write("POST", "/issues", {"title": "Look"})
    one, two = forge.comment(1, "**one** ü"), forge.comment(1, "two")

    forge.edit_comment(1, one.number, "uno")
    forge.delete_comment(1, two.number)

    there = second.client.pages("/issues/1/comments")
    assert [(it["id"], it["body"]) for it in there] == [(one.number, "uno")]
    with pytest.raises(ForgeError, match="no comment"):
        forge.edit_comment(1, two.number, "x")


def test_labels_are_set_whole(second: Second) -> None:
    """Labels are those that were asked for, also ones that the repository lacked."""
    second.client.write("POST", "/issues", {"title": "Look", "labels": ["old"]})

    second.forge().label(1, ["retraining", "churn", "churn"])

    labels = second.client.get("/issues/1")["labels"]
    assert sorted(it["name"] for it in labels) == ["churn", "retraining"]


def test_tags_are_annotated_and_never_move(second: Second) -> None:
    """A tag is an object with its message; the same name again is refused."""
    forge = second.forge()
    first = forge.head("main") or ""
    forge.create_tag("delay@v1.0.0", first, "delay@v1.0.0\n\nThe first.")

    ref = forge._git.ref("tags/delay@v1.0.0") or ""
    assert second.client.get(f"/git/tags/{ref}")["message"].strip().endswith("The first.")
    assert forge._git.peeled(ref) == first
    with pytest.raises(ForgeError, match="already exists"):
        forge.create_tag("delay@v1.0.0", first, "again")
    with pytest.raises(ForgeError, match="no name of a tag"):
        forge.create_tag("-d", first, "x")


def test_a_release_is_a_draft_until_it_is_whole(second: Second) -> None:
    """A page needs its tag, is made once, and is public only at the end."""
    forge = second.forge()
    forge.create_tag("delay@v1.0.0", forge.head("main") or "", "delay@v1.0.0")

    page = forge.create_release("delay@v1.0.0", "First", "Notes ü", {"m.onnx": b"\x00\x01"})

    assert forge.releases() == [page]
    (told,) = second.client.pages("/releases")
    assert (told["draft"], told["name"], told["body"]) == (False, "First", "Notes ü")
    assert [it["name"] for it in told["assets"]] == ["m.onnx"]
    with pytest.raises(ForgeError, match="has a release page"):
        forge.create_release("delay@v1.0.0", "Again", "", {})
    with pytest.raises(ForgeError, match="there is no tag"):
        forge.create_release("delay@v2.0.0", "Early", "", {})


def test_a_check_run_is_left_once(second: Second) -> None:
    """The same evidence leaves one check run, completed, with its conclusion."""
    forge = second.forge()
    head = forge.head("main") or ""
    notes = [Annotation("a.txt", 1, "failure", "x")]
    said: dict[str, Any] = {"title": "Blocked", "summary": "It is worse.", "annotations": notes}

    first = forge.check_run(head, "ml-gitops", "failure", evidence="5:1", **said)
    again = forge.check_run(head, "ml-gitops", "failure", evidence="5:1", **said)
    other = forge.check_run(head, "ml-gitops", "success", evidence="6:1", **said)

    assert first == again != other
    runs = second.client.pages(f"/commits/{head}/check-runs", "check_runs", filter="all")
    told = {(it["id"], it["status"], it["conclusion"]) for it in runs}
    assert told == {(first, "completed", "failure"), (other, "completed", "success")}
