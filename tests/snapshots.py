"""What people read, kept as files, so that a change of words is seen in the diff of a change."""

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "unit" / "snapshots"
WRITE = "SNAPSHOTS"


def assert_reads(name: str, text: str) -> None:
    """Hold a text to the file that is kept of it; `SNAPSHOTS=write` keeps it anew.

    Args:
        name: of the file.
        text: what people read; spaces at the ends of lines do not count.
    """
    said = "\n".join(line.rstrip() for line in text.split("\n")).rstrip() + "\n"
    path = FOLDER / name
    if os.environ.get(WRITE) == "write":
        path.write_text(said, encoding="utf-8")
    assert said == path.read_text(encoding="utf-8")
