"""What a repository on GitHub allows, as far as the token may look."""

from typing import Any
from urllib.parse import quote

from ml_gitops.account import Account, ForgeRules
from ml_gitops.adapters.github.answers import Refused
from ml_gitops.adapters.github.client import Document, GitHubClient
from ml_gitops.adapters.github.survey import ACTIONS_BOT, Survey

_COUNT = "required_approving_review_count"
_HIDDEN = (401, 403, 404)
"""How GitHub says that something is not for this token to see."""


class Settings:
    """Who acts in a repository, and by which rules."""

    _client: GitHubClient
    _survey: Survey

    @property
    def account(self) -> Account:
        """Whose token is used."""
        login = self._survey.people.login
        hosted = self._survey.hosted
        if login == ACTIONS_BOT:
            return Account(login, "job", hosted)
        return Account(login, "app" if login.endswith("[bot]") else "person", hosted)

    def rules(self) -> ForgeRules:
        """Return what the repository allows and asks for; None where the token may not look."""
        jobs = self._seen("/actions/permissions/workflow")
        branch = quote(str(self._survey.about["defaultBranchRef"]["name"]), safe="")
        about = self._seen(f"/branches/{branch}")
        return ForgeRules(
            jobs_propose=jobs and bool(jobs["can_approve_pull_request_reviews"]),
            jobs_write=jobs and jobs["default_workflow_permissions"] == "write",
            protected=about and bool(about["protected"]),
            approvals=self._approvals(branch, about),
        )

    def _approvals(self, branch: str, about: Document | None) -> int | None:
        """Return how many must approve: by the rulesets, which all may read, or the protection."""
        rules = self._seen(f"/rules/branches/{branch}") or []
        asked = [it.get("parameters", {}) for it in rules if it.get("type") == "pull_request"]
        most = max((int(it.get(_COUNT, 0)) for it in asked), default=0)
        if most or (about is not None and not about["protected"]):
            return most
        protection = self._seen(f"/branches/{branch}/protection")
        if protection is None:
            return None
        return int(protection.get("required_pull_request_reviews", {}).get(_COUNT, 0))

    def _seen(self, path: str) -> Any:
        try:
            return self._client.get_any(path)
        except Refused as refused:
            if refused.status not in _HIDDEN:
                raise
            return None
