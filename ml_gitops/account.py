"""Who acts on a forge, and what its repository allows."""

from dataclasses import dataclass
from typing import Literal

AccountKind = Literal["local", "job", "app", "person"]


@dataclass(frozen=True)
class Account:
    """Whose name stands under what is written on a forge.

    Attributes:
        login: its name.
        kind: of a forge on this machine, of a job of Actions, of an app, or of a person whose
            token is used.
        hosted: whether the forge is github.com itself, whose rules are the newest.
    """

    login: str
    kind: AccountKind
    hosted: bool = False


@dataclass(frozen=True)
class ForgeRules:
    """What a repository allows and asks for; None where this account may not look.

    Attributes:
        jobs_propose: whether jobs of Actions may open pull requests.
        jobs_write: whether jobs may write unless their workflow says otherwise.
        protected: whether the default branch is protected.
        approvals: how many people must approve of a merge.
    """

    jobs_propose: bool | None = None
    jobs_write: bool | None = None
    protected: bool | None = None
    approvals: int | None = None
