"""What a bot wants of a forge, as data, and the one rule that reconciles it.

Every pull request and issue of a bot carries a hidden marker with the fingerprint of its
evidence. `plan` compares what is wanted with what exists and answers with
Open, Update, Close, Keep or Tell, so running twice changes nothing.
"""

from ml_gitops.pull_request.commands import Command, offered, tick, ticked
from ml_gitops.pull_request.plan import (
    HANDS_OFF,
    Action,
    Close,
    IssueAction,
    IssueSpec,
    Keep,
    Open,
    PullRequestSpec,
    Standstill,
    Tell,
    Update,
    held_back,
    open_proposals,
    plan,
    snoozed,
)
from ml_gitops.pull_request.thread import (
    LONGEST_TEXT,
    Actor,
    Comment,
    Issue,
    Kind,
    Marker,
    MergeMethod,
    PullRequest,
    Review,
    ReviewWord,
    State,
    Thread,
    signed_text,
)

__all__ = [
    "HANDS_OFF",
    "LONGEST_TEXT",
    "Action",
    "Actor",
    "Close",
    "Command",
    "Comment",
    "Issue",
    "IssueAction",
    "IssueSpec",
    "Keep",
    "Kind",
    "Marker",
    "MergeMethod",
    "Open",
    "PullRequest",
    "PullRequestSpec",
    "Review",
    "ReviewWord",
    "Standstill",
    "State",
    "Tell",
    "Thread",
    "Update",
    "held_back",
    "offered",
    "open_proposals",
    "plan",
    "signed_text",
    "snoozed",
    "tick",
    "ticked",
]
