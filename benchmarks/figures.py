"""Figures with limits: printed for people, written for machines, one form for every benchmark."""

import json
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

BUILD = Path(__file__).parents[1] / "build"


@dataclass(frozen=True)
class Figure:
    """One measured figure and what it is held to.

    Attributes:
        name: what was measured.
        value: the measured number.
        limit: the most it may be; None for context that nothing is held to.
        unit: of both.
    """

    name: str
    value: float
    limit: float | None
    unit: str

    @property
    def ok(self) -> bool:
        """Whether the figure holds its limit."""
        return self.limit is None or self.value <= self.limit


def publish(name: str, figures: list[Figure]) -> int:
    """Print figures, write `build/bench/NAME.json`, and return the exit code."""
    from ml_gitops.render.terminal import Terminal

    folder = BUILD / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    machine = {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
    }
    written = [{**asdict(figure), "ok": figure.ok} for figure in figures]
    document = {"figures": written, "machine": machine}
    (folder / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n")
    Terminal().table(
        ["figure", "measured", "limit", ""],
        [
            [
                figure.name,
                f"{_amount(figure.value)} {figure.unit}",
                f"{_amount(figure.limit)} {figure.unit}" if figure.limit is not None else "context",
                "ok" if figure.ok else "OVER",
            ]
            for figure in figures
        ],
        title=f"bench-{name} on {machine['cores']} cores, load {machine['load']}",
    )
    return 0 if all(figure.ok for figure in figures) else 1


def _amount(value: float) -> str:
    """Return a count whole, and anything else with the digits that mean something."""
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:.3g}"


def cpu_seconds(
    command: Sequence[str], *, cwd: Path | None = None, accept: Collection[int] = (0,)
) -> float:
    """Return the processor time of a command with everything it waited for, in seconds.

    Raises:
        SystemExit: it ended with another code than those accepted.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in accept:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def exit_with(name: str, figures: list[Figure]) -> None:
    """Publish the figures and end the process."""
    sys.exit(publish(name, figures))
