"""What the script says goes wrong goes wrong, before or after the effect."""

from threading import Thread

import pytest
import requests

from tests.github.answers import Refusal
from tests.github.caller import Caller, said
from tests.github.faults import NAMES
from tests.github.front import Call
from tests.github.server import GitHubServer
from tests.github.setup import TestRepository

QUICK = 0.2
"""Seconds that a client waits here for an answer that never comes."""
WITHOUT_EFFECT = {
    "401": 401,
    "403-primary": 403,
    "403-secondary": 403,
    "403-secondary-retry-after": 403,
    "404": 404,
    "422-node": 422,
    "429": 429,
    "429-retry-after": 429,
    "429-long": 429,
    "500": 500,
    "502": 502,
    "503": 503,
    "504": 504,
    "timeout-before": 0,
    "reset-before": 0,
}
WITH_EFFECT = {
    "500-after": 500,
    "502-after": 502,
    "503-after": 503,
    "504-after": 504,
    "empty-200": 200,
    "html-200": 200,
    "timeout-after": 0,
    "reset-after": 0,
    "truncated": 201,
    "cut": 0,
}


@pytest.mark.parametrize(("name", "status"), [*WITHOUT_EFFECT.items(), *WITH_EFFECT.items()])
def test_a_fault_strikes_once_before_or_after_the_effect(
    server: GitHubServer, bot: Caller, name: str, status: int
) -> None:
    """The answer is what the fault says; the issue is there, or it is not; then all is well."""
    server.faults.add(name, call=2)
    assert bot.read("/issues") == []

    try:
        seen = bot("POST", "/issues", json={"title": "x"}, timeout=QUICK).status_code
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
        seen = 0

    assert seen == status
    server.faults.clear()
    assert len(bot.read("/issues")) == (name in WITH_EFFECT)


def test_every_fault_is_tried() -> None:
    """No fault has a name that no test knows."""
    assert set(NAMES) == {*WITHOUT_EFFECT, *WITH_EFFECT, "stale-read"}


def test_limits_are_told_as_github_tells_them(server: GitHubServer, bot: Caller) -> None:
    """Secondary limits say so in words, some with `Retry-After`; the primary one in headers."""
    for name in ("403-secondary", "429-retry-after", "403-primary"):
        server.faults.add(name)

    secondary, later, primary = (bot.get("/issues") for _ in range(3))

    assert "secondary rate limit" in secondary.json()["message"]
    assert "Retry-After" not in secondary.headers
    assert later.headers["Retry-After"] == "1"
    assert primary.headers["X-RateLimit-Remaining"] == "0"


def test_a_truncated_answer_is_no_json(server: GitHubServer, bot: Caller) -> None:
    """It has its announced length, and half of the document."""
    server.faults.add("truncated", path="/repos/acme/churn$")

    answer = bot.get("")

    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_a_stale_answer_in_graphql(server: GitHubServer, bot: Caller) -> None:
    """Questions see what was before the last write, and are none themselves."""
    text = '{ repository(owner: "acme", name: "churn") { issues(first: 9) { totalCount } } }'

    def counted() -> int:
        answer = bot.session.post(server.graphql_url, json={"query": text}, timeout=10)
        return int(answer.json()["data"]["repository"]["issues"]["totalCount"])

    server.faults.add("stale-read", path="graphql", call=3)
    bot.made("/issues", title="x")

    assert [counted() for _ in range(3)] == [1, 0, 1]


@pytest.mark.parametrize("path", ["/issues?state=all", "/issues/1", "/git/ref/heads/x", "/pulls"])
def test_a_stale_read_knows_nothing_of_the_last_write(
    server: GitHubServer, churn: TestRepository, bot: Caller, path: str
) -> None:
    """Refs, pull requests and issues are as they were before it; the next read is fresh."""
    writes = {
        "/issues?state=all": ("/issues", {"title": "x"}),
        "/issues/1": ("/issues", {"title": "x"}),
        "/git/ref/heads/x": ("/git/refs", {"ref": "refs/heads/x", "sha": churn.head()}),
        "/pulls": ("/pulls", {"title": "x", "head": "f", "base": "main"}),
    }
    churn.push("f", {"a.txt": "x"})
    before = bot.get(path)
    server.faults.add("stale-read", method="GET")
    bot.made(writes[path][0], **writes[path][1])

    stale, fresh = bot.get(path), bot.get(path)

    assert (stale.status_code, stale.json()) == (before.status_code, before.json())
    assert fresh.json() != before.json()


def test_faults_choose_their_requests(server: GitHubServer, bot: Caller) -> None:
    """By number from now on, by method, by path, as often as they are told; the first wins."""
    bot.read("/issues")
    server.faults.add("502", call=2)
    server.faults.add("503", method="POST", path="/issues$", times=2)
    server.faults.add("500", path="/labels")

    seen = [bot.get(path).status_code for path in ("/issues", "/labels", "/labels", "/labels")]
    posted = [bot.post("/issues", title="x").status_code for _ in range(3)]

    assert seen == [200, 502, 500, 200]
    assert posted == [503, 503, 201]
    with pytest.raises(ValueError, match="no fault '418'; there are 401, "):
        server.faults.add("418")


def test_an_answer_of_the_tests_own(server: GitHubServer, ada: Caller) -> None:
    """Whatever GitHub once said can be said again, with no effect."""
    moved = Refusal(405, "Base branch was modified. Review and try the merge again.")
    server.faults.add(moved.answer, method="POST")

    assert said(ada.post("/issues", title="x")) == (405, moved.message)
    assert ada.read("/issues") == []


def test_a_function_acts_between_two_requests(server: GitHubServer, bot: Caller) -> None:
    """What others do meanwhile can be put before any call."""
    eve = Caller(server, server.token("eve"))
    server.faults.add(lambda: eve.post("/issues", title="Meanwhile") and None, call=2)

    seen = [len(bot.read("/issues")) for _ in range(3)]

    assert seen == [0, 1, 1]


def test_calls_are_written_down(server: GitHubServer, churn: TestRepository, bot: Caller) -> None:
    """Every request with its status, reads told from writes; 0 is an answer that never left."""
    server.faults.add("reset-after", call=3)
    bot.read("/issues", params={"state": "all"})
    bot.made("/issues", title="x")
    with pytest.raises(requests.ConnectionError):
        bot.get("/issues/1")

    assert server.calls == [
        Call("GET", "/repos/acme/churn/issues", 200),
        Call("POST", "/repos/acme/churn/issues", 201, writes=True),
        Call("GET", "/repos/acme/churn/issues/1", 0),
    ]
    for text in ("{ viewer { login } }", "mutation { __typename }"):
        bot.session.post(server.graphql_url, json={"query": text}, timeout=10)
    assert [it.writes for it in server.calls[3:]] == [False, True]


def test_of_many_at_once_one_opens_the_pull_request(
    server: GitHubServer, churn: TestRepository, bot: Caller
) -> None:
    """Requests are served one after the other; the later ones hear that there is one."""
    churn.push("f", {"a.txt": "x"})
    body = {"title": "x", "head": "f", "base": "main"}
    answers: list[int] = []
    callers = [Caller(server, server.token("ml-gitops[bot]")) for _ in range(16)]
    threads = [
        Thread(target=lambda it=it: answers.append(it.post("/pulls", **body).status_code))
        for it in callers
    ]

    for it in threads:
        it.start()
    for it in threads:
        it.join()

    assert sorted(answers) == [201] + [422] * 15
    assert len(bot.read("/pulls")) == 1
