"""What GitHub says that must not be misread: absences, limits, strangers, forks, archives."""

import io
import json
import random
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ml_gitops.account import ForgeRules
from ml_gitops.adapters.archive import OddArchiveError
from ml_gitops.adapters.git.repository import BOT_EMAIL
from ml_gitops.adapters.github.artifacts import unpacked
from ml_gitops.adapters.github.connect import GitHub, Place, find_place
from ml_gitops.adapters.github.records import GitHubRecords
from ml_gitops.adapters.github.survey import ACTIONS_BOT, NEWEST
from ml_gitops.adapters.github.transport import Reply, Transport
from ml_gitops.errors import BranchTaken, ForgeError, GitError, TryAgain
from ml_gitops.pull_request import Actor, Keep, Open, Tell, plan
from ml_gitops.workflows.reconciliation import apply, decide
from tests.contract.forges import BOT, GitHubHarness
from tests.contract.test_forge import spec
from tests.github.commits import Signature, read_commit, write_commit, write_tag
from tests.github.git import HEADS
from tests.github.pushes import move
from tests.github.server import GitHubServer
from tests.github.world import Note, Review


@pytest.fixture
def harness(server: GitHubServer, tmp_path: Path) -> GitHubHarness:
    """Give a test a repository with one commit, and nothing that goes wrong."""
    server.faults.clear()
    return GitHubHarness(tmp_path, server)


# Absence


@pytest.mark.parametrize("path", ["/git/ref/", "/contents/"])
def test_one_not_found_is_no_absence(harness: GitHubHarness, path: str) -> None:
    """A replica that lags behind says 404 once; what is there is found nevertheless."""
    forge = harness.forge()
    tip = forge.head("main")
    harness.server.faults.add("404", path=path)

    found = forge.head("main") if "ref" in path else forge.read("a.txt", ref="main")

    assert found == (tip if "ref" in path else b"1\n2\n3\n")


def test_a_repository_that_nobody_shows_us_is_no_empty_one(harness: GitHubHarness) -> None:
    """Where the token sees nothing, every answer is 404 and none of them is an absence."""
    harness.repository.record.private = True
    token = harness.server.token("eve")
    place = Place(harness.repository.full_name, harness.server.url, token)
    forge = GitHub(place, {}, harness.clock).forge(bot=True)

    for ask in (lambda: forge.head("main"), forge.pull_requests, forge.tags, forge.releases):
        with pytest.raises(ForgeError, match=r"check .*, and (what|that) the token may see"):
            ask()


def test_an_absent_artifact_is_none_and_a_lost_list_is_not(harness: GitHubHarness) -> None:
    """An empty 200 is half an answer, however often it comes."""
    client = harness.client(budget=5.0)
    forge = harness.forge_on(client)
    assert forge.artifact("gone") is None

    harness.server.faults.add("empty-200", path="artifacts", times=99)

    with pytest.raises(TryAgain, match="half an answer"):
        forge.artifact("gone")


# Limits


def test_a_wait_beyond_the_budget_is_not_begun(harness: GitHubHarness) -> None:
    """An hour of waiting is said, not slept."""
    forge = harness.forge()
    harness.server.faults.add("429-long", path="/pulls", times=99)

    with pytest.raises(TryAgain, match="run it again in 60 minutes"):
        forge.diff(1)

    assert sum(harness.slept) < 300


def test_a_short_wait_is_waited_for(harness: GitHubHarness) -> None:
    """What GitHub asks for is what it gets, before a write too: a limit refuses it for certain."""
    forge = harness.forge()
    harness.server.faults.add("429-retry-after", method="POST", path="/issues$")

    forge.open_issue("Rows are gone", "")

    assert 1.0 in harness.slept
    assert [it.number for it in forge.issues()] == [1]


# Tokens


