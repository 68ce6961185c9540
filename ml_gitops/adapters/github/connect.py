"""Which repository on GitHub this is, and the token for it: from the remote and the environment.

Nothing heavy is imported here; a command that needs no forge never loads one.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ml_gitops.errors import ForgeError
from ml_gitops.names import OUTBOX_VARIABLE
from ml_gitops.ports import Clock

if TYPE_CHECKING:
    from ml_gitops.adapters.github.client import GitHubClient
    from ml_gitops.adapters.github.forge import GitHubForge
    from ml_gitops.adapters.github.records import GitHubRecords
    from ml_gitops.adapters.github.runs import GitHubRuns
    from ml_gitops.adapters.github.survey import Survey

PUBLIC_API = "https://api.github.com"
TOKENS = ("ML_GITOPS_TOKEN", "GITHUB_TOKEN")
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9._-]+?"
_REMOTE = re.compile(
    rf"(?:https?://(?:[^/@]*@)?|ssh://(?:[^/@]*@)?|[^/@\s]+@)([^/:\s]+)(?::\d+/|[:/])({_NAME})(?:\.git)?/?"
)


@dataclass(frozen=True)
class Place:
    """A repository on GitHub and how to reach it.

    Args:
        repository: `owner/name`.
        api_url: root of the REST API.
        token: never shown.
    """

    repository: str
    api_url: str
    token: str = field(repr=False)


def find_place(remote: str | None, environment: Mapping[str, str]) -> Place | None:
    """Return the repository on GitHub that a remote or the environment names; None if none does.

    Args:
        remote: address of the Git remote.
        environment: variables; a job of GitHub Actions sets `GITHUB_REPOSITORY`,
            `GITHUB_API_URL` and, if it is asked to, `GITHUB_TOKEN`.

    Raises:
        ForgeError: it is on GitHub, but there is no token, or a variable is wrong.
    """
    match = _REMOTE.fullmatch(remote or "")
    host, named = (match[1].lower(), match[2]) if match else ("", "")
    api_url = environment.get("GITHUB_API_URL") or PUBLIC_API
    on_github = host in _hosts(api_url, environment)
    told = environment.get("GITHUB_REPOSITORY", "")
    token = next((environment[it].strip() for it in TOKENS if environment.get(it)), "")
    if not on_github and not (told and token):
        return None
    repository = told or named
    if not re.fullmatch(_NAME + "(?<!/)", repository):
        raise ForgeError(
            f"GITHUB_REPOSITORY={repository!r} names no repository", hint="write it like owner/name"
        )
    _require_safe(api_url)
    if not token:
        raise ForgeError(
            "there is no token for GitHub",
            hint="set GITHUB_TOKEN, in a job from `${{ github.token }}`, on your machine by "
            "`export GITHUB_TOKEN=$(gh auth token)`",
            where=repository,
        )
    return Place(repository, api_url.rstrip("/"), token)


@dataclass(frozen=True)
class GitHub:
    """A repository on GitHub, as commands use it: one client, and one look, for all of its parts.

    Args:
        place: where it is.
        environment: of the job.
        clock: dates tags.
        files: paths of the default branch that will be asked for.
    """

    place: Place
    environment: Mapping[str, str]
    clock: Clock
    files: Sequence[str] = ()

    def forge(self, *, bot: bool) -> "GitHubForge":
        """Return the forge, as our bot or as a person whose token it is."""
        from ml_gitops.adapters.github.forge import GitHubForge

        survey = self._bots_survey if bot else self._survey(bot=False)
        return GitHubForge(self._client, survey, clock=self.clock, outbox=self._outbox)

    def records(self) -> "GitHubRecords":
        """Return the record of runs."""
        from ml_gitops.adapters.github.records import GitHubRecords

        return GitHubRecords(self._client, self._bots_survey)

    def runs(self) -> "GitHubRuns":
        """Return what is known of runs of workflows."""
        from ml_gitops.adapters.github.git_data import GitData
        from ml_gitops.adapters.github.runs import GitHubRuns

        git = GitData(self._client, self._bots_survey)
        return GitHubRuns(self._client, git, self.forge(bot=True))

    @cached_property
    def _client(self) -> "GitHubClient":
        from ml_gitops.adapters.github.client import GitHubClient
        from ml_gitops.adapters.github.transport import Transport

        return GitHubClient(Transport(self.place.api_url, self.place.token), self.place.repository)

    @cached_property
    def _bots_survey(self) -> "Survey":
        return self._survey(bot=True)

    def _survey(self, *, bot: bool) -> "Survey":
        from ml_gitops.adapters.github.survey import ACTIONS_BOT, Survey

        more = self.environment.get("ML_GITOPS_BOT", "").split()
        return Survey(
            self._client,
            acts_as_bot=bot,
            bots=[ACTIONS_BOT, *(it for it in more if it.endswith("[bot]"))],
            files=self.files,
            signed=self.place.api_url == PUBLIC_API,
        )

    @property
    def _outbox(self) -> Path | None:
        """Where artifacts lie until the job uploads them."""
        if told := self.environment.get(OUTBOX_VARIABLE):
            return Path(told)
        temporary = self.environment.get("RUNNER_TEMP")
        return Path(temporary) / "ml-gitops-outbox" if temporary else None


def _hosts(api_url: str, environment: Mapping[str, str]) -> set[str]:
    """Return the hosts whose repositories the API answers for."""
    known = {urlsplit(environment.get("GITHUB_SERVER_URL", "")).hostname}
    known |= {"github.com", "ssh.github.com"} if api_url == PUBLIC_API else set()
    known.add(urlsplit(api_url).hostname)
    return {host for host in known if host}


def _require_safe(api_url: str) -> None:
    """Refuse to send a token in the clear, except to this machine.

    Raises:
        ForgeError: the address is no https one.
    """
    parts = urlsplit(api_url)
    here = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and here):
        raise ForgeError(
            f"GITHUB_API_URL={api_url!r} is no https address",
            hint="write it like https://api.github.com",
        )
