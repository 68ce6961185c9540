"""Broken contracts: a column that is no longer what the model was made for.

Drift is a reason to learn again; a broken contract is a reason not to.
"""

from collections.abc import Sequence
from typing import Literal

from ml_gitops.document import Part
from ml_gitops.monitoring.counts import ColumnCounts
from ml_gitops.monitoring.profile import ColumnProfile

Reason = Literal["distribution", "null rate", "unseen values"]
BreakKind = Literal["empty", "constant", "null rate", "unseen values"]
CLOSED = 0.005
"""A column whose reference expects fewer new values than this (Good-Turing) is a closed list:
there new values break the contract, elsewhere they are life."""
VARIED = 0.95
"""A column whose commonest cell held less than this was no constant before."""


class Break(Part):
    """A broken contract.

    Attributes:
        severity: `error` where the column carries nothing any more, else `warning`.
        text: one sentence with the numbers.
    """

    column: str
    kind: BreakKind
    severity: Literal["warning", "error"]
    text: str


def find_breaks(
    reference: ColumnProfile, current: ColumnCounts, reasons: Sequence[Reason]
) -> list[Break]:
    """Return the contracts that a column of the current window breaks.

    Args:
        reference: the column in the profile.
        current: its counts.
        reasons: what drifted; nothing small or due to chance breaks a contract.
    """
    name, rows, before = reference.name, current.rows, reference.counts
    if not rows or not before.present:
        return []
    if not current.present:
        text = f"{name} has no value in any of {rows:,} rows"
        return [Break(column=name, kind="empty", severity="error", text=text)]
    breaks = []
    usual = max(before.cells) / before.present
    if _alike(reference, current) and usual < VARIED and "distribution" in reasons:
        text = f"all {current.present:,} values of {name} are alike; before, {usual:.0%} at most"
        breaks.append(Break(column=name, kind="constant", severity="error", text=text))
    null_rate = current.nulls / rows
    if null_rate > reference.null_rate and "null rate" in reasons:
        text = f"{name} has no value in {null_rate:.1%} of rows, {reference.null_rate:.1%} before"
        breaks.append(Break(column=name, kind="null rate", severity="warning", text=text))
    if reference.unseen_rate < CLOSED and "unseen values" in reasons:
        shares = current.cells[-1] / current.present, before.cells[-1] / before.present
        text = f"{shares[0]:.1%} of values of {name} are not in the profile, {shares[1]:.1%} before"
        breaks.append(Break(column=name, kind="unseen values", severity="warning", text=text))
    return breaks


def _alike(reference: ColumnProfile, current: ColumnCounts) -> bool:
    """Say whether all values may be the same one.

    An open cell says nothing of that: a heat wave puts every temperature above the last edge,
    and new categories share the cell of all others.
    """
    closed = current.cells[1:-1] if reference.cells.kind == "numeric" else current.cells[:-1]
    return max(closed, default=0) == current.present
