"""A world brought to a GitHub as it stands, and copied there for every power cut."""

import copy
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from ml_gitops.adapters.file_name import to_file_name
from ml_gitops.adapters.github.client import GitHubClient
from ml_gitops.adapters.github.connect import GitHub, Place
from ml_gitops.adapters.github.patience import Patience
from ml_gitops.adapters.github.transport import Reply
from ml_gitops.cli.setting import BOT
from ml_gitops.names import OUTBOX_VARIABLE
from ml_gitops.pull_request import Actor, PullRequest, Thread
from tests.contract.direct import Direct
from tests.contract.flows import Tried
from tests.e2e.crashes import Fuse, PowerCutError
from tests.e2e.flows import FLOWS, Flow
from tests.e2e.stages import Stages
from tests.e2e.world import World
from tests.github import people
from tests.github.commits import Signature, read_commit, write_commit
from tests.github.git import Git
from tests.github.server import GitHubServer
from tests.github.setup import TestRepository
from tests.github.world import Label, Note, Pull, Repository
from tests.github.world import Thread as Told

NAME = "acme/churn"


@dataclass(frozen=True)
class Fused(Direct):
    """A transport behind a fuse: every request is a point at which the power may be cut."""

    fuse: Fuse = field(default_factory=Fuse)

    def send(self, verb: str, path: str, **more: Any) -> Reply:
        """See `Transport`."""
        text = str((more.get("body") or {}).get("query", ""))
        writes = verb != "GET" and (path != "/graphql" or text.startswith("mutation"))
        return self._burnt(
            f"{verb} {path}", lambda: super(Fused, self).send(verb, path, **more), writes=writes
        )

    def upload(self, url: str, content: bytes, content_type: str) -> Reply:
        """See `Transport`."""
        return self._burnt(
            "POST asset", lambda: super(Fused, self).upload(url, content, content_type)
        )

    def download(self, path: str, *, accept: str, limit: int) -> Reply:
        """See `Transport`."""
        return self._burnt(
            f"GET {path}",
            lambda: super(Fused, self).download(path, accept=accept, limit=limit),
            writes=False,
        )

    def _burnt(self, name: str, call: Callable[[], Reply], *, writes: bool = True) -> Reply:
        self.fuse.made.append(name)
        self.fuse.writes.append(writes)
        dies = len(self.fuse.made) == self.fuse.at
        if dies and not self.fuse.after:
            raise PowerCutError(f"before {name}")
        reply = call()
        if dies:
            raise PowerCutError(f"after {name}")
        return reply


class OnGitHub:
    """One repository of a server, whose state comes back for every copy of a world.

    Args:
        server: where it is.
        local: the world as it is on its local forge.
        folder: for the state that is kept.
    """

    def __init__(self, server: GitHubServer, local: World, folder: Path) -> None:
        self._server = server
        self._local = local
        self._kept = folder / "kept.git"
        _gone(server)
        repository = server.create_repository(NAME)
        _bring(server, repository, local)
        repository.record.git.close()
        shutil.copytree(repository.path, self._kept)
        self._record = repository.record
        self._numbers = 0

    def copy(self, root: Path) -> "GitHubWorld":
        """Return an equal world elsewhere; the one before it is gone from the server."""
        _gone(self._server)
        world = GitHubWorld.of(self._local, root, self._server)
        accounts = {id(it): it for it in self._server.world.accounts.values()}
        record = copy.deepcopy(self._record, accounts)
        path = self._server.world.folder / "acme" / f"{self._numbers}.git"
        self._numbers += 1
        shutil.copytree(self._kept, path)
        record.git = Git(path, self._server.world.readers)
        record.git.new_moves()
        self._server.world.repositories[NAME] = record
        world.settle(TestRepository(self._server.world, record))
        return world


