"""How the bot meets people on the forge."""

import re
from typing import Annotated

from pydantic import AfterValidator

from ml_gitops.document import Part

_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9]|-(?=[A-Za-z0-9])){0,38}")
_TEAM = re.compile(r"[\w.-]{1,100}", re.ASCII)


def _reviewer(value: str) -> str:
    owner, slash, team = value.partition("/")
    if not _LOGIN.fullmatch(owner) or (slash and not _TEAM.fullmatch(team)):
        raise ValueError(f"{value!r} is nobody; write a login like ada, or a team like acme/risk")
    return value


Reviewer = Annotated[str, AfterValidator(_reviewer)]
"""Who reviews: a login, or a team as `owner/team`."""


class BotPolicy(Part):
    """How the bot meets people on the forge; table `[bot]`."""

    dashboard: bool = True
    """Keep one issue that says where every model stands, and by when it will have been renewed."""
    reviewers: tuple[Reviewer, ...] = ()
    """Who is asked for a review of what the bot opens: logins, and teams as `owner/team`. A file
    CODEOWNERS asks by path, on every pull request; this asks on the bot's alone."""
