"""Tokens let through what GitHub lets through, and are refused in its words."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.github.caller import Caller, said
from tests.github.server import GitHubServer
from tests.github.setup import TestRepository

INTEGRATION = (403, "Resource not accessible by integration")
PERSONAL = (403, "Resource not accessible by personal access token")


@pytest.fixture
def secret(server: GitHubServer, churn: TestRepository) -> TestRepository:
    """Make a private repository that only ada may read."""
    repository = server.create_repository("acme/secret", private=True)
    repository.add_collaborator("ada", "read")
    repository.push("main", {"a.txt": "x"})
    return repository


def test_an_unknown_token_is_401_even_where_none_is_needed(
    server: GitHubServer, churn: TestRepository
) -> None:
    """Nobody may read what is public, and change nothing; a wrong token may do nothing."""
    nobody, wrong = Caller(server, ""), Caller(server, "ghp_wrong")

    assert nobody.read("/issues") == []
    assert said(nobody.post("/issues", title="x")) == (401, "Requires authentication")
    assert said(wrong.get("/issues")) == (401, "Bad credentials")
    basic = nobody.get("/issues", auth=("x-access-token", server.token("ada")))
    assert basic.status_code == 200


@pytest.mark.parametrize(
    ("permission", "method", "path", "body"),
    [
        ("issues", "POST", "/issues", {"title": "x"}),
        ("issues", "POST", "/issues/1/comments", {"body": "x"}),
        ("pull_requests", "POST", "/pulls", {"title": "x", "head": "f", "base": "main"}),
        ("pull_requests", "POST", "/issues/2/comments", {"body": "x"}),
        ("contents", "POST", "/git/blobs", {"content": "x"}),
        ("contents", "PUT", "/pulls/2/merge", {}),
        ("contents", "POST", "/releases", {"tag_name": "v1"}),
        ("checks", "POST", "/check-runs", {"name": "x", "head_sha": "HEAD"}),
        ("statuses", "POST", "/statuses/HEAD", {"state": "success"}),
        ("actions", "POST", "/actions/workflows/ci.yml/dispatches", {"ref": "main"}),
    ],
)
def test_each_write_needs_its_permission(
    server: GitHubServer,
    churn: TestRepository,
    ada: Caller,
    permission: str,
    method: str,
    path: str,
    body: dict[str, str],
) -> None:
    """Without the one permission it is 403, with it alone it is done."""
    head = churn.push("main", {".github/workflows/ci.yml": "on: workflow_dispatch\n"})
    churn.push("f", {"a.txt": "x"})
    churn.push("g", {"b.txt": "y"})
    ada.made("/issues", title="One")
    ada.propose("g")
    others = dict.fromkeys(("issues", "pull_requests", "contents", "checks", "actions"), "write")
    others.pop(permission, None)
    path, body = path.replace("HEAD", head), {k: v.replace("HEAD", head) for k, v in body.items()}
    if path == "/issues/2/comments":
        others.pop("issues")

    without = Caller(server, server.token("ml-gitops[bot]", others))
    enough = Caller(server, server.token("ml-gitops[bot]", {permission: "write"}))

    assert said(without(method, path, json=body)) == INTEGRATION
    assert enough(method, path, json=body).status_code in {200, 201, 204}


def test_reading_what_is_public_needs_no_permission(server: GitHubServer, ada: Caller) -> None:
    """An app without any permission reads a public repository."""
    poor = Caller(server, server.token("ml-gitops[bot]", {}))

    assert poor.read("/issues") == []
    assert poor.read("/contents/a.txt")["size"] == 6


def test_what_is_private_is_hidden_or_refused(
    server: GitHubServer, secret: TestRepository, churn: TestRepository
) -> None:
    """Who is not in sees 404; an app that is in needs the permission even to read."""

    def get(token: str, path: str = "/issues") -> int:
        return Caller(server, token, "acme/secret").get(path).status_code

    assert get("") == 404
    assert get(server.token("eve")) == 404
    assert get(server.token("ada")) == 200
    assert get(server.token("ml-gitops[bot]", {"contents": "read"})) == 403
    assert get(server.token("ml-gitops[bot]", {"contents": "read"}), "/contents/a.txt") == 200
    assert get(server.token("ml-gitops[bot]", {"issues": "read"}, [churn])) == 404


def test_people_are_limited_by_their_role(
    server: GitHubServer, churn: TestRepository, eve: Caller
) -> None:
    """Git is hidden from who may not write it; a fine-grained token narrows its owner."""
    narrow = Caller(server, server.token("ada", {"issues": "write"}))

    assert said(eve.post("/git/blobs", content="x")) == (404, "Not Found")
    assert said(eve.post("/labels", name="x")) == (403, "Must have admin rights to Repository.")
    assert eve.post("/issues", title="x").status_code == 201
    assert narrow.post("/labels", name="x").status_code == 201
    assert said(narrow.post("/git/blobs", content="x")) == PERSONAL
    assert eve.read("/collaborators/ada/permission")["permission"] == "admin"
    assert eve.read("/collaborators/eve/permission")["permission"] == "read"


def test_workflow_files_need_their_own_permission(
    server: GitHubServer, churn: TestRepository, bot: Caller
) -> None:
    """An app that may write contents moves no ref to a commit that changes workflows."""
    plain = Caller(server, server.token("ml-gitops[bot]", {"contents": "write"}))
    entry = {"path": ".github/workflows/x.yml", "mode": "100644", "content": "on: push\n"}
    tree = plain.made("/git/trees", base_tree=churn.head(), tree=[entry])["sha"]
    body = {"message": "m", "tree": tree, "parents": [churn.head()]}
    commit = plain.made("/git/commits", **body)["sha"]

    assert said(plain.post("/git/refs", ref="refs/heads/x", sha=commit)) == INTEGRATION
    assert bot.post("/git/refs", ref="refs/heads/x", sha=commit).status_code == 201


def test_an_app_gets_its_token_with_a_jwt(server: GitHubServer, churn: TestRepository) -> None:
    """The token has what was asked for, of what the app was given; the rest is 422 or 401."""
    given = {"contents": "write", "pull_requests": "write"}
    app = server.app("ml-gitops", given)
    jwt = Caller(server, app.jwt())
    assert jwt.read("api:/app")["slug"] == "ml-gitops"
    number = jwt.read("/installation")["id"]

    def asked(**body: object) -> object:
        return jwt.post(f"api:/app/installations/{number}/access_tokens", **body)

    made = asked(permissions={"contents": "read"}, repositories=["churn"]).json()
    assert made["permissions"] == {"metadata": "read", "contents": "read"}
    assert [it["full_name"] for it in made["repositories"]] == ["acme/churn"]
    token = Caller(server, made["token"])
    assert said(token.post("/git/blobs", content="x")) == INTEGRATION
    assert Caller(server, asked().json()["token"]).post("/git/blobs", content="x").ok
    assert asked(permissions={"checks": "write"}).status_code == 422
    assert asked(repositories=["gone"]).status_code == 422
    assert jwt.post("api:/app/installations/1/access_tokens").status_code == 404
    assert Caller(server, app.jwt(-60)).get("api:/app").status_code == 401
    assert Caller(server, app.jwt(3600)).get("api:/app").status_code == 401
    assert Caller(server, "a.b.c").get("api:/app").status_code == 401
    assert token.get("api:/app").status_code == 401
    assert said(token.get("api:/user")) == INTEGRATION


def test_the_rate_limit_counts_down_and_refuses(server: GitHubServer, bot: Caller) -> None:
    """Headers say what is left; beyond the limit it is 403 until the hour is over."""
    now = datetime(2030, 1, 1, tzinfo=UTC)
    server.clock = lambda: now
    server.world.rate_limit = 2

    seen = [bot.get("/issues").headers for _ in range(2)]
    refused = bot.get("/issues")

    assert [it["X-RateLimit-Remaining"] for it in seen] == ["1", "0"]
    assert (refused.status_code, refused.headers["X-RateLimit-Remaining"]) == (403, "0")
    assert refused.json()["message"].startswith("API rate limit exceeded")
    reset = int(refused.headers["X-RateLimit-Reset"])
    assert bot.read("api:/rate_limit")["rate"]["reset"] == reset == int(now.timestamp()) + 3600
    server.clock = lambda: now + timedelta(hours=1)
    assert bot.get("/issues").status_code == 200


def test_the_same_answer_is_304_and_costs_nothing(bot: Caller) -> None:
    """An ETag that still holds saves the body and the limit."""
    first = bot.get("/issues")
    tag = {"If-None-Match": first.headers["ETag"]}

    again = bot.get("/issues", headers=tag)
    bot.made("/issues", title="x")
    after = bot.get("/issues", headers=tag)

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["X-RateLimit-Used"] == first.headers["X-RateLimit-Used"]
    assert (after.status_code, len(after.json())) == (200, 1)


def test_lists_come_in_pages(bot: Caller) -> None:
    """Thirty at a time, at most a hundred, with links to the other pages."""
    for number in range(101):
        bot.made("/issues", title=str(number))

    first = bot.get("/issues", params={"state": "all"})
    last = bot.get("/issues", params={"per_page": "1000", "page": "2"})

    assert len(first.json()) == 30
    assert first.links["next"]["url"].endswith("/issues?state=all&page=2")
    assert first.links["last"]["url"].endswith("page=4")
    assert "prev" not in first.links
    assert [it["title"] for it in last.json()] == ["0"]
    assert set(last.links) == {"prev", "first"}
    assert bot.read("/issues", params={"page": "9"}) == []


def test_actions_may_be_kept_from_proposing(
    server: GitHubServer, churn: TestRepository, ada: Caller
) -> None:
    """Where the setting is off, `GITHUB_TOKEN` opens no pull request."""
    churn.push("f", {"a.txt": "x"})
    actions = Caller(server, server.token("github-actions[bot]"))
    churn.actions_may_propose(allowed=False)

    refused = said(actions.post("/pulls", head="f", base="main", title="x"))

    words = "GitHub Actions is not permitted to create or approve pull requests."
    assert refused == (403, words)
    setting = ada.read("/actions/permissions/workflow")
    assert not setting["can_approve_pull_request_reviews"]
    churn.actions_may_propose(allowed=True)
    opened = actions.propose("f")
    assert opened["user"]["id"] == 41898282
    assert Path(opened["user"]["html_url"]).name == "github-actions[bot]"
