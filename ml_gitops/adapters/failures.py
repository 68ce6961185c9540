"""What the author's code stumbles over most often: what it is, in words, and what to do."""

from pathlib import Path
from typing import NamedTuple

LONGEST = 300
"""Characters of an error's own words."""


class Failure(NamedTuple):
    """What went wrong, and what to do about it."""

    problem: str
    hint: str


def explain(error: BaseException, root: Path) -> Failure:
    """Say what an error of the author's code means.

    Args:
        error: what was raised.
        root: the work tree; paths in it are told as seen from there.
    """
    if isinstance(error, FileNotFoundError) and isinstance(error.filename, (str, bytes, Path)):
        return _no_file(error.filename, root)
    if isinstance(error, ImportError) and "parquet" in str(error):
        return Failure("nothing that is installed reads Parquet", "run `pip install pyarrow`")
    # A SyntaxError repeats in its text the place that is named anyway.
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    message = " ".join(said.split())[:LONGEST] or "no message"
    return Failure(f"{type(error).__name__}: {message}", _hint(error, message))


def _no_file(name: str | bytes | Path, root: Path) -> Failure:
    path = Path(name.decode(errors="replace") if isinstance(name, bytes) else name)
    here = Path.cwd()
    if path.is_absolute():
        place = path.relative_to(root) if path.is_relative_to(root) else path
        return Failure(f"there is no file {place}", "put it there, or correct the path in the code")
    if (root / path).exists():
        hint = "run this there, or open Path(__file__).parent / ... in the code"
        return Failure(f"there is no file {path} in {here}, but there is one in {root}", hint)
    hint = "put it there, or correct the path in the code, which is looked up from there"
    return Failure(f"there is no file {path} in {here}", hint)


def _hint(error: BaseException, message: str) -> str:
    if isinstance(error, PermissionError):
        return "permit this account to read it"
    if isinstance(error, ModuleNotFoundError):
        return f"install what brings {error.name!r}, or correct the import"
    if isinstance(error, TypeError) and "datetime64" in message and message.endswith("date"):
        return "compare times with pd.Timestamp(start) and pd.Timestamp(end)"
    if isinstance(error, TypeError) and "'Timestamp'" in message and "'str'" in message:
        return "the times are text: parse the column first, with pd.to_datetime"
    return "correct the code"
