"""Our own mistakes: an issue ready to paste, without anything of the user's."""

import platform
import sys
import tempfile
import traceback
from pathlib import Path

from ml_gitops import __version__


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

```
{"".join(traceback.format_exception(error)).rstrip()}
```
"""
    with tempfile.NamedTemporaryFile(
        "w", prefix="ml-gitops-bug-", suffix=".md", delete=False
    ) as file:
        file.write(text)
    print(  # noqa: T201
        f"error: this is a bug in ml-gitops ({type(error).__name__}); "
        f"please open an issue with the text in {Path(file.name)}",
        file=sys.stderr,
    )
