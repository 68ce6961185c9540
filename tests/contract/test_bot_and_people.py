"""A bot and people at work on one real forge, in any order hypothesis can think of.

The machine is the same on every forge: small on the local one, where each step starts Git some
thirty times, and large on the adapter of GitHub.
"""

import shutil
import tempfile
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ml_gitops.adapters.git.repository import GitRepository
from ml_gitops.adapters.local_forge.forge import LocalForge
from ml_gitops.ports import Forge
from ml_gitops.pull_request import (
    FOLLOWS,
    STAGES,
    Action,
    Actor,
    Command,
    Keep,
    PullRequest,
    PullRequestSpec,
    Stage,
    offered,
    tick,
    ticked,
)
from ml_gitops.workflows.reconciliation import apply, decide
from ml_gitops.workflows.stages import settle_labels
from tests.contract.direct import Direct
from tests.contract.forges import GitHubHarness
from tests.github.git import HEADS
from tests.github.server import GitHubServer

BRANCH = "ml-gitops/retrain-delay"
ADA = Actor(login="ada")
BOXES: tuple[Command, ...] = ("train", "refresh", "snooze", "resume")


class BotAndPeople(RuleBasedStateMachine):
    """Evidence comes and goes, the bot runs, people close, merge, commit and go on working."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.seconds = 0
        self.evidence: str | None = "e0"
        self.refused: set[str] = set()
        self.resumed: set[int] = set()
        self.theirs: list[str] = []
        self.ever: set[str] = set()
        self.stages: dict[int, Stage] = {}
        self.today = date(2013, 4, 1)
        self.silent_until = self.today
        self.begin()

    def begin(self) -> None:
        """Make a forge with one commit."""
        bot = Actor(login="ml-gitops", bot=True)
        self.bot: Forge = LocalForge.create(self.bare, actor=bot, clock=self.clock)
        self.ada: Forge = LocalForge(self.bare, actor=ADA, clock=self.clock)
        self.ada.commit("main", {"lock": b"none"}, "Begin")

    @property
    def bare(self) -> Path:
        """The bare repository behind the forge."""
        return self.folder / "forge.git"

    def clock(self) -> datetime:
        """Return a time that never stands still."""
        self.seconds += 1
        return datetime(2013, 4, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def news(self) -> bytes:
        """Return what no file held before."""
        return str(self.clock()).encode()

    def wanted(self) -> PullRequestSpec | None:
        """Return what the evidence of today asks for."""
        evidence = self.evidence
        if evidence is None or self.bot.read("lock", ref="main") == evidence.encode():
            return None
        return PullRequestSpec(
            kind="retrain",
            model="delay",
            fingerprint=evidence,
            branch=BRANCH,
            base="main",
            title=f"Retrain on {evidence}",
            body="It decayed.\n\n" + "\n".join(f"- {offered(it)}" for it in BOXES),
            commit_message="Retrain",
            changes=(("lock", evidence.encode()),),
        )

    def open(self) -> list[PullRequest]:
        """Return the open pull requests."""
        return [it for it in self.bot.pull_requests() if it.state == "open"]

    @rule()
    def bot_runs_twice(self) -> None:
        """The second run of the same day keeps what the first one did."""
        before = {it.number: it for it in self.bot.pull_requests()}
        was_open = {it.number for it in self.open()}
        # What a person ticks counts when the bot sees it, if nobody closed or took it over since.
        if any("snooze" in ticked(it) and not it.human_commits for it in self.open()):
            self.silent_until = self.today + timedelta(days=30)
        for _ in range(2):  # a box may take two looks: one closes, the next opens
            self.look()
        after = self.bot.pull_requests()
        if self.today < self.silent_until:
            assert {it.number for it in self.open()} <= was_open

        action = self.look()

        assert isinstance(action, Keep)
        assert self.bot.pull_requests() == after
        for number, old in before.items():
            if old.human_commits and number not in self.resumed:
                now = after[number - 1]
                said = [it for it in now.comments if "I leave it alone" in it.body]
                assert (now.head, now.body, now.state) == (old.head, old.body, old.state)
                assert len(said) == 1 or old.state != "open"
        assert not self.theirs or set(self.theirs) <= self.reachable()
        assert self.orphans() == []
        for proposal in after[len(before) :]:
            assert proposal.marker is not None
            assert proposal.marker.fingerprint not in self.refused

    def look(self) -> Action:
        """Let the bot look, and do what follows."""
        action = decide(self.bot, "retrain", "delay", self.wanted(), today=self.today)
        apply(self.bot, action)
        settle_labels(self.bot, "delay")
        for proposal in self.bot.pull_requests():
            (stage,) = [it for it in STAGES if it in proposal.labels]
            before = self.stages.get(proposal.number)
            assert stage == before or stage in FOLLOWS[before]
            self.stages[proposal.number] = stage
        return action

    def reachable(self) -> set[str]:
        """Return the commits that some branch reaches."""
        repository = GitRepository(self.bare, clock=self.clock, actor=ADA)
        return set(repository.text("rev-list", "--branches").split())

    def orphans(self) -> list[str]:
        """Return the bot's branches that no open proposal has and no person committed to."""
        heads = {it.head for it in self.open()}
        return [name for name, tip in self.tips().items() if tip not in heads | self.ever]

    def tips(self) -> dict[str, str]:
        """Return the bot's branches."""
        repository = GitRepository(self.bare, clock=self.clock, actor=ADA)
        return repository.refs("refs/heads/ml-gitops/")

    @precondition(lambda self: self.open())
    @rule(box=st.sampled_from(BOXES))
    def person_ticks(self, box: Command) -> None:
        """A person ticks a box in the body, or in what the bot said since."""
        current = self.open()[0]
        body = tick(current.body, box)
        if body is not None:
            self.ada.edit_body(current.number, body)
        if box == "resume" and current.human_commits:
            self.resumed.add(current.number)

    @rule(days=st.sampled_from([1, 10, 30]))
    def time_passes(self, days: int) -> None:
        """Days go by."""
        self.today += timedelta(days=days)

    @rule(evidence=st.sampled_from(["e0", "e1", "e2", None]))
    def evidence_changes(self, evidence: str | None) -> None:
        """Something new is known, or nothing is wrong any more."""
        self.evidence = evidence

    @precondition(lambda self: self.open())
    @rule()
    def person_closes(self) -> None:
        """A person says no to the evidence on the table."""
        current = self.open()[0]
        self.ada.close(current.number, "No.")
        assert current.marker is not None
        self.refused.add(current.marker.fingerprint)

    @precondition(lambda self: self.open())
    @rule(method=st.sampled_from(["merge", "squash", "rebase"]))
    def person_merges(self, method: str) -> None:
        """A person merges; the bot's branch goes with it."""
        current = self.open()[0]
        assert self.ada.merge(current.number, method).state == "merged"  # type: ignore[arg-type]
        assert self.bot.head(current.branch) is None
        self.theirs.clear()

    @precondition(lambda self: self.open())
    @rule()
    def person_commits_to_the_branch(self) -> None:
        """A person goes on with the proposal."""
        branch = self.open()[0].branch
        commit = self.ada.commit(branch, {"note": self.news()}, "Note")
        self.theirs.append(commit)
        self.ever.add(commit)
        assert self.bot.pull_request(self.open()[0].number).human_commits

    @rule()
    def work_goes_on(self) -> None:
        """The default branch moves."""
        self.ada.commit("main", {"code": self.news()}, "Work")

    @invariant()
    def one_proposal_one_branch(self) -> None:
        """At most one proposal is open, and its head is its branch."""
        proposals = self.open()
        assert len(proposals) <= 1
        if proposals:
            assert self.bot.head(proposals[0].branch) == proposals[0].head

    def teardown(self) -> None:
        """Leave nothing on the disk."""
        shutil.rmtree(self.folder)