def test_a_token_that_nobody_knows_is_told_and_never_shown(harness: GitHubHarness) -> None:
    """The message says where tokens come from, and holds none."""
    place = Place(harness.repository.full_name, harness.server.url, "ghp_" + "S" * 36)
    forge = GitHub(place, {}, harness.clock).forge(bot=True)

    with pytest.raises(ForgeError, match="does not know the token; set ML_GITOPS_TOKEN") as caught:
        forge.head("main")

    assert "SSS" not in str(caught.value) + repr(forge.__dict__) + repr(place)


@pytest.mark.parametrize(
    ("missing", "deed"),
    [
        ("contents", lambda forge: forge.open_pull_request(spec())),
        ("pull_requests", lambda forge: forge.propose("feature", "Try", "")),
        ("issues", lambda forge: forge.open_issue("Rows are gone", "")),
        (
            "checks",
            lambda forge: forge.check_run(
                forge.head("main"), "ML", "success", title="9 of 9 pass", summary=""
            ),
        ),
    ],
)
def test_a_missing_permission_is_named(harness: GitHubHarness, missing: str, deed: object) -> None:
    """The message names the permission as a job's `permissions:` spell it."""
    harness.repository.push("feature", {"a.txt": b"x\n"}, onto="main")
    every = {"contents", "pull_requests", "issues", "checks"}
    token = harness.server.token(BOT, dict.fromkeys(every - {missing}, "write"))
    place = Place(harness.repository.full_name, harness.server.url, token)
    forge = GitHub(place, {}, harness.clock).forge(bot=True)

    with pytest.raises(ForgeError, match=f"give the job `.*{missing}: write") as caught:
        deed(forge)  # type: ignore[operator]

    assert caught.value.exit_code == 2


def test_github_actions_that_may_not_propose_is_told_how(harness: GitHubHarness) -> None:
    """The setting of the repository that forbids it is named, and nothing is left half done."""
    harness.repository.actions_may_propose(allowed=False)
    forge = harness.forge("github-actions[bot]")

    with pytest.raises(ForgeError, match="Settings, Actions, General, Workflow permissions"):
        forge.open_pull_request(spec())

    assert forge.pull_requests() == []


# Strangers


class Nameless(Transport):
    """A transport to a GitHub that gives accounts of apps no number in GraphQL."""

    def send(self, verb: str, path: str, **more: Any) -> Reply:
        """See `Transport`."""
        reply = super().send(verb, path, **more)
        document = json.loads(reply.text) if path == "/graphql" else {}
        if "viewer" in document.get("data", {}):
            document["data"]["viewer"]["databaseId"] = None
            return replace(reply, text=json.dumps(document))
        return reply


def test_a_strangers_marker_is_no_ones(harness: GitHubHarness) -> None:
    """Anybody can write our marker: only the account that we are is believed."""
    forge, eve = harness.forge(), harness.forge("eve", bot=False)
    harness.repository.push(spec().branch, {"a.txt": b"eve\n"}, onto="main", by="eve")
    theirs = eve.propose(spec().branch, "Retrain delay", spec().full_body)

    seen = forge.pull_request(theirs.number)
    opened = apply(forge, plan("retrain", "delay", spec(), forge.pull_requests()))

    assert seen.marker is None
    assert seen.author == Actor(login="eve")
    assert opened is not None
    assert (opened.number, opened.branch) == (2, f"{spec().branch}-2")
    with pytest.raises(BranchTaken, match="#1 is open for"):
        forge.open_pull_request(spec())


def test_an_account_without_a_number_is_looked_up(harness: GitHubHarness) -> None:
    """GraphQL may leave out the id of whose token it is; then it is asked for by its name."""
    client = harness.client()
    old = client._transport
    client._transport = Nameless(old.api_url, old.token, old.timeout)
    forge = harness.forge_on(client)

    opened = forge.open_pull_request(spec())

    assert opened.author == Actor(login=BOT, bot=True)
    assert not opened.human_commits