class GitHubWorld(World):
    """A world whose forge is a repository of a server."""

    server: GitHubServer
    repository: TestRepository

    @classmethod
    def of(cls, local: World, root: Path, server: GitHubServer) -> "GitHubWorld":
        """Return a copy of a local world without its forge."""
        without = shutil.ignore_patterns("forge.git")
        shutil.copytree(local.root, root, symlinks=True, ignore=without)
        made = cls(root, local.now)
        made.server = server
        server.clock = made.clock
        return made

    def settle(self, repository: TestRepository) -> None:
        """Let the work tree follow a repository; Git goes the short way there."""
        self.repository = repository
        url = repository.clone_url
        self.clone.set_remote(url)
        self.clone.run("config", f"url.{repository.path}.insteadOf", url)

    @property
    def outbox(self) -> Path:
        """Where the artifacts of a job lie until it ends."""
        return self.root / ".git" / "outbox"

    def run(self, *words: str, expect: int = 0) -> Any:
        """Run `ml-gitops` as a job; whatever it leaves is uploaded when it ends well."""
        shutil.rmtree(self.outbox, ignore_errors=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GITHUB_API_URL", self.server.url)
            patch.setenv("GITHUB_SERVER_URL", self.server.web_url)
            patch.setenv("GITHUB_REPOSITORY", NAME)
            patch.setenv("GITHUB_TOKEN", self.server.token(BOT.login))
            patch.setenv(OUTBOX_VARIABLE, str(self.outbox))
            done = super().run(*words, expect=expect)
        if self.outbox.is_dir():
            run = self.repository.add_run("job.yml")
            for place in sorted(self.outbox.iterdir()):
                files = {unquote(it.name): it.read_bytes() for it in place.iterdir()}
                self.repository.add_artifact(run, place.name, files)
        return done

    def refs(self) -> dict[str, str]:
        """Return every ref of the repository."""
        return dict(self.repository.record.refs)

    def shape(self) -> dict[str, Any]:
        """Return all that people see of the repository, but when it happened."""
        record = self.repository.record
        main = record.branch("main")
        assert main is not None
        return {
            "threads": [
                (
                    *(it.number, it.title, it.body, it.state),
                    sorted(label.name for label in it.labels),
                    [note.body for note in it.notes],
                    it.pull and (it.pull.branch, it.pull.draft, it.pull.merged is not None),
                )
                for it in record.threads.values()
            ],
            "tags": sorted(ref for ref in record.refs if ref.startswith("refs/tags/")),
            "branches": sorted(ref for ref in record.refs if ref.startswith("refs/heads/")),
            "releases": [
                (it.tag, it.title, it.draft, sorted(asset.name for asset in it.assets))
                for it in record.releases
            ],
            "checks": [(it.name, it.status, it.conclusion) for it in record.checks],
            "artifacts": sorted({it.name for it in record.artifacts}),
            "main": record.git.run("rev-parse", f"{main}^{{tree}}"),
            "records": record.git.run("ls-tree", "-r", "--name-only", "ml-gitops-records")
            if record.branch("ml-gitops-records")
            else b"",
        }


@contextmanager
def fused(server: GitHubServer, fuse: Fuse) -> Iterator[Fuse]:
    """Put every request that the command line makes behind a fuse, and wait for nothing."""

    def client(github: GitHub) -> GitHubClient:
        place: Place = github.place
        patience = Patience(between_writes=0.0, sleep=lambda _: None)
        transport = Fused(place.api_url, place.token, server=server, fuse=fuse)
        return GitHubClient(transport, place.repository, patience)

    clients: dict[int, GitHubClient] = {}
    with pytest.MonkeyPatch.context() as patch:
        one = property(lambda github: clients.setdefault(id(github), client(github)))
        patch.setattr(GitHub, "_client", one)
        yield fuse


def with_power_cuts(
    server: GitHubServer, stages: Stages, folder: Path, name: str, *, stride: int = 1
) -> Iterator[Tried]:
    """Cut the power at every request of a flow, run it again, and say what is left.

    Before every request; and after those that write, because after one that only reads is before
    the next one.

    Args:
        name: of the flow.
        stride: try every so many of these points.
    """
    flow = FLOWS[name]
    place = OnGitHub(server, flow.ready(stages, folder / "ready" / "churn"), folder)
    smooth = place.copy(folder / "smooth" / "churn")
    with fused(server, Fuse()) as fuse:
        flow.do(smooth)
    wanted, fits, settled = smooth.shape(), smooth.fits(), smooth.refs()
    with fused(server, Fuse()):
        flow.do(smooth)
    if (smooth.refs(), smooth.shape()) != (settled, wanted):
        yield Tried(name, problem="a second run changes something")
    points = [(at, False) for at in range(1, len(fuse.made) + 1)]
    points += [(at, True) for at, writes in enumerate(fuse.writes, 1) if writes]
    for at, after in sorted(points)[::stride]:
        root = folder / f"{at}{after}" / "churn"
        world = place.copy(root)
        where = f"{'after' if after else 'before'} {fuse.made[at - 1]} ({at}) of {name}"
        problem = _cut_and_again(server, flow, world, Fuse(at, after))
        found = world.shape()
        if not problem and (found, world.fits()) != (wanted, fits):
            problem = "something else is left than without it"
        yield Tried(where, problem=problem, duplicates=_too_many(found, wanted))
        shutil.rmtree(root)


def _cut_and_again(server: GitHubServer, flow: Flow, world: GitHubWorld, fuse: Fuse) -> str:
    """Run a flow until the power is cut, then again to its end; return what went wrong."""
    try:
        with fused(server, fuse):
            flow.do(world)
    except PowerCutError:
        world.clone.pull()
    else:
        return "it did not come as far as without the cut"
    try:
        with fused(server, Fuse()):
            flow.do(world)
    except Exception as error:  # noqa: BLE001 (whatever it is, it is a finding)
        return f"the next run ended with {error}"
    return ""


def _too_many(found: dict[str, Any], wanted: dict[str, Any]) -> int:
    """Return how many threads, comments, tags, branches and releases there are too many."""

    def count(seen: dict[str, Any]) -> list[int]:
        notes = sum(len(thread[5]) for thread in seen["threads"])
        parts = ("threads", "tags", "branches", "releases", "checks")
        return [notes, *(len(seen[it]) for it in parts)]

    return sum(max(0, n - m) for n, m in zip(count(found), count(wanted), strict=True))


def _gone(server: GitHubServer) -> None:
    """Take the repository off the server, if it is there."""
    record = server.world.repositories.pop(NAME, None)
    if record is not None:
        record.git.close()
        shutil.rmtree(record.git.path)


def _bring(server: GitHubServer, repository: TestRepository, local: World) -> None:
    """Bring branches, tags, conversations, releases and artifacts of a local forge to GitHub."""
    record, forge = repository.record, local.forge
    server.clock = local.clock
    people.application(server.world, BOT.login.removesuffix("[bot]"))
    for login in {it.author.login for it in forge.pull_requests()} - {BOT.login}:
        server.user(login, f"{login}@users.invalid")
        repository.add_collaborator(login)
    wanted = ("refs/heads/*", "refs/tags/*", "refs/pull/*")
    specs = [f"+{ref}:{ref}" for ref in wanted]
    record.git.run("fetch", "--quiet", "--no-tags", str(local.forge_path), *specs)
    record.git.new_moves()
    record.refs = {
        name: sha for name, sha in local.refs().items() if not name.startswith("refs/ml-gitops/")
    }
    for one in sorted([*forge.pull_requests(), *forge.issues()], key=lambda it: it.number):
        record.threads[one.number] = _told(server, record, one)
    place = Place(NAME, server.url, server.token(BOT.login))
    with fused(server, Fuse()):
        theirs = GitHub(place, {}, local.clock).forge(bot=True)
        for page in forge.releases():
            assets = {name: forge.asset(page.tag, name) or b"" for name in page.assets}
            theirs.create_release(page.tag, page.title, page.notes, assets)
    run = repository.add_run("job.yml")
    names = {unquote(it.split("/")[1]) for it in forge._state.files("artifacts/")}
    for name in sorted(names):
        repository.add_artifact(run, to_file_name(name), forge.artifact(name) or {})


def _told(server: GitHubServer, repository: Repository, one: Thread) -> Told:
    """Return a conversation as GitHub would have it."""
    world = server.world

    def account(actor: Actor) -> Any:
        return people.person(world, actor.login)

    def label(name: str) -> Label:
        return repository.labels.setdefault(name, Label(world.next_id(), name, "ededed"))

    told = Told(
        *(world.next_id(), one.number, one.title, one.body),
        *(account(one.author), one.created, one.updated),
        state="open" if one.state == "open" else "closed",
        labels=[label(name) for name in one.labels],
        notes=[
            Note(world.next_id(), account(it.author), it.body, it.created, it.updated)
            for it in one.comments
        ],
    )
    if one.state != "open":
        told.closed = one.updated
        told.closed_by = account(one.closed_by) if one.closed_by else None
    if isinstance(one, PullRequest):
        head = one.head
        if one.state == "open" and one.author.bot and not one.human_commits:
            head = _signed(server, repository, one)
        base = repository.git.run("merge-base", f"refs/heads/{one.base}", one.head)
        told.pull = Pull(
            *(world.next_id(), repository, repository.owner, one.branch, head, one.base),
            base=repository.refs[f"refs/heads/{one.base}"]
            if one.state == "open"
            else base.decode().strip(),
            draft=one.draft,
        )
        told.pull.base_shown = told.pull.base
        if one.state == "merged":
            told.pull.merged, told.pull.merged_by = one.updated, told.closed_by
            told.pull.merge_commit = one.merge_commit
    return told


def _signed(server: GitHubServer, repository: Repository, one: PullRequest) -> str:
    """Let the commit of a proposal be the bot's by the address that GitHub gives it."""
    git, bot = repository.git, people.person(server.world, BOT.login)
    old = read_commit(git, one.head)
    assert old is not None
    by = Signature(bot.login, f"{bot.id}+{bot.login}@users.noreply.github.com", one.created)
    new = write_commit(git, old.tree, old.parents, old.message, by, by)
    for ref in (f"refs/heads/{one.branch}", f"refs/pull/{one.number}/head"):
        git.move(ref, new)
        repository.refs[ref] = new
    return new
