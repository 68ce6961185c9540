"""Hostile input, measured: texts in what we post, pull requests, processes beside a token.

`python -m benchmarks.hostile` runs it alone; `make bench-forge` has it with the others.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks.figures import Figure, exit_with

ROOT = Path(__file__).parents[1]
RANDOM = 5_000
"""Texts that are put together at random, besides the written ones."""
LEAST = 150
"""Cases of malicious pull requests that there have to be."""


def figures() -> list[Figure]:
    """Return what came of every text, of every malicious case, and of every guilty process."""
    return [*_texts(), *_cases()]


def _texts() -> list[Figure]:
    """Push every text through every place of all that we post, and look as GitHub would."""
    from tests.hostile.payloads import PAYLOADS, put_together
    from tests.hostile.places import everything

    texts = [*PAYLOADS.values(), *put_together(RANDOM)]
    jobs = [(number, texts[part::8]) for number in range(len(everything())) for part in range(8)]
    started = time.perf_counter()
    with ProcessPoolExecutor(2) as workers:
        found = sum(workers.map(_escaped, *zip(*jobs, strict=True)), Counter())
    seconds = time.perf_counter() - started
    places = sum(len(one.places) for one in everything())
    kinds = {
        "mentions, issues, commits": ("live: mention", "live: issue", "live: commit"),
        "links and addresses": ("tag: a", "live: address"),
        "images": ("tag: img",),
        "emoji and formulas": ("live: emoji", "live: formula"),
        "HTML, tables, lists, code: any other structure": ("structure",),
        "hidden comments and characters": ("a hidden comment", "something that cannot be seen"),
    }
    return [
        Figure("hostile texts, each in every place", len(texts), None, "texts"),
        Figure("places of outside text in what we post", places, None, "places"),
        *(
            Figure(f"escaped as {name}", sum(found[it] for it in counted), 0, "texts")
            for name, counted in kinds.items()
        ),
        Figure("time of that", seconds, None, "s"),
    ]


def _escaped(number: int, texts: list[str]) -> Counter[str]:
    """Return what texts came to be in all places of one thing that we post, and how often."""
    from tests.hostile.forge_view import escapes, look_at
    from tests.hostile.payloads import harmless
    from tests.hostile.places import everything

    one = everything()[number]
    views = {word: look_at(one.with_text(word)) for word in ("word", "wo|rd", " ")}
    found: Counter[str] = Counter()
    for text in texts:
        for told in escapes(look_at(one.with_text(text)), views[harmless(text)]):
            kind, _, tags = told.partition(": ")
            if kind != "structure":
                found[told] += 1
                continue
            named = {it.strip("<>").split()[0] for it in tags.split() if it.startswith("<")}
            found.update({f"tag: {it}" for it in named & {"a", "img"}} or {"structure"})
    return found


def _cases() -> list[Figure]:
    """Run every malicious case, each with what would be harmed, and every guilty process."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "cases.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-m", "hostile", "-n", "4"]
        done = subprocess.run(
            [*command, f"--junitxml={report}", "tests"],
            cwd=ROOT,
            env={**os.environ, "CI": "true"},
            capture_output=True,
            text=True,
            check=False,
        )
        if not report.exists():
            raise SystemExit(f"the cases did not run: {done.stderr.strip()}")
        cases = list(ET.parse(report).iter("testcase"))  # noqa: S314
    bad = [it for it in cases if it.find("failure") is not None or it.find("error") is not None]
    for one in bad:
        print(f"harmed or not caught: {one.get('name')}", file=sys.stderr)
    guilty = [it for it in cases if str(it.get("name")).startswith("test_a_guilty_process")]
    malicious = [it for it in cases if it not in guilty]
    ran = [it for it in malicious if it.find("skipped") is None]
    return [
        Figure("malicious cases", len(ran), None, "cases"),
        Figure(f"short of {LEAST} of them", max(LEAST - len(ran), 0), 0, "cases"),
        Figure(
            "that ran, wrote or posted elsewhere", len([it for it in bad if it in ran]), 0, "cases"
        ),
        Figure("guilty processes", len(guilty), None, "processes"),
        Figure("that were not stopped", len([it for it in bad if it in guilty]), 0, "processes"),
    ]


if __name__ == "__main__":
    exit_with("hostile", figures())