@pytest.mark.parametrize("email", [BOT_EMAIL, "{id}+ml-gitops[bot]@users.noreply.github.com"])
def test_a_commit_in_the_bots_name_is_not_the_bots(harness: GitHubHarness, email: str) -> None:
    """Everybody can write an address into a commit; GitHub's signature nobody can."""
    forge = harness.forge()
    opened = forge.open_pull_request(spec())
    world, record = harness.server.world, harness.repository.record
    account = world.account(BOT)
    assert account is not None
    by = Signature(BOT, email.format(id=account.id), world.now())
    old = read_commit(record.git, opened.head)
    assert old is not None
    sha = write_commit(record.git, old.tree, [opened.head], "Mine", by, by)
    move(world, record, HEADS + opened.branch, sha, harness.server.user("eve"))
    harness.wait()

    assert forge.pull_request(1).human_commits
    assert isinstance(
        plan("retrain", "delay", spec(fingerprint="may"), forge.pull_requests()), Tell
    )
    with pytest.raises(ForgeError, match="a person committed"):
        forge.update_pull_request(1, spec(fingerprint="may"))


def test_a_push_while_we_write_is_never_overwritten(harness: GitHubHarness) -> None:
    """The branch moves between our look and our change: GitHub compares, and we try again."""
    forge = harness.forge()
    opened = forge.open_pull_request(spec())
    pushed = []

    def push() -> None:
        pushed.append(harness.repository.push(opened.branch, {"b.txt": b"mine\n"}))

    harness.server.faults.add(push, method="POST", path="/git/commits")

    with pytest.raises(TryAgain, match="somebody changed ml-gitops/retrain-delay just now"):
        forge.update_pull_request(1, spec(fingerprint="may", title="Retrain again"))

    assert harness.repository.head(opened.branch) == pushed[0]


def test_a_pull_request_of_a_fork_has_no_branch_of_ours(harness: GitHubHarness) -> None:
    """A fork's branch of the bot's name is the fork's; the bot opens its own beside it."""
    fork = harness.server.create_fork(harness.repository.full_name, "eve")
    fork.push(spec().branch, {"a.txt": b"eve\n"}, onto="main", by="eve")
    token = harness.server.token("eve")
    place = Place(harness.repository.full_name, harness.server.url, token)
    client = GitHub(place, {}, harness.clock).forge(bot=False)._client
    ask = {"title": "Mine", "body": "", "head": f"eve:{spec().branch}", "base": "main"}
    client.write("POST", "/pulls", ask)
    forge = harness.forge()

    opened = apply(forge, Open(spec()))

    assert [it.branch for it in forge.pull_requests()] == [f"eve:{spec().branch}", spec().branch]
    assert opened is not None
    assert not opened.human_commits


def test_what_the_bot_wrote_long_ago_is_still_listed(harness: GitHubHarness) -> None:
    """Behind hundreds of newer pull requests and issues, ours are found by their author."""
    forge = harness.forge()
    refused = forge.open_pull_request(spec())
    harness.forge("ada", bot=False).close(1, "No.")
    ada = harness.client("ada")
    for number in range(NEWEST + 30):
        harness.repository.push(f"b{number}", {"x.txt": f"{number}\n"}, onto="main")
        ask = {"title": f"Change {number}", "head": f"b{number}", "base": "main"}
        ada.write("POST", "/pulls", ask)
    harness.wait()
    before = len(harness.server.calls)

    found = forge.pull_requests()

    assert found[0].number == refused.number
    assert len(found) == NEWEST + 1
    assert isinstance(plan("retrain", "delay", spec(), found), Keep)
    assert len(harness.server.calls) - before <= 7