class OnGitHub(BotAndPeople):
    """The same on the adapter of GitHub, over the server of the tests."""

    def begin(self) -> None:
        """Make a repository with one commit."""
        transport = partial(Direct, server=_server())
        self.harness = GitHubHarness(self.folder, _server(), transport=transport)
        self.ada.commit("main", {"lock": b"none"}, "Begin")

    @property
    def bot(self) -> Forge:  # type: ignore[override]
        """The forge as the bot sees it, in a process that has seen nothing yet."""
        return self.harness.forge()

    @property
    def ada(self) -> Forge:  # type: ignore[override]
        """The forge as a person sees it."""
        return self.harness.forge("ada", bot=False)

    @property
    def bare(self) -> Path:
        """The bare repository behind the forge."""
        return self.harness.repository.path

    def tips(self) -> dict[str, str]:
        """Return the bot's branches, as the server knows them."""
        refs = self.harness.repository.record.refs
        return {name: tip for name, tip in refs.items() if name.startswith(f"{HEADS}ml-gitops/")}

    def teardown(self) -> None:
        """Leave nothing on the disk, nor on the server."""
        self.harness.repository.delete()
        shutil.rmtree(self.bare)
        super().teardown()


@cache
def _server() -> GitHubServer:
    return GitHubServer(Path(tempfile.mkdtemp()), held=False)


QUICK = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=8,
    stateful_step_count=16,
    suppress_health_check=list(HealthCheck),
)
TestBotAndPeople = BotAndPeople.TestCase
TestBotAndPeople.settings = QUICK

HALVES = (1, 2)
"""Each tries half of the examples, so that two processes share them."""
WHOLE = settings(QUICK, derandomize=False, max_examples=100, stateful_step_count=50)
"""Twice this is what `.ci/run` and `make bench-forge` try."""


def run_on_github(half: int) -> None:
    """Run half of the examples, the same every time.

    Raises:
        AssertionError: a law does not hold.
    """
    run_state_machine_as_test(seed(half)(OnGitHub), settings=WHOLE)


@pytest.mark.slow
@pytest.mark.parametrize("half", HALVES)
def test_bot_and_people_on_github(half: int) -> None:
    """No law is broken in 200 runs of 50 steps."""
    run_on_github(half)
