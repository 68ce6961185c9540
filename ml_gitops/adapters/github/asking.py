"""Questions in GraphQL about one repository, whose answers may come in half."""

from typing import Any

from ml_gitops.adapters.github.answers import Refused
from ml_gitops.adapters.github.client import Document, GitHubClient
from ml_gitops.errors import ForgeError, TryAgain


class Asking:
    """Asks about a repository, and takes nothing for absent that an error hides.

    Args:
        client: of the repository.
    """

    def __init__(self, client: GitHubClient) -> None:
        self.client = client

    def ask(self, text: str, **variables: Any) -> Document:
        """Ask about this repository.

        Raises:
            Refused: GitHub said no.
            TryAgain: no whole answer came in time.
        """
        owner, _, name = self.client.repository.partition("/")
        answer = self.client.graphql(text, {"owner": owner, "name": name, **variables})
        data = answer.get("data") or {}
        if not data.get("repository"):
            raise self.refusal(answer, "repository")
        return answer

    def part(self, answer: Document, section: str) -> Any:
        """Return a part of an answer; None only where nothing hides it.

        Raises:
            Refused: the token may not read it.
        """
        part = answer["data"]["repository"].get(section)
        hidden = [it.get("path", [])[:2] for it in answer.get("errors", [])]
        if part is None and ["repository", section] in hidden:
            raise self.refusal(answer, section)
        return part

    def refusal(self, answer: Document, section: str) -> ForgeError:
        """Return the error for a part of an answer that is missing."""
        errors = [it for it in answer.get("errors", []) if isinstance(it, dict)]
        said = "; ".join(str(it.get("message")) for it in errors)[:200]
        if not errors:
            raise TryAgain(
                f"GitHub left {section} out of its answer",
                hint="run it again",
                where=self.client.where,
            )
        if section == "repository":
            problem = f"there is no repository {self.client.repository}, or the token is not let in"
            hint = "check GITHUB_REPOSITORY, and what the token may see"
        else:
            problem = f"the token may not read {_NEEDS.get(section, section)} ({said})"
            need = _NEEDS.get(section, "contents").replace(" ", "-")
            hint = f"give the job `{need}: read` under `permissions:`, or use a token that has it"
        return Refused(problem, hint=hint, where=self.client.where, status=403, said=said)


_NEEDS = {"pullRequests": "pull requests", "issues": "issues", "refs": "contents"}