def test_long_conversations_are_read_to_their_end(harness: GitHubHarness) -> None:
    """Comments, reviews and tags come in pages, and the last of each counts as the first does."""
    forge = harness.forge()
    forge.open_pull_request(spec())
    world, record = harness.server.world, harness.repository.record
    ada, thread = harness.server.user("ada"), record.threads[1]
    assert thread.pull is not None
    now, head = world.now(), forge.head("main") or ""
    for number in range(170):
        id_ = world.next_id() + (1 << 32)
        thread.notes.append(Note(id_, ada, f"Comment {number}", now, now))
        thread.pull.reviews.append(Review(id_, ada, "APPROVED", str(number), head, now))
        by = Signature("ada", ada.email, now)
        sha = write_tag(record.git, f"v{number}", head, "commit", f"Number {number}", by)
        move(world, record, f"refs/tags/v{number}", sha, ada)
    harness.wait()

    for found in (forge.pull_request(1), forge.pull_requests()[0]):
        assert [it.body for it in found.comments] == [f"Comment {n}" for n in range(170)]
        assert [it.body for it in found.reviews] == [str(n) for n in range(170)]
    assert [it.name for it in forge.tags()] == [f"v{n}" for n in range(170)]


def test_half_an_answer_hides_nothing(harness: GitHubHarness) -> None:
    """Where the token may not read records or code, none of them is taken for absent."""
    owner = harness.forge()
    GitHubRecords(owner._client, owner._survey).append("a.json", "a")
    harness.repository.record.private = True
    token = harness.server.token(BOT, {"issues": "write", "pull_requests": "write"})
    place = Place(harness.repository.full_name, harness.server.url, token)
    forge = GitHub(place, {}, harness.clock).forge(bot=True)
    records = GitHubRecords(forge._client, forge._survey)

    for ask in (lambda: records.read_all(""), forge.tags):
        with pytest.raises(ForgeError, match="give the job `contents: read`"):
            ask()
    assert forge.issues() == []


# Artifacts


def test_an_artifact_is_read_from_our_own_runs_only(harness: GitHubHarness) -> None:
    """The newest of this repository counts; one that a fork's run made never does."""
    forge, repository = harness.forge(), harness.repository
    fork = harness.server.create_fork(repository.full_name, "eve")
    ours = repository.add_run("ci.yml")
    repository.add_artifact(ours, "run-1", {"model.onnx": b"old"})
    newer = repository.add_run("ci.yml")
    repository.add_artifact(newer, "run-1", {"model.onnx": b"new"})
    theirs = repository.add_run("ci.yml", event="pull_request", source=fork, by="eve")
    repository.add_artifact(theirs, "run-1", {"model.onnx": b"evil"})

    assert forge.artifact("run-1") == {"model.onnx": b"new"}
    forge.store_artifact("run-1", {"model.onnx": b"mine"})
    assert forge.artifact("run-1") == {"model.onnx": b"mine"}


