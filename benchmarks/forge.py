"""The forge at its worst: crashes, faults, crowds, people. Whatever comes, one of everything."""

import contextlib
import io
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from benchmarks import hostile
from benchmarks.figures import BUILD, Figure, exit_with
from tests.contract.crowd import gather
from tests.contract.flows import FLOWS, TRANSIENT, Tried, with_crashes, with_faults
from tests.contract.test_bot_and_people import HALVES, WHOLE, run_on_github
from tests.e2e.crashes import Fuse
from tests.e2e.flows import FLOWS as LOOPS
from tests.e2e.on_github import OnGitHub, fused, with_power_cuts
from tests.e2e.stages import Stages, bentos_built_once
from tests.e2e.world import FIRST, FIRST_LOCK, QUIET
from tests.github.server import GitHubServer

CALLER = Path(__file__).parents[1] / "actions" / "callers" / "ci.yml"
MONITORS, ORDERS, CHUNK = 32, 200, 10
PROCESSES = 2
SHELF = BUILD / "bench" / "forge"
"""Where the worlds stand that the loops begin in; made anew every time."""


@dataclass(frozen=True)
class Found:
    """What one task found.

    Attributes:
        points: the points that were tried, of crashes and faults.
        others: what else was counted, by name.
    """

    points: tuple[Tried, ...] = ()
    others: tuple[tuple[str, float], ...] = ()


Task = tuple[str, Callable[[], Found]]


def main() -> None:
    """Measure every figure and print it beside its limit."""
    shutil.rmtree(SHELF, ignore_errors=True)
    SHELF.mkdir(parents=True)
    loops = [(f"crash {name}", partial(_loop, name)) for name in LOOPS]
    tasks: list[Task] = [
        ("calls", _quiet_calls),
        *loops,
        *((f"people {half}", partial(_people, half)) for half in HALVES),
        *((f"crowd {at}", partial(_crowd, at)) for at in range(0, ORDERS, CHUNK)),
        *(
            (f"crash adapter {name} {effect}", partial(_adapter, name, effect))
            for name in FLOWS
            for effect in (False, True)
        ),
        *((f"fault {name} {it}", partial(_fault, name, it)) for name in FLOWS for it in TRANSIENT),
    ]
    found = _all(tasks)
    exit_with("forge", [*_crash_figures(found), *_fault_figures(found), *_others(found)])


def _all(tasks: Sequence[Task]) -> dict[str, Found]:
    """Do every task in a few processes, and say how far it is."""
    began, told, found = time.monotonic(), 0.0, {}
    context = multiprocessing.get_context("spawn")
    with context.Pool(PROCESSES) as pool:
        for number, (name, one) in enumerate(pool.imap_unordered(_do, tasks), 1):
            assert name not in found, name
            found[name] = one
            passed = time.monotonic() - began
            if passed - told > 5 or number == len(tasks):
                told = passed
                points = sum(len(it.points) for it in found.values())
                done = f"{number} of {len(tasks)} parts, {points:,} points"
                print(f"{passed:4.0f} s  {done}  ({name})", file=sys.stderr, flush=True)
    return found


def _do(task: Task) -> tuple[str, Found]:
    name, run = task
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with contextlib.redirect_stdout(io.StringIO()):  # what commands say is not what this says
        return name, run()


@cache
def _server(*, held: bool) -> GitHubServer:
    """Return the server of this process."""
    server = GitHubServer(Path(tempfile.mkdtemp(prefix="ml-gitops-")), held=held)
    server.__enter__()
    return server


def _loop(name: str) -> Found:
    """Cut the power at every request of a loop."""
    with tempfile.TemporaryDirectory() as folder, bentos_built_once(SHELF):
        points = with_power_cuts(_server(held=False), Stages(SHELF), Path(folder), name)
        return Found(tuple(points))


def _adapter(name: str, effect: bool) -> Found:  # noqa: FBT001 (a part of a task)
    """End the process at every request of a flow of the adapter."""
    with tempfile.TemporaryDirectory() as folder:
        return Found(tuple(with_crashes(_server(held=True), Path(folder), name, effect=effect)))


def _fault(name: str, fault: str) -> Found:
    """Strike every request of a flow of the adapter."""
    with tempfile.TemporaryDirectory() as folder:
        return Found(tuple(with_faults(_server(held=True), Path(folder), name, fault)))


