"""The loops on GitHub: the same commands, where the remote is a repository of its API."""

from pathlib import Path

import pytest

from ml_gitops.adapters.github.connect import GitHub, Place
from ml_gitops.cli.setting import BOT
from tests.e2e.world import DECAYED, FIRST, FIRST_LOCK, QUIET, World
from tests.github.server import GitHubServer
from tests.github.setup import TestRepository


@pytest.fixture
def repository(
    server: GitHubServer, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> TestRepository:
    """Make a repository, and let this process be a job of it."""
    made = server.create_repository(f"acme/churn-{len(server.world.repositories)}")
    monkeypatch.setenv("GITHUB_API_URL", server.url)
    monkeypatch.setenv("GITHUB_SERVER_URL", server.web_url)
    monkeypatch.setenv("GITHUB_REPOSITORY", made.full_name)
    monkeypatch.setenv("GITHUB_TOKEN", server.token(BOT.login))
    monkeypatch.setenv("RUNNER_TEMP", str(server.world.folder / "temp"))
    return made


def move(world: World, server: GitHubServer, repository: TestRepository) -> None:
    """Bring a world from its local forge to GitHub: branch, tags and releases."""
    local = world.forge
    world.clone.run("push", "--quiet", str(repository.path), "main", "--tags")
    place = Place(repository.full_name, server.url, server.token(BOT.login))
    forge = GitHub(place, {}, world.clock).forge(bot=True)
    for page in local.releases():
        assets = {name: local.asset(page.tag, name) or b"" for name in page.assets}
        forge.create_release(page.tag, page.title, page.notes, assets)
    world.clone.set_remote(repository.clone_url)


def test_a_monitor_with_nothing_to_do_needs_six_calls(
    released: World, place: Path, server: GitHubServer, repository: TestRepository
) -> None:
    """A look at a healthy model writes record and dashboard once; the same look again nothing."""
    world = released.copy(place)
    world.live(FIRST_LOCK, QUIET, FIRST)
    move(world, server, repository)
    first = world.monitor(QUIET)
    tip, before = repository.head("ml-gitops-records"), len(server.calls)
    (dashboard,) = repository.record.threads.values()
    told = (dashboard.title, dashboard.body, dashboard.updated)

    again = world.monitor(QUIET)

    calls = [it for it in server.calls[before:] if not it.path.startswith("/_storage")]
    assert again == first
    assert repository.head("ml-gitops-records") == tip is not None
    assert len(calls) <= 6, calls
    assert not any(it.writes for it in calls)
    assert list(repository.record.threads) == [dashboard.number]
    assert (dashboard.title, dashboard.body, dashboard.updated) == told


@pytest.mark.slow
def test_a_decay_is_proposed_once(
    decayed: World, place: Path, server: GitHubServer, repository: TestRepository
) -> None:
    """The monitor opens its pull request with the report; looking again keeps it as it is."""
    world = decayed.copy(place)
    move(world, server, repository)

    world.monitor(DECAYED)
    thread = repository.record.threads[1]
    told, before = (thread.body, thread.updated, len(thread.notes)), len(server.calls)
    world.monitor(DECAYED)

    calls = [it for it in server.calls[before:] if not it.path.startswith("/_storage")]
    assert thread.author.login == BOT.login
    assert sorted(it.name for it in thread.labels) == ["churn", "gate-pass", "retraining"]
    assert (thread.body, thread.updated, len(thread.notes)) == told
    assert len(thread.notes) == 1
    titles = [it.title for it in repository.record.threads.values()]
    assert titles == [f"Retrain churn on data until {DECAYED}", "Where the models stand"]
    assert len(calls) <= 20, calls


@pytest.mark.slow
def test_a_candidate_becomes_a_release(
    trained: World, place: Path, server: GitHubServer, repository: TestRepository
) -> None:
    """CI reports on a person's pull request, they merge it, and CD publishes and promotes."""
    world = trained.copy(place)
    world.clone.run("push", "--quiet", str(repository.path), "main", "the-first-model")
    world.clone.set_remote(repository.clone_url)
    world.clone.fetch()
    repository.add_collaborator("ada")
    job = Place(repository.full_name, server.url, server.token("ada"))
    ada = GitHub(job, {}, world.clock).forge(bot=False)
    ada.propose("the-first-model", "The first model", "It is time.")

    world.run("report")
    world.run("report")
    ada.merge(1)
    world.clone.switch("main")
    world.clone.pull()
    done = world.run("release")
    world.clone.pull()
    ada.merge(done["promotion"]["number"])
    world.clone.pull()
    again = world.run("release")

    notes = repository.record.threads[1].notes
    assert [it.author.login for it in notes] == [BOT.login]
    assert [(it.tag, it.draft) for it in repository.record.releases] == [(FIRST, False)]
    assert again["release"] == done["release"]
    assert sorted(it for it in repository.record.refs if it.startswith("refs/tags/")) == [
        "refs/tags/churn#production#1",
        "refs/tags/churn#staging#1",
        f"refs/tags/{FIRST}",
    ]
    promotion = repository.record.threads[done["promotion"]["number"]]
    assert promotion.author.login == BOT.login
    assert promotion.state == "closed"


def test_the_doctor_says_whose_token_it_is(
    released: World,
    place: Path,
    server: GitHubServer,
    repository: TestRepository,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A job learns what its own token means, and a job that may not propose fails."""
    world = released.copy(place)
    move(world, server, repository)
    monkeypatch.setenv("GITHUB_TOKEN", server.token("github-actions[bot]"))

    seen = world.run("doctor")
    repository.record.actions_may_propose = False
    refused = world.run("doctor", expect=1)

    assert seen["findings"][0]["what"] == "token"
    assert "a job's own token" in seen["findings"][0]["text"]
    assert (seen["passed"], refused["passed"]) == (True, False)
