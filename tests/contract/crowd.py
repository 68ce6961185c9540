"""Many monitors at once on one GitHub, in an order that a seed decides.

Each monitor is a thread, and every request that it makes is a point at which another may go on:
only the one that holds the baton runs. So a race that a seed finds is found again.
"""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ml_gitops.adapters.github.forge import GitHubForge
from ml_gitops.adapters.github.records import GitHubRecords
from ml_gitops.errors import MlGitopsError
from ml_gitops.pull_request import IssueSpec, plan
from ml_gitops.workflows.incident import apply_incident
from ml_gitops.workflows.reconciliation import apply, decide
from ml_gitops.workflows.reporting import post, report_marker
from tests.contract.direct import Direct
from tests.contract.forges import GitHubHarness
from tests.contract.test_forge import spec
from tests.github.server import GitHubServer

EVIDENCE = ("april", "may")


class Baton:
    """Lets one of many threads run at a time, and a seed choose who is next.

    Args:
        seed: decides the order.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311
        self._back = threading.Semaphore(0)
        self._turns: dict[int, threading.Semaphore] = {}
        self._failed: list[BaseException] = []

    def pause(self, name: int) -> None:
        """Hand the baton back, and wait until it comes again."""
        self._back.release()
        self._turns[name].acquire()

    def run(self, jobs: Sequence[Callable[[], object]]) -> None:
        """Run jobs to their ends; the first error that none of them expects is raised."""
        self._turns = {name: threading.Semaphore(0) for name in range(len(jobs))}
        threads = [
            threading.Thread(target=self._one, args=(name, job)) for name, job in enumerate(jobs)
        ]
        for thread in threads:
            thread.start()
        while alive := [name for name, thread in enumerate(threads) if name in self._turns]:
            self._turns[self._random.choice(alive)].release()
            self._back.acquire()
        for thread in threads:
            thread.join()
        if self._failed:
            raise self._failed[0]

    def _one(self, name: int, job: Callable[[], object]) -> None:
        self._turns[name].acquire()
        try:
            job()
        except BaseException as error:  # noqa: BLE001 (it is raised again where it is heard)
            self._failed.append(error)
        finally:
            del self._turns[name]
            self._back.release()


@dataclass(frozen=True)
class Crowd:
    """What is left of a repository on which many monitors worked at once.

    Attributes:
        ended: how each ended: `done`, or the name of the error that says try again.
        open_proposals, open_issues, reports, branches: after one more monitor alone.
        kept: whether yet another one changed nothing.
    """

    ended: tuple[str, ...]
    open_proposals: tuple[int, ...]
    open_issues: tuple[int, ...]
    reports: int
    branches: tuple[str, ...]
    kept: bool

    @property
    def ok(self) -> bool:
        """Whether there is one of everything."""
        one = len(self.open_proposals) == len(self.open_issues) == self.reports == 1
        return one and len(self.branches) == 3 and self.kept


def look(forge: GitHubForge, records: GitHubRecords, evidence: str) -> None:
    """Do what a monitor does to a forge when it has seen decay, and broken rows besides."""
    records.append("monitoring/delay/2013-04-01-001.json", "{}\n")
    wanted = spec(
        fingerprint=evidence,
        branch=f"ml-gitops/retrain-delay-{evidence}",
        changes=(("lock", evidence.encode()),),
    )
    proposal = apply(forge, decide(forge, "retrain", "delay", wanted))
    if proposal is not None and proposal.state == "open":
        post(forge, proposal.number, "Better.", report_marker("delay", evidence, evidence))
    issue = IssueSpec("incident", "delay", "rows", "Rows are gone", "Look.", ("incident",))
    apply_incident(forge, records, plan("incident", "delay", issue, forge.issues()))


def gather(server: GitHubServer, folder: Path, seed: int, monitors: int) -> Crowd:
    """Let many monitors look at once, then one and another one alone, and return what is left.

    Args:
        seed: who is next, every time; in odd ones the monitors have seen different evidence.
        monitors: how many.
    """
    baton, ended = Baton(seed), ["done"] * monitors

    def job(name: int) -> None:
        transport = partial(Direct, server=server, before=lambda: baton.pause(name))
        harness.transport = transport
        client = harness.client()
        forge = harness.forge_on(client)
        try:
            look(forge, GitHubRecords(client, forge._survey), EVIDENCE[name * (seed % 2) % 2])
        except MlGitopsError as error:
            ended[name] = f"{type(error).__name__}: {error.problem}"

    harness = GitHubHarness(folder, server, transport=partial(Direct, server=server))
    baton.run([partial(job, name) for name in range(monitors)])
    harness.transport = partial(Direct, server=server)
    for _ in range(2):
        before = _seen(harness)
        client = harness.client()
        harness.wait()
        forge = harness.forge_on(client)
        look(forge, GitHubRecords(client, forge._survey), EVIDENCE[0])
    record = harness.repository.record
    open_ones = [it for it in record.threads.values() if it.state == "open"]
    found = Crowd(
        tuple(ended),
        tuple(it.number for it in open_ones if it.pull),
        tuple(it.number for it in open_ones if not it.pull),
        sum(len(it.notes) for it in open_ones if it.pull),
        tuple(sorted(it for it in record.refs if it.startswith("refs/heads/"))),
        _seen(harness) == before,
    )
    harness.repository.delete()
    return found


def _seen(harness: GitHubHarness) -> object:
    record = harness.repository.record
    threads = [(it.updated, it.state, it.body) for it in record.threads.values()]
    return dict(record.refs), threads
