"""What an answer of GitHub means: an answer, a refusal, not now, or nobody knows."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ml_gitops.adapters.github.transport import Reply
from ml_gitops.errors import ForgeError, TryAgain

_LIMIT = re.compile(r"rate limit|abuse detection|temporarily blocked", re.IGNORECASE)
_LAGGING = re.compile(r"could not resolve to a node|PullRequest head invalid", re.IGNORECASE)
"""We name only what we made or saw ourselves; a replica that knows nothing of it lags behind."""


class Refused(ForgeError):
    """GitHub said no, and nothing was changed.

    Attributes:
        status: of HTTP, or 0 for GraphQL.
        said: GitHub's own words, all of them.
    """

    def __init__(self, problem: str, *, hint: str, where: str, status: int, said: str) -> None:
        super().__init__(problem, hint=hint, where=where)
        self.status = status
        self.said = said


class Lost(TryAgain):
    """The answer to a write is lost: it may have taken effect."""


@dataclass(frozen=True)
class NotNow:
    """GitHub did not do it, and says to ask later.

    Attributes:
        why: a few words.
        wait: seconds that it names; None if it names none.
        certain: whether nothing was changed.
    """

    why: str
    wait: float | None = None
    certain: bool = False


def judge(reply: Reply) -> NotNow | str | None:
    """Say what an answer means: None for a good one, else not now, or GitHub's words of refusal."""
    if 200 <= reply.status < 300:
        return None
    said = words(reply.text)
    limited = reply.status == 403 and (
        _LIMIT.search(said)
        or "retry-after" in reply.headers
        or reply.headers.get("x-ratelimit-remaining") == "0"
    )
    if reply.status == 429 or limited:
        return NotNow("its rate limit is used up", _pause(reply.headers), certain=True)
    if reply.status == 422 and _LAGGING.search(said):
        return NotNow("it does not know yet what was just made", certain=True)
    if reply.status == 408 or reply.status >= 500:
        return NotNow(f"it answered {reply.status}")
    return said or f"status {reply.status}"


def words(text: str) -> str:
    """Return GitHub's message with the details of every error, as one line."""
    try:
        document = json.loads(text)
    except ValueError:
        return ""
    if not isinstance(document, dict):
        return ""
    parts = [str(document.get("message", ""))]
    errors = document.get("errors")
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict):
            told = error.get("message") or " ".join(
                str(error[key]) for key in ("resource", "field", "code") if key in error
            )
            parts.append(str(told))
        else:
            parts.append(str(error))
    return " ".join("; ".join(part for part in parts if part).split())[:300]


def refusal(said: str, *, verb: str, path: str, reply: Reply, where: str) -> Refused:
    """Return the error of a refused request: what was refused, and what to do about it."""
    need = reply.headers.get("x-accepted-github-permissions", "").replace("=", ": ")
    status = reply.status
    if status == 401:
        problem = "GitHub does not know the token"
        hint = "set ML_GITOPS_TOKEN or GITHUB_TOKEN to one that is valid"
    elif "not permitted to create" in said:
        problem = "GitHub Actions may not open pull requests here"
        hint = (
            "allow it under Settings, Actions, General, Workflow permissions, or use an app's token"
        )
    elif status == 403:
        problem = f"the token may not do this ({said})"
        named = f"`{need}`" if need else "the permission"
        hint = f"give the job {named} under `permissions:`, or use a token that has it"
    elif status == 404:
        problem = f"GitHub finds nothing at {path}"
        hint = f"check the name, and that the token may see it{f' ({need})' if need else ''}"
    elif status in {410, 451}:
        problem, hint = f"GitHub gives it out no more ({said})", "ask the owner of the repository"
    elif 300 <= status < 400:
        problem, hint = "the repository moved", "set GITHUB_REPOSITORY to the name it has now"
    else:
        problem = f"GitHub refused to {_DEEDS.get(verb, 'do')} {path} ({said})"
        hint = "change what it names, and run it again"
    return Refused(problem, hint=hint, where=where, status=status, said=said)


_DEEDS = {"GET": "show", "POST": "make", "PATCH": "change", "PUT": "set", "DELETE": "delete"}


def decoded(reply: Reply, form: type) -> Any:
    """Return the JSON of a good answer; None if it is not what was promised.

    Args:
        form: dict or list.
    """
    try:
        document = json.loads(reply.text)
    except ValueError:
        return None
    return document if isinstance(document, form) else None


def _pause(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that GitHub asks for, by its own clock."""
    told = headers.get("retry-after", "")
    if told.isdecimal():
        return float(told)
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        return max(1.0, int(reset) - _server_time(headers).timestamp() + 1)
    return None


def _server_time(headers: Mapping[str, str]) -> datetime:
    try:
        return parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return datetime.now(UTC)


_ANSWERS = {"NOT_FOUND", "FORBIDDEN", "INSUFFICIENT_SCOPES", "UNPROCESSABLE", "STALE_DATA"}


def judge_graph(document: Mapping[str, Any] | None) -> NotNow | None:
    """Say what a GraphQL answer means; errors that answer the question are left in it."""
    if document is None or not isinstance(document.get("errors", []), list):
        return NotNow("half an answer came")
    for error in document.get("errors", []):
        if not isinstance(error, dict):
            return NotNow("half an answer came")
        kind = error.get("type", "")
        if kind == "RATE_LIMITED":
            return NotNow("its rate limit is used up", certain=True)
        if kind not in _ANSWERS and "code" not in error.get("extensions", {}):
            # Time-outs of a query come as errors without a type.
            return NotNow("it could not answer the query")
    return None if "data" in document else NotNow("half an answer came")
