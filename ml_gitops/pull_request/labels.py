"""The labels that say how far a proposal is: they follow from facts, and nothing follows from them.

A person may label what they like; only these words are the bot's, on what the bot opened.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from ml_gitops.pull_request.commands import asleep_in
from ml_gitops.pull_request.thread import PullRequest

Stage = Literal[
    "proposed",
    "gate-pass",
    "gate-warn",
    "gate-block",
    "hands-off",
    "merged",
    "delivered",
    "refused",
    "withdrawn",
    "snoozed",
]
STAGES: tuple[Stage, ...] = get_args(Stage)
UNREVIEWED = "unreviewed"
"""On a promotion of what no review covers."""
OURS = frozenset({*STAGES, UNREVIEWED})
"""What the bot takes away where it holds no longer; every other label stays."""

_OPEN = frozenset[Stage]({"proposed", "gate-pass", "gate-warn", "gate-block", "hands-off"})
_ENDS = frozenset[Stage]({"merged", "delivered", "refused", "withdrawn", "snoozed"})
FOLLOWS: Mapping[Stage | None, frozenset[Stage]] = {
    None: _OPEN - {"hands-off"},
    **dict.fromkeys(_OPEN, _OPEN | _ENDS),
    "merged": frozenset({"delivered"}),
    "delivered": frozenset(),
    # Whoever closed it may open it again.
    **dict.fromkeys(("refused", "withdrawn", "snoozed"), _OPEN | _ENDS),
}
"""What may come after each stage; None is before the first."""


def stage_of(proposal: PullRequest, *, delivered: bool = False) -> Stage:
    """Return how far a proposal of the bot is.

    Args:
        proposal: as the forge knows it.
        delivered: whether what it changed has reached its place: a release, an environment.
    """
    if proposal.state == "merged":
        return "delivered" if delivered else "merged"
    if proposal.state == "closed":
        if proposal.closed_by is None or not proposal.closed_by.bot:
            return "refused"
        return "snoozed" if asleep_in(proposal) else "withdrawn"
    if proposal.taken_over:
        return "hands-off"
    facts = proposal.marker.facts if proposal.marker else None
    judged = f"gate-{facts.verdict}" if facts else ""
    return next((stage for stage in STAGES if stage == judged), "proposed")


def relabelled(present: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the labels of a thread that shall have some of ours, and keeps all of people's.

    Args:
        present: what it has now.
        wanted: ours; those of our words that are not among them go.
    """
    theirs = [label for label in present if label not in OURS]
    return tuple(dict.fromkeys([*wanted, *theirs]))


def restaged(proposal: PullRequest, stage: Stage) -> tuple[str, ...] | None:
    """Return the labels that bring a proposal to its stage; None if it says so already."""
    said = {label for label in proposal.labels if label in STAGES}
    if said == {stage}:
        return None
    kept = [label for label in proposal.labels if label not in STAGES]
    return (*kept, stage)
