"""What the job that may write refuses: E01 to E11 on documents, each at least thrice.

`tests/e2e/test_actions_publishing.py` has the others, which need a run.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ml_gitops.document import sha256
from ml_gitops.model.run import MODEL_FILE
from ml_gitops.workflows.commit_files import CommitFiles
from ml_gitops.workflows.publishing.evidence import hold_models
from ml_gitops.workflows.publishing.origin import (
    MOST_FILES,
    Origin,
    Refusal,
    choose_pull_request,
    is_trusted,
    read_origin,
    rule_changes,
)
from ml_gitops.workflows.publishing.package import (
    DEEPEST,
    LARGEST,
    LARGEST_DOCUMENT,
    LONGEST_LIST,
    LONGEST_TEXT,
    NEEDED,
    choose_artifact,
    hold_archive,
    hold_document,
    hold_files,
)
from tests.builders import config_text

COMMIT = "a" * 40
OURS, THEIRS = 7, 8
CI = ".github/workflows/ci.yml"


def refused(code: str, call: Callable[[], object]) -> str:
    """Hold that a call is refused with a code, and return the reason."""
    with pytest.raises(Refusal) as caught:
        call()
    assert caught.value.code == code, caught.value
    return caught.value.reason


def changed(document: dict[str, Any], place: str, value: object) -> dict[str, Any]:
    """Return a document with another value in one place, as `a.b`."""
    *above, last = place.split(".")
    inside = document
    for key in above:
        inside = inside[key]
    inside[last] = value
    return document


def finished(repository: int = THEIRS) -> dict[str, Any]:
    """Return the event of a finished run, as GitHub writes it."""
    return {
        "action": "completed",
        "repository": {"id": OURS},
        "workflow_run": {
            "id": 5,
            "run_attempt": 2,
            "event": "pull_request",
            "path": CI,
            "head_sha": COMMIT,
            "head_branch": "feature",
            "repository": {"id": OURS},
            "head_repository": {"id": repository, "owner": {"login": "eve"}},
        },
    }


def opened(repository: int = OURS) -> dict[str, Any]:
    """Return the event of a pull request."""
    source = {"id": repository, "owner": {"login": "acme"}}
    head = {"sha": COMMIT, "ref": "feature", "repo": source}
    return {"repository": {"id": OURS}, "pull_request": {"head": head}}


def read(event: Mapping[str, Any], name: str = "workflow_run", workflow: str = CI) -> Origin:
    """Read an origin in run 9, attempt 1."""
    return read_origin(name, event, workflow=workflow, run="9", attempt="1")


NAME = f"churn-{'0' * 12}-{'a' * 12}"
ORIGIN = Origin(5, 2, COMMIT, OURS, THEIRS, "eve", "feature")


def test_a_finished_run_says_where_it_comes_from() -> None:
    """What GitHub wrote of a run is taken as it stands."""
    assert read(finished()) == ORIGIN
    assert read(finished()).evidence == "5:2"


def test_a_job_of_the_same_run_says_so_too() -> None:
    """The event that started this run names the commit; the run is this one."""
    assert read(opened(), "pull_request") == Origin(9, 1, COMMIT, OURS, OURS, "acme", "feature")


@pytest.mark.parametrize("name", ["push", "issue_comment", "pull_request_target", ""])
@pytest.mark.hostile
def test_e01_another_event_is_refused(name: str) -> None:
    """What did not start with a pull request's run is nothing to report on."""
    refused("E01", lambda: read(finished(), name))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("action", "requested"),
        ("workflow_run", "x"),
        ("workflow_run.event", "push"),
        ("workflow_run.event", "pull_request_target"),
        ("workflow_run.path", ".github/workflows/evil.yml"),
        ("workflow_run.path", f"{CI}@main"),
        ("workflow_run.path", None),
        ("workflow_run.repository.id", THEIRS),
        ("workflow_run.repository.id", True),
        ("repository", None),
    ],
)
@pytest.mark.hostile
def test_e01_another_run_is_refused(place: str, value: object) -> None:
    """Only the end of a pull request's run of the one workflow, here, counts."""
    event = changed(finished(), place, value)

    refused("E01", lambda: read(event))