def archive(
    files: Mapping[str, bytes], *, mode: int = 0, method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """Return an archive with entries of a mode."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr, entry.compress_type = mode << 16, method
            made.writestr(entry, content)
    return target.getvalue()


BOMB = {"a": b"\0" * (64 << 20)}


@pytest.mark.parametrize(
    ("packed", "problem"),
    [
        (archive({"../x": b"1"}), "would write"),
        (archive({"/x": b"1"}), "would write"),
        (archive({"a\\x": b"1"}), "would write"),
        (archive({".hidden": b"1"}), "would write"),
        (archive({"a/": b""}), "would write"),
        (archive({"a": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777), "would write"),
        (archive({"a": b""}, mode=stat.S_IFIFO), "would write"),
        (archive({"a": b"1"}, method=zipfile.ZIP_LZMA), "would write"),
        (archive({str(n): b"" for n in range(1001)}), "larger than any"),
        (archive(BOMB), "larger than any"),
        (archive({"a": b"1"})[:-30], "cannot be unpacked"),
        (b"PK nothing", "cannot be unpacked"),
        (b"", "cannot be unpacked"),
    ],
)
def test_an_archive_is_plain_files_or_refused(packed: bytes, problem: str) -> None:
    """Nothing is unpacked to disk; paths, links, bombs and broken archives are refused."""
    with pytest.raises(OddArchiveError, match=problem):
        unpacked(packed)


def test_an_archive_that_lies_about_its_size_is_refused() -> None:
    """A file is never read further than its archive said, and then it is not taken."""
    sound = archive({"a": b"x" * 5000}, method=zipfile.ZIP_STORED)
    size = (5000).to_bytes(4, "little")
    lying = sound.replace(size, (10).to_bytes(4, "little"))

    with pytest.raises(OddArchiveError, match="cannot be unpacked"):
        unpacked(lying)


def test_a_broken_archive_is_refused_whatever_broke() -> None:
    """Bytes that were changed at random unpack or are refused, and raise nothing else."""
    good = archive({"run.json": b"x: 1\n" * 50, "report.json": bytes(range(256)) * 4})
    chance = random.Random(1)  # noqa: S311
    refused = 0
    for _ in range(1_500):
        broken = bytearray(good)
        for _ in range(chance.choice([1, 2, 4])):
            broken[chance.randrange(len(broken))] = chance.choice([0, 1, 255, 128])
        try:
            unpacked(bytes(broken))
        except OddArchiveError:
            refused += 1

    assert refused > 500


# Records, tags, addresses


def test_records_on_github_are_written_once(harness: GitHubHarness) -> None:
    """They come back sorted, whole and unchanged; another text at a path is refused."""
    forge = harness.forge()
    records = GitHubRecords(forge._client, forge._survey)
    assert records.read_all("") == []

    records.append("b ü.json", "ü\n")
    records.append("monitoring/churn/deep/er/a.json", "")
    records.append("b ü.json", "ü\n")
    with pytest.raises(GitError, match=r"another record at b ü\.json; records never change"):
        records.append("b ü.json", "other")

    assert records.read_all("") == [
        ("b ü.json", "ü\n"),
        ("monitoring/churn/deep/er/a.json", ""),
    ]
    assert records.read_all("monitoring/") == [("monitoring/churn/deep/er/a.json", "")]


@pytest.mark.parametrize("blocking", ["monitoring", "monitoring/churn", "monitoring/churn/1/a"])
def test_a_file_in_the_way_on_github_is_named(harness: GitHubHarness, blocking: str) -> None:
    """GitHub would put the record in the place of what is there."""
    forge = harness.forge()
    records = GitHubRecords(forge._client, forge._survey)
    records.append(blocking, "mine")

    with pytest.raises(GitError, match="is a file, and would have to be a folder; remove"):
        records.append("monitoring/churn/1", "x")

    assert records.read_all("") == [(blocking, "mine")]


def test_a_record_on_github_that_is_no_text_is_read(harness: GitHubHarness) -> None:
    """Who may push may write anything there; the other records are still told."""
    forge = harness.forge()
    records = GitHubRecords(forge._client, forge._survey)
    records.append("a.json", "a")
    forge.commit("ml-gitops-records", {"b.json": b"\xff"}, "Break it")
    forge._survey.forget()

    assert records.read_all("") == [("a.json", "a"), ("b.json", "\ufffd")]


def test_the_newest_record_on_github_was_written_last(harness: GitHubHarness) -> None:
    """Whatever the order of the paths; beyond the last commits, the last path stands for it."""
    forge = harness.forge()
    records = GitHubRecords(forge._client, forge._survey)
    assert records.newest("") is None
    records.append("monitoring/m/2026.json", "today")
    records.append("monitoring/m/2013 ü.json", "a replay")
    records.append("training/m/0.json", "trained")

    assert records.newest("monitoring/m/") == ("monitoring/m/2013 ü.json", "a replay")
    assert records.newest("training/") == ("training/m/0.json", "trained")
    assert records.newest("other/") is None
    for number in range(20):
        records.append(f"training/m/1{number}.json", "trained")
    assert records.newest("monitoring/m/") == ("monitoring/m/2026.json", "today")


def test_two_writers_of_records_lose_nothing(harness: GitHubHarness) -> None:
    """Whoever is slower looks again and writes on top."""
    one, two = (GitHubRecords(it._client, it._survey) for it in (harness.forge(), harness.forge()))
    one.append("a.json", "a")
    two.append("b.json", "b")

    harness.server.faults.add(lambda: two.append("c.json", "c"), method="PATCH", path="/git/refs")
    one.append("d.json", "d")

    assert [path for path, _ in one.read_all("")] == ["a.json", "b.json", "c.json", "d.json"]


REMOTES = {
    "https://github.com/acme/churn.git": "acme/churn",
    "git@github.com:acme/churn.git": "acme/churn",
    "ssh://git@ssh.github.com:443/acme/churn": "acme/churn",
    "https://x:secret@github.com/acme/a.b_c-d": "acme/a.b_c-d",
    "https://gitlab.com/acme/churn": None,
    "https://github.com.evil.example/acme/churn": None,
    "../forge.git": None,
}


@pytest.mark.parametrize("remote", REMOTES)
def test_the_remote_names_the_repository(remote: str) -> None:
    """Only github.com, or the server that the variables name, is GitHub."""
    place = find_place(remote, {"GITHUB_TOKEN": "t"})

    assert (place.repository if place else None) == REMOTES[remote]


def test_a_token_goes_only_where_it_belongs() -> None:
    """An enterprise server is known by its variables; a token never travels in the clear."""
    variables = {"GITHUB_API_URL": "https://ghe.corp/api/v3", "ML_GITOPS_TOKEN": "t"}

    found = find_place("https://ghe.corp/acme/churn", variables)

    assert found == Place("acme/churn", "https://ghe.corp/api/v3", "t")
    assert find_place("https://github.com/acme/churn", variables) is None
    with pytest.raises(ForgeError, match="no https address"):
        find_place("http://x/a/b", variables | {"GITHUB_API_URL": "http://x/api/v3"})
    with pytest.raises(ForgeError, match="there is no token for GitHub; set GITHUB_TOKEN"):
        find_place("https://github.com/acme/churn", {})


# Rules


def test_the_rules_of_a_repository_are_what_its_owner_set(harness: GitHubHarness) -> None:
    """An administrator sees all of them; a job sees what it may, and the rest is not known."""
    owner = harness.forge("zoe", bot=False)
    harness.repository.add_collaborator("zoe", "admin")
    token = harness.server.token(ACTIONS_BOT, {"contents": "read", "metadata": "read"})
    place = Place(harness.repository.full_name, harness.server.url, token)
    job = GitHub(place, {}, harness.clock).forge(bot=True)
    before = owner.rules()
    harness.repository.protect("main", "report", approvals=2)

    assert before == ForgeRules(True, False, protected=False, approvals=0)
    assert owner.rules() == ForgeRules(True, False, protected=True, approvals=2)
    assert job.rules() == ForgeRules(protected=True)


@pytest.mark.parametrize(("login", "kind"), [(BOT, "app"), (ACTIONS_BOT, "job"), ("ada", "person")])
def test_whose_token_it_is_is_what_github_says(
    harness: GitHubHarness, login: str, kind: str
) -> None:
    """The kind of account follows from its login, which no person can choose to end in [bot]."""
    account = harness.forge(login).account

    assert (account.login, account.kind) == (login, kind)


def test_a_proposal_says_what_follows_from_its_token(harness: GitHubHarness) -> None:
    """What a job opens waits for an approval, and says so; what an app opens does not."""
    job, app = harness.forge(ACTIONS_BOT), harness.forge()

    opened = apply(job, decide(job, "retrain", "delay", spec()))
    again = decide(app, "retrain", "churn", spec())

    assert opened is not None
    assert "Approve workflows to run" in opened.body
    assert isinstance(again, Open)
    assert again.spec.body == spec().body
