"""The server speaks as GitHub's own OpenAPI description says."""

import json
from pathlib import Path

import pytest

from tests.github import contract, descriptions, graph_contract, resources
from tests.github.answers import Answer
from tests.github.caller import Caller
from tests.github.faults import Act
from tests.github.routing import Request, find, routes
from tests.github.server import GitHubServer
from tests.github.setup import TestRepository
from tests.github.world import World

NOT_REST = {"/graphql"}


@pytest.fixture
def held() -> contract.Contract:
    """Return the contract; without npm there is none."""
    file = descriptions.find(descriptions.OPENAPI)
    if file is None:
        pytest.skip(f"GitHub's OpenAPI description is not here; {descriptions.HOW}")
    return contract.load(file)


@pytest.fixture
def schema() -> graph_contract.GraphContract:
    """Return the contract of GraphQL; without npm there is none."""
    file = descriptions.find(descriptions.GRAPHQL)
    if file is None:
        pytest.skip(f"GitHub's GraphQL schema is not here; {descriptions.HOW}")
    return graph_contract.load(file)


def test_every_operation_is_one_of_github(held: contract.Contract) -> None:
    """No route has a method and a template that the description does not know."""
    assert resources.pulls
    unknown = [
        (it.method, it.template)
        for it in routes()
        if it.template not in NOT_REST and not held.knows(it.method, it.template)
    ]

    assert unknown == []
    assert len(routes()) > 100


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("POST", "/issues", b'{"title": "x", "colour": 1}', "unknown field colour"),
        ("POST", "/issues", b'{"body": "x"}', "'title' is a required property"),
        ("POST", "/pulls", b'{"head": 1, "base": "main"}', "head: 1 is not of type 'string'"),
        ("GET", "/issues?sate=all", b"", "unknown query sate"),
        ("POST", "/git/refs", b'{"ref": "x"}', "'sha' is a required property"),
    ],
)
def test_a_wrong_request_is_told(
    held: contract.Contract, tmp_path: Path, method: str, path: str, body: bytes, words: str
) -> None:
    """A misspelled field, a missing one, a wrong type and an unknown query have a name."""
    path, _, query = path.partition("?")
    asked = dict([query.split("=")]) if query else {}
    request = Request(World(tmp_path), method, f"/repos/a/b{path}", asked, body=body)
    find(request)

    assert any(words in it for it in held.request(request))


def test_a_wrong_answer_is_told(held: contract.Contract, tmp_path: Path) -> None:
    """A field of another type, a missing one and an unknown status have a name."""
    request = Request(World(tmp_path), "GET", "/repos/a/b/labels/x")
    find(request)

    wrong = held.answer(request, Answer(200, {"id": "1", "name": "x"}))

    assert any("id: '1' is not of type 'integer'" in it for it in wrong)
    assert any("'color' is a required property" in it for it in wrong)
    assert held.answer(request, Answer(202, {})) == [
        "GET /repos/{owner}/{repo}/labels/{name} -> 202: no such answer"
    ]
    assert held.answer(request, Answer(404, {"message": "Not Found"})) == []


def test_a_breach_fails_the_test_that_made_it(tmp_path: Path, held: contract.Contract) -> None:
    """Leaving the server raises what was wrong; a bug of the server comes out the same way."""
    with pytest.raises(AssertionError, match="unknown query sate"), serving(tmp_path) as bot:
        assert bot.get("/issues?sate=all").status_code == 200
    broken = serving(tmp_path / "2", lambda: 1 // 0 and None)
    with pytest.raises(AssertionError, match="ZeroDivisionError"), broken as bot:
        assert bot.get("/issues").status_code == 500


class serving:  # noqa: N801 - reads as the statement it is used in
    """A server with one repository, for a test that wants it to fail."""

    def __init__(self, folder: Path, bug: Act | None = None) -> None:
        self._server = GitHubServer(folder)
        if bug:
            self._server.faults.add(bug)

    def __enter__(self) -> Caller:
        server = self._server.__enter__()
        repository: TestRepository = server.create_repository("acme/churn")
        repository.push("main", {"a.txt": "x"})
        return Caller(server, server.token("ml-gitops[bot]"))

    def __exit__(self, *error: object) -> None:
        self._server.__exit__(*error)


def test_without_npm_there_is_a_way_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a description cannot be fetched, the reason says what to install; CI insists."""
    monkeypatch.setattr(descriptions, "FOLDER", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    other = descriptions.Description("@octokit/none", "1.0.0", "x.json", "0" * 64)

    with pytest.raises(descriptions.Missing, match=r"install Node\.js"):
        other.fetch()
    monkeypatch.delenv("CI", raising=False)
    assert descriptions.find(other) is None
    descriptions.find.cache_clear()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(descriptions.Missing):
        descriptions.find(other)


QUESTION = """
query($owner: String!, $name: String!) { repository(owner: $owner, name: $name) {
  name: url  issue(number: 1) { state author { login ... on Bot { databaseId } } } } }
"""


def graph(document: object, query: str = QUESTION) -> tuple[Request, Answer]:
    """Return a question and its answer."""
    body = json.dumps({"query": query, "variables": {"owner": "a", "name": "b"}})
    request = Request(World(Path()), "POST", "/graphql", body=body.encode())
    return request, Answer(200, {"data": document})


def test_a_wrong_question_is_told(schema: graph_contract.GraphContract) -> None:
    """A field that GitHub has not, a missing argument and bad grammar have a name."""
    for query, words in (
        ("{ viewer { logon } }", "Cannot query field 'logon' on type 'User'"),
        ('{ repository(owner: "a") { id } }', "of type 'String!' is required"),
        ("{ viewer { login }", "Syntax Error"),
    ):
        assert any(words in it for it in schema.request(graph({}, query)[0])), query
    assert schema.request(graph({})[0]) == []


@pytest.mark.parametrize(
    ("issue", "words"),
    [
        ({"state": "OPEN", "author": {"login": "x", "databaseId": 1}}, ""),
        ({"state": "OPEN", "author": None}, ""),
        ({"state": "open", "author": None}, "Enum 'IssueState' cannot represent value"),
        ({"state": None, "author": None}, "Cannot return null for non-nullable"),
        ({"state": "OPEN"}, "the answer has no author"),
        ({"state": "OPEN", "author": None, "x": 1}, "what was not asked for"),
        ({"state": "OPEN", "author": {"login": "x", "databaseId": "?"}}, "Int cannot represent"),
    ],
)
def test_a_wrong_answer_to_a_question_is_told(
    schema: graph_contract.GraphContract, issue: dict[str, object], words: str
) -> None:
    """Enumerations, what may be null, what was asked for and numbers are held to the schema."""
    problems = schema.answer(*graph({"repository": {"name": "http://x", "issue": issue}}))

    assert bool(problems) == bool(words)
    assert all(words in it for it in problems)
