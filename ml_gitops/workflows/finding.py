"""What `check` or `doctor` says of one thing that it looked at."""

from typing import Literal

from ml_gitops.document import Part
from ml_gitops.errors import MlGitopsError


class Finding(Part):
    """One thing that was looked at.

    Attributes:
        what: the file, key or place.
        text: what was found.
        remedy: what to do about it; empty if there is nothing to do.
    """

    state: Literal["pass", "warn", "fail"]
    what: str
    text: str
    remedy: str = ""

    @classmethod
    def of(
        cls, error: MlGitopsError, what: str, state: Literal["warn", "fail"] = "fail"
    ) -> "Finding":
        """Return what an error says, in the place that it names."""
        return cls(state=state, what=error.where or what, text=error.problem, remedy=error.hint)
