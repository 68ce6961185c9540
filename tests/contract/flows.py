"""What the loops do to a GitHub, struck by a fault or cut off at any of its calls.

A flow is written so that doing it again is always right; here that is tried at every point. The
tests try some or all of them, `make bench-forge` counts them all.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml_gitops.adapters.github.checks import Annotation
from ml_gitops.adapters.github.forge import GitHubForge
from ml_gitops.adapters.github.records import GitHubRecords
from ml_gitops.adapters.github.transport import Reply, Transport
from ml_gitops.errors import ForgeError, TryAgain
from ml_gitops.pull_request import Marker, signed_text
from ml_gitops.workflows.reconciliation import apply, decide
from tests.contract.forges import GitHubHarness
from tests.contract.test_forge import spec
from tests.github.commits import read_commit
from tests.github.faults import NAMES
from tests.github.server import GitHubServer

BUDGET = 300.0
NOT_TRANSIENT = {"401", "404", "429-long", "stale-read"}
"""A wrong token, an absence and a wait beyond the budget end otherwise; see their own tests."""
HANGING = [name for name in NAMES if name.startswith("timeout")]
"""These cost the time that a client waits."""
TRANSIENT = [name for name in NAMES if name not in NOT_TRANSIENT]


@dataclass(frozen=True)
class Tried:
    """A point at which something went wrong, and what became of it.

    Attributes:
        where: the flow, the fault and the call.
        gave_up: what the flow said when it ended with "try again"; empty if it ended well.
        problem: what was wrong afterwards; empty if the next run ended where it should.
        duplicates: what there was too much of.
    """

    where: str
    gave_up: str = ""
    problem: str = ""
    duplicates: int = 0


# Flows: what the loops do, so that doing it again is always right.


def propose(forge: GitHubForge) -> None:
    """Open the retraining pull request."""
    apply(forge, decide(forge, "retrain", "delay", spec()))


def renew(forge: GitHubForge) -> None:
    """Bring it to newer evidence, with other labels and as a draft."""
    newer = spec((("b.txt", b"\x00new"),), fingerprint="may", title="Retrain again", draft=True)
    apply(forge, decide(forge, "retrain", "delay", newer))


def withdraw(forge: GitHubForge) -> None:
    """Close it, since the evidence is gone."""
    apply(forge, decide(forge, "retrain", "delay", None, gone="It is over."))


def merge(forge: GitHubForge) -> None:
    """Merge it; whoever asks again is told, and finishes what is left."""
    with suppress(ForgeError):
        forge.merge(1)


def report(forge: GitHubForge) -> None:
    """Keep one comment with the report."""
    marker = Marker(kind="report", model="delay", content="1")
    said = [it for it in forge.pull_request(1).comments if Marker.find(it.body) == marker]
    if said:
        forge.edit_comment(1, said[0].number, signed_text("Better.", marker))
    else:
        forge.comment(1, signed_text("Better.", marker))


def release(forge: GitHubForge) -> None:
    """Tag what the default branch holds, and publish it with its files."""
    tag = "delay@v1.0.0"
    if tag not in {it.name for it in forge.tags()}:
        forge.create_tag(tag, forge.head("main") or "", f"{tag}\n\nThe first.")
    if tag not in {it.tag for it in forge.releases()}:
        forge.create_release(tag, "delay 1.0.0", "Notes.", {"a.onnx": b"\x00a", "b.json": b"{}"})


def stage(forge: GitHubForge) -> None:
    """Commit to the default branch."""
    forge.commit("main", {"deployments/staging.json": b"{}\n"}, "Let staging serve it")


def warn(forge: GitHubForge) -> None:
    """Keep one issue open."""
    marker = Marker(kind="incident", model="delay", fingerprint="may")
    open_ones = [it for it in forge.issues() if it.state == "open" and it.marker == marker]
    if not open_ones:
        forge.open_issue("Rows are gone", signed_text("Look.", marker), ["incident", "delay"])


def check(forge: GitHubForge) -> None:
    """Leave a check run with more annotations than GitHub takes at once."""
    notes = [Annotation("a.txt", 1 + n, "warning", f"Row {n}") for n in range(120)]
    forge.check_run(
        forge.head("main") or "",
        "ML checks",
        "failure",
        title="2 of 9 fail",
        summary="Look.",
        annotations=notes,
        evidence="7:1",
    )


def record(forge: GitHubForge) -> None:
    """Write two records."""
    records = GitHubRecords(forge._client, forge._survey)
    records.append("monitoring/delay/1.json", "{}\n")
    records.append("monitoring/delay/2.json", '{"two": 2}\n')


@dataclass(frozen=True)
class Flow:
    """One flow, and what has to be there before it."""

    do: Callable[[GitHubForge], None]
    before: tuple[Callable[[GitHubForge], None], ...] = ()


FLOWS = {
    "propose": Flow(propose),
    "renew": Flow(renew, (propose,)),
    "withdraw": Flow(withdraw, (propose,)),
    "merge": Flow(merge, (propose,)),
    "report": Flow(report, (propose,)),
    "release": Flow(release),
    "stage": Flow(stage),
    "warn": Flow(warn),
    "check": Flow(check),
    "record": Flow(record),
}


def begin(server: GitHubServer, folder: Path, flow: Flow) -> GitHubHarness:
    """Return a repository in which a flow is due."""
    server.faults.clear()
    harness = GitHubHarness(folder, server)
    for step in flow.before:
        step(harness.forge())
    return harness


def after(harness: GitHubHarness) -> dict[str, Any]:
    """Return everything that people see of a repository; times and ids of commits left out."""
    found = harness.repository.record
    git = found.git

    def tree(sha: str) -> str:
        commit = read_commit(git, sha)
        return commit.tree if commit else sha

    return {
        "branches": {
            name: tree(sha) for name, sha in found.refs.items() if name.startswith("refs/heads/")
        },
        "tags": sorted(name for name in found.refs if name.startswith("refs/tags/")),
        "threads": [
            (
                it.title,
                it.body,
                it.state,
                sorted(label.name for label in it.labels),
                [note.body for note in it.notes],
                it.pull
                and (it.pull.draft, it.pull.branch, bool(it.pull.merged), tree(it.pull.head)),
            )
            for it in found.threads.values()
        ],
        "releases": [
            (it.tag, it.draft, sorted(asset.name for asset in it.assets)) for it in found.releases
        ],
        "checks": [(it.name, it.status, it.conclusion, len(it.annotations)) for it in found.checks],
    }


def duplicates(found: dict[str, Any], wanted: dict[str, Any]) -> int:
    """Return how many threads, comments, tags, releases and check runs there are too many."""

    def count(seen: dict[str, Any]) -> list[int]:
        notes = sum(len(thread[4]) for thread in seen["threads"])
        return [notes, *(len(seen[it]) for it in ("threads", "tags", "releases", "checks"))]

    return sum(max(0, n - m) for n, m in zip(count(found), count(wanted), strict=True))


def struck(harness: GitHubHarness, flow: Flow, timeout: float = 20.0) -> str:
    """Run a flow; return what it said when it gave up, which nothing but `TryAgain` may."""
    client = harness.client(budget=BUDGET, timeout=timeout)
    harness.wait()
    try:
        flow.do(harness.forge_on(client))
    except TryAgain as again:
        return str(again)
    return ""


class Crash(BaseException):
    """The process ends here."""


@dataclass(frozen=True)
class Dying(Transport):
    """A transport whose process dies at one of its calls.

    Args:
        last: the number of the call, from 1.
        effect: whether the call still takes effect.
    """

    last: int = 0
    effect: bool = False
    made: list[str] = field(default_factory=list)

    def send(self, verb: str, path: str, **more: Any) -> Reply:
        """See `Transport`."""
        return self._until(verb, lambda: super(Dying, self).send(verb, path, **more))

    def upload(self, url: str, content: bytes, content_type: str) -> Reply:
        """See `Transport`."""
        return self._until("POST", lambda: super(Dying, self).upload(url, content, content_type))

    def _until(self, verb: str, call: Callable[[], Reply]) -> Reply:
        self.made.append(verb)
        if len(self.made) != self.last:
            return call()
        if self.effect:
            call()
        raise Crash


def tried(where: str, harness: GitHubHarness, flow: Flow, wanted: object, said: str = "") -> Tried:
    """Run a flow again after something went wrong, and say what is left."""
    problem = ""
    try:
        again = struck(harness, flow)
    except Exception as error:  # noqa: BLE001 (whatever it is, it is a finding)
        again = f"{type(error).__name__}: {error}"
    found = after(harness)
    if again:
        problem = f"the next run ended with {again}"
    elif "\n" in said:
        problem = "more than a line was said"
    elif sum(harness.slept) > BUDGET:
        problem = "it waited for longer than its budget"
    elif found != wanted:
        problem = "something else is left than without it"
    assert isinstance(wanted, dict)
    harness.repository.delete()
    return Tried(where, said, problem, duplicates(found, wanted))


def with_faults(server: GitHubServer, folder: Path, name: str, fault: str) -> Iterator[Tried]:
    """Strike every call of a flow with a fault, each in a repository of its own."""
    flow = FLOWS[name]
    clean = begin(server, folder / "clean", flow)
    calls = len(server.calls)
    assert struck(clean, flow) == ""
    calls, wanted = len(server.calls) - calls, after(clean)
    for call in range(1, calls + 1):
        harness = begin(server, folder / str(call), flow)
        server.faults.add(fault, call=call)
        where = f"{fault} at call {call} of {calls} of {name}"
        try:
            said = struck(harness, flow, 0.5 if fault in HANGING else 20.0)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is a finding)
            yield Tried(where, problem=f"it ended with {type(error).__name__}: {error}")
            continue
        finally:
            server.faults.clear()
        yield tried(where, harness, flow, wanted, said)


def with_crashes(server: GitHubServer, folder: Path, name: str, *, effect: bool) -> Iterator[Tried]:
    """End the process at every call of a flow, before it or after its effect."""
    flow = FLOWS[name]
    clean = begin(server, folder / "clean", flow)
    assert struck(clean, flow) == ""
    wanted, call = after(clean), 0
    while True:
        call += 1
        harness = begin(server, folder / str(call), flow)
        client = harness.client()
        old = client._transport
        client._transport = Dying(old.api_url, old.token, old.timeout, call, effect)
        try:
            flow.do(harness.forge_on(client))
        except Crash:
            harness.wait()
        else:
            return
        moment = "after" if effect else "before"
        yield tried(f"{moment} call {call} of {name}", harness, flow, wanted)