@pytest.mark.hostile
def test_e01_no_workflow_is_no_permission() -> None:
    """Where nobody said which workflow counts, none does."""
    refused("E01", lambda: read(finished(), workflow=""))


@pytest.mark.hostile
def test_e01_a_fork_s_own_run_posts_nothing() -> None:
    """In the run of a fork's pull request itself nothing is posted; the run after it does that."""
    refused("E01", lambda: read(opened(THEIRS), "pull_request"))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("head_sha", "a" * 39),
        ("head_sha", "A" * 40),
        ("head_sha", "main"),
        ("head_sha", None),
        ("head_sha", f"{COMMIT}\n"),
        ("id", "5"),
        ("id", True),
        ("id", 0),
        ("run_attempt", -1),
        ("head_branch", "a\nb"),
        ("head_branch", ""),
        ("head_branch", "a" * 256),
        ("head_branch", 7),
        ("head_repository", None),
        ("head_repository.id", None),
        ("head_repository.owner", None),
        ("head_repository.owner.login", "eve:main&state=all"),
        ("head_repository.owner.login", "../eve"),
    ],
)
@pytest.mark.hostile
def test_e02_an_event_that_lacks_something_is_refused(place: str, value: object) -> None:
    """Run, commit, owner and branch have their forms, or nothing is asked for."""
    event = changed(finished(), f"workflow_run.{place}", value)

    refused("E02", lambda: read(event))


def listed(**changes: Any) -> dict[str, Any]:
    """Return a pull request as GitHub lists it."""
    return {
        "number": 3,
        "state": "open",
        "head": {"sha": COMMIT, "repo": {"id": THEIRS}},
        "base": {"ref": "main", "repo": {"id": OURS}},
    } | changes


def test_the_pull_request_is_the_one_at_the_commit() -> None:
    """Of all pull requests of a branch, the one whose head ran is meant."""
    older = listed(number=2, head={"sha": "b" * 40, "repo": {"id": THEIRS}})

    assert choose_pull_request(ORIGIN, [older, listed()], "main") == 3


@pytest.mark.parametrize(
    "found",
    [
        [],
        [listed(state="closed")],
        [listed(head={"sha": "b" * 40, "repo": {"id": THEIRS}})],
        [listed(head={"sha": COMMIT, "repo": {"id": 9}})],
        [listed(head={"sha": COMMIT, "repo": None})],
        [listed(base={"ref": "main", "repo": {"id": 9}})],
        [listed(base={"ref": "other", "repo": {"id": OURS}})],
        [listed(), listed(number=4)],
    ],
)
@pytest.mark.hostile
def test_e03_no_other_pull_request_is_taken(found: list[dict[str, Any]]) -> None:
    """None, a moved one, another's and a second one are all refused; only one is worth a word."""
    with pytest.raises(Refusal) as caught:
        choose_pull_request(ORIGIN, found, "main")

    elsewhere = bool(found) and found[0]["base"]["ref"] == "other"
    assert (caught.value.code, caught.value.quiet) == ("E03", not elsewhere)
    assert elsewhere is ("only pull requests to the default branch" in caught.value.reason)


def test_a_pull_request_elsewhere_does_not_hide_the_one_that_counts() -> None:
    """The same commit may be proposed to a second branch; the default one is meant."""
    elsewhere = listed(number=9, base={"ref": "other", "repo": {"id": OURS}})

    assert choose_pull_request(ORIGIN, [elsewhere, listed()], "main") == 3


@pytest.mark.parametrize(
    ("origin", "source"),
    [
        (ORIGIN, {"id": THEIRS}),
        (ORIGIN, {"id": OURS}),
        (ORIGIN, None),
        (Origin(5, 2, COMMIT, OURS, OURS, "acme", "feature"), {"id": THEIRS}),
        (Origin(5, 2, COMMIT, OURS, OURS, "acme", "feature"), None),
    ],
)
@pytest.mark.hostile
def test_e04_a_fork_is_never_trusted(origin: Origin, source: dict[str, Any] | None) -> None:
    """Event and pull request both have to say that the branch is of this repository."""
    assert not is_trusted(origin, {"head": {"repo": source}})


