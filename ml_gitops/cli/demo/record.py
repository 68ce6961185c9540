"""What the demo leaves behind: every step as JSON, and the story as a page."""

import json
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from ml_gitops.adapters.local_forge.forge import LocalForge
from ml_gitops.adapters.workspace import write_whole
from ml_gitops.cli.demo.stage import Stage, peak_memory_mb
from ml_gitops.cli.demo.team import Team
from ml_gitops.cli.setting import BOT, now
from ml_gitops.document import canonical_json
from ml_gitops.render.numbers import duration
from ml_gitops.render.story_page import to_html
from ml_gitops.render.story_steps import Story
from ml_gitops.render.terminal import Terminal

RECORD = "demo.json"


KIND = "ml-gitops demo"


def begin_record(directory: Path) -> None:
    """Mark a folder as the demo's own, so that telling it again may replace it."""
    write_whole(directory / RECORD, canonical_json({"kind": KIND}).encode())


def is_record(path: Path) -> bool:
    """Say whether a file is the record of a demo."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("kind") == KIND


def leave_record(directory: Path, stage: Stage, team: Team, seconds: float) -> dict[str, Any]:
    """Write demo.json and index.html, and return the record."""
    forge = LocalForge(team.forge, actor=BOT, clock=now)
    proposals = forge.pull_requests()
    steps = [
        {**to_jsonable_python(step), "number": number} for number, step in enumerate(stage.steps, 1)
    ]
    record = {
        "kind": KIND,
        "steps": steps,
        "pull_requests": [
            to_jsonable_python(one, include={"number", "title", "state", "author", "labels"})
            for one in proposals
        ],
        "releases": [{"tag": page.tag, "assets": list(page.assets)} for page in forge.releases()],
        "tags": [tag.name for tag in forge.tags()],
        "verdicts": [
            {
                "step": step["number"],
                "verdict": step["outcome"]["verdict"],
                "headline": step["outcome"]["headline"],
                "metrics": step["outcome"]["metrics"],
            }
            for step in steps
            if "verdict" in (step["outcome"] or {})
        ],
        "seconds": seconds,
        "peak_memory_mb": round(peak_memory_mb(), 1),
    }
    story = Story(
        chapters=tuple(stage.chapters),
        steps=tuple(stage.steps),
        pull_requests=tuple(proposals),
        diffs=tuple(forge.diff(one.number) for one in proposals),
        watched=tuple(team.watched),
        reports=tuple(team.made),
        metric=team.watched[0]["health"]["metrics"][0]["metric"],
        seconds=seconds,
    )
    write_whole(directory / "index.html", to_html(story).encode())
    write_whole(directory / RECORD, canonical_json(record).encode())
    return record


def say_where(terminal: Terminal, directory: Path, record: dict[str, Any]) -> None:
    """Tell a person where everything lies."""
    terminal.line()
    terminal.panel(
        f"The story took {duration(record['seconds'])}, at most "
        f"{record['peak_memory_mb']:,.0f} MB of memory. It left behind:",
        [
            ("the story as a page", str(directory / "index.html")),
            ("the work tree", str(directory / "model-repo")),
            ("the forge, a bare repository", str(directory / "forge.git")),
            ("full reports", str(directory / "reports")),
            ("every step as JSON", str(directory / RECORD)),
            ("look around", f"cd {directory / 'model-repo'} && ml-gitops status"),
        ],
    )