def _crowd(first: int) -> Found:
    """Let monitors race in some orders."""
    bad = 0
    for seed in range(first, min(ORDERS, first + CHUNK)):
        with tempfile.TemporaryDirectory() as folder:
            bad += not gather(_server(held=False), Path(folder), seed, MONITORS).ok
    return Found(others=(("orders", min(CHUNK, ORDERS - first)), ("bad orders", bad)))


def _people(half: int) -> Found:
    """Let hypothesis play bot, people and time."""
    steps = WHOLE.max_examples * WHOLE.stateful_step_count
    try:
        run_on_github(half)
    except Exception as error:  # noqa: BLE001 (whatever it is, a law is broken)
        print(error, file=sys.stderr)
        return Found(others=(("steps", steps), ("violations", 1)))
    return Found(others=(("steps", steps), ("violations", 0)))


def _quiet_calls() -> Found:
    """Count the requests of a monitor that has nothing to do."""
    server = _server(held=False)
    with tempfile.TemporaryDirectory() as folder, bentos_built_once(SHELF):
        ready = Stages(SHELF).released().copy(Path(folder) / "ready" / "churn")
        ready.live(FIRST_LOCK, QUIET, FIRST)
        world = OnGitHub(server, ready, Path(folder)).copy(Path(folder) / "churn")
        with fused(server, Fuse()):
            world.monitor(QUIET)
        with fused(server, Fuse()) as fuse:
            world.monitor(QUIET)
        return Found(others=(("calls", len(fuse.made)), ("writes", sum(fuse.writes))))


def _crash_figures(found: dict[str, Found]) -> list[Figure]:
    points = [it for name, one in found.items() if "crash" in name for it in one.points]
    _tell(points)
    loops = sum(len(found[f"crash {name}"].points) for name in LOOPS)
    return [
        Figure("points at which the process died", len(points), None, "points"),
        Figure("of these in the loops, from command line to API", loops, None, "points"),
        Figure("too few points (below 100)", max(0, 100 - len(points)), 0, "points"),
        Figure("points after which a rerun ended otherwise", _bad(points), 0, "points"),
        Figure("duplicates after them", sum(it.duplicates for it in points), 0, "things"),
    ]


def _fault_figures(found: dict[str, Found]) -> list[Figure]:
    points = [it for name, one in found.items() if name.startswith("fault") for it in one.points]
    _tell(points)
    return [
        Figure("calls x faults", len(points), None, "points"),
        Figure("kinds of faults", len(TRANSIENT), None, "kinds"),
        Figure("too few kinds (below 15)", max(0, 15 - len(TRANSIENT)), 0, "kinds"),
        Figure("that said try again (exit 75)", sum(bool(it.gave_up) for it in points), None, ""),
        Figure("that ended otherwise, or not the same", _bad(points), 0, "points"),
        Figure("duplicates after faults", sum(it.duplicates for it in points), 0, "things"),
    ]


def _others(found: dict[str, Found]) -> list[Figure]:
    counted: dict[str, float] = {}
    for one in found.values():
        for name, value in one.others:
            counted[name] = counted.get(name, 0) + value
    caller = CALLER.read_text()
    lines = [line for line in caller.splitlines() if line.strip()]
    return [
        Figure("steps of bot, people and time", counted["steps"], None, "steps"),
        Figure("runs of them that broke a law", counted["violations"], 0, "runs"),
        Figure(f"orders of {MONITORS} monitors at once", counted["orders"], None, "orders"),
        Figure("orders that left not one of everything", counted["bad orders"], 0, "orders"),
        Figure("API calls of a monitor with nothing to do", counted["calls"], 6, "calls"),
        Figure("changes it makes", counted["writes"], 0, "changes"),
        Figure("lines of the one file that brings a report", len(lines), 12, "lines"),
        Figure("secrets it names", len(re.findall("secrets", caller)), 0, "secrets"),
        *hostile.figures(),
    ]


def _bad(points: Sequence[Tried]) -> int:
    return sum(bool(it.problem) for it in points)


def _tell(points: Sequence[Tried]) -> None:
    """Name the first few points that ended badly."""
    for it in [it for it in points if it.problem or it.duplicates][:10]:
        print(f"{it.where}: {it.problem or 'duplicates'}", file=sys.stderr)


if __name__ == "__main__":
    main()
