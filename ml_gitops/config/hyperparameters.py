"""Hyper-parameters that a pipeline does not take: the file that names them, and not the code."""

import ast
import inspect
import linecache
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import FrameType
from typing import Any

from ml_gitops.config.toml import decoded, place, read_toml
from ml_gitops.errors import ConfigError, MlGitopsError

_KEYWORD = re.compile(r"([\w.]+)\(\) got an unexpected keyword argument '(\w+)'")
_PARAMETER = re.compile(r"Invalid parameter '(\w+)' for estimator (\w+)")
_VALID = re.compile(r"Valid parameters are: (\[[^\]]*\])")
_VALUE = re.compile(r"The '(\w+)' parameter of (\w+) must be (.+)\. Got (.+) instead", re.DOTALL)

_NEAR = 0.5
"""How alike two names must be; hyper-parameters are short, and there are few."""

Path = tuple[str, ...]


def blame(failure: MlGitopsError, content: bytes, *, where: str) -> MlGitopsError:
    """Return a failure of the author's pipeline as one of its hyper-parameters, if it is that.

    Args:
        failure: it was raised from what the author's code raised.
        content: the file of hyper-parameters.
        where: its path.
    """
    error = failure.__cause__
    if error is None:
        return failure
    text, params = decoded(content), read_toml(content, where=where)
    found = _unknown(error, params) or _unfit(error, params) or _missing(error, params)
    if found is None:
        return failure
    path, problem, hint = found
    return ConfigError(problem, hint=hint, where=place(text, where, path) if path else where)


def _unknown(error: BaseException, params: Mapping[str, Any]) -> tuple[Path, str, str] | None:
    """Return a key that nothing takes, with the nearest one that something does."""
    keyword = _KEYWORD.search(str(error)) if isinstance(error, TypeError) else None
    parameter = _PARAMETER.match(str(error)) if isinstance(error, ValueError) else None
    if keyword:
        name, taker = keyword[2], keyword[1].partition(".")[0]
        known = _taken(_last_frame(error), taker)
    elif parameter:
        name, taker = parameter[1], parameter[2]
        listed = _VALID.search(str(error))
        known = [str(one) for one in ast.literal_eval(listed[1])] if listed else []
    else:
        return None
    path = _path(name, params)
    if path is None:
        return None
    return path, f"{taker} takes no {name!r}", _meant(name, path[-1], known)


def _meant(name: str, spelled: str, known: Sequence[str]) -> str:
    if spelled.startswith(f"{name}__"):
        return "write the name of a step of the pipeline in front of __"
    close = get_close_matches(name, known, n=1, cutoff=_NEAR)
    close = close or [one for one in known if one.casefold() == name[:1].casefold()]
    if close:
        return f"did you mean {close[0]!r}?"
    return f"remove it, or use one of {', '.join(known)}" if known else "remove it"


def _unfit(error: BaseException, params: Mapping[str, Any]) -> tuple[Path, str, str] | None:
    """Return a key whose value scikit-learn refuses."""
    found = _VALUE.match(str(error)) if isinstance(error, ValueError) else None
    path = _path(found[1], params) if found else None
    if found is None or path is None:
        return None
    wanted = " ".join(found[3].split())
    problem = f"{path[-1]} = {found[4]} is refused: {found[2]} wants {wanted}"
    return path, problem, "correct it"


def _missing(error: BaseException, params: Mapping[str, Any]) -> tuple[Path, str, str] | None:
    """Return a key that the author's code asks for in vain."""
    frame = _last_frame(error)
    if not isinstance(error, KeyError) or frame is None or not error.args:
        return None
    name, asked = error.args[0], frame.f_locals.get(_asked(error))
    tables = (params, *(it for it in params.values() if isinstance(it, dict)))
    if not isinstance(name, str) or asked not in tables or _path(name, asked):
        return None
    close = get_close_matches(name, [path[-1] for path in _paths(asked)], n=1, cutoff=_NEAR)
    problem = f"{frame.f_code.co_name} asks for {name!r}, which is not there"
    if not close:
        return (), problem, "add it"
    return _path(close[0], params) or (), problem, f"is {close[0]!r} misspelt?"


def _path(name: str, params: Mapping[str, Any]) -> Path | None:
    """Return where the file spells a parameter, by itself or behind the name of its step."""
    for path in _paths(params):
        if name in path[-1].split("__"):
            return path
    return None


def _paths(table: Mapping[str, Any], above: Path = ()) -> Iterator[Path]:
    for name, value in table.items():
        yield (*above, name)
        if isinstance(value, dict):
            yield from _paths(value, (*above, name))


def _last_frame(error: BaseException) -> FrameType | None:
    """Return the frame that was running: of a call that does not bind, the caller's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame if trace is not None else None


def _asked(error: BaseException) -> str:
    """Return the name in front of the brackets that found nothing: of `params["C"]`, `params`."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    line = linecache.getline(place.filename, place.lineno or 0).encode()
    found = re.match(rb"\w+", line[place.colno or 0 : place.end_colno])
    return found[0].decode() if found else ""


def _taken(frame: FrameType | None, name: str) -> Sequence[str]:
    """Return the parameters of what a frame knows under a name."""
    known = {**frame.f_globals, **frame.f_locals} if frame is not None else {}
    try:
        return [*inspect.signature(known[name]).parameters]
    except (KeyError, TypeError, ValueError):
        return []
