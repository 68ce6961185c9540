"""Our own mistakes: an issue ready to paste, without what is the user's and nobody else's."""

import os
import platform
import re
import sys
import tempfile
import traceback
from pathlib import Path

from ml_gitops import __version__
from ml_gitops.render.tables import fence, plain
from ml_gitops.secret import FORM, secret_values

LONGEST = 200
"""Characters of an error's own words: enough to know it, too few for rows."""
_SECRET = re.compile(
    FORM + r"|(?<=://)[^/\s@]+(?=@)"  # a name and a password in an address
    r"|[\w.+-]+@[\w-]+\.[\w.-]+"  # an email address
    r"|(?i:((?:token|secret|passw\w*|bearer|authorization|api.?key)\W{1,4}(?:bearer |basic )?)"
    r"[^\s'\",]+)"
)


def report_bug(error: Exception, words: list[str]) -> None:
    """Write the traceback to a file as an issue, and say where it is.

    Args:
        error: what escaped.
        words: the command line; only the command's own words are kept, not its values.
    """
    command = " ".join(word for word in words if word.isidentifier() or word.startswith("--"))
    text = f"""\
**What happened:** `ml-gitops {command}` ended with {type(error).__name__}.

**Versions:** ml-gitops {__version__}, Python {platform.python_version()}, {platform.system()}

{fence(told(error))}
"""
    with tempfile.NamedTemporaryFile(
        "w", prefix="ml-gitops-bug-", suffix=".md", delete=False, encoding="utf-8"
    ) as file:
        file.write(text)
    print(  # noqa: T201
        f"error: this is a bug in ml-gitops ({type(error).__name__}); "
        f"please open an issue with the text in {Path(file.name)}, after reading it",
        file=sys.stderr,
    )


def told(error: BaseException) -> str:
    """Return a traceback, the first cause first, that shows our lines and of others the place."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    parts = []
    for one in reversed(chain):
        frames = [_frame(frame) for frame in traceback.extract_tb(one.__traceback__)]
        said = plain(redacted(str(one)), limit=LONGEST)
        parts.append("\n".join([*frames, f"{type(one).__name__}: {said}"]))
    return "\n\nand then:\n\n".join(parts)


def _frame(frame: traceback.FrameSummary) -> str:
    place = f"  {_short(frame.filename)}:{frame.lineno}, in {frame.name}"
    ours = Path(frame.filename).is_relative_to(Path(__file__).parents[1])
    return f"{place}\n    {frame.line}" if ours and frame.line else place


def _short(path: str) -> str:
    """Return a path from the package or the library on, or the name of the file alone."""
    for mark in ("site-packages", "ml_gitops"):
        _, found, after = path.rpartition(f"{os.sep}{mark}{os.sep}")
        if found:
            return after if mark == "site-packages" else f"{mark}/{after}"
    return Path(path).name


def redacted(text: str) -> str:
    """Return a text without the secrets we can tell by form or by name, and without homes."""
    for value in secret_values(os.environ):
        text = text.replace(value, "***")
    text = _SECRET.sub(lambda found: f"{found[1] or ''}***", text)
    return text.replace(str(Path.cwd()), ".").replace(str(Path.home()), "~")
