"""Labels that say how far the bot's proposals are, brought to what is true by now."""

from collections import Counter
from collections.abc import Iterator, Sequence

from ml_gitops.delivery.version import parse_release
from ml_gitops.ports import Forge, Tag
from ml_gitops.pull_request import PullRequest, restaged, stage_of
from ml_gitops.workflows.registry import assigned
from ml_gitops.workflows.tagging import run_of

STAGED = ("retrain", "promotion", "rollback")
"""The kinds of proposals that go through stages."""


def settle_labels(forge: Forge, model: str) -> list[int]:
    """Label a model's proposals by their stage, and return the numbers of those that changed.

    Every stage follows from what the forge shows, so whoever dies before this is no loss.
    """
    changed = []
    ours = [it for it in forge.pull_requests() if _is_about(it, model)]
    delivered = set(_delivered(forge, model, ours))
    for proposal in ours:
        stage = stage_of(proposal, delivered=proposal.number in delivered)
        labels = restaged(proposal, stage)
        if labels is not None:
            forge.label(proposal.number, labels)
            changed.append(proposal.number)
    return changed


def _is_about(proposal: PullRequest, model: str) -> bool:
    """Say whether the bot proposed this about a model or one of its environments."""
    marker = proposal.marker
    return marker is not None and marker.kind in STAGED and marker.model.partition("#")[0] == model


def _delivered(forge: Forge, model: str, proposals: Sequence[PullRequest]) -> Iterator[int]:
    """Yield the numbers of what was merged and has reached its place, by the tags of the forge."""
    merged = [it for it in proposals if it.state == "merged"]
    runs = {run_of(tag) for tag in forge.tags() if _released(tag, model)} if merged else set()
    counted: Counter[tuple[str, str | None]] = Counter()
    for proposal in merged:
        marker = proposal.marker
        facts = marker.facts if marker else None
        if marker is None or facts is None:
            continue
        if marker.kind == "retrain" and facts.run_key in runs:
            yield proposal.number
        if marker.kind == "retrain":
            continue
        # A release may be promoted again: its second merge waits for its second assignment.
        counted[marker.model, facts.release] += 1
        environment = marker.model.partition("#")[2]
        past = [it.tag for it in assigned(forge, model, environment)]
        if past.count(str(facts.release)) >= counted[marker.model, facts.release]:
            yield proposal.number


def _released(tag: Tag, model: str) -> bool:
    parsed = parse_release(tag.name)
    return parsed is not None and parsed[0] == model