def test_a_branch_of_the_repository_is_trusted() -> None:
    """Who can push a branch could change the workflow for everybody."""
    origin = Origin(5, 2, COMMIT, OURS, OURS, "acme", "feature")

    assert is_trusted(origin, {"head": {"repo": {"id": OURS}}})


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/ci.yml",
        "ml-gitops.toml",
        "checks/test_a.py",
        "checks/deep/data.json",
        "reference/profile.json",
        "conftest.py",
        "pyproject.toml",
        ".pytest.ini",
    ],
)
@pytest.mark.hostile
def test_e05_whatever_judges_is_told(path: str) -> None:
    """A change of workflows, gate, checks or reference is named, whatever the report says."""
    assert rule_changes(["model/a.py", path, "README.md"]) == (path,)


@pytest.mark.hostile
def test_e05_what_does_not_judge_is_not_told() -> None:
    """A change of the model alone is no change of the rules."""
    assert rule_changes(["model/checks/a.py", "docs/conftest.py", "params.toml"]) == ()


@pytest.mark.hostile
def test_e05_a_list_that_was_cut_is_refused() -> None:
    """Where GitHub does not list all files, nobody can say that none of them judges."""
    refused("E05", lambda: rule_changes(["a.py"] * MOST_FILES))


def left(**changes: Any) -> dict[str, Any]:
    """Return an artifact as GitHub lists it."""
    return {
        "id": 1,
        "name": NAME,
        "size_in_bytes": 100,
        "expired": False,
        "created_at": "2026-01-01T00:00:00Z",
        "workflow_run": {"id": 5},
        "digest": sha256(b"x"),
    } | changes


def test_the_newest_of_a_run_that_ran_again_is_taken() -> None:
    """A job that ran again leaves what it left once more; the last word counts."""
    again = left(id=2, created_at="2026-01-01T01:00:00Z")

    other = left(id=3, name=f"x-{NAME}")

    assert choose_artifact(ORIGIN.run, [left(), again, other], "churn")["id"] == 2


@pytest.mark.parametrize(
    "found",
    [
        [],
        [left(name="ml-gitops-run2")],
        [left(workflow_run={"id": 6})],
        [left(workflow_run=None)],
        [left(), left(id=2, workflow_run={"id": 6})],
        [left(expired=True)],
        [left(expired=None)],
        [left(size_in_bytes=LARGEST + 1)],
        [left(size_in_bytes=0)],
        [left(size_in_bytes="100")],
    ],
)
@pytest.mark.hostile
def test_e06_no_other_artifact_is_taken(found: list[dict[str, Any]]) -> None:
    """Another name, another run, an expired and an endless one are all refused."""
    refused("E06", lambda: choose_artifact(ORIGIN.run, found, "churn"))


@pytest.mark.parametrize("digest", [sha256(b"y"), None, "", sha256(b"x").upper(), "md5:00"])
@pytest.mark.hostile
def test_e07_another_archive_is_refused(digest: str | None) -> None:
    """What came is what GitHub lists, by its digest, or it is not opened."""
    refused("E07", lambda: hold_archive(b"x", left(digest=digest)))


@pytest.mark.hostile
def test_e07_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte more than fits is too much, whatever the digest."""
    monkeypatch.setattr("ml_gitops.workflows.publishing.package.LARGEST", 3)

    refused("E07", lambda: hold_archive(b"1234", left(digest=sha256(b"1234"))))


def whole() -> dict[str, bytes]:
    """Return files of the names that a run leaves."""
    return dict.fromkeys(NEEDED, b"{}")


@pytest.mark.hostile
def test_a_file_that_no_run_leaves_is_refused() -> None:
    """Not even a champion may lie in the archive: the checks get theirs in a copy of the run."""
    with pytest.raises(Refusal, match="other files than a run leaves"):
        hold_files(whole() | {"champion.onnx": b"x"})


@pytest.mark.parametrize("name", ["report.json", "run.json", MODEL_FILE, "evaluation.json"])
@pytest.mark.hostile
def test_e08_a_file_that_is_missing_is_missed(name: str) -> None:
    """What every run leaves is there."""
    files = {it: content for it, content in whole().items() if it != name}

    refused("E08", lambda: hold_files(files))


@pytest.mark.parametrize("name", ["evil.pkl", "REPORT.json", "a/report.json", "NR", "checks.py"])
@pytest.mark.hostile
def test_e08_a_file_that_nobody_knows_is_refused(name: str) -> None:
    """What no run leaves is not there."""
    refused("E08", lambda: hold_files(whole() | {name: b"1"}))


@pytest.mark.parametrize(
    ("name", "content"),
    [("report.json", b" " * (LARGEST_DOCUMENT + 1)), (MODEL_FILE, b"")],
    ids=["endless", "empty"],
)
@pytest.mark.hostile
def test_e08_a_file_without_bounds_is_refused(name: str, content: bytes) -> None:
    """Documents end, and models begin."""
    refused("E08", lambda: hold_files(whole() | {name: content}))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b'{"a": "\x00"}',
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": 1234567890123456789}',
        b'{"a": 0.' + b"1" * 50 + b"}",
        b"[" * 200_000,
        b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1),
        b'{"a": [' * DEEPEST + b"]}" * DEEPEST,
        b"{} {}",
        b"{'a': 1}",
    ],
    ids=lambda it: it[:20].decode(errors="replace") + f" {len(it)}",
)
@pytest.mark.hostile
def test_e09_json_of_two_meanings_is_refused(content: bytes) -> None:
    """What parsers could read differently, or fall over, is not read."""
    refused("E09", lambda: hold_document(content))


@pytest.mark.parametrize(
    "value",
    ["x" * (LONGEST_TEXT + 1), [1] * (LONGEST_LIST + 1), {"k" * (LONGEST_TEXT + 1): 1},
     {str(n): 1 for n in range(LONGEST_LIST + 1)}],
    ids=["text", "list", "key", "table"],
)  # fmt: skip
@pytest.mark.hostile
def test_e10_more_than_any_report_is_refused(value: object) -> None:
    """A text, list or table longer than any of ours is refused, wherever it stands."""
    refused("E10", lambda: hold_document(json.dumps({"a": [value]}).encode()))


def test_brackets_in_text_are_no_depth() -> None:
    """A document says in its texts what it likes."""
    value = {"a": "[" * 1000 + '\\"{', "b": [1.5, 2, None, True]}

    assert hold_document(json.dumps(value).encode()) == value


FILES = {
    "model/a.py": b"a",
    "b.py": b"b",
    ".venv/c.py": b"c",
    "model/__pycache__/d.py": b"d",
    "checks/e.py": b"e",
    "other/ml-gitops.toml": b"",
    "other/model/f.py": b"f",
    "env/pyvenv.cfg": b"",
    "env/lib/g.py": b"g",
    "model/.hidden/h.py": b"h",
    "ml-gitops.toml": config_text().encode(),
    "uv.lock": b"lock",
}


def test_a_commit_is_read_as_a_work_tree_is() -> None:
    """The sources of a model are those that training would digest, links and others left out."""
    commit = CommitFiles(FILES, FILES.__getitem__, {"numpy": "2", "uv.lock": sha256(b"said")})

    assert commit.sources(".", without=["checks"]) == {"b.py": b"b", "model/a.py": b"a"}
    assert commit.files("checks", "uv.lock") == {"checks/e.py": b"e", "uv.lock": b"lock"}
    assert commit.read("gone") is None
    assert commit.environment() == {"numpy": "2", "uv.lock": sha256(b"lock")}
    assert [one.name for one in hold_models(commit)] == ["churn"]


@pytest.mark.parametrize("content", [None, b"", b"[model", b"\xff"])
@pytest.mark.hostile
def test_e11_a_commit_without_a_config_is_refused(content: bytes | None) -> None:
    """Where the commit cannot be read, nothing is reported of it."""
    files = {} if content is None else {"ml-gitops.toml": content}

    refused("E11", lambda: hold_models(CommitFiles(files, files.__getitem__)))


@pytest.mark.hostile
def test_a_reason_quotes_nothing() -> None:
    """What is refused is not shown either."""
    event = changed(finished(), "workflow_run.head_sha", "@everyone")

    assert "@everyone" not in refused("E02", lambda: read(event))
